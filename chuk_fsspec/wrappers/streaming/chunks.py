"""From whatever a caller streams to pieces of one size, never holding more than one piece and what came last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from chuk_fsspec.contract.posix import Buffer

DEFAULT_CHUNK = 64 * 1024


def check_chunk_size(chunk_size: int) -> int:
    """Return a chunk size in bytes that can be worked with. ValueError below 1, TypeError for no integer."""
    if not isinstance(chunk_size, int):
        raise TypeError(f"chunk_size must be a number of bytes, not {chunk_size!r}")
    if chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1 byte, not {chunk_size}")
    return chunk_size


def bytes_of(chunk: Any) -> memoryview:
    """A chunk as a flat view of its bytes, without copying where it lies in one piece.

    Args:
        chunk: ``bytes``, ``bytearray``, ``memoryview`` or anything else with the buffer protocol.

    Raises:
        TypeError: for text and everything else, with the fix in the message.
    """
    if isinstance(chunk, str):
        raise TypeError("chunks must be bytes, not str: encode the text first, as in chunk.encode()")
    try:
        view = memoryview(chunk)
    except TypeError:
        raise TypeError(f"chunks must be bytes, not {type(chunk).__name__}") from None
    if not view.nbytes:
        return memoryview(b"")
    return view.cast("B") if view.c_contiguous else memoryview(view.tobytes())


def chunks_of(source: Any, chunk_size: int) -> Iterator[Any]:
    """What a source gives, as it gives it.

    Args:
        source: an iterable of chunks, a binary file open for reading, or the bytes themselves.
        chunk_size: how many bytes to ask a file for.

    Raises:
        TypeError: for an asynchronous source, or one that is none of these.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return iter((source,))
    if hasattr(source, "read"):
        return _read_all(source, chunk_size)
    if hasattr(source, "__aiter__"):
        raise TypeError("chunks come from an asynchronous iterator: await astream_write() instead of stream_write()")
    if isinstance(source, str) or not isinstance(source, Iterable):
        raise TypeError(f"chunks must be an iterable of bytes or a binary file, not {type(source).__name__}")
    return iter(source)


def _read_all(file: Any, chunk_size: int) -> Iterator[Any]:
    while (chunk := file.read(chunk_size)) is not None:
        if hasattr(chunk, "__await__"):
            chunk.close()
            raise TypeError("the file is asynchronous: await astream_write() instead of stream_write()")
        if not len(chunk):
            return
        yield chunk
    raise BlockingIOError("the file has no data yet: open it in blocking mode")


def total_of(source: Any) -> int | None:
    """How many bytes a source is going to give, where it says so without being read."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return memoryview(source).nbytes
    if isinstance(source, (list, tuple)):
        return sum(bytes_of(chunk).nbytes for chunk in source)
    return None


class Regrouper:
    """Takes chunks of any size and gives pieces of exactly ``chunk_size`` bytes, the last one shorter.

    A piece is a view of its chunk where that is possible: use it before the next one is asked for.
    """

    def __init__(self, chunk_size: int) -> None:
        self._size = chunk_size
        self._rest = bytearray()

    def feed(self, chunk: Any) -> Iterator[Buffer]:
        """The pieces that are complete with this chunk. TypeError if it is not bytes."""
        view = bytes_of(chunk)
        position = 0
        if self._rest:
            position = self._size - len(self._rest)
            self._rest += view[:position]
            if len(self._rest) < self._size:
                return
            full, self._rest = self._rest, bytearray()
            yield full
        end = len(view) - self._size
        while position <= end:
            yield view[position : position + self._size]
            position += self._size
        self._rest += view[position:]

    def last(self) -> Iterator[Buffer]:
        """What is left when there are no more chunks."""
        if self._rest:
            rest, self._rest = self._rest, bytearray()
            yield rest


def pieces_of(source: Any, chunk_size: int) -> Iterator[Buffer]:
    """A whole source in pieces of ``chunk_size`` bytes, the last one shorter. Use each before asking for the next."""
    regrouper = Regrouper(chunk_size)
    for chunk in chunks_of(source, chunk_size):
        yield from regrouper.feed(chunk)
    yield from regrouper.last()


def owned(piece: Buffer) -> Buffer:
    """A piece that stays as it is, whatever its producer does to the buffer it came in."""
    immutable = isinstance(piece, bytes) or (isinstance(piece, memoryview) and isinstance(piece.obj, bytes))
    return piece if immutable else bytes(piece)
