"""Contents of files, each from one version of its object, the pieces of large ones several at once."""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from collections.abc import AsyncIterator

from chuk_fsspec.contract.errors import PreconditionFailed, link_in_the_way, os_error
from chuk_fsspec.remote.keys.keystore import Piece
from chuk_fsspec.remote.keys.metadata import is_link
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.store import Entry
from chuk_fsspec.remote.together import together

_ROUNDS = 10
"""How often a file that others replace meanwhile is read anew."""


async def read(space: Space, path: str, start: int, stop: int | None, etag: str = "") -> bytes:
    """Bytes of a file, as ``RemoteStore.read`` has it. Without an etag, one that is replaced is read anew."""
    for _ in range(_ROUNDS):
        try:
            return await _read(space, path, start, stop, etag)
        except OSError as error:  # noqa: PERF203 - the next round reads another version
            if etag or error.errno != errno.ESTALE:
                raise
    raise os_error(errno.ESTALE, path, hint="it is replaced faster than it can be read")


async def _read(space: Space, path: str, start: int, stop: int | None, etag: str) -> bytes:
    size = space.keys.traits.part_size
    end = start + size if stop is None else min(stop, start + size)
    first = await _piece(space, path, start, end, etag)
    last = first.size if stop is None else min(stop, first.size)
    if end >= last:
        return first.data
    rest = (_piece(space, path, at, min(at + size, last), first.etag) for at in range(end, last, size))
    pieces = await together(rest, space.keys.traits.parallel_reads)
    return b"".join((first.data, *(piece.data for piece in pieces)))


async def read_latest(space: Space, path: str, start: int, stop: int) -> tuple[Entry, bytes]:
    """Bytes of whatever version is there, and which one that is, as ``RemoteStore.read_latest`` has it."""
    piece = await _piece(space, path, start, min(stop, start + space.keys.traits.part_size), "")
    return Entry(path, "file", piece.size, etag=piece.etag), piece.data


async def stream(space: Space, path: str) -> AsyncIterator[bytes]:
    """The whole of a file, as ``RemoteStore.stream`` has it: pieces are asked for by the etag of the first one."""
    size, ahead = space.keys.traits.part_size, space.calls.ahead
    first = await _piece(space, path, 0, size, "")
    etag, starts = first.etag, deque(range(size, first.size, size))
    yield first.data
    del first
    coming: deque[asyncio.Task[Piece]] = deque()
    try:
        while starts or coming:
            while starts and (not coming or (len(coming) < space.keys.traits.parallel_reads and ahead.take())):
                start = starts.popleft()
                coming.append(asyncio.ensure_future(_piece(space, path, start, start + size, etag)))
            await coming[0]
            if len(coming) > 1:
                ahead.give()
            yield coming.popleft().result().data
    finally:
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)
        ahead.give(max(len(coming) - 1, 0))


async def _piece(space: Space, path: str, start: int, stop: int | None, etag: str) -> Piece:
    key = space.names.key(path)
    try:
        size = space.keys.traits.part_size if stop is None else stop - start
        piece = await space.calls(path, lambda: space.keys.get(key, start, stop, etag, space.version), size=size)
    except FileNotFoundError as error:
        raise await space.why_no_file(path) from error
    except PreconditionFailed as error:
        raise os_error(errno.ESTALE, path, hint="it was replaced while it was read: read it again") from error
    if space.keeps_posix and is_link(piece.metadata):
        raise link_in_the_way(path)
    return piece
