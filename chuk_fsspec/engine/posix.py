"""``fs.posix`` of the engines: system calls by path."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from chuk_fsspec.contract.errors import LinkInTheWay, PreconditionFailed, os_error
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.contract.posix import Posix, StatVfs
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.conditions import Check
from chuk_fsspec.engine.handle import InodeHandle, stat_result
from chuk_fsspec.engine.inode import S_IFMT, S_IFREG, Directory, Inode
from chuk_fsspec.engine.nofollow import NofollowResolver, reader
from chuk_fsspec.engine.resolve import Resolver
from chuk_fsspec.engine.tree import Tree

if TYPE_CHECKING:
    from chuk_fsspec.engine.filesystem import InodeFileSystem

Result = TypeVar("Result")

_O_TMPFILE = getattr(os, "O_TMPFILE", 0)
_O_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_O_DIRECTORY = getattr(os, "O_DIRECTORY", 0)


class InodePosix(Posix):
    """POSIX operations on paths, each resolved once and handed to the tree. New files belong to ``uid`` and ``gid``."""

    def __init__(self, fs: InodeFileSystem, tree: Tree, resolver: Resolver, uid: int, gid: int) -> None:
        self._fs = fs
        self._tree = tree
        self._resolver = resolver
        self._uid = uid
        self._gid = gid

    def stat(self, path: str) -> os.stat_result:
        return stat_result(self._resolver.find(path))

    def lstat(self, path: str) -> os.stat_result:
        return stat_result(self._resolver.find_entry(path))

    def symlink(self, target: str, path: str) -> None:
        directory, name = self._new(path)
        _named(path, self._tree.symlink, directory, name, target, self._uid, self._gid)

    def readlink(self, path: str) -> str:
        return _named(path, self._tree.readlink, self._resolver.find_entry(path))

    def link(self, source: str, path: str) -> None:
        def link() -> None:
            self._tree.link(self._resolver.find_entry(source), *self._new(path))

        _both_named(source, path, link)

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        directory, name = self._new(path)
        _named(path, self._tree.mkdir, directory, name, mode, self._uid, self._gid)

    def rename(self, source: str, path: str, flags: int = 0, check: Check | None = None) -> None:
        def rename() -> None:
            self._tree.rename(*self._entry(source), *self._entry(path), flags, check)

        _both_named(source, path, rename)

    def unlink(self, path: str, check: Check | None = None) -> None:
        _named(path, self._tree.unlink, *self._entry(path), check)

    def rmdir(self, path: str) -> None:
        _named(path, self._tree.rmdir, *self._entry(path))

    def chmod(self, path: str, mode: int) -> None:
        self._tree.setattr(self._resolver.find(path), mode=mode)

    def chown(self, path: str, uid: int, gid: int, follow_symlinks: bool = True) -> None:
        node = self._resolver.find(path) if follow_symlinks else self._resolver.find_entry(path)
        # What stays is given as well: without any change of owner, chown(2) still clears set-user-ID.
        self._tree.setattr(node, uid=node.uid if uid == -1 else uid, gid=node.gid if gid == -1 else gid)

    def utime(self, path: str, *, ns: tuple[int, int] | None = None, follow_symlinks: bool = True) -> None:
        node = self._resolver.find(path) if follow_symlinks else self._resolver.find_entry(path)
        atime_ns, mtime_ns = ns or (now_ns(),) * 2
        self._tree.setattr(node, atime_ns=atime_ns, mtime_ns=mtime_ns)

    def truncate(self, path: str, size: int) -> None:
        node = self._resolver.find(path)
        if size != node.size or not node.is_file:  # unlike ftruncate(2), this one stamps only what it changes
            _named(path, lambda: self._tree.setattr(node, size=size))

    def mknod(self, path: str, mode: int, rdev: int = 0) -> None:
        if stat.S_ISDIR(mode) or stat.S_ISLNK(mode):
            raise os_error(errno.EINVAL, path, hint="use mkdir or symlink")
        directory, name = self._new(path)
        mode = mode if mode & S_IFMT else mode | S_IFREG
        _named(path, self._tree.create, directory, name, mode, self._uid, self._gid, rdev)

    def setxattr(self, path: str, name: str, value: bytes, flags: int = 0) -> None:
        _named(path, self._tree.setxattr, self._resolver.find(path), name, value, flags)

    def getxattr(self, path: str, name: str) -> bytes:
        value = self._tree.getxattr(self._resolver.find(path), name)
        if value is None:
            raise os_error(errno.ENODATA, path, hint=name)
        return value

    def listxattr(self, path: str) -> list[str]:
        return self._tree.listxattr(self._resolver.find(path))

    def removexattr(self, path: str, name: str) -> None:
        _named(path, self._tree.removexattr, self._resolver.find(path), name)

    def statvfs(self) -> StatVfs:
        return self._tree.statvfs()

    def open_handle(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> InodeHandle:
        if flags & os.O_CREAT and flags & _O_DIRECTORY:
            raise os_error(errno.EINVAL, path, hint="open does not make directories")
        if _O_TMPFILE and flags & _O_TMPFILE == _O_TMPFILE:
            return self._open_temporary(path, flags, mode)
        return _named(path, self._tree.open, self._open_node(path, flags, mode), flags)

    def _open_node(self, path: str, flags: int, mode: int) -> Inode:
        """The inode that open(2) means, made if that is asked for."""
        exclusive = bool(flags & os.O_CREAT and flags & os.O_EXCL)
        directory, name, inode = self._resolver.walk(path, follow=not (exclusive or flags & _O_NOFOLLOW))
        if inode is None and flags & os.O_CREAT:
            try:
                file_mode = S_IFREG | mode & 0o7777
                return _named(path, self._tree.create, directory, name, file_mode, self._uid, self._gid)
            except FileExistsError:
                return self._open_node(path, flags, mode)  # somebody was faster
        if inode is None:
            raise os_error(errno.ENOENT, path)
        if exclusive:
            raise os_error(errno.EEXIST, path)
        if flags & _O_DIRECTORY and not isinstance(inode, Directory):
            raise os_error(errno.ENOTDIR, path)
        if inode.is_link:
            raise os_error(errno.ELOOP, path, hint="O_NOFOLLOW on a symbolic link")
        return inode

    def _open_temporary(self, path: str, flags: int, mode: int) -> InodeHandle:
        directory = self._resolver.find_entry(path) if flags & _O_NOFOLLOW else self._resolver.find(path)
        if not isinstance(directory, Directory):
            raise os_error(errno.ENOTDIR, path, hint="O_TMPFILE takes a directory")
        if flags & os.O_ACCMODE == os.O_RDONLY:
            raise os_error(errno.EINVAL, path, hint="O_TMPFILE needs O_WRONLY or O_RDWR")
        return self._tree.open(self._tree.temporary(directory, mode, self._uid, self._gid), flags)

    @property
    def nofollow(self) -> InodeFileSystem:
        return self._fs.without_links()

    def reader(self, directory: str) -> Callable[[str], bytes | None]:
        return reader(self._tree, NofollowResolver(self._tree, self._resolver.protocols), directory)

    @property
    def nodes(self) -> NodeOperations:
        # A tree asks for inodes where the protocol says nodes: it is only ever handed back its own.
        return cast(NodeOperations, self._tree.view())

    def _entry(self, path: str) -> tuple[Directory, str]:
        """Directory and name of an entry, a final link not followed. EBUSY for the root."""
        directory, name, _ = self._resolver.walk(path, follow=False)
        if not name:
            raise os_error(errno.EBUSY, path, hint="the root directory stays where it is")
        return directory, name

    def _new(self, path: str) -> tuple[Directory, str]:
        """Directory and name of an entry to be made. EEXIST for the root."""
        directory, name, _ = self._resolver.walk(path, follow=False)
        if not name:
            raise os_error(errno.EEXIST, path)
        return directory, name


def _named(path: str, operation: Callable[..., Result], *args: object) -> Result:
    """Run an operation on inodes and put the path that the caller gave into its error."""
    try:
        return operation(*args)
    except OSError as error:
        error.filename = path
        raise


def _both_named(source: str, path: str, operation: Callable[[], None]) -> None:
    """Run an operation on two paths and put both into its error, as Python does it, unless that names a link."""
    try:
        operation()
    except (LinkInTheWay, PreconditionFailed):
        raise
    except OSError as error:
        error.filename, error.filename2 = source, path
        raise
