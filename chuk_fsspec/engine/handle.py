"""Open files for positioned reads and in-place writes."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine.inode import Inode

if TYPE_CHECKING:
    from chuk_fsspec.engine.tree import Tree


class InodeHandle:
    """An open regular file (``contract.Handle``): it follows the inode through renames and outlives its last name."""

    def __init__(self, tree: Tree, inode: Inode, flags: int) -> None:
        access = flags & os.O_ACCMODE
        self._tree = tree
        self._inode = inode
        self._reads = access in (os.O_RDONLY, os.O_RDWR)
        self._writes = access in (os.O_WRONLY, os.O_RDWR)
        self._appends = bool(flags & os.O_APPEND)
        self._open = True
        tree.opened(inode)

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``. EBADF, EINVAL."""
        self._require(self._reads)
        if size < 0 or offset < 0:
            raise os_error(errno.EINVAL, hint="size and offset cannot be negative")
        pieces = self._tree.read(self._inode, size, offset)
        return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``, or at the end with O_APPEND. EBADF, EINVAL, EFBIG, ENOSPC."""
        self._require(self._writes)
        if offset < 0:
            raise os_error(errno.EINVAL, hint="the offset cannot be negative")
        if self._appends:
            return self._tree.append(self._inode, data)
        return self._tree.write(self._inode, data, offset)

    def truncate(self, size: int) -> None:
        """Cut, or grow with a hole. EBADF, EINVAL, EFBIG."""
        self._require(self._writes)
        self._tree.setattr(self._inode, size=size)

    def flush(self) -> None:
        """Writes are in place already. EBADF."""
        self._require(True)

    def fsync(self) -> None:
        """Make the filesystem durable as far as its store can. EBADF."""
        self._require(True)
        self._tree.sync()

    def stat(self) -> os.stat_result:
        """Attributes, also without a name. EBADF."""
        self._require(True)
        return stat_result(self._tree.getattr(self._inode))

    def close(self) -> None:
        """Let go of the inode; a second close does nothing."""
        if self._open:
            self._open = False
            self._tree.closed(self._inode)

    def __enter__(self) -> InodeHandle:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _require(self, allowed: bool) -> None:
        if not (self._open and allowed):
            raise os_error(errno.EBADF, hint="closed, or not opened for this")


def stat_result(inode: Inode) -> os.stat_result:
    """An inode's attributes as the standard library's type, nanoseconds and block count included."""
    blocks = -(-inode.allocated // 512)
    times = (inode.atime_ns, inode.mtime_ns, inode.ctime_ns)
    if stat.S_ISDIR(inode.mode):
        blocks = 0
    whole_seconds = [ns // 10**9 for ns in times]
    floats = [ns / 1e9 for ns in times]
    return os.stat_result(
        (inode.mode, inode.ino, 0, inode.nlink, inode.uid, inode.gid, inode.size, *whole_seconds),
        {
            **dict(zip(("st_atime", "st_mtime", "st_ctime"), floats, strict=True)),
            **dict(zip(("st_atime_ns", "st_mtime_ns", "st_ctime_ns"), times, strict=True)),
            "st_blocks": blocks,
            "st_blksize": 4096,
            "st_rdev": inode.rdev,
        },
    )
