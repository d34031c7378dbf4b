"""Open files of filesystems that edit in place: their own handles, while the node table is kept informed."""

from __future__ import annotations

import os

from chuk_fsspec.contract.posix import Buffer, Handle
from chuk_fsspec.vfs.errors import os_errors
from chuk_fsspec.vfs.node import PathNode
from chuk_fsspec.vfs.volume import Volume


class DirectHandle:
    """An open regular file (``contract.Handle``) of the filesystem itself, which knows best what becomes of it."""

    def __init__(self, volume: Volume, node: PathNode, handle: Handle, *, writes: bool) -> None:
        self.writes = writes
        self._table = volume.table
        self._node = node
        self._handle = handle
        with self._table.lock:
            node.direct.append(self)

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``. EBADF, EINVAL."""
        with os_errors(self._node.name):
            return self._handle.pread(size, offset)

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``, or at the end with O_APPEND. EBADF, EINVAL, ENOSPC, EFBIG."""
        with os_errors(self._node.name):
            written = self._handle.pwrite(data, offset)
        self._table.passed_on(self._node)
        return written

    def truncate(self, size: int) -> None:
        """Cut, or grow with zeros. EBADF, EINVAL, EFBIG."""
        with os_errors(self._node.name):
            self._handle.truncate(size)
        self._table.passed_on(self._node)

    def flush(self) -> None:
        """Hand what was written to the filesystem. EBADF."""
        with os_errors(self._node.name):
            self._handle.flush()

    def fsync(self) -> None:
        """``flush``, and durable where the filesystem can. EBADF."""
        with os_errors(self._node.name):
            self._handle.fsync()

    def stat(self) -> os.stat_result:
        """Attributes, also without a name. EBADF."""
        with os_errors(self._node.name):
            return self._handle.stat()

    def close(self) -> None:
        """``flush`` and let go; a second close does nothing."""
        with self._table.lock:
            if self in self._node.direct:
                self._node.direct.remove(self)
        with os_errors(self._node.name):
            self._handle.close()
