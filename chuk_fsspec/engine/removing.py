"""What an engine's filesystem does to names: removing and moving."""

from __future__ import annotations

import errno
from typing import Any

from chuk_fsspec.contract.arguments import refuse_depth
from chuk_fsspec.contract.conditions import Condition, Etags, condition_of, remove_each
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.expansion import matches, move_pairs
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.engine.conditions import check_all, check_of_name
from chuk_fsspec.engine.inode import Directory
from chuk_fsspec.engine.looking import LookingFileSystem
from chuk_fsspec.engine.parents import make_parents
from chuk_fsspec.engine.posix import InodePosix


class RemovingFileSystem(LookingFileSystem):
    """The part of ``InodeFileSystem`` that takes names away."""

    auto_mkdir: bool
    _uid: int
    _gid: int

    @property
    def posix(self) -> InodePosix:
        """POSIX operations on this filesystem."""
        raise NotImplementedError

    # ---- removing and moving

    def rmdir(self, path: str) -> None:
        """Remove an empty directory. OSError ENOTEMPTY, NotADirectoryError."""
        self._settle()
        self.posix.rmdir(self._strip_protocol(path))

    def rm_file(self, path: str, *, if_match: str | None = None) -> None:
        """Remove a file or link.

        Args:
            path: what is removed.
            if_match: the etag that it has to have, or ``*`` for any.

        Raises:
            OSError: ENOENT, EISDIR for a directory, EINVAL for the etag of a link.
            PreconditionFailed: with nothing done; also if nothing is there.
        """
        self._settle()
        normal = self._strip_protocol(path)
        check = check_of_name(self.inodes, self._resolver, normal, condition_of(if_match))
        if check is not None:
            check()  # before a missing directory is an error of its own
        self.posix.unlink(normal, check)

    def rm(
        self,
        path: str | list[str],
        recursive: bool = False,
        maxdepth: int | None = None,
        *,
        if_match: Etags = None,
    ) -> None:
        """Remove files, and directories with all they hold if ``recursive``; links are removed, not followed.

        Args:
            path: a path, a glob pattern, or a list of them.
            recursive: allow directories.
            maxdepth: with ``recursive``, remove only files this many levels down.
            if_match: remove files and links only, each on the condition of ``rm_file``; or a dict from path to etag.

        Raises:
            OSError: ENOENT, EISDIR for a directory without ``recursive`` or with ``if_match``.
            PreconditionFailed: with nothing done, unless the file was changed after the first one was removed.
        """
        self._settle()
        if if_match is not None:
            remove_each(self, matches(self, path), if_match)
            return
        # Not expanded recursively, for that would list what lies behind a link.
        for match in matches(self, path):
            if recursive and maxdepth is not None and isinstance(self._resolver.find_entry(match), Directory):
                for file in self.find(match, maxdepth=maxdepth):
                    self._remove(file, False)
            else:
                self._remove(match, recursive)

    def _remove(self, path: str, recursive: bool) -> None:
        directory, name, inode = self._resolver.walk(path, follow=False)
        if inode is None:
            if recursive and not name:
                return
            raise os_error(errno.ENOENT, path)
        if not isinstance(inode, Directory):
            self.inodes.unlink(directory, name)
        elif not recursive:
            raise os_error(errno.EISDIR, path, hint="pass recursive=True to remove a directory")
        elif name:
            self.inodes.remove_tree(directory, name)
        else:
            for child, _ in self.inodes.entries(inode):
                self.inodes.remove_tree(inode, child)

    def mv(
        self,
        path1: Any,
        path2: Any,
        recursive: bool = False,
        maxdepth: int | None = None,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_target_match: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Move a file or directory in one step (rename(2)).

        As in fsspec's copying rules, a target that ends in ``/`` or is a directory takes the source inside. Of a list
        or a glob pattern, each match is moved in a step of its own. Where links are not followed, a target that is one
        is replaced.

        Args:
            path1: what is moved: a path, a pattern, or a list of them.
            path2: where to.
            recursive: ignored; a directory moves whole.
            maxdepth: None.
            if_match: the etag that the source has to have, or ``*`` for any.
            if_none_match: the etag that the target must not have, or ``*`` if nothing may be there.
            if_target_match: the etag that the target has to have, or ``*`` if something has to be there.
            kwargs: ignored.

        Raises:
            OSError: ENOENT, ENOTEMPTY, EINVAL for a directory into itself; EISDIR, ENOTDIR for unlike kinds.
            PreconditionFailed: with nothing done.
            ValueError: for ``maxdepth``, which would leave what is deeper without a place.
        """
        refuse_depth(maxdepth)
        self._settle()
        wanted, replaced = condition_of(if_match), condition_of(if_target_match, if_none_match)
        for source, target in move_pairs(self, path1, path2):
            self._move(source, target, wanted, replaced)

    def _move(self, source: str, target: str, wanted: Condition | None, replaced: Condition | None) -> None:
        check = check_all(
            check_of_name(self.inodes, self._resolver, source, wanted),
            check_of_name(self.inodes, self._resolver, target, replaced),
        )
        if check is not None:
            check()  # before a directory is made for it
        if isinstance(self._resolver.find_entry(source), Directory) and is_inside(target, source):
            raise os_error(errno.EINVAL, source, target, hint="a directory cannot move into itself")
        self._prepare_parent(target)
        self.posix.rename(source, target, check=check)

    # ---- steps

    def _settle(self) -> None:
        """In a transaction, publish the files written so far before the tree changes under them."""
        if self._intrans:
            self.transaction.publish_files()

    def _prepare_parent(self, path: str) -> None:
        """See to it that a path's directory exists. ENOTDIR, ENOENT without ``auto_mkdir``."""
        normal = self._strip_protocol(path)
        if self.auto_mkdir:
            make_parents(self.inodes, self._resolver, normal, self._uid, self._gid)
        elif self._find_quietly(self._parent(normal)) is None:
            raise os_error(errno.ENOENT, normal, hint="its directory does not exist")
