"""Writing a file piece by piece, so that it appears when it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.wrappers.streaming.chunks import pieces_of
from chuk_fsspec.wrappers.streaming.digests import Digest
from chuk_fsspec.wrappers.streaming.progress import Progress, refuse_coroutine


@dataclass(frozen=True)
class StreamResult:
    """What was written.

    Attributes:
        path: the file, as a normal path.
        bytes: its size.
        checksum: in hexadecimal, if one was asked for.
        etag: of what was written, where the filesystem tells; else as ``info`` shows it right afterwards, where it has
            etags: somebody else may have been faster.
    """

    path: str
    bytes: int
    checksum: str | None
    etag: str | None


class Writer(Protocol):
    """One file being written. ``begin`` comes first and ``finish`` or ``abandon`` last; none of them twice."""

    position: int
    """Bytes that are there."""

    def begin(self) -> None:
        """Open what is written to."""

    def write(self, piece: Buffer) -> None:
        """Add a piece."""

    def finish(self) -> StreamResult:
        """Publish. OSError EIO if the checksum is not the expected one, with nothing published."""

    def abandon(self) -> None:
        """Publish nothing. Does nothing after ``finish``."""


class FileWriter:
    """Writes through ``open``, on a filesystem that declares ``atomic_write``."""

    def __init__(
        self, fs: AbstractFileSystem, path: str, mode: str, digest: Digest, conditions: Mapping[str, str]
    ) -> None:
        self.position = 0
        self._fs, self._path, self._mode, self._digest = fs, path, mode, digest
        self._conditions = conditions
        self._file: Any = None

    def begin(self) -> None:
        self._file = self._fs.open(self._path, self._mode, **self._conditions)

    def write(self, piece: Buffer) -> None:
        self._file.write(piece)
        self._digest.update(piece)
        self.position += len(piece)

    def finish(self) -> StreamResult:
        self._digest.verify(self._path)
        file, self._file = self._file, None
        file.close()
        return result_of(self._fs, self._path, self.position, self._digest, file.etag)

    def abandon(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.discard()
            file.close()


def result_of(fs: AbstractFileSystem, path: str, size: int, digest: Digest, etag: str | None = None) -> StreamResult:
    """What is told of a file that was just published."""
    # Inside a transaction the file is not there yet.
    if etag is None and capabilities_of(fs).etags and not fs._intrans:  # noqa: SLF001 - fsspec has no public name for it
        with suppress(OSError):  # it was written, whether it may be looked at or was removed since
            etag = fs.info(path).get("etag")
    return StreamResult(path, size, digest.result(), etag)


def write_stream(writer: Writer, source: Any, chunk_size: int, progress: Progress) -> StreamResult:
    """Write all of a source, or nothing.

    Args:
        writer: where to.
        source: an iterable of chunks, a binary file, or bytes.
        chunk_size: bytes of each piece but the last.
        progress: who is told.

    Raises:
        OSError: of the filesystem.
        TypeError: for a source or a listener that is asynchronous, or chunks that are not bytes.
    """
    try:
        writer.begin()
        if writer.position:
            refuse_coroutine(progress.advance(writer.position))
        for piece in pieces_of(source, chunk_size):
            writer.write(piece)
            refuse_coroutine(progress.advance(len(piece)))
        refuse_coroutine(progress.end())
        return writer.finish()
    except BaseException:
        writer.abandon()
        raise
