"""Inode operations that forward to others: each name one line. A wrapper overrides those it has something to say to."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

from chuk_fsspec.contract.nodes import Change, Node, NodeOperations
from chuk_fsspec.contract.posix import Buffer, Handle, StatVfs


class ForwardingNodes:
    """One door's view of a wrapped filesystem (``contract.NodeOperations``).

    Args:
        inner: the inode operations of the filesystem below; this object is their only user.
    """

    def __init__(self, inner: NodeOperations) -> None:
        self._inner = inner

    @property
    def root(self) -> Node:
        return self._inner.root

    @property
    def stateless(self) -> bool:
        return self._inner.stateless

    @property
    def announces(self) -> bool:
        return self._inner.announces

    @property
    def slow(self) -> bool:
        return self._inner.slow

    # ---- looking

    def lookup(self, directory: Node, name: str) -> Node | None:
        return self._inner.lookup(directory, name)

    def getattr(self, node: Node) -> Node:
        return self._inner.getattr(node)

    def parent(self, directory: Node) -> Node:
        return self._inner.parent(directory)

    def entries(self, directory: Node) -> Sequence[tuple[str, Node]]:
        return self._inner.entries(directory)

    def readlink(self, node: Node) -> str:
        return self._inner.readlink(node)

    # ---- names

    def create(self, directory: Node, name: str, mode: int, uid: int, gid: int, rdev: int = 0) -> Node:
        return self._inner.create(directory, name, mode, uid, gid, rdev)

    def mkdir(self, directory: Node, name: str, mode: int, uid: int, gid: int) -> Node:
        return self._inner.mkdir(directory, name, mode, uid, gid)

    def symlink(self, directory: Node, name: str, target: str, uid: int, gid: int) -> Node:
        return self._inner.symlink(directory, name, target, uid, gid)

    def temporary(self, directory: Node, mode: int, uid: int, gid: int) -> Node:
        return self._inner.temporary(directory, mode, uid, gid)

    def link(self, node: Node, directory: Node, name: str) -> None:
        self._inner.link(node, directory, name)

    def unlink(self, directory: Node, name: str) -> None:
        self._inner.unlink(directory, name)

    def rmdir(self, directory: Node, name: str) -> None:
        self._inner.rmdir(directory, name)

    def rename(self, directory: Node, name: str, new_directory: Node, new_name: str, flags: int = 0) -> None:
        self._inner.rename(directory, name, new_directory, new_name, flags)

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
        self._inner.setattr(
            node,
            mode=mode,
            uid=uid,
            gid=gid,
            size=size,
            atime_ns=atime_ns,
            mtime_ns=mtime_ns,
            ctime_ns=ctime_ns,
            handle=handle,
        )

    def open(self, node: Node, flags: int) -> Handle:
        return self._inner.open(node, flags)

    def read(self, node: Node, size: int, offset: int) -> Sequence[Buffer]:
        return self._inner.read(node, size, offset)

    def write(self, node: Node, data: Buffer, offset: int) -> int:
        return self._inner.write(node, data, offset)

    def append(self, node: Node, data: Buffer) -> int:
        return self._inner.append(node, data)

    def allocate(self, node: Node, offset: int, length: int, mode: int) -> None:
        self._inner.allocate(node, offset, length, mode)

    def seek(self, node: Node, offset: int, whence: int) -> int:
        return self._inner.seek(node, offset, whence)

    def getxattr(self, node: Node, name: str) -> bytes | None:
        return self._inner.getxattr(node, name)

    def setxattr(self, node: Node, name: str, value: bytes, flags: int = 0) -> None:
        self._inner.setxattr(node, name, value, flags)

    def listxattr(self, node: Node) -> list[str]:
        return self._inner.listxattr(node)

    def removexattr(self, node: Node, name: str) -> None:
        self._inner.removexattr(node, name)

    # ---- the whole

    def statvfs(self) -> StatVfs:
        return self._inner.statvfs()

    def hold(self, table: Container[int]) -> Callable[[], None]:
        return self._inner.hold(table)

    def forget(self, node: Node) -> None:
        self._inner.forget(node)

    def fsync(self, node: Node) -> None:
        self._inner.fsync(node)

    def sync(self) -> None:
        self._inner.sync()

    def watch(self, callback: Change) -> Callable[[], None]:
        return self._inner.watch(callback)

    def close(self) -> None:
        self._inner.close()
