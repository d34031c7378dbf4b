"""The same streams for coroutines. Whatever may block runs in worker threads, a few pieces at a time.

A step that runs in a thread cannot be interrupted. A task that is cancelled waits for the end of its step, so that
nothing is still written when the file is discarded. Without threads (Emscripten) the steps run where they are.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any

from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.threads import ended, in_thread
from chuk_fsspec.wrappers.streaming.chunks import Regrouper, chunks_of, owned
from chuk_fsspec.wrappers.streaming.digests import Digest
from chuk_fsspec.wrappers.streaming.progress import Progress, settle
from chuk_fsspec.wrappers.streaming.reading import FileReader
from chuk_fsspec.wrappers.streaming.writing import StreamResult, Writer

BATCH_BYTES = 1024 * 1024
"""How much is handed to a thread at a time; one piece, if pieces are larger."""
BATCH_PIECES = 1024
"""How many pieces at most."""
BATCH_SECONDS = 0.05
"""How long a thread goes on with a source that is slow, before progress is told."""


async def awrite_stream(writer: Writer, source: Any, chunk_size: int, progress: Progress) -> StreamResult:
    """Write all of a source, or nothing (``write_stream``).

    Args:
        writer: where to; it is used in worker threads.
        source: as ``write_stream`` takes it, read in worker threads; or an asynchronous iterator of chunks, or a file
            whose ``read`` is to be awaited.
        chunk_size: bytes of each piece but the last.
        progress: who is told, in the task's own thread.
    """
    try:
        await in_thread(writer.begin)
        if writer.position:
            await settle(progress.advance(writer.position))
        if is_asynchronous(source):
            await _write_from_coroutine(writer, _chunks_of(source, chunk_size), chunk_size, progress)
        else:
            await _write_from_thread(writer, _steps(chunks_of(source, chunk_size), chunk_size), progress)
        await settle(progress.end())
        return await in_thread(writer.finish)
    except BaseException:
        await in_thread(writer.abandon)
        raise


def is_asynchronous(source: Any) -> bool:
    """Whether a source has to be awaited."""
    return hasattr(source, "__aiter__") or inspect.iscoroutinefunction(getattr(source, "read", None))


async def _chunks_of(source: Any, chunk_size: int) -> AsyncGenerator[Any, None]:
    if hasattr(source, "read"):
        # Such files are iterated by lines, which may be of any length.
        while chunk := await source.read(chunk_size):
            yield chunk
    else:
        async for chunk in source:
            yield chunk


async def _write_from_thread(writer: Writer, steps: Iterator[Buffer], progress: Progress) -> None:
    def write_some() -> tuple[list[int], bool]:
        """Write for a while; returns the sizes of the pieces, and whether there may be more."""
        sizes: list[int] = []
        full = writer.position + BATCH_BYTES
        until = time.monotonic() + BATCH_SECONDS
        for piece in steps:
            if piece:
                writer.write(piece)
                sizes.append(len(piece))
            if writer.position >= full or len(sizes) == BATCH_PIECES or time.monotonic() > until:
                return sizes, True
        return sizes, False

    goes_on = True
    while goes_on:
        sizes, goes_on = await in_thread(write_some)
        for size in sizes:
            await settle(progress.advance(size))


def _steps(chunks: Iterator[Any], chunk_size: int) -> Iterator[Buffer]:
    """Pieces, and an empty one after each chunk: there one can stop, however long the next chunk takes to come."""
    regrouper = Regrouper(chunk_size)
    for chunk in chunks:
        yield from regrouper.feed(chunk)
        yield b""
    yield from regrouper.last()


async def _write_from_coroutine(
    writer: Writer, chunks: AsyncGenerator[Any, None], chunk_size: int, progress: Progress
) -> None:
    """Gather one batch while the one before it is written."""
    regrouper = Regrouper(chunk_size)
    async with aclosing(chunks), aclosing(_Pipe(writer, progress)) as pipe:
        async for chunk in chunks:
            for piece in regrouper.feed(chunk):
                await pipe.put(owned(piece))
        for piece in regrouper.last():
            await pipe.put(owned(piece))
        await pipe.drain()


class _Pipe:
    """Pieces on their way to a thread: one batch is gathered while at most one is written."""

    def __init__(self, writer: Writer, progress: Progress) -> None:
        self._writer, self._progress = writer, progress
        self._gathered: list[Buffer] = []
        self._size = 0
        self._writing: asyncio.Task[None] | None = None

    async def put(self, piece: Buffer) -> None:
        """Take a piece; waits only while there is too much already."""
        self._gathered.append(piece)
        self._size += len(piece)
        is_full = self._size >= BATCH_BYTES or len(self._gathered) == BATCH_PIECES
        if is_full or self._writing is None or self._writing.done():
            await self._hand_over()

    async def _hand_over(self) -> None:
        if self._writing is not None:
            await self._writing
        batch, self._gathered, self._size = self._gathered, [], 0
        self._writing = asyncio.create_task(self._write(batch))

    async def _write(self, batch: list[Buffer]) -> None:
        def write_all() -> None:
            for piece in batch:
                self._writer.write(piece)

        await in_thread(write_all)
        for piece in batch:
            await settle(self._progress.advance(len(piece)))

    async def drain(self) -> None:
        """Have everything written."""
        if self._gathered:
            await self._hand_over()
        if self._writing is not None:
            await self._writing

    async def aclose(self) -> None:
        """Let nothing more be written."""
        if self._writing is not None:
            self._writing.cancel()
            await ended(self._writing)


class AsyncReadStream:
    """An asynchronous iterator over the pieces of a file, read in worker threads (``ReadStream``).

    The file is opened when the first piece is asked for. It is closed at the end, by ``aclose``, or by leaving an
    ``async with`` block.

    Args:
        open_reader: opens the file.
        digest: its checksum.
        progress_of: who is told, given the size of the stream in bytes.
    """

    def __init__(
        self, open_reader: Callable[[], FileReader], digest: Digest, progress_of: Callable[[int | None], Progress]
    ) -> None:
        self._open_reader, self._digest, self._progress_of = open_reader, digest, progress_of
        self._reader: FileReader | None = None
        self._progress: Progress | None = None
        self._ready: deque[bytes] = deque()
        self._ended = False

    @property
    def checksum(self) -> str | None:
        """The checksum of what was read so far, in hexadecimal; None if none was asked for."""
        return self._digest.result()

    @property
    def size(self) -> int | None:
        """Bytes that the whole stream has; None before the first piece, and where the filesystem does not know."""
        return None if self._reader is None else self._reader.size

    async def aclose(self) -> None:
        """Stop early: the file is closed and no more pieces come."""
        self._ended = True
        self._ready.clear()
        if self._reader is not None:
            await in_thread(self._reader.close)

    def __aiter__(self) -> AsyncReadStream:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        try:
            if not self._ready:
                await in_thread(self._read_some)
            if self._progress is None:
                self._progress = self._progress_of(self.size)
            piece = self._ready.popleft()
            await settle(self._progress.advance(len(piece)) if piece else self._progress.end())
        except BaseException:
            await self.aclose()
            raise
        if not piece:
            await self.aclose()
            raise StopAsyncIteration
        return piece

    def _read_some(self) -> None:
        """Read a batch of pieces, ending with an empty one at the end of the file."""
        if self._reader is None:
            self._reader = self._open_reader()
        size = 0
        while size < BATCH_BYTES and len(self._ready) < BATCH_PIECES:
            piece = self._reader.read()
            self._ready.append(piece)
            size += len(piece)
            if not piece:
                return

    async def __aenter__(self) -> AsyncReadStream:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
