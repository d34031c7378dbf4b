"""What the file objects of ``fs.open`` that are written have in common, wherever they keep what is written."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from chuk_fsspec.contract.conditions import Condition

if TYPE_CHECKING:
    from chuk_fsspec.engine.filesystem import InodeFileSystem


class UnpublishedFile(io.BufferedIOBase):
    """A file that is published whole when it is closed, or not at all.

    With ``autocommit=False`` (a transaction) closing only seals it; ``commit`` publishes and ``discard`` drops it.

    Attributes:
        condition: what has to be at the path when it is published.
        etag: that of what was published; None before.
    """

    condition: Condition | None = None
    etag: str | None = None

    def __init__(self, fs: InodeFileSystem, path: str, mode: str, *, autocommit: bool = True) -> None:
        self.fs, self.path, self._mode, self.autocommit = fs, path, mode, autocommit

    @property
    def mode(self) -> str:
        return self._mode

    def readable(self) -> bool:
        return "+" in self.mode

    def discard(self) -> None:
        """Drop what was written; the file keeps its old content."""
        raise NotImplementedError

    def __exit__(self, exc_type: object, *exc_info: object) -> None:
        if exc_type is not None:
            self.discard()
        self.close()

    def _require_readable(self) -> None:
        if "+" not in self.mode:
            raise io.UnsupportedOperation("not open for reading")


class UnpublishedEnd(UnpublishedFile):
    """``ab``: what was written is added to the end, wherever that is when the file is closed.

    It goes before the class that keeps what is written.
    """

    def __init__(self, fs: InodeFileSystem, path: str, mode: str, size: int, autocommit: bool = True) -> None:
        super().__init__(fs, path, mode, autocommit=autocommit)
        self._base = size

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._base + super().tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        raise io.UnsupportedOperation("a file opened for appending cannot seek")

    def truncate(self, size: int | None = None, /) -> int:
        raise io.UnsupportedOperation("a file opened for appending cannot be cut")


def extend(file: io.BytesIO, size: int) -> None:
    """Let a shorter file end at ``size`` bytes, filled with zeros, as ftruncate(2) does; its position stays."""
    position = file.tell()
    if size > file.seek(0, os.SEEK_END):
        file.seek(size - 1)
        file.write(b"\0")
    file.seek(position)
