"""Content on its way to a service: small at once, large in parts, several at a time, in bounded memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.threads import ended, to_its_end
from chuk_fsspec.remote.store import NOTHING_BESIDES, Attributes, Upload

if TYPE_CHECKING:
    from chuk_fsspec.remote.writing import Writing


_PIECE = 1 << 20
"""Bytes from which on a piece of what is gathered no longer grows: to grow is to be copied."""


@dataclass(frozen=True)
class Order:
    """What is to be written, but for the content.

    Attributes:
        path: absolute and normal.
        besides: what is kept with the content.
        condition: what has to be there when it is published.
        is_new: nothing may be there, by ``mode="create"`` or "xb".
    """

    path: str
    besides: Attributes = NOTHING_BESIDES
    condition: Condition | None = None
    is_new: bool = False


class Sending:
    """One file that is being written. It holds at most one part, and those that are on their way.

    Nobody sees anything before ``finish``. Whoever does not get there calls ``abort``.
    """

    def __init__(self, fs: Writing, order: Order) -> None:
        """Begin without a request."""
        self._fs, self._order = fs, order
        self._traits = fs.traits
        self._turns = asyncio.Semaphore(self._traits.parallel_parts)
        self._gathered = _Pieces()
        self._upload: Upload | None = None
        self._number = 0
        self._on_their_way: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    async def write(self, data: Buffer) -> None:
        """Add content; waits while as many parts as allowed are on their way. The error of an earlier part."""
        view = memoryview(data).cast("B")
        if self._upload is None and self._gathered.size + view.nbytes > self._traits.largest_whole:
            self._upload = await self._fs._begin_upload(self._order)
            await self._add(memoryview(self._gathered.take()))
        await self._add(view)

    async def _add(self, view: memoryview) -> None:
        """Gather content, and send every part that is complete."""
        while self._upload is not None and self._gathered.size + view.nbytes >= self._traits.part_size:
            room = self._traits.part_size - self._gathered.size
            self._gathered.add(view[:room])
            view = view[room:]
            await self._send(self._gathered.take())
        self._gathered.add(view)

    async def finish(self) -> str | None:
        """Publish it; returns its etag. PreconditionFailed, with nothing done."""
        last = self._gathered.take()
        if self._upload is None:
            return await self._fs._write_whole(self._order, last)
        if last:
            await self._send(last)
        if self._on_their_way:
            await asyncio.wait(self._on_their_way)
        self._raise_failure()
        return await self._fs._finish_upload(self._order, self._upload)

    async def abort(self) -> None:
        """Leave nothing of it behind, whoever cancels."""
        await to_its_end(self._abort())

    async def abort_for(self, error: BaseException) -> None:
        """The same because of an error, which is raised again should this fail too, with what failed as its context."""
        try:
            await self.abort()
        except OSError:
            raise error  # noqa: B904 - its own cause stays

    async def _abort(self) -> None:
        self._gathered.take()
        for task in list(self._on_their_way):
            task.cancel()
            await ended(task)
        upload, self._upload = self._upload, None
        if upload is not None:
            await upload.abort()

    async def _send(self, part: bytes) -> None:
        await self._turns.acquire()
        if self._failure is not None:
            self._turns.release()
            self._raise_failure()
        assert self._upload is not None
        task = asyncio.ensure_future(self._upload.send(self._number, part))
        self._number += 1
        self._on_their_way.add(task)
        task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._on_their_way.discard(task)
        self._turns.release()
        if not task.cancelled() and self._failure is None:
            self._failure = task.exception()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


class _Pieces:
    """Content that is gathered.

    Attributes:
        size: its bytes.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.size = 0
        self._pieces: list[bytearray] = []

    def add(self, view: memoryview) -> None:
        """Keep a copy."""
        if not self._pieces or len(self._pieces[-1]) >= _PIECE:
            self._pieces.append(bytearray())
        self._pieces[-1] += view
        self.size += view.nbytes

    def take(self) -> bytes:
        """All of it, and begin with nothing again."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return taken
