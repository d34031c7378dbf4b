"""Entries of directories: removed, and moved."""

from __future__ import annotations

import errno

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import check_name
from chuk_fsspec.contract.posix import RENAME_EXCHANGE, RENAME_NOREPLACE
from chuk_fsspec.engine.ancestry import is_above
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.conditions import Check
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.tree.kinds import directory_of
from chuk_fsspec.engine.tree.making import Making


class Moving(Making):
    """The part of ``Tree`` that takes names away, and gives others."""

    def unlink(self, directory: Inode, name: str, check: Check | None = None) -> None:
        """Remove a name; the file lives on while it has others or is open (unlink(2)). EISDIR for a directory."""
        with self.change:
            if check is not None:
                check()
            inode = self._existing(directory, name)
            if isinstance(inode, Directory):
                raise os_error(errno.EISDIR, name)
            self._forget_paths_through(inode)
            now = now_ns()
            self.store.detach(directory_of(directory), name, now)
            self._drop_link(inode, now)
        if self._others:
            self._announce(directory, name, None)

    def rmdir(self, directory: Inode, name: str) -> None:
        """Remove an empty directory (rmdir(2))."""
        with self.change:
            inode = directory_of(self._existing(directory, name))
            if not self.store.is_empty(inode):
                raise os_error(errno.ENOTEMPTY, name)
            self._drop_directory(directory_of(directory), name, inode)
        if self._others:
            self._announce(directory, name, None)

    def remove_tree(self, directory: Inode, name: str) -> None:
        """Remove an entry and everything below it in one step; links are removed, not followed."""
        with self.change:
            inode = self._existing(directory, name)
            self._forget_paths_through(inode)
            if isinstance(inode, Directory):
                self._drop_directory(directory_of(directory), name, inode)
                self._drop_below(inode)
            else:
                now = now_ns()
                self.store.detach(directory_of(directory), name, now)
                self._drop_link(inode, now)
        if self._others:
            self._announce(directory, name, None)

    def rename(
        self,
        directory: Inode,
        name: str,
        new_directory: Inode,
        new_name: str,
        flags: int = 0,
        check: Check | None = None,
    ) -> None:
        """Move an entry (rename(2)), or swap two (RENAME_EXCHANGE), or refuse to replace (RENAME_NOREPLACE)."""
        if flags not in (0, RENAME_NOREPLACE, RENAME_EXCHANGE):
            raise os_error(errno.EINVAL, name, new_name)
        with self.change:
            if check is not None:
                check()
            source, target_directory = directory_of(directory), directory_of(new_directory)
            inode = self._existing(source, name)
            target = self.lookup(target_directory, new_name)
            if target is None and flags == RENAME_EXCHANGE:
                raise os_error(errno.ENOENT, name, new_name)
            if target is not None and flags == RENAME_NOREPLACE:
                raise os_error(errno.EEXIST, name, new_name)
            if target is inode:
                return
            if target is not None and flags == RENAME_EXCHANGE:
                self._exchange(source, name, inode, target_directory, new_name, target)
            else:
                self._move(source, name, inode, target_directory, new_name, target)
        if self._others:
            self._announce(directory, name, target if flags == RENAME_EXCHANGE else None)
            self._announce(new_directory, new_name, inode)

    def _move(
        self, source: Directory, name: str, inode: Inode, destination: Directory, new_name: str, target: Inode | None
    ) -> None:
        moves_directory = isinstance(inode, Directory)
        if destination.nlink == 0:
            raise os_error(errno.ENOENT, name, new_name)
        if moves_directory:
            self._refuse_loop(inode, destination, name)
        if is_above(self.store, target, source):
            raise os_error(errno.ENOTEMPTY, name, new_name)
        if target is None:
            check_name(new_name)
        elif isinstance(target, Directory):
            if not moves_directory:
                raise os_error(errno.EISDIR, name, new_name)
            if not self.store.is_empty(target):
                raise os_error(errno.ENOTEMPTY, name, new_name)
        elif moves_directory:
            raise os_error(errno.ENOTDIR, name, new_name)
        self._forget_paths_through(inode, target)
        now = now_ns()
        if isinstance(target, Directory):
            self._drop_directory(destination, new_name, target)
        self.store.detach(source, name, now)
        self.store.attach(destination, new_name, inode, now)
        if target is not None and not isinstance(target, Directory):
            self._drop_link(target, now)
        if moves_directory and source is not destination:
            self._adopt(inode, source, destination)
        self.store.relink(inode, inode.nlink, now)

    def _exchange(
        self, first: Directory, name: str, inode: Inode, second: Directory, other_name: str, other: Inode
    ) -> None:
        if isinstance(inode, Directory):
            self._refuse_loop(inode, second, name)
        if isinstance(other, Directory):
            self._refuse_loop(other, first, other_name)
        self._forget_paths_through(inode, other)
        now = now_ns()
        self.store.attach(first, name, other, now)
        self.store.attach(second, other_name, inode, now)
        if first is not second:
            if isinstance(inode, Directory):
                self._adopt(inode, first, second)
            if isinstance(other, Directory):
                self._adopt(other, second, first)
        self.store.relink(inode, inode.nlink, now)
        self.store.relink(other, other.nlink, now)

    def _refuse_loop(self, moved: Inode, destination: Directory, name: str) -> None:
        """EINVAL if a directory would come to lie inside itself."""
        if is_above(self.store, moved, destination):
            raise os_error(errno.EINVAL, name, hint="a directory cannot move into itself")

    def _adopt(self, moved: Inode, old: Directory, new: Directory) -> None:
        self.store.update(moved, parent=new)
        self.store.update(old, nlink=old.nlink - 1)
        self.store.update(new, nlink=new.nlink + 1)

    # ---- steps, all under the lock

    def _existing(self, directory: Inode, name: str) -> Inode:
        inode = self.lookup(directory_of(directory), name)
        if inode is None:
            raise os_error(errno.ENOENT, name)
        return inode

    def _drop_directory(self, parent: Directory, name: str, inode: Directory) -> None:
        self.store.detach(parent, name, now_ns())
        self.store.update(parent, nlink=parent.nlink - 1)
        self.store.update(inode, nlink=0)
        self._free_if_unused(inode)

    def _drop_below(self, top: Directory) -> None:
        """Drop everything below a directory that has lost its name."""
        now = now_ns()
        pending = [top]
        while pending:
            gone = pending.pop()
            for child in self.store.clear(gone):
                if isinstance(child, Directory):
                    self.store.update(child, nlink=0)
                    pending.append(child)
                else:
                    self._drop_link(child, now)
            if gone is not top:
                self._free_if_unused(gone)
