"""POSIX extras, on the small object ``fs.posix``. What a filesystem does not declare answers ENOTSUP."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.errors import not_supported

if TYPE_CHECKING:
    from chuk_fsspec.contract.nodes import NodeOperations

Buffer = bytes | bytearray | memoryview

RENAME_NOREPLACE = 1
"""renameat2(2): fail with EEXIST if the target exists."""
RENAME_EXCHANGE = 2
"""renameat2(2): swap the two entries."""

FALLOC_KEEP_SIZE = 0x01
FALLOC_PUNCH_HOLE = 0x02
FALLOC_ZERO_RANGE = 0x10


def without_set_id(mode: int) -> int:
    """A mode after a change that must not keep privileges: no set-user-ID; no set-group-ID of a group executable."""
    mode &= ~stat.S_ISUID
    return mode & ~stat.S_ISGID if mode & stat.S_IXGRP else mode


@dataclass(frozen=True)
class StatVfs:
    """statvfs(3): blocks of ``block_size`` bytes, and inodes."""

    block_size: int
    blocks: int
    blocks_free: int
    files: int
    files_free: int
    name_max: int


class Handle(Protocol):
    """An open regular file. Offsets and sizes are in bytes. A closed handle raises EBADF."""

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; empty past the end. EBADF if not open for reading."""

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``, with O_APPEND at the end. EBADF, EFBIG, ENOSPC."""

    def truncate(self, size: int) -> None:
        """Cut the file, or grow it with zeros. EINVAL for a negative size, EFBIG."""

    def flush(self) -> None:
        """Hand what was written to the filesystem; errors of write-back show here. Called at each close(2)."""

    def fsync(self) -> None:
        """``flush``, and durable on disk where the filesystem can."""

    def stat(self) -> os.stat_result:
        """Attributes, also of a file that has lost its name."""

    def close(self) -> None:
        """``flush`` and let go. A second close does nothing."""


class Posix:
    """The POSIX side of a filesystem. Paths are absolute; links are followed as the system call of that name does.

    Every method raises ``OSError`` with the errno of its system call (POSIX.1-2017, Linux man pages), ENOTSUP where the
    filesystem does not declare the capability.
    """

    def stat(self, path: str) -> os.stat_result:
        """Attributes of a path, links followed. ENOENT, ELOOP."""
        raise not_supported("stat", path)

    def lstat(self, path: str) -> os.stat_result:
        """Attributes of a path, a final link not followed. ENOENT."""
        raise not_supported("lstat", path)

    def symlink(self, target: str, path: str) -> None:
        """Make ``path`` a symbolic link that holds ``target``. EEXIST."""
        raise not_supported("symbolic links", path)

    def readlink(self, path: str) -> str:
        """What a symbolic link holds. EINVAL for anything else."""
        raise not_supported("symbolic links", path)

    def link(self, source: str, path: str) -> None:
        """Give the file ``source`` the second name ``path``. EEXIST, EPERM for a directory."""
        raise not_supported("hard links", path)

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        """Make one directory with the given permission bits. EEXIST, ENOENT."""
        raise not_supported("mkdir with a mode", path)

    def rename(self, source: str, path: str, flags: int = 0) -> None:
        """rename(2), and renameat2(2) with ``RENAME_NOREPLACE`` or ``RENAME_EXCHANGE``."""
        raise not_supported("rename", path)

    def unlink(self, path: str) -> None:
        """Remove a name of a file or link. EISDIR for a directory."""
        raise not_supported("unlink", path)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory. ENOTEMPTY, ENOTDIR."""
        raise not_supported("rmdir", path)

    def chmod(self, path: str, mode: int) -> None:
        """Set the permission bits (0o7777)."""
        raise not_supported("permission bits", path)

    def chown(self, path: str, uid: int, gid: int, follow_symlinks: bool = True) -> None:
        """Set owner and group; -1 leaves one as it is."""
        raise not_supported("owners", path)

    def utime(self, path: str, *, ns: tuple[int, int] | None = None, follow_symlinks: bool = True) -> None:
        """Set access and modification time in nanoseconds since the epoch; None sets both to now."""
        raise not_supported("setting times", path)

    def truncate(self, path: str, size: int) -> None:
        """Cut a file to ``size`` bytes, or grow it with a hole. EISDIR, EFBIG, EINVAL."""
        raise not_supported("truncate", path)

    def mknod(self, path: str, mode: int, rdev: int = 0) -> None:
        """Make a FIFO, socket, device node or empty file; ``mode`` holds the type bits. EEXIST."""
        raise not_supported("special files", path)

    def setxattr(self, path: str, name: str, value: bytes, flags: int = 0) -> None:
        """Set an extended attribute; flags as ``os.XATTR_CREATE`` and ``os.XATTR_REPLACE``."""
        raise not_supported("extended attributes", path)

    def getxattr(self, path: str, name: str) -> bytes:
        """The value of an extended attribute. ENODATA."""
        raise not_supported("extended attributes", path)

    def listxattr(self, path: str) -> list[str]:
        """The names of all extended attributes."""
        raise not_supported("extended attributes", path)

    def removexattr(self, path: str, name: str) -> None:
        """Remove an extended attribute. ENODATA."""
        raise not_supported("extended attributes", path)

    def statvfs(self) -> StatVfs:
        """Sizes and free space of the whole filesystem."""
        raise not_supported("statvfs")

    def open_handle(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> Handle:
        """open(2): O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NOFOLLOW and, on a directory, O_TMPFILE.

        Args:
            path: absolute path of a regular file.
            flags: ``os.O_*``.
            mode: permission bits of a file that is created.

        Returns:
            A handle for positioned reads and in-place writes.
        """
        raise not_supported("random-access handles", path)

    @property
    def nofollow(self) -> AbstractFileSystem:
        """The same filesystem, on which no symbolic link is ever followed (``RESOLVE_NO_SYMLINKS`` of openat2(2)).

        A link before the last component, or as the last one of an operation that would follow it, raises
        ``LinkInTheWay`` naming the link, ``exists``, ``isdir`` and ``isfile`` included. ``info``, ``ls`` and ``find``
        show links as they are: type ``link``, ``destination``, the size of their text. So a path that was checked is
        the path that is used, whoever swaps directories for links meanwhile.
        """
        raise not_supported("a view that follows no links")

    def reader(self, directory: str) -> Callable[[str], bytes | None]:
        """A short way to the content of one directory's files: a function from a name to the whole file's bytes.

        It returns None wherever the long way has to be gone: no such file, a link, a large or special file, and for
        ever once the directory was moved or removed, or the function is no longer allowed to answer. It follows no
        links. Wrappers hand it on, narrowed by what they allow.

        Args:
            directory: absolute path without symbolic links.

        Raises:
            OSError: ENOENT, ENOTDIR; LinkInTheWay.
        """
        raise not_supported("reading by name", directory)

    @property
    def nodes(self) -> NodeOperations:
        """A new view of this filesystem as inodes, for doors."""
        raise not_supported("inode operations")
