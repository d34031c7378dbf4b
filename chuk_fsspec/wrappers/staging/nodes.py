"""Inode operations on a stage: those of the upper filesystem, with what is taken over from the base on the way."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import closing

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.nodes import Change, Node, NodeOperations
from chuk_fsspec.contract.posix import FALLOC_KEEP_SIZE, Buffer, Handle
from chuk_fsspec.forwarding.nodes import ForwardingNodes
from chuk_fsspec.wrappers.staging.book import is_ours
from chuk_fsspec.wrappers.staging.content import StageHandle
from chuk_fsspec.wrappers.staging.overlay import Overlay


class StageNodes(ForwardingNodes):
    """One door's view of a stage.

    Args:
        overlay: the stage.
        inner: a view of the upper filesystem; this object is its only user.
        capabilities: what the stage offers.
    """

    def __init__(self, overlay: Overlay, inner: NodeOperations, capabilities: Capabilities) -> None:
        super().__init__(inner)
        self._overlay = overlay
        self._can = capabilities

    @property
    def stateless(self) -> bool:
        return False

    @property
    def slow(self) -> bool:
        return not self._overlay.base.capabilities.random_write

    # ---- looking

    def lookup(self, directory: Node, name: str) -> Node | None:
        self._fill(directory)
        return super().lookup(directory, name)

    def entries(self, directory: Node) -> Sequence[tuple[str, Node]]:
        self._fill(directory)
        return super().entries(directory)

    # ---- names

    def create(self, directory: Node, name: str, mode: int, uid: int, gid: int, rdev: int = 0) -> Node:
        if not stat.S_ISREG(mode) and not self._can.special_files:
            raise not_supported("special files: the base keeps none")
        self._fill(directory)
        return super().create(directory, name, mode, uid, gid, rdev)

    def mkdir(self, directory: Node, name: str, mode: int, uid: int, gid: int) -> Node:
        self._fill(directory)
        return super().mkdir(directory, name, mode, uid, gid)

    def symlink(self, directory: Node, name: str, target: str, uid: int, gid: int) -> Node:
        if not self._can.symlinks:
            raise not_supported("symbolic links: the base keeps none")
        self._fill(directory)
        return super().symlink(directory, name, target, uid, gid)

    def temporary(self, directory: Node, mode: int, uid: int, gid: int) -> Node:
        self._overlay.require_open()
        return super().temporary(directory, mode, uid, gid)

    def link(self, node: Node, directory: Node, name: str) -> None:
        if not self._can.hardlinks:
            raise os_error(errno.EPERM, hint="the base keeps no hard links")
        self._fill(directory)
        super().link(node, directory, name)

    def unlink(self, directory: Node, name: str) -> None:
        self._fill(directory)
        node = super().lookup(directory, name)
        super().unlink(directory, name)
        if node is not None and stat.S_ISLNK(node.mode):
            self._overlay.moved()

    def rmdir(self, directory: Node, name: str) -> None:
        self._fill(directory)
        node = super().lookup(directory, name)
        self._leaving(node, lambda: super(StageNodes, self).rmdir(directory, name))

    def rename(self, directory: Node, name: str, new_directory: Node, new_name: str, flags: int = 0) -> None:
        self._fill(directory)
        self._fill(new_directory)
        target = super().lookup(new_directory, new_name) if not flags else None
        self._leaving(target, lambda: super(StageNodes, self).rename(directory, name, new_directory, new_name, flags))

    # ---- attributes and content

    def setattr(
        self,
        node: Node,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        size: int | None = None,
        atime_ns: int | None = None,
        mtime_ns: int | None = None,
        ctime_ns: int | None = None,
        handle: Handle | None = None,
    ) -> None:
        self._overlay.require_open()
        with self._overlay.turns.step():
            self._inner.setattr(
                node,
                mode=mode,
                uid=uid,
                gid=gid,
                size=size,
                atime_ns=atime_ns,
                mtime_ns=mtime_ns,
                ctime_ns=ctime_ns,
            )
            record = self._overlay.record_of(node.ino)
            if size is not None and record is not None:
                self._overlay.cut(self._inner, node, record, size)

    def open(self, node: Node, flags: int) -> Handle:
        return open_handle(self._overlay, self._inner, node, flags)

    def read(self, node: Node, size: int, offset: int) -> Sequence[Buffer]:
        with closing(self.open(node, os.O_RDONLY)) as handle:
            return [handle.pread(size, offset)]

    def write(self, node: Node, data: Buffer, offset: int) -> int:
        with closing(self.open(node, os.O_WRONLY)) as handle:
            return handle.pwrite(data, offset)

    def append(self, node: Node, data: Buffer) -> int:
        with closing(self.open(node, os.O_WRONLY | os.O_APPEND)) as handle:
            return handle.pwrite(data, 0)

    def allocate(self, node: Node, offset: int, length: int, mode: int) -> None:
        self._overlay.require_open()
        with self._overlay.turns.step():
            super().allocate(node, offset, length, mode)
            record = self._overlay.record_of(node.ino)
            if record is not None:
                zeroed = mode & ~FALLOC_KEEP_SIZE
                start = offset if zeroed else record.limit
                self._overlay.wrote(self._inner, node, record, start, max(start, offset + length) if zeroed else start)

    def seek(self, node: Node, offset: int, whence: int) -> int:
        record = self._overlay.record_of(node.ino)
        if record is None or not 0 <= offset < record.limit:
            return super().seek(node, offset, whence)
        if whence == os.SEEK_DATA:
            return offset
        return super().seek(node, record.limit, whence) if record.limit < node.size else node.size

    def getxattr(self, node: Node, name: str) -> bytes | None:
        if is_ours(name):
            return None
        self._overlay.take_xattrs(self._inner, node)
        return super().getxattr(node, name)

    def setxattr(self, node: Node, name: str, value: bytes, flags: int = 0) -> None:
        self._change_xattr(node, name, lambda: super(StageNodes, self).setxattr(node, name, value, flags))

    def listxattr(self, node: Node) -> list[str]:
        self._overlay.take_xattrs(self._inner, node)
        return [name for name in super().listxattr(node) if not is_ours(name)]

    def removexattr(self, node: Node, name: str) -> None:
        if is_ours(name):
            raise os_error(errno.ENODATA, name)
        self._change_xattr(node, name, lambda: super(StageNodes, self).removexattr(node, name))

    # ---- the whole

    def watch(self, callback: Change) -> Callable[[], None]:
        return super().watch(self._overlay.turns.deferred(callback))

    # ---- steps

    def _fill(self, directory: Node) -> None:
        if directory.ino in self._overlay.book.unfilled:
            self._overlay.fill(self._inner, directory)

    def _leaving(self, node: Node | None, act: Callable[[], None]) -> None:
        """Do what may remove a directory, which stays known."""
        leaving(self._overlay, self._inner, node, act)

    def _change_xattr(self, node: Node, name: str, act: Callable[[], None]) -> None:
        if not self._can.xattrs:
            raise not_supported("extended attributes: the base keeps none")
        if is_ours(name):
            raise os_error(errno.EPERM, name, hint="extended attributes of this name are the stage's own")
        self._overlay.take_xattrs(self._inner, node)
        with self._overlay.turns.step():
            act()
            self._overlay.xattrs_changed(self._inner, node)


def leaving(overlay: Overlay, nodes: NodeOperations, node: Node | None, act: Callable[[], None]) -> None:
    """Do what may remove or replace a directory: what it was in the base stays known.

    Args:
        overlay: the stage.
        nodes: the view of the upper filesystem through which it is done.
        node: the directory; None, or another kind of file, where none is removed.
        act: does it.
    """
    if node is None or not stat.S_ISDIR(node.mode):
        act()
        overlay.moved()
        return
    overlay.fill(nodes, node)
    with overlay.turns.step():
        with overlay.turns.quiet():
            overlay.book.leaves(nodes, node)
        try:
            act()
        finally:
            if _has_name(nodes, node):
                with overlay.turns.quiet():
                    overlay.book.stays(nodes, node)
            overlay.moved()


def _has_name(nodes: NodeOperations, node: Node) -> bool:
    try:
        return nodes.getattr(node).nlink > 0
    except OSError:
        return False


def open_handle(overlay: Overlay, nodes: NodeOperations, node: Node, flags: int) -> Handle:
    """Open a file of the upper filesystem, with the base behind it if it is one of the base."""
    overlay.require_open()
    with overlay.turns.step():
        handle = nodes.open(node, flags)
        if flags & os.O_TRUNC:
            overlay.replaced(nodes, node)
    try:
        return StageHandle(overlay, nodes, node, handle, flags)
    except BaseException:
        handle.close()
        raise
