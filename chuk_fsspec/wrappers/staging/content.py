"""Open files of a stage: what was written is the upper filesystem's, all else is still read from the base."""

from __future__ import annotations

import io
import os
from typing import Any

from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.posix import Buffer, Handle
from chuk_fsspec.wrappers.staging.overlay import Overlay, Pread, read_exactly
from chuk_fsspec.wrappers.staging.record import Record


class StageHandle:
    """A handle on a file of a stage (``contract.Handle``).

    Args:
        overlay: the stage.
        nodes: the view of the upper filesystem through which it was opened.
        node: the file.
        handle: a handle of the upper filesystem.
        flags: those of open(2) with which that was opened.
    """

    def __init__(self, overlay: Overlay, nodes: NodeOperations, node: Node, handle: Handle, flags: int) -> None:
        self._overlay, self._nodes, self._node = overlay, nodes, node
        self._handle = handle
        self._appends = bool(flags & os.O_APPEND)
        self._base: Pread | None = None
        record = overlay.record_of(node.ino)
        if record is not None and record.shows_base and flags & os.O_ACCMODE != os.O_WRONLY:
            self._base = overlay.open_base(nodes, node, record)

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``. EBADF, EINVAL; ESTALE if the base was changed underneath."""
        record = self._overlay.record_of(self._node.ino)
        if record is None or not record.limit:
            return self._handle.pread(size, offset)
        with self._overlay.turns.step():
            gaps = record.own.gaps(offset, min(offset + max(size, 0), record.limit))
            data = self._handle.pread(size, offset)
        return with_base(data, offset, gaps, self._pread_base(record) if gaps else None, record.origins[0])

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data``. EBADF, EINVAL, EFBIG, ENOSPC."""
        record = self._overlay.record_of(self._node.ino)
        if record is None:
            return self._handle.pwrite(data, offset)
        if self._overlay.too_many_pieces(record):
            self._overlay.copy_up(self._nodes, self._node, record)
        with self._overlay.turns.step():
            written = self._handle.pwrite(data, offset)
            start = record.limit if self._appends else offset  # past the end, nothing is the base's
            self._overlay.wrote(self._nodes, self._node, record, start, start + written)
        return written

    def truncate(self, size: int) -> None:
        """Cut, or grow with zeros. EBADF, EINVAL, EFBIG."""
        with self._overlay.turns.step():
            self._handle.truncate(size)
            record = self._overlay.record_of(self._node.ino)
            if record is not None:
                self._overlay.cut(self._nodes, self._node, record, size)

    def flush(self) -> None:
        """Hand what was written to the upper filesystem."""
        self._handle.flush()

    def fsync(self) -> None:
        """Make it durable there."""
        self._handle.fsync()

    def stat(self) -> os.stat_result:
        """Attributes, also of a file that has lost its name."""
        return self._handle.stat()

    def close(self) -> None:
        """Let go."""
        self._base = None
        self._handle.close()

    def __enter__(self) -> StageHandle:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _pread_base(self, record: Record) -> Pread:
        if self._base is None:
            self._base = self._overlay.open_base(self._nodes, self._node, record)
        return self._base


def with_base(data: bytes, offset: int, gaps: list[tuple[int, int]], pread: Pread | None, path: str) -> bytes:
    """What the upper filesystem has from an offset on, with the base's bytes in the gaps. ESTALE if it has fewer."""
    end = offset + len(data)
    gaps = [(start, min(stop, end)) for start, stop in gaps if start < end]
    if not gaps or pread is None:
        return data
    if gaps == [(offset, end)]:
        return read_exactly(pread, end - offset, offset, path)
    mixed = bytearray(data)
    for start, stop in gaps:
        mixed[start - offset : stop - offset] = read_exactly(pread, stop - start, start, path)
    return bytes(mixed)


class StageReader(io.RawIOBase):
    """``rb``: a file as it was when it was opened.

    Args:
        file: the file of the upper filesystem, as it was.
        gaps: what of it is the base's.
        pread: reads that.
        path: of the base, for messages.
    """

    def __init__(self, file: Any, gaps: list[tuple[int, int]], pread: Pread, path: str) -> None:
        self._file, self._gaps, self._pread, self._path = file, gaps, pread, path
        self.size: int = file.size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return self._read(max(self.size - self.tell(), 0))

    def _read(self, size: int) -> bytes:
        offset = self._file.tell()
        data: bytes = self._file.read(size)
        end = offset + len(data)
        gaps = [(max(start, offset), min(stop, end)) for start, stop in self._gaps if start < end and stop > offset]
        return with_base(data, offset, gaps, self._pread, self._path)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        position: int = self._file.seek(offset, whence)
        return position

    def tell(self) -> int:
        position: int = self._file.tell()
        return position

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
