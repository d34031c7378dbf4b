"""Entries of directories: found, and made."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Sequence
from typing import Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import WholeFile
from chuk_fsspec.contract.paths import check_name, encoded_length
from chuk_fsspec.engine import whole_files
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.conditions import Check
from chuk_fsspec.engine.inode import FILE_MODE, LINK_MODE, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, Directory, Inode
from chuk_fsspec.engine.shared_view import SharedView
from chuk_fsspec.engine.tree.kinds import directory_of, regular

LINK_TARGET_MAX = 4095

Place = Callable[[str], tuple[Directory, str]]


class Making(SharedView):
    """The part of ``Tree`` that finds entries and makes new ones."""

    # ---- looking

    def lookup(self, directory: Inode, name: str) -> Inode | None:
        """The inode behind an entry, a link not followed; None if there is none. ENOTDIR, ENAMETOOLONG."""
        inode = self._child(directory, name)
        if inode is None and len(name) > 63 and encoded_length(name) > 255:
            raise os_error(errno.ENAMETOOLONG, name)
        return inode

    def getattr(self, node: Inode) -> Inode:
        """The inode itself: its fields are always current."""
        self._settle(node)
        return node

    def parent(self, directory: Directory) -> Directory:
        """The directory that holds a directory; the root is its own."""
        self._settle(directory)
        return directory.parent

    def entries(self, directory: Inode) -> list[tuple[str, Inode]]:
        """Names and inodes of a directory at one moment. ENOTDIR."""
        return self.store.children(directory_of(directory))

    # ---- making

    def create(self, directory: Inode, name: str, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        """Make a file, FIFO, socket or device node (open(2) with O_EXCL, mknod(2))."""
        with self.change:
            parent = self._free_slot(directory, name)
            if parent.mode & stat.S_ISGID:
                gid = parent.gid
            content: Any = b"" if mode & S_IFMT == S_IFREG else rdev
            inode = self._make(parent, name, mode, uid, gid, content)
        if self._others:
            self._announce(directory, name, inode)
        return inode

    def make_files(self, directory: Inode, files: Sequence[WholeFile], *, replace: bool = False) -> list[Inode]:
        """Make regular files with content and attributes in one step (``contract.WholeFileNodes``)."""
        with self.change:
            parent = directory_of(directory)
            replaced = [self._old_file(parent, file.name, replace) for file in files]
            inodes = whole_files.new_files(self.store, parent, files)
            for file, inode, old in zip(files, inodes, replaced, strict=True):
                self.store.attach(parent, file.name, inode, inode.btime_ns)
                if old is not None:
                    self._drop_link(old, inode.btime_ns)
        if self._others:
            for file, inode in zip(files, inodes, strict=True):
                self._announce(directory, file.name, inode)
        return inodes

    def mkdir(self, directory: Inode, name: str, mode: int, uid: int, gid: int) -> Directory:
        """Make a directory (mkdir(2))."""
        with self.change:
            parent = self._free_slot(directory, name)
            mode = stat.S_IFDIR | mode & 0o1777
            if parent.mode & stat.S_ISGID:
                gid, mode = parent.gid, mode | stat.S_ISGID
            inode = directory_of(self.store.new(mode, uid, gid, None, now_ns()))
            self.store.update(inode, nlink=2, parent=parent)
            self.store.attach(parent, name, inode, inode.btime_ns)
            self.store.update(parent, nlink=parent.nlink + 1)
        if self._others:
            self._announce(directory, name, inode)
        return inode

    def symlink(self, directory: Inode, name: str, target: str, uid: int, gid: int) -> Inode:
        """Make a symbolic link that holds ``target`` as it is (symlink(2)). EINVAL for an empty target or NUL."""
        if not target or "\0" in target:
            raise os_error(errno.ENOENT if not target else errno.EINVAL, name, hint="a link needs a target")
        if encoded_length(target) > LINK_TARGET_MAX:
            raise os_error(errno.ENAMETOOLONG, name, hint=f"a link target may have {LINK_TARGET_MAX} bytes")
        with self.change:
            parent = self._free_slot(directory, name)
            if parent.mode & stat.S_ISGID:
                gid = parent.gid
            inode = self._make(parent, name, LINK_MODE, uid, gid, target)
        if self._others:
            self._announce(directory, name, inode)
        return inode

    def temporary(self, directory: Inode, mode: int, uid: int, gid: int) -> Inode:
        """Make a regular file without a name, on the terms of a directory (O_TMPFILE)."""
        with self.change:
            self._settle(directory)
            if directory.mode & stat.S_ISGID:
                gid = directory.gid
            return self.store.new(S_IFREG | mode & 0o7777, uid, gid, b"", now_ns())

    def put(
        self, place: Place, path: str, content: Any, uid: int, gid: int, exclusive: bool, check: Check | None = None
    ) -> tuple[Inode, str] | None:
        """Publish whole content under a name in one step, keeping inode, owner and mode of a file that is there.

        Args:
            place: finds directory and name of the path; it is called in the step itself, so that they still stand.
            path: where to.
            content: ``bytes``, or what ``Store.copy_content`` gives.
            uid: owner of a new file.
            gid: group of a new file.
            exclusive: fail with EEXIST if the name exists.
            check: raises if it may not be done; asked first, in the step itself.

        Returns:
            The file and its new etag; None, with nothing done, if the name is a symbolic link: whoever asks decides
            whether to follow.

        Raises:
            OSError: EEXIST, EISDIR, EINVAL for a special file, ENOENT if the directory was removed, ENOSPC.
        """
        with self.change:
            if check is not None:
                check()
            directory, name = place(path)
            inode = self._child(directory, name)
            if inode is None:
                if directory.nlink == 0:
                    raise os_error(errno.ENOENT, name, hint="the directory was removed")
                check_name(name)
                if directory.mode & stat.S_ISGID:
                    gid = directory.gid
                now = now_ns()
                inode = self.store.new(FILE_MODE, uid, gid, content, now)
                inode.nlink = 1
                self.store.attach(directory, name, inode, now)
            elif exclusive:
                raise os_error(errno.EEXIST, name)
            elif inode.mode & S_IFMT == S_IFLNK:
                return None
            else:
                self.store.replace(regular(inode), content, now_ns())
            etag = inode.etag
        if self._others:
            self._announce(directory, name, inode)
            self._announce(None, "", inode)
        return inode, etag

    def link(self, node: Inode, directory: Inode, name: str) -> None:
        """Give a file one more name (link(2))."""
        with self.change:
            parent = self._free_slot(directory, name)
            if isinstance(node, Directory):
                raise os_error(errno.EPERM, name, hint="a directory cannot have a second name")
            self._settle(node)
            now = now_ns()
            self.store.relink(node, node.nlink + 1, now)
            self.store.attach(parent, name, node, now)
        if self._others:
            self._announce(directory, name, node)

    # ---- shared steps, all under the lock

    def _free_slot(self, directory: Inode, name: str) -> Directory:
        """The directory, if a new entry of this name may be made in it."""
        parent = directory_of(directory)
        if self._child(parent, name) is not None:
            raise os_error(errno.EEXIST, name)
        if parent.nlink == 0:
            raise os_error(errno.ENOENT, name, hint="the directory was removed")
        check_name(name)
        return parent

    def _make(self, parent: Directory, name: str, mode: int, uid: int, gid: int, content: Any) -> Inode:
        inode = self.store.new(mode, uid, gid, content, now_ns())
        inode.nlink = 1
        self.store.attach(parent, name, inode, inode.btime_ns)
        return inode

    def _old_file(self, parent: Directory, name: str, replace: bool) -> Inode | None:
        """What a new file takes the place of. EEXIST; EISDIR for a directory."""
        old = self._child(parent, name) if replace else None
        if old is None:
            self._free_slot(parent, name)
        elif isinstance(old, Directory):
            raise os_error(errno.EISDIR, name)
        else:
            self._forget_paths_through(old)
        return old

    def _forget_paths_through(self, *inodes: Inode | None) -> None:
        """Drop the paths that inodes may be part of, before they move or go away."""
        kinds = {inode.mode & S_IFMT for inode in inodes if inode is not None}
        if S_IFDIR in kinds:
            self.shared.forget_paths()
        elif S_IFLNK in kinds:
            self.shared.path_cache.forget_all()

    def _drop_link(self, inode: Inode, now: int) -> None:
        self.store.relink(inode, inode.nlink - 1, now)
        if inode.nlink == 0:
            self._free_if_unused(inode)
