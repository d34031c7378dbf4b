"""The file objects of ``open_async``: as those of ``open``, with methods to be awaited."""

from __future__ import annotations

import io
import os
from typing import Any

from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.seeking import sought
from chuk_fsspec.remote.files.reading import Window
from chuk_fsspec.remote.sending import Order, Sending


class AsyncReadingFile:
    """``rb``: ranges of one version, some of them before they are asked for."""

    mode = "rb"

    def __init__(self, fs: Any, window: Window) -> None:
        self.fs, self.path, self._window = fs, window.entry.path, window
        self.closed = False
        self._position = 0

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._window.entry.size

    async def read(self, size: int = -1) -> bytes:
        """Up to so many bytes, all that is left for a negative number; empty at the end. ESTALE, EIO."""
        if self.closed:
            raise ValueError("I/O operation on closed file")
        stop = self._window.entry.size if size < 0 else self._position + size
        data = await self._window.read(self._position, stop)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte, which asks nothing of the service."""
        self._position = sought(offset, whence, position=self._position, size=self.size)
        return self._position

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    async def close(self) -> None:
        """Let go."""
        self.closed = True
        await self._window.close()

    async def __aenter__(self) -> AsyncReadingFile:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


class AsyncWritingFile:
    """``wb`` and ``xb``: published whole when it is closed, or not at all if the ``async with`` block fails.

    Attributes:
        etag: that of what was published; None before.
    """

    etag: str | None = None

    def __init__(self, fs: Any, order: Order) -> None:
        self.fs, self.path = fs, order.path
        self.mode = "xb" if order.is_new else "wb"
        self.closed = False
        self._sending = Sending(fs, order)
        self._position = 0

    async def write(self, data: Buffer) -> int:
        """Add content; waits while as many parts as allowed are on their way."""
        if self.closed:
            raise io.UnsupportedOperation("I/O operation on closed file")
        await self._sending.write(data)
        self._position += memoryview(data).nbytes
        return memoryview(data).nbytes

    def tell(self) -> int:
        """Bytes that were written."""
        return self._position

    async def discard(self) -> None:
        """Drop what was written; what is there stays."""
        if not self.closed:
            self.closed = True
            await self._sending.abort()

    async def close(self) -> None:
        """Publish. If that fails the file is closed, and the error is raised."""
        if self.closed:
            return
        self.closed = True
        try:
            self.etag = await self._sending.finish()
        except BaseException as error:
            await self._sending.abort_for(error)
            raise

    async def __aenter__(self) -> AsyncWritingFile:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    async def __aexit__(self, exc_type: object, *exc_info: object) -> None:
        if exc_type is not None:
            await self.discard()
        await self.close()
