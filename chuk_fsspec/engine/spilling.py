"""The file objects of ``fs.open`` for stores that can stage content: files of any size, in constant memory.

What is written stays in memory up to a limit and is published in one step, as ``files.WriteFile`` does it. What is
larger is written to the store while the file is open, where nobody sees it, and closing only makes it the file's.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

from chuk_fsspec.contract.seeking import sought
from chuk_fsspec.contract.unpublished import UnpublishedEnd, UnpublishedFile, extend
from chuk_fsspec.engine.inode import Inode
from chuk_fsspec.engine.store import Stage

if TYPE_CHECKING:
    from chuk_fsspec.engine.filesystem import InodeFileSystem

MEMORY_MAX = 4 << 20
"""Bytes of a file that are kept in memory until it is closed."""

PIECE = 8 << 20
"""Bytes that are staged in one step: others may change the store between two of them."""

STAGED_FROM = 16 << 20
"""Bytes of content at hand that are staged rather than published in one transaction, of which the log must hold all."""

_BUFFER = 64 * 1024


class StageFile(io.RawIOBase):
    """A stage as a raw file. It gathers what is written in a row, for each write of a stage is a transaction."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._position = 0
        self._gathered = bytearray()
        self._start = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._settle_before(self._position, len(buffer))
        done = 0
        for piece in self.stage.read(len(buffer), self._position):
            buffer[done : done + len(piece)] = piece
            done += len(piece)
        self._position += done
        return done

    def readall(self) -> bytes:
        self.settle()
        data = b"".join(self.stage.read(max(len(self.stage) - self._position, 0), self._position))
        self._position += len(data)
        return data

    def write(self, data: Any, /) -> int:
        """Take up to the next multiple of ``PIECE``; whoever writes comes again with the rest."""
        if self._position != self._start + len(self._gathered):
            self.settle()
        if not self._gathered:
            self._start = self._position
        room = PIECE - self._position % PIECE
        piece = memoryview(data)[:room]
        if len(piece) == room and not self._gathered:
            self.stage.write(piece, self._position)
        else:
            self._gathered += piece
            if len(piece) == room:
                self.settle()
        self._position += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._position = sought(offset, whence, position=self._position, size=self._size())
        return self._position

    def tell(self) -> int:
        return self._position

    def truncate(self, size: int | None = None, /) -> int:
        self.settle()
        size = self._position if size is None else size
        self.stage.truncate(size)
        return size

    def settle(self) -> None:
        """Stage what was gathered. ENOSPC."""
        if self._gathered:
            self.stage.write(self._gathered, self._start)
            self._gathered = bytearray()

    def _settle_before(self, offset: int, size: int) -> None:
        """Settle if a range, or the end of the file before it, lies in what was gathered."""
        if self._gathered and offset + size > self._start:
            self.settle()

    def _size(self) -> int:
        return max(len(self.stage), self._start + len(self._gathered))


class SpillingFile(UnpublishedFile):
    """``wb``, ``xb``, ``w+b``, ``x+b``, ``r+b`` and ``a+b``: in memory, and in the store when that is too much."""

    def __init__(
        self, fs: InodeFileSystem, path: str, mode: str, source: Inode | None = None, autocommit: bool = True
    ) -> None:
        """Begin a new content.

        Args:
            fs: where it will be published.
            path: under which name.
            mode: as Python's ``open``.
            source: the file with whose content to begin.
            autocommit: publish when closing.
        """
        super().__init__(fs, path, mode, autocommit=autocommit)
        self._is_over = False
        self._sealed: bytes | Stage | None = None
        self._staged: StageFile | None = None
        self._body: io.BytesIO | io.BufferedRandom = io.BytesIO()
        if source is not None and source.size > MEMORY_MAX:
            self._go_on_in(fs.store.stage(source))
        elif source is not None:
            self._body.write(b"".join(fs.inodes.read(source, source.size, 0)))
            self._body.seek(0)
        if mode[0] == "a":
            self._body.seek(0, os.SEEK_END)

    # ---- reading and writing

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        self._require_readable()
        return self._body.read(size)

    def read1(self, size: int = -1, /) -> bytes:
        self._require_readable()
        return self._body.read1(size)

    def readinto(self, buffer: Any, /) -> int:
        self._require_readable()
        return self._body.readinto(buffer)

    def readinto1(self, buffer: Any, /) -> int:
        self._require_readable()
        return self._body.readinto1(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        self._require_readable()
        return self._body.readline(-1 if size is None else size)

    def write(self, data: Any, /) -> int:
        if self._staged is None and self._body.tell() + memoryview(data).nbytes > MEMORY_MAX:
            self._spill()
        return self._body.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._body.seek(offset, whence)

    def tell(self) -> int:
        return self._body.tell()

    def truncate(self, size: int | None = None, /) -> int:
        size = self._body.tell() if size is None else size
        if size < 0:
            raise ValueError(f"negative size value {size}")
        if size > MEMORY_MAX and self._staged is None:
            self._spill()
        if isinstance(self._body, io.BytesIO):
            extend(self._body, size)
        return self._body.truncate(size)

    def flush(self) -> None:
        """Nobody sees anything before the file is closed."""
        if self.closed:
            raise ValueError("I/O operation on closed file")

    # ---- the end

    def commit(self) -> None:
        """Publish what was written. FileExistsError for ``x`` if somebody was faster; ENOSPC."""
        if not self._is_over:
            try:
                self._publish(self._seal() if self._sealed is None else self._sealed)
            except BaseException:
                self.discard()
                raise

    def discard(self) -> None:
        """Drop what was written; the file keeps its old content."""
        if self._is_over:
            return
        self._is_over = True
        self._sealed = None
        if self._staged is not None:
            self._staged.close()  # so that what its buffer holds goes nowhere
            self._staged.stage.drop()

    def close(self) -> None:
        """Publish (or seal, in a transaction). If that fails the file is closed, unchanged, and the error is raised."""
        if self.closed:
            return
        try:
            if not self._is_over:
                try:
                    self._sealed = self._seal()
                except BaseException:
                    self.discard()
                    raise
                if self.autocommit:
                    self.commit()
        finally:
            (self._staged or self._body).close()
            super().close()

    def _publish(self, content: bytes | Stage) -> None:
        _, self.etag = self.fs.publish(self.path, content, "x" in self.mode, self.condition)

    def _seal(self) -> bytes | Stage:
        """All that was written."""
        if self._staged is None:
            assert isinstance(self._body, io.BytesIO)
            return self._body.getvalue()
        self._body.flush()
        self._staged.settle()
        return self._staged.stage

    def _spill(self) -> None:
        """Go on in the store. ENOSPC."""
        assert isinstance(self._body, io.BytesIO)
        stage, position = self.fs.store.stage(), self._body.tell()
        try:
            stage.write(self._body.getvalue(), 0)
        except BaseException:
            stage.drop()
            raise
        self._go_on_in(stage)
        self._body.seek(position)

    def _go_on_in(self, stage: Stage) -> None:
        self._staged = StageFile(stage)
        self._body = io.BufferedRandom(self._staged, _BUFFER)


class SpillingAppendFile(UnpublishedEnd, SpillingFile):
    """``ab``: in memory, and in the store when that is too much."""

    def _publish(self, content: bytes | Stage) -> None:
        self.etag = self.fs.append(self.path, content, self.condition)
        if isinstance(content, Stage):
            content.drop()  # it is there a second time now, unless the file was new
