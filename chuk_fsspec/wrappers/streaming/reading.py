"""Reading a file piece by piece."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.wrappers.streaming.digests import Digest
from chuk_fsspec.wrappers.streaming.progress import Progress, refuse_coroutine


class FileReader:
    """A range of an open file, in pieces, with its checksum.

    Args:
        fs: where the file is.
        path: a normal path.
        chunk_size: bytes of each piece but the last.
        start: first byte; counts from the end if negative, as in a slice.
        end: byte to stop before; likewise.
        digest: takes in what is read.
        version: tells which content a path has, for filesystems that read each range anew; None for those whose open
            files stay as they are.

    Raises:
        OSError: ENOENT, EISDIR; ENOTSUP for a range of what comes only as a stream.
    """

    _file: Any = None

    def __init__(
        self,
        fs: AbstractFileSystem,
        path: str,
        chunk_size: int,
        start: int | None,
        end: int | None,
        digest: Digest,
        version: Callable[[str], object] | None,
    ) -> None:
        self.path = path
        self._chunk_size, self._digest = chunk_size, digest
        self._version = version or _unchanging
        self._opened = self._version(path)
        self._file = fs.open(path, "rb")
        self.size = self._find_range(start, end)
        self._left = sys.maxsize if self.size is None else self.size

    def _find_range(self, start: int | None, end: int | None) -> int | None:
        """Go to the first byte; returns how many there are, or None for a file that only comes as a stream."""
        try:
            size = self._file.seek(0, os.SEEK_END)
        except (ValueError, io.UnsupportedOperation):
            if (start, end) == (None, None):
                return None
            raise not_supported("reading a range of what cannot seek", self.path) from None
        first, last, _ = slice(start, end).indices(size)
        self._file.seek(first)
        return max(last - first, 0)

    def read(self) -> bytes:
        """The next piece; empty at the end or when closed.

        Raises:
            OSError: EIO at the end, if the checksum is not the expected one; ESTALE if the file was replaced meanwhile,
                so that the pieces may be of different contents.
        """
        if self._file is None:
            return b""
        piece = self._read(min(self._chunk_size, self._left))
        self._left -= len(piece)
        self._digest.update(piece)
        if not piece:
            self.close()
            if self._version(self.path) != self._opened:
                raise os_error(errno.ESTALE, self.path, hint="it was replaced while it was read; read it again")
            self._digest.verify(self.path)
        return piece

    def _read(self, size: int) -> bytes:
        """``size`` bytes, or fewer where the file ends; some filesystems read less than they are asked for."""
        piece: bytes = self._file.read(size) if size else b""
        while 0 < len(piece) < size:
            more = self._file.read(size - len(piece))
            if not more:
                break
            piece += more
        return piece

    def close(self) -> None:
        """Close the file. There is nothing more to read."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def __del__(self) -> None:
        self.close()


def _unchanging(path: str) -> None:
    """The version of a file that stays as it is while it is open."""


class ReadStream:
    """An iterator over the pieces of a file, which is open from the start to the end of the stream.

    It is closed when it is exhausted, by ``close``, or by leaving a ``with`` block.

    Attributes:
        path: the file, as a normal path.
        size: bytes that the whole stream has; None where the filesystem does not know.
    """

    def __init__(self, reader: FileReader, digest: Digest, progress: Progress) -> None:
        self._reader, self._digest, self._progress = reader, digest, progress
        self.path, self.size = reader.path, reader.size

    @property
    def checksum(self) -> str | None:
        """The checksum of what was read so far, in hexadecimal; None if none was asked for."""
        return self._digest.result()

    def close(self) -> None:
        """Stop early: the file is closed and no more pieces come."""
        self._reader.close()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = self._reader.read()
            refuse_coroutine(self._progress.advance(len(piece)) if piece else self._progress.end())
        except BaseException:
            self.close()
            raise
        if not piece:
            raise StopIteration
        return piece

    def __enter__(self) -> ReadStream:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
