"""Open files and handles on their way out: they do what they are for and give no way to the filesystem below."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from typing import Any

from fsspec.implementations.local import LocalFileOpener
from fsspec.spec import AbstractBufferedFile

from chuk_fsspec.contract.posix import Buffer, Handle
from chuk_fsspec.contract.reopening import reduced, refuse_pickling


class ForwardingFile(io.BufferedIOBase):
    """A binary file of ``open``. Leaving a ``with`` block by an exception discards what was written, where that works.

    Args:
        file: the file below.
        path: absolute normal path, as the user knows it.
        mode: "rb", "wb", "ab", "xb", or one of them with ``+``.
    """

    def __init__(self, file: Any, path: str, mode: str) -> None:
        self.__file: Any = file
        self.__discarded = False
        self.__opened_by: Any = None
        self.__options: dict[str, Any] = {}
        self.path = self.full_name = path
        self._mode = mode

    def note_opener(self, fs: Any, options: dict[str, Any]) -> None:
        """Let it be pickled: it is opened again by this filesystem, with these options."""
        self.__opened_by, self.__options = fs, options

    @property
    def mode(self) -> str:
        """As it was opened."""
        return self._mode

    @property
    def size(self) -> int | None:
        """Bytes of a file open for reading, where known."""
        size: int | None = getattr(self.__file, "size", None)
        return size

    @property
    def etag(self) -> str | None:
        """Where it is known, that of what is read; of what was written, once the file is closed."""
        etag = getattr(self.__file, "etag", None)
        return etag if isinstance(etag, str) else None

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to ``size`` bytes; all that is left for -1 or None."""
        data: bytes = self.__file.read(-1 if size is None else size)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """As ``read``, with one step of the file below where it can."""
        data: bytes = getattr(self.__file, "read1", self.__file.read)(size)
        return data

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer; returns how many bytes came."""
        number: int = self.__file.readinto(buffer)
        return number

    def readinto1(self, buffer: Any, /) -> int:
        """As ``readinto``."""
        number: int = self.__file.readinto(buffer)
        return number

    def readline(self, size: int | None = -1, /) -> bytes:
        """One line, or ``size`` bytes of it."""
        data: bytes = self.__file.readline() if size is None or size < 0 else super().readline(size)
        return data

    def write(self, data: Buffer, /) -> int:  # type: ignore[override]
        """Write all of ``data``; after ``discard`` it goes nowhere, so that layers above can still end."""
        if self.__discarded:
            return len(data)
        written = self.__file.write(data)
        return len(data) if written is None else written

    def writelines(self, lines: Iterable[Buffer], /) -> None:  # type: ignore[override]
        """Write each."""
        for line in lines:
            self.write(line)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a position, in bytes."""
        number: int = self.__file.seek(offset, whence)
        return number

    def tell(self) -> int:
        """The position, in bytes."""
        number: int = self.__file.tell()
        return number

    def truncate(self, size: int | None = None, /) -> int:
        """Cut at ``size`` bytes, or where the position is."""
        number: int = self.__file.truncate(size)
        return number

    def flush(self) -> None:
        """Hand on what was written; it is published when the file is closed."""
        if not self.__file.closed:
            self.__file.flush()

    def readable(self) -> bool:
        """Whether it can be read."""
        answer: bool = self.__file.readable()
        return answer

    def writable(self) -> bool:
        """Whether it can be written."""
        answer: bool = self.__file.writable()
        return answer

    def seekable(self) -> bool:
        """Whether it can ``seek``."""
        answer: bool = self.__file.seekable()
        return answer

    def discard(self) -> None:
        """Drop what was written, where the file below can; the file then keeps its old content.

        fsspec's own local and memory files cannot: they write in place.
        """
        file = self.__file
        self.__discarded = True
        if isinstance(file, AbstractBufferedFile):
            if file.offset is not None:
                file.discard()
            file.closed = True  # closing it would upload what is left in its buffer
        elif not (isinstance(file, LocalFileOpener) and file.autocommit):
            file.discard()

    def commit(self) -> None:
        """Publish a closed file that was opened with ``autocommit=False``."""
        self.__file.commit()

    def close(self) -> None:
        """Close the file below, which publishes what was written."""
        if not self.closed:
            try:
                self.__file.close()
            finally:
                super().close()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __reduce__(self) -> Any:
        if self.writable():
            refuse_pickling(self.path)
        if self.__opened_by is None:
            raise TypeError(f"{self.path!r} was not opened by a filesystem that could open it again")
        return reduced(self, self.__opened_by, self.__options, self.tell())

    def __exit__(self, exc_type: object, *exc_info: object) -> None:
        if exc_type is not None and self.writable():
            self.discard()
        self.close()


class ForwardingHandle:
    """A handle of ``posix.open_handle`` (``contract.Handle``)."""

    def __init__(self, handle: Handle) -> None:
        self.__handle = handle

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``."""
        return self.__handle.pread(size, offset)

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``."""
        return self.__handle.pwrite(data, offset)

    def truncate(self, size: int) -> None:
        """Cut, or grow with zeros."""
        self.__handle.truncate(size)

    def flush(self) -> None:
        """Hand what was written to the filesystem."""
        self.__handle.flush()

    def fsync(self) -> None:
        """Make it durable where the filesystem can."""
        self.__handle.fsync()

    def stat(self) -> os.stat_result:
        """Attributes, also of a file that has lost its name."""
        return self.__handle.stat()

    def close(self) -> None:
        """Let go."""
        self.__handle.close()

    def __enter__(self) -> ForwardingHandle:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class ForwardingStream:
    """An asynchronous file of ``open_async``: read or write in order, then close."""

    def __init__(self, stream: Any, path: str, mode: str) -> None:
        self.__stream = stream
        self.path, self.mode = path, mode

    async def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes; all that is left for -1."""
        data: bytes = await self.__stream.read(size)
        return data

    async def write(self, data: Buffer) -> int:
        """Write all of ``data``."""
        written: int = await self.__stream.write(data)
        return written

    async def flush(self, force: bool = False) -> None:
        """Hand on what was written."""
        await self.__stream.flush(force)

    async def close(self) -> None:
        """Close, which publishes what was written."""
        await self.__stream.close()

    async def __aenter__(self) -> ForwardingStream:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
