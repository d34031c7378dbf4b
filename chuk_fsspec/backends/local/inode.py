"""One inode: looked at first, then acted upon, and never another one in between.

On Linux it is held by an ``O_PATH`` descriptor, which opens nothing, so that a FIFO does not wait and a device does not
notice; then it is reached through /proc, whatever has become of its name. Elsewhere it is reached by its name in a
directory that is open, without following a link.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Protocol

from chuk_fsspec.backends.local import support
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_NOFOLLOW, O_PATH, QUIETLY
from chuk_fsspec.backends.local.status import Status, status_at, status_of
from chuk_fsspec.backends.local.support import way_to
from chuk_fsspec.contract.errors import not_a_file, not_supported, os_error

_OPENED = (stat.S_IFREG, stat.S_IFDIR)


class Inode(Protocol):
    """An inode of any kind. Errors are those of the system calls, without a path."""

    def stat(self) -> os.stat_result:
        """Its attributes."""

    def status(self) -> Status:
        """Its attributes with the time of birth."""

    def readlink(self) -> str:
        """Where it leads. EINVAL for what is no symbolic link."""

    def open(self, flags: int) -> Descriptor:
        """Open it; for regular files and directories only, which the caller has made sure of."""

    def link(self, directory: Descriptor, name: str) -> None:
        """Give it one more name. EEXIST, EPERM for a directory, ENOENT."""

    def truncate(self, size: int) -> None:
        """Cut a regular file, or grow it with a hole; nothing is stamped if it has that size (truncate(2))."""

    def chmod(self, mode: int) -> None:
        """Set the permission bits. EOPNOTSUPP for a symbolic link."""

    def chown(self, uid: int, gid: int) -> None:
        """Set owner and group; -1 leaves one as it is."""

    def utime(self, ns: tuple[int, int] | None) -> None:
        """Set access and modification time in nanoseconds; None is now."""

    def setxattr(self, name: str, value: bytes, flags: int) -> None:
        """Set an extended attribute."""

    def getxattr(self, name: str) -> bytes:
        """An extended attribute. ENODATA."""

    def listxattr(self) -> list[str]:
        """Names of all extended attributes."""

    def removexattr(self, name: str) -> None:
        """Remove an extended attribute. ENODATA."""


class HeldInode:
    """An inode behind an ``O_PATH`` descriptor (Linux with /proc)."""

    __slots__ = ("_held",)

    def __init__(self, held: Descriptor) -> None:
        self._held = held

    @property
    def _way(self) -> str:
        return way_to(self._held.number)

    def stat(self) -> os.stat_result:
        return os.fstat(self._held.number)

    def status(self) -> Status:
        return status_of(self._held.number)

    def readlink(self) -> str:
        if not stat.S_ISLNK(self.stat().st_mode):
            raise os_error(errno.EINVAL, hint="not a symbolic link")
        return os.readlink("", dir_fd=self._held.number)

    def open(self, flags: int) -> Descriptor:
        return Descriptor(os.open(self._way, flags | QUIETLY))

    def link(self, directory: Descriptor, name: str) -> None:
        os.link(self._way, name, dst_dir_fd=directory.number)

    def truncate(self, size: int) -> None:
        os.truncate(self._way, size)

    def chmod(self, mode: int) -> None:
        os.chmod(self._way, mode)

    def chown(self, uid: int, gid: int) -> None:
        os.chown(self._way, uid, gid)

    def utime(self, ns: tuple[int, int] | None) -> None:
        set_times(self._way, ns)

    def setxattr(self, name: str, value: bytes, flags: int) -> None:
        os.setxattr(self._way, name, value, flags)

    def getxattr(self, name: str) -> bytes:
        return os.getxattr(self._way, name)

    def listxattr(self) -> list[str]:
        return os.listxattr(self._way)

    def removexattr(self, name: str) -> None:
        os.removexattr(self._way, name)


class OpenInode(HeldInode):
    """An inode that is open to be read or written: the same, with fewer detours."""

    __slots__ = ()

    def chmod(self, mode: int) -> None:
        os.fchmod(self._held.number, mode)

    def chown(self, uid: int, gid: int) -> None:
        os.fchown(self._held.number, uid, gid)

    def utime(self, ns: tuple[int, int] | None) -> None:
        os.utime(self._held.number, ns=ns) if ns is not None else os.utime(self._held.number)

    def setxattr(self, name: str, value: bytes, flags: int) -> None:
        os.setxattr(self._held.number, name, value, flags)

    def getxattr(self, name: str) -> bytes:
        return os.getxattr(self._held.number, name)

    def listxattr(self) -> list[str]:
        return os.listxattr(self._held.number)

    def removexattr(self, name: str) -> None:
        os.removexattr(self._held.number, name)


class NamedInode:
    """The inode under a name in an open directory, which is looked up again for each call (systems without /proc).

    ESTALE if the name stands for another file by then and that matters: when content is opened to be changed.
    """

    __slots__ = ("_directory", "_found", "_name")

    def __init__(self, directory: Descriptor, name: str) -> None:
        self._directory = directory
        self._name = name
        self._found = self.stat()

    def stat(self) -> os.stat_result:
        return os.stat(self._name, dir_fd=self._directory.number, follow_symlinks=False)

    def status(self) -> Status:
        return status_at(self._directory.number, self._name)

    def readlink(self) -> str:
        return os.readlink(self._name, dir_fd=self._directory.number)

    def open(self, flags: int) -> Descriptor:
        opened = self._open(flags & ~os.O_TRUNC)
        if flags & os.O_TRUNC:  # not before it is known to be the same file
            writable = self._open(os.O_WRONLY) if flags & os.O_ACCMODE == os.O_RDONLY else opened
            os.ftruncate(writable.number, 0)
        return opened

    def _open(self, flags: int) -> Descriptor:
        opened = Descriptor(os.open(self._name, flags | O_NOFOLLOW | QUIETLY, dir_fd=self._directory.number))
        found = os.fstat(opened.number)
        kind = stat.S_IFMT(found.st_mode)
        # To read, another file of this name is as good.
        is_as_good = flags & os.O_ACCMODE == os.O_RDONLY and kind == stat.S_IFMT(self._found.st_mode)
        if kind not in _OPENED or not (is_as_good or os.path.samestat(self._found, found)):
            raise os_error(errno.ESTALE, hint="it was replaced meanwhile")
        return opened

    def link(self, directory: Descriptor, name: str) -> None:
        here, there = self._directory.number, directory.number
        os.link(self._name, name, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)

    def truncate(self, size: int) -> None:
        opened = self.open(os.O_WRONLY)
        if os.fstat(opened.number).st_size != size:
            os.ftruncate(opened.number, size)

    def chmod(self, mode: int) -> None:
        if stat.S_ISREG(self._found.st_mode) or stat.S_ISDIR(self._found.st_mode):
            opened = self.open(os.O_RDONLY)
            os.chmod(opened.number, mode)
        elif os.chmod in os.supports_follow_symlinks:
            os.chmod(self._name, mode, dir_fd=self._directory.number, follow_symlinks=False)
        else:
            raise not_supported("permission bits of this kind of file")

    def chown(self, uid: int, gid: int) -> None:
        os.chown(self._name, uid, gid, dir_fd=self._directory.number, follow_symlinks=False)

    def utime(self, ns: tuple[int, int] | None) -> None:
        set_times(self._name, ns, self._directory.number)

    def setxattr(self, name: str, value: bytes, flags: int) -> None:
        opened = self._readable()
        os.setxattr(opened.number, name, value, flags)

    def getxattr(self, name: str) -> bytes:
        opened = self._readable()
        return os.getxattr(opened.number, name)

    def listxattr(self) -> list[str]:
        opened = self._readable()
        return os.listxattr(opened.number)

    def removexattr(self, name: str) -> None:
        opened = self._readable()
        os.removexattr(opened.number, name)

    def _readable(self) -> Descriptor:
        if not hasattr(os, "getxattr"):
            raise not_supported("extended attributes")
        if not (stat.S_ISREG(self._found.st_mode) or stat.S_ISDIR(self._found.st_mode)):
            raise os_error(errno.EPERM, hint="extended attributes are for files and directories")
        return self.open(os.O_RDONLY)


def inode_at(directory: Descriptor, name: str) -> Inode:
    """The inode of a directory's entry, a link not followed. ENOENT."""
    if support.can_hold():
        return HeldInode(Descriptor(os.open(name, O_PATH | O_NOFOLLOW | QUIETLY, dir_fd=directory.number)))
    return NamedInode(directory, name)


def require_file(inode: Inode) -> os.stat_result:
    """The attributes of a regular file. EISDIR, EINVAL for all else."""
    found = inode.stat()
    require_regular(found)
    return found


def require_regular(found: os.stat_result) -> None:
    """EISDIR, EINVAL for the attributes of anything but a regular file."""
    if not stat.S_ISREG(found.st_mode):
        raise not_a_file(is_directory=stat.S_ISDIR(found.st_mode))


def set_times(path: str, ns: tuple[int, int] | None, directory: int | None = None) -> None:
    """utimensat(2) of a path, or of a directory's entry itself; None is now."""
    if directory is None:
        os.utime(path, ns=ns) if ns is not None else os.utime(path)
    elif ns is not None:
        os.utime(path, ns=ns, dir_fd=directory, follow_symlinks=False)
    else:
        os.utime(path, dir_fd=directory, follow_symlinks=False)
