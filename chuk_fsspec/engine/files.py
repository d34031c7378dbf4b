"""The file objects of ``fs.open``: what is written appears on close, whole, or not at all.

They are ``io.BytesIO`` underneath, so reading, writing and seeking run at C speed, and content that the store holds as
one ``bytes`` is not copied.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from chuk_fsspec.contract.range_reader import RangeReader
from chuk_fsspec.contract.unpublished import UnpublishedBuffer, UnpublishedEnd, extend
from chuk_fsspec.engine.handle import InodeHandle
from chuk_fsspec.engine.store import Readable

if TYPE_CHECKING:
    from chuk_fsspec.engine.filesystem import InodeFileSystem

_BUFFER_SIZE = 64 * 1024


class ReadFile(io.BytesIO):
    """``rb`` on content at hand: the file as it was when it was opened."""

    def __init__(self, fs: InodeFileSystem, path: str, data: bytes) -> None:
        super().__init__(data)
        self.fs, self.path, self.size = fs, path, len(data)

    @property
    def mode(self) -> str:
        return "rb"

    def writable(self) -> bool:
        return False

    def write(self, data: Any, /) -> int:
        raise io.UnsupportedOperation("not open for writing")

    def writelines(self, lines: Any, /) -> None:
        raise io.UnsupportedOperation("not open for writing")

    def truncate(self, size: int | None = None, /) -> int:
        raise io.UnsupportedOperation("not open for writing")


class HandleReader(RangeReader):
    """``rb`` on a large or sparse file: shows edits in place, but not another file that is published under its name."""

    def __init__(self, fs: InodeFileSystem, path: str, handle: InodeHandle, content: Readable, etag: str) -> None:
        super().__init__(fs, path, _BUFFER_SIZE)
        self.etag = etag
        self._handle = handle
        self._content = content

    @property
    def size(self) -> int:
        return len(self._content)

    def _range(self, start: int, stop: int) -> bytes:
        return b"".join(self._content.read(stop - start, start))

    def close(self) -> None:
        if not self.closed:
            self._handle.close()
        super().close()


class WriteFile(UnpublishedBuffer, io.BytesIO):
    """``wb``, ``xb``, ``w+b``, ``x+b`` and ``r+b``: a private copy that is published whole when it is closed."""

    def __init__(self, fs: InodeFileSystem, path: str, mode: str, data: bytes = b"", autocommit: bool = True) -> None:
        super().__init__(fs, path, mode, autocommit=autocommit)
        io.BytesIO.__init__(self, data)
        self._sealed: bytes | None = None
        self._discarded = False

    def truncate(self, size: int | None = None, /) -> int:
        size = self.tell() if size is None else size
        extend(self, size)
        return super().truncate(size)

    def commit(self) -> None:
        """Publish what was written. FileExistsError for ``x`` if somebody was faster; ENOSPC."""
        if not self._discarded:
            self._publish(self._sealed if self._sealed is not None else self.getvalue())

    def discard(self) -> None:
        """Drop what was written; the file keeps its old content."""
        self._discarded = True

    def close(self) -> None:
        """Publish (or seal, in a transaction). If that fails the file is closed, unchanged, and the error is raised."""
        if self.closed:
            return
        try:
            if not self._discarded:
                self._sealed = self.getvalue()
                if self.autocommit:
                    self.commit()
        finally:
            super().close()

    def _publish(self, data: bytes) -> None:
        _, self.etag = self.fs.publish(self.path, data, "x" in self.mode, self.condition)


class AppendFile(UnpublishedEnd, WriteFile):
    """``ab``: in memory."""

    def _publish(self, data: bytes) -> None:
        self.etag = self.fs.append(self.path, data, self.condition)
