"""What the file objects of ``fs.open`` that are written have in common, wherever they keep what is written."""

from __future__ import annotations

import io
import os
from typing import Any, NoReturn, SupportsIndex

from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.reopening import refuse_pickling


class UnpublishedFile(io.BufferedIOBase):
    """A file that is published whole when it is closed, or not at all.

    With ``autocommit=False`` (a transaction) closing only seals it; ``commit`` publishes and ``discard`` drops it.

    Attributes:
        condition: what has to be at the path when it is published.
        etag: that of what was published; None before.
    """

    condition: Condition | None = None
    etag: str | None = None

    def __init__(self, fs: Any, path: str, mode: str, *, autocommit: bool = True) -> None:
        self.fs, self.path, self._mode, self.autocommit = fs, path, mode, autocommit

    @property
    def mode(self) -> str:
        """As ``open`` was asked for it."""
        return self._mode

    def readable(self) -> bool:
        """Whether what was written can be read back."""
        return "+" in self.mode

    def discard(self) -> None:
        """Drop what was written; the file keeps its old content."""
        raise NotImplementedError

    def __exit__(self, exc_type: object, *exc_info: object) -> None:
        if exc_type is not None:
            self.discard()
        self.close()

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        refuse_pickling(self.path)

    def _require_readable(self) -> None:
        if "+" not in self.mode:
            raise io.UnsupportedOperation("not open for reading")


class UnpublishedBuffer(UnpublishedFile):
    """One whose content is kept by a class of Python's own that would read from it in every mode.

    It goes before that class.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Refused without ``+``, as all that read."""
        self._require_readable()
        return super().read(size)

    def read1(self, size: int | None = -1, /) -> bytes:
        """As ``read``, by one look at what is below."""
        self._require_readable()
        return super().read1(-1 if size is None else size)

    def readinto(self, buffer: Any, /) -> int:
        """As ``read``, into a buffer."""
        self._require_readable()
        return super().readinto(buffer)

    def readinto1(self, buffer: Any, /) -> int:
        """As ``read1``, into a buffer."""
        self._require_readable()
        return super().readinto1(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        """A line."""
        self._require_readable()
        return super().readline(size)

    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        """All lines, or some."""
        self._require_readable()
        return super().readlines(-1 if hint is None else hint)


class UnpublishedEnd(UnpublishedFile):
    """``ab``: what was written is added to the end, wherever that is when the file is closed.

    It goes before the class that keeps what is written.
    """

    def __init__(self, fs: Any, path: str, mode: str, size: int, autocommit: bool = True) -> None:
        super().__init__(fs, path, mode, autocommit=autocommit)
        self._base = size

    def seekable(self) -> bool:
        """False: it is always written at the end."""
        return False

    def tell(self) -> int:
        """Where the end was when the file was opened, and what was added."""
        return self._base + super().tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Refused, as in every file opened for appending."""
        raise io.UnsupportedOperation("a file opened for appending cannot seek")

    def truncate(self, size: int | None = None, /) -> int:
        """Refused."""
        raise io.UnsupportedOperation("a file opened for appending cannot be cut")


def extend(file: io.BytesIO, size: int) -> None:
    """Let a shorter file end at ``size`` bytes, filled with zeros, as ftruncate(2) does; its position stays."""
    position = file.tell()
    if size > file.seek(0, os.SEEK_END):
        file.seek(size - 1)
        file.write(b"\0")
    file.seek(position)
