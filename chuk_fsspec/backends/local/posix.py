"""``fs.posix`` of a directory of the host: system calls by path, none of which leads out of it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from chuk_fsspec.backends.local import entries
from chuk_fsspec.backends.local.beneath import Place
from chuk_fsspec.backends.local.flags import O_DIRECTORY
from chuk_fsspec.backends.local.handle import LocalHandle, check_size
from chuk_fsspec.backends.local.inode import Inode, require_file
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.opening import changes, is_nameless, open_file, open_nameless
from chuk_fsspec.backends.local.volume import statvfs_of
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.contract.paths import encoded_length
from chuk_fsspec.contract.posix import Posix, StatVfs

if TYPE_CHECKING:
    from chuk_fsspec.backends.local.filesystem import LocalFileSystem

LINK_TARGET_MAX = 4095


class LocalPosix(Posix):
    """POSIX operations on paths. New files belong to the user of this process, less the bits of its umask."""

    def __init__(self, fs: LocalFileSystem) -> None:
        self._fs = fs
        self._shared = fs.shared
        self._beneath = fs.beneath
        self._owner = fs.owner

    # ---- looking

    def stat(self, path: str) -> os.stat_result:
        return self._inode(path).stat()

    def lstat(self, path: str) -> os.stat_result:
        return self._inode(path, follow=False).stat()

    def readlink(self, path: str) -> str:
        with named(path):
            return self._inode(path, follow=False).readlink()

    def statvfs(self) -> StatVfs:
        with named("/"):
            return statvfs_of(self._shared.directory)

    # ---- names

    def symlink(self, target: str, path: str) -> None:
        if "\0" in target:
            raise os_error(errno.EINVAL, path, hint="a path cannot hold a NUL character")
        if encoded_length(target, path) > LINK_TARGET_MAX:
            raise os_error(errno.ENAMETOOLONG, path, hint=f"a link target may have {LINK_TARGET_MAX} bytes")
        place = self._new(path)
        with named(path):
            os.symlink(target, place.name, dir_fd=place.directory.number)
        self._made(place)

    def link(self, source: str, path: str) -> None:
        with named(source, path):
            self._fs.require_write(source)
            entries.link(self._shared, self._inode(source, follow=False), self._new(path))

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        place = self._new(path)
        with named(path):
            os.mkdir(place.name, mode & 0o1777, dir_fd=place.directory.number)
        self._made(place)

    def mknod(self, path: str, mode: int, rdev: int = 0) -> None:
        if stat.S_ISDIR(mode) or stat.S_ISLNK(mode):
            raise os_error(errno.EINVAL, path, hint="use mkdir or symlink")
        place = self._new(path)
        with named(path):
            os.mknod(
                place.name, mode if stat.S_IFMT(mode) else mode | stat.S_IFREG, rdev, dir_fd=place.directory.number
            )
        self._made(place)

    def rename(self, source: str, path: str, flags: int = 0) -> None:
        with named(source, path):
            old = self._entry(source, errno.EBUSY)
            entries.rename(self._shared, old, self._entry(path, errno.EBUSY), flags)

    def unlink(self, path: str) -> None:
        place = self._entry(path, errno.EISDIR)
        with named(path):
            entries.unlink(self._shared, place)

    def rmdir(self, path: str) -> None:
        place = self._entry(path, errno.EBUSY)
        with named(path):
            entries.rmdir(self._shared, place)

    # ---- attributes

    def chmod(self, path: str, mode: int) -> None:
        with self._changing(path) as inode:
            inode.chmod(mode & 0o7777)

    def chown(self, path: str, uid: int, gid: int, follow_symlinks: bool = True) -> None:
        with self._changing(path, follow=follow_symlinks) as inode:
            inode.chown(uid, gid)

    def utime(self, path: str, *, ns: tuple[int, int] | None = None, follow_symlinks: bool = True) -> None:
        with self._changing(path, follow=follow_symlinks) as inode:
            inode.utime(ns)

    def truncate(self, path: str, size: int) -> None:
        check_size(size, path)
        with self._changing(path) as inode:
            require_file(inode)
            inode.truncate(size)

    def setxattr(self, path: str, name: str, value: bytes, flags: int = 0) -> None:
        _check_xattr(name, path)
        with self._changing(path) as inode:
            inode.setxattr(name, value, flags)

    def getxattr(self, path: str, name: str) -> bytes:
        _check_xattr(name, path)
        with named(path):
            return self._inode(path).getxattr(name)

    def listxattr(self, path: str) -> list[str]:
        _check_xattr("", path)
        with named(path):
            return self._inode(path).listxattr()

    def removexattr(self, path: str, name: str) -> None:
        _check_xattr(name, path)
        with self._changing(path) as inode:
            inode.removexattr(name)

    # ---- the rest

    def open_handle(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> LocalHandle:
        if changes(flags) or flags & os.O_CREAT:
            self._fs.require_write(path)
        if flags & os.O_CREAT and flags & O_DIRECTORY:
            raise os_error(errno.EINVAL, path, hint="open does not make directories")
        normal = self._fs._strip_protocol(path)
        open_it = open_nameless if is_nameless(flags) else open_file
        handle = LocalHandle(self._shared, open_it(self._owner, normal, flags, mode), flags, path)
        if flags & os.O_TRUNC:
            self._shared.content_changed(handle)
        return handle

    @property
    def nodes(self) -> NodeOperations:
        if not self._fs.capabilities.nodes:
            raise not_supported("inode operations")
        from chuk_fsspec.backends.local.nodes import LocalNodes

        # It asks for its own nodes where the protocol says any: it is only ever handed back those.
        return cast(NodeOperations, LocalNodes(self._fs))

    @property
    def nofollow(self) -> LocalFileSystem:
        return self._fs.without_links()

    # ---- steps

    def _inode(self, path: str, *, follow: bool = True) -> Inode:
        return self._beneath.inode(self._fs._strip_protocol(path), follow=follow)

    @contextmanager
    def _changing(self, path: str, *, follow: bool = True) -> Iterator[Inode]:
        """The inode of a path, to be changed in place: every name it has lies inside by then."""
        self._fs.require_write(path)
        normal = self._fs._strip_protocol(path)
        with named(path):
            inode = self._owner.own(self._beneath.inode(normal, follow=follow), normal, follow=follow)
            yield inode
        self._shared.content_changed(inode)

    def _entry(self, path: str, code_of_root: int) -> Place:
        """Where an existing entry is, a link as the last component not followed; the root is none."""
        self._fs.require_write(path)
        place = self._beneath.place(self._fs._strip_protocol(path))
        if place.name == ".":
            raise os_error(code_of_root, path, hint="the root directory stays where it is")
        return place

    def _new(self, path: str) -> Place:
        """Where a new entry is to be made. EEXIST for the root."""
        return self._entry(path, errno.EEXIST)

    def _made(self, place: Place) -> None:
        self._shared.entry_changed(place.directory, place.name)


def _check_xattr(name: str, path: str) -> None:
    """ENOTSUP where Python knows no extended attributes; EINVAL for NUL in a name."""
    if not hasattr(os, "getxattr"):
        raise not_supported("extended attributes", path)
    if "\0" in name:
        raise os_error(errno.EINVAL, path, hint="an attribute's name cannot hold a NUL character")
