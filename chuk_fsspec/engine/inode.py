"""Inodes: a file's attributes and content, whatever its names are."""

from __future__ import annotations

import stat
from typing import Any

S_IFMT = 0o170000
S_IFLNK = stat.S_IFLNK
S_IFDIR = stat.S_IFDIR
S_IFREG = stat.S_IFREG

FILE_MODE = stat.S_IFREG | 0o644
DIRECTORY_MODE = stat.S_IFDIR | 0o755
LINK_MODE = stat.S_IFLNK | 0o777


class Inode:
    """One file, symbolic link or special file. A store creates it, the tree gives its fields their meaning.

    ``content`` is bytes-like or ``Extents`` for a regular file, the target (str) for a symbolic link, the device number
    (int) for everything else. ``version`` is a number of the whole store that was never used before, taken anew with
    each change of content; a new inode's is its ``ino``.
    """

    __slots__ = (
        "atime_ns",
        "btime_ns",
        "content",
        "ctime_ns",
        "gid",
        "ino",
        "mode",
        "mtime_ns",
        "nlink",
        "uid",
        "version",
        "xattrs",
    )
    announced = True

    def __init__(self, ino: int, mode: int, uid: int, gid: int, content: Any, now: int) -> None:
        self.ino = self.version = ino
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.content = content
        self.nlink = 0
        self.atime_ns = self.mtime_ns = self.ctime_ns = self.btime_ns = now
        self.xattrs: dict[str, bytes] | None = None

    @property
    def size(self) -> int:
        """Bytes of content; of a symbolic link, the length of its target."""
        kind = self.mode & S_IFMT
        if kind == S_IFREG:
            return len(self.content)
        if kind == S_IFLNK:
            return len(self.content.encode("utf-8", "surrogateescape"))
        return 0

    @property
    def allocated(self) -> int:
        """Bytes that the content takes, holes left out."""
        if self.mode & S_IFMT != S_IFREG:
            return 0
        content = self.content
        return len(content) if isinstance(content, (bytes, bytearray)) else int(content.allocated)

    @property
    def rdev(self) -> int:
        """Device number of a device node, 0 for everything else."""
        kind = self.mode & S_IFMT
        return self.content if kind in (stat.S_IFCHR, stat.S_IFBLK) else 0

    @property
    def etag(self) -> str:
        """Changes with every change of content."""
        return hex(self.version)

    @property
    def is_link(self) -> bool:
        return self.mode & S_IFMT == S_IFLNK

    @property
    def is_file(self) -> bool:
        return self.mode & S_IFMT == S_IFREG


class Directory(Inode):
    """A directory. It has one name, so it knows its parent; removed, it has ``nlink`` 0 and stays empty."""

    __slots__ = ("parent",)

    def __init__(self, ino: int, mode: int, uid: int, gid: int, content: Any, now: int) -> None:
        super().__init__(ino, mode, uid, gid, content, now)
        self.parent: Directory = self
