"""Telling how far a stream is after each chunk that its producer gave, as soon as that chunk is written.

``chukstream`` cuts and joins chunks and tells of its pieces. A producer that gives lines expects to hear of lines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from inspect import isawaitable
from typing import Any

from fsspec.callbacks import Callback

from chuk_fsspec.wrappers.streaming.chunks import total_of
from chuk_fsspec.wrappers.streaming.progress import Listener, refuse_coroutine


def per_chunk(
    stream: Any, listener: Listener | None, *, awaited: bool = False
) -> tuple[Any, Listener | None, int | None]:
    """What to hand to ``stream_write``, so that a function is told of each chunk.

    Args:
        stream: an iterable of chunks; bytes and files have none, and are handed on as they are.
        listener: a function; other listeners count bytes by themselves, and are handed on as they are.
        awaited: for ``astream_write``: the stream and the function may be asynchronous.

    Returns:
        The stream, the listener, and how many bytes will come, None if nobody knows.
    """
    total = total_of(stream)
    if not callable(listener) or isinstance(listener, Callback) or _is_one_piece(stream):
        return stream, listener, total
    watch = _Watch(listener)
    counted = watch.acounted if hasattr(stream, "__aiter__") else watch.counted
    return counted(stream), watch.atold if awaited else watch.told, total


def _is_one_piece(stream: Any) -> bool:
    return isinstance(stream, (bytes, bytearray, memoryview, str)) or hasattr(stream, "read")


class _Watch:
    """Counts the chunks that a producer gives, and tells a function of those that are written."""

    def __init__(self, listener: Callable[[int, int], object]) -> None:
        self._listener = listener
        self._given = 0
        self._ends: deque[int] = deque()

    def counted(self, chunks: Any) -> Iterator[Any]:
        for chunk in chunks:
            self._count(chunk)
            yield chunk

    async def acounted(self, chunks: Any) -> AsyncIterator[Any]:
        async for chunk in chunks:
            self._count(chunk)
            yield chunk

    def _count(self, chunk: Any) -> None:
        self._given += 0 if isinstance(chunk, str) else memoryview(chunk).nbytes
        self._ends.append(self._given)

    def told(self, written: int, total: int) -> None:
        for position in self._reached(written):
            refuse_coroutine(self._listener(position, total))

    async def atold(self, written: int, total: int) -> None:
        for position in self._reached(written):
            answer = self._listener(position, total)
            if isawaitable(answer):
                await answer

    def _reached(self, written: int) -> Iterator[int]:
        """The ends of the chunks that are written by now; within a chunk that is larger than a piece, the piece's."""
        if not self._ends or self._ends[0] > written:
            yield written
        while self._ends and self._ends[0] <= written:
            yield self._ends.popleft()
