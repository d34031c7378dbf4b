"""``Tree``: with the content of files, all that a user does to the inodes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE, Buffer
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.handle import InodeHandle
from chuk_fsspec.engine.inode import Inode
from chuk_fsspec.engine.store import Stage
from chuk_fsspec.engine.tree.attributes import Attributes
from chuk_fsspec.engine.tree.kinds import regular


class Tree(Attributes):
    """One user's view of the inodes (``contract.NodeOperations``): a door's, or a filesystem object's."""

    stateless = True
    announces = True
    slow = False

    def view(self) -> Tree:
        """Another view of the same filesystem."""
        with self.lock:
            return type(self)(self.shared)

    # ---- content

    def open(self, node: Inode, flags: int) -> InodeHandle:
        """Open a regular file; O_TRUNC empties it, even with O_RDONLY, as on Linux. EISDIR, EINVAL."""
        handle = InodeHandle(self, regular(node), flags)
        if flags & os.O_TRUNC:
            self.setattr(node, size=0)
        return handle

    def read(self, node: Inode, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes from ``offset``, in pieces that stay valid while others write."""
        return self.store.read(node, size, offset)

    def write(self, node: Inode, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``. EFBIG, ENOSPC."""
        return self._write(node, data, offset)

    def append(self, node: Inode, data: Buffer | Stage) -> int:
        """Write all of ``data`` at the end, wherever that is by then."""
        return self._write(node, data, None)

    def _write(self, node: Inode, data: Buffer | Stage, offset: int | None) -> int:
        length = len(data)
        if length:
            with self.change:
                if offset is None:
                    self._settle(node)
                    offset = node.size
                contents.check_range(offset, length)
                self.store.write(node, data, offset, now_ns())
            if self._others:
                self._announce(None, "", node)
        return length

    def allocate(self, node: Inode, offset: int, length: int, mode: int) -> None:
        """fallocate(2): mode 0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, or ZERO_RANGE with or without KEEP_SIZE."""
        if offset < 0 or length <= 0:
            raise os_error(errno.EINVAL, hint="fallocate needs a range of at least one byte")
        contents.check_range(offset, length)
        keeps = mode & FALLOC_KEEP_SIZE
        kind = mode & ~FALLOC_KEEP_SIZE
        if kind not in (0, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE) or (kind == FALLOC_PUNCH_HOLE and not keeps):
            raise os_error(errno.ENOTSUP, hint=f"fallocate mode {mode:#x}")
        with self.change:
            self._settle(node)
            inode, now = regular(node), now_ns()
            if kind:
                self.store.zero(inode, offset, length, now)
            inside = max(min(length, inode.size - offset), 0) if keeps else length
            if kind != FALLOC_PUNCH_HOLE and inside:
                self.store.reserve(inode, offset, inside, now)
            elif not kind:
                self.store.stamp(inode, now, now)  # nothing is kept past the end, but asking for it counts
        if self._others:
            self._announce(None, "", node)

    def seek(self, node: Inode, offset: int, whence: int) -> int:
        """lseek(2) for SEEK_DATA and SEEK_HOLE. ENXIO, EINVAL."""
        if whence not in (os.SEEK_DATA, os.SEEK_HOLE):
            raise os_error(errno.EINVAL, hint="only SEEK_DATA and SEEK_HOLE")
        with self.lock:
            return self.store.seek(regular(node), offset, whence)

    def extend(self, find: Callable[[], Inode], data: Buffer | Stage) -> str:
        """Add to the end of the regular file that is found in the step itself; returns its new etag."""
        with self.change:
            node = regular(self.getattr(find()))
            if len(data):
                contents.check_range(node.size, len(data))
                self.store.write(node, data, node.size, now_ns())
            etag = node.etag
        if self._others:
            self._announce(None, "", node)
        return etag
