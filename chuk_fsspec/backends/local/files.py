"""The file objects of ``fs.open``: content goes to the disk as it comes, and appears on close, or not at all."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING, Any

from chuk_fsspec.backends.local.conditions import require_file
from chuk_fsspec.backends.local.content import read_all, read_range
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.status import etag_of
from chuk_fsspec.backends.local.temporary import Temporary
from chuk_fsspec.contract.range_reader import RangeReader
from chuk_fsspec.contract.unpublished import UnpublishedBuffer, UnpublishedEnd

if TYPE_CHECKING:
    from chuk_fsspec.backends.local.filesystem import LocalFileSystem

BUFFER_SIZE = 256 * 1024


class _Content(io.FileIO):
    """An open file that names itself, in errors, by its path inside the filesystem."""

    def __init__(self, fd: int, mode: str, path: str) -> None:
        super().__init__(fd, mode, closefd=False)
        self._path = path
        self.dropped = False

    def readinto(self, buffer: Any, /) -> int:
        with named(self._path):
            return super().readinto(buffer) or 0

    def readall(self) -> bytes:
        with named(self._path):
            return super().readall() or b""

    def write(self, data: Any, /) -> int:
        if self.dropped:
            return memoryview(data).nbytes
        with named(self._path):
            return super().write(data) or 0

    def truncate(self, size: int | None = None, /) -> int:
        with named(self._path):
            return super().truncate(size)


class ReadFile(RangeReader):
    """``rb``: the file as it was opened, also when another one is published under its name meanwhile.

    Attributes:
        size: bytes that it had then.
        etag: that of the content that it had then. A change within the same tick of the kernel's clock may have it too,
            so a condition is made of it only if ``info`` has shown it before the file was opened.
    """

    def __init__(self, fs: LocalFileSystem, path: str, opened: Descriptor) -> None:
        super().__init__(fs, path, BUFFER_SIZE)
        found = opened.stat()
        self._size, self.etag = found.st_size, etag_of(found)
        self._opened = opened

    @property
    def size(self) -> int:
        return self._size

    def _range(self, start: int, stop: int) -> bytes:
        opened = self._opened
        with named(self.path):
            return read_range(opened.number, stop - start, start)

    def _rest(self, start: int) -> bytes:
        opened = self._opened
        with named(self.path):
            return read_all(opened.number, start)

    def fileno(self) -> int:
        """The number of the descriptor, which is open as long as this object is there."""
        self._require_open()
        return self._opened.number


class WriteFile(UnpublishedBuffer, io.BufferedRandom):  # type: ignore[override]  # a mode that is told
    """``wb``, ``xb`` and those with ``+``: a file without a name, which gets it when it is closed."""

    def __init__(self, fs: LocalFileSystem, path: str, mode: str, temporary: Temporary, autocommit: bool) -> None:
        super().__init__(fs, path, mode, autocommit=autocommit)
        self._temporary = temporary
        self._content = _Content(temporary.fd, "r+b", path)
        self._discarded = False
        io.BufferedRandom.__init__(self, self._content, BUFFER_SIZE)

    def commit(self) -> None:
        """Publish what was written. FileExistsError for ``x`` if somebody was faster; ENOSPC."""
        if not self._discarded:
            self._discarded = True
            self._publish(self._temporary)

    def discard(self) -> None:
        """Drop what was written; the file keeps its old content."""
        self._discarded = True
        self._content.dropped = True
        if self.closed:
            self._temporary.close()

    def close(self) -> None:
        """Publish (or seal, in a transaction). If that fails the file is closed, unchanged, and the error is raised."""
        if self.closed:
            return
        try:
            self._write_out()
        finally:
            super().close()
            if self._discarded:
                self._temporary.close()
        if self.autocommit:
            self.commit()

    def _write_out(self) -> None:
        """Let everything reach the disk; if that fails, nothing is published."""
        if self._discarded:
            return
        try:
            self.flush()
        except OSError:
            self.discard()
            raise

    def _publish(self, temporary: Temporary) -> None:
        exclusive = "x" in self.mode
        with closing(temporary):
            self.etag = self.fs.publisher.put(
                temporary, self.path, follow=not exclusive, only_new=exclusive, condition=self.condition
            )

    def require_condition(self) -> None:
        """Raise ``PreconditionFailed`` if it could not be published now."""
        if self.condition is not None:
            require_file(self.fs.beneath, self.path, self.condition)


class AppendFile(UnpublishedEnd, WriteFile):  # type: ignore[override]  # as above
    """``ab``: on the disk."""

    def __init__(
        self, fs: LocalFileSystem, path: str, mode: str, temporary: Temporary, autocommit: bool, size: int
    ) -> None:
        WriteFile.__init__(self, fs, path, mode, temporary, autocommit)
        self._base = size

    def _publish(self, temporary: Temporary) -> None:
        with closing(temporary):
            self.etag = self.fs.publisher.add_to_end(temporary, self.path, self.condition)
