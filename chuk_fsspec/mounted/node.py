"""Nodes of a tree of mounts: those of the mounts under numbers of their own, and directories that only mounts make."""

from __future__ import annotations

import errno
import os
import stat
from typing import Any, NoReturn

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.mounted.inodes import LARGE, Numbers
from chuk_fsspec.mounted.table import Mount, Point


class Place:
    """One mount, as one view of the tree uses it.

    Args:
        mount: the mount.
        numbers: gives its inodes their numbers.

    Attributes:
        nodes: its inode operations; after it was unmounted, something that answers everything with ESTALE.
        root: the node of the directory that is mounted, as the mount has it.
    """

    __slots__ = ("_numbers", "bits", "mount", "nodes", "root")

    def __init__(self, mount: Mount, numbers: Numbers) -> None:
        self.mount = mount
        self.nodes: Any = mount.fs.posix.nodes
        self.root = _root(self.nodes, mount)
        self.bits = numbers.bits(mount.number)
        self._numbers = numbers

    def number(self, inner: int) -> int:
        """The number in the tree of an inode of the mount."""
        return self.bits | inner if inner < LARGE else self._numbers.of(self.mount.number, inner)

    def wrap(self, node: Node | None) -> MountedNode | None:
        """A node of the mount as one of the tree."""
        return None if node is None else MountedNode(self, node)

    @property
    def is_live(self) -> bool:
        """Whether it is still mounted."""
        return not isinstance(self.nodes, _Stale)

    def gone(self) -> None:
        """It is unmounted: nodes that somebody still has lead nowhere."""
        nodes, self.nodes = self.nodes, _Stale()
        nodes.close()


class MountedNode:
    """An inode of a mount (``contract.Node``)."""

    __slots__ = ("ino", "node", "place")

    def __init__(self, place: Place, node: Node) -> None:
        self.place = place
        self.node = node
        inner = node.ino
        self.ino = place.bits | inner if inner < LARGE else place.number(inner)

    @property
    def mode(self) -> int:
        return self.node.mode

    @property
    def nlink(self) -> int:
        return self.node.nlink

    @property
    def uid(self) -> int:
        return self.node.uid

    @property
    def gid(self) -> int:
        return self.node.gid

    @property
    def rdev(self) -> int:
        return self.node.rdev

    @property
    def size(self) -> int:
        return self.node.size

    @property
    def allocated(self) -> int:
        return self.node.allocated

    @property
    def atime_ns(self) -> int:
        return self.node.atime_ns

    @property
    def mtime_ns(self) -> int:
        return self.node.mtime_ns

    @property
    def ctime_ns(self) -> int:
        return self.node.ctime_ns

    @property
    def announced(self) -> bool:
        return self.node.announced


class MadeNode:
    """A directory on the way to a mount point, which no filesystem has (``contract.Node``)."""

    rdev = size = allocated = 0
    nlink = 2
    announced = False

    __slots__ = ("atime_ns", "ctime_ns", "gid", "ino", "mode", "mtime_ns", "point", "uid")

    def __init__(self, point: Point, ino: int, made_ns: int) -> None:
        self.point = point
        self.ino = ino
        takes_changes = point.holder is not None and point.holder.can.write
        self.mode = stat.S_IFDIR | (0o755 if takes_changes else 0o555)
        self.uid = getattr(os, "getuid", int)()
        self.gid = getattr(os, "getgid", int)()
        self.atime_ns = self.mtime_ns = self.ctime_ns = made_ns


class _Stale:
    """The inode operations of a filesystem that is no longer there."""

    def __getattr__(self, name: str) -> NoReturn:
        raise os_error(errno.ESTALE, hint="it was unmounted")


def _root(nodes: NodeOperations, mount: Mount) -> Node:
    """The node of the directory that is mounted. ENOENT, ENOTDIR."""
    node = nodes.root
    for name in filter(None, mount.names.root.split("/")):
        found = nodes.lookup(node, name)
        if found is None:
            raise os_error(errno.ENOENT, mount.path, hint="the directory that is to be mounted is missing")
        node = found
    if not stat.S_ISDIR(node.mode):
        raise os_error(errno.ENOTDIR, mount.path, hint="only a directory can be mounted")
    return node
