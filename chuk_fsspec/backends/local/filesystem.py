"""The fsspec surface of ``chuklocal``."""

from __future__ import annotations

import dataclasses
import errno
import os
import stat
import time
from contextlib import closing
from typing import Any

from chuk_fsspec.backends.local import support
from chuk_fsspec.backends.local.beneath import Beneath
from chuk_fsspec.backends.local.conditions import rename as rename_if
from chuk_fsspec.backends.local.conditions import require_file as require_file_if
from chuk_fsspec.backends.local.conditions import require_name, stamping
from chuk_fsspec.backends.local.conditions import unlink as unlink_if
from chuk_fsspec.backends.local.content import copy_content
from chuk_fsspec.backends.local.files import AppendFile, ReadFile, WriteFile
from chuk_fsspec.backends.local.inode import require_file
from chuk_fsspec.backends.local.listing import Listing
from chuk_fsspec.backends.local.looking import LookingFileSystem
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.owning import Owner
from chuk_fsspec.backends.local.parents import make_directory, make_parents
from chuk_fsspec.backends.local.posix import LocalPosix
from chuk_fsspec.backends.local.publishing import Publisher
from chuk_fsspec.backends.local.removing import remove_tree
from chuk_fsspec.backends.local.shared import SharedRoot, make_root, root_path, shared_root
from chuk_fsspec.backends.local.status import etag_of
from chuk_fsspec.backends.local.temporary import remove_leftovers
from chuk_fsspec.contract.arguments import refuse_depth, require_open_mode, require_writing_mode
from chuk_fsspec.contract.conditions import ANY, Condition, Etags, condition_of, refuse_etags, remove_each
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.expansion import Paths, matches, move_pairs
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.transaction import EndingTransaction
from chuk_fsspec.contract.whereabouts import Way, way_up


class LocalDirectoryFileSystem(LookingFileSystem):
    """A directory of this machine as a filesystem of its own, which no path and no link leads out of.

    Its paths count from the directory: ``/`` is the root. Symbolic links are followed inside: an absolute one counts
    from the root too, and ``..`` stops there, so that a link to somewhere else on the host leads to the same place
    below the root, or to nothing. Only regular files are ever opened. What is written with ``open`` and ``pipe_file``
    takes the place of the old file in one step. A file that has other names, made by somebody else, is not written
    through: it is replaced by a copy first.

    On Linux the kernel itself resolves paths (openat2(2)), or one open directory leads to the next where it cannot; the
    latter is what other systems with openat(2) do, such as macOS, without extended attributes and holes. Windows has no
    way to be safe here and is refused.
    """

    transaction_type = EndingTransaction
    capabilities = support.capabilities()

    def __init__(
        self,
        root: str | os.PathLike[str] = "",
        create: bool = False,
        read_only: bool = False,
        auto_mkdir: bool = True,
        *,
        follow_links: bool = True,
        durable: bool = True,
        trust_links: bool = False,
        fo: str = "",
        target_protocol: str = "file",
        target_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Open a directory of the host.

        Args:
            root: its absolute path.
            create: make it, and what is missing above it.
            read_only: refuse every change with EROFS.
            auto_mkdir: make missing parent directories when a file is written, copied or moved.
            follow_links: follow symbolic links; False is what ``posix.nofollow`` gives.
            durable: wait until what is published is on the disk (fsync(2)); without it a crash of the machine, though
                never one of the program, may leave an empty file.
            trust_links: write through to all names of a file, also those that this process has not made.
            fo: the root again, where it comes from a URL as in ``chuklocal://a::file:///data``.
            target_protocol: of that URL: "file".
            target_options: of that URL; they are not needed.
            kwargs: fsspec's own options.

        Raises:
            OSError: ENOENT or ENOTDIR for the root; ENOTSUP on Windows.
            ValueError: without a root, or with one that is not absolute.
        """
        support.require()
        super().__init__(**{**kwargs, "use_listings_cache": False})
        path = root_path(os.fspath(root), fo, target_protocol)
        if create:
            make_root(path)
        self.auto_mkdir = auto_mkdir
        self.read_only = read_only
        self.follow_links = follow_links
        self.durable = durable
        self.trust_links = trust_links
        self.stand_on(shared_root(path))
        if read_only:
            self.capabilities = dataclasses.replace(self.capabilities, write=False)
        else:
            remove_leftovers(self.shared.directory)

    def stand_on(self, shared: SharedRoot) -> None:
        """Use another root from now on.

        Args:
            shared: what all filesystem objects of this process have in common on it.
        """
        self.shared = shared
        self.beneath = Beneath(shared, follow_links=self.follow_links)
        self.owner = Owner(shared, self.beneath, self.trust_links)
        self.publisher = Publisher(shared, self.beneath, self.owner, self.durable, self.auto_mkdir)
        self._listing = Listing(self.beneath)

    @property
    def posix(self) -> LocalPosix:
        """POSIX operations on this filesystem."""
        return LocalPosix(self)

    def without_links(self) -> LocalFileSystem:
        """The view of this root that follows no links (``Posix.nofollow``)."""
        if not self.follow_links:
            return self
        options = {**self.storage_options, "follow_links": False}
        view = type(self)(*self.storage_args, **options)
        if view.shared is not self.shared:  # the path leads to another directory by now
            view = type(self)(*self.storage_args, **options, skip_instance_cache=True)
            view.stand_on(self.shared)
        return view

    @property
    def fsid(self) -> str:
        """Names the root directory: two filesystems with one ``fsid`` see the same files."""
        device, ino = self.shared.identity
        return f"chuklocal-{device:x}-{ino:x}"

    def ways(self, path: str) -> list[Way]:
        """Where a directory of this machine is (``contract.whereabouts``). ENOENT, ENOTDIR, ELOOP; LinkInTheWay."""
        directory = self.beneath.directory(self._strip_protocol(path))
        return [way_up(directory.number)]

    # ---- opening

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        condition: Condition | None = None,
        **kwargs: Any,
    ) -> Any:
        require_open_mode(mode)
        if condition is not None:
            require_file_if(self.beneath, path, condition)
        if mode == "rb":
            inode = self.beneath.inode(path)
            with named(path):
                require_file(inode)
                return ReadFile(self, path, inode.open(os.O_RDONLY))
        self.require_write(path)
        if mode[0] == "x":
            if self.lexists(path):
                raise os_error(errno.EEXIST, path)
            self._require_place(path, follow=False)
            return WriteFile(self, path, mode, self.publisher.begin(path, follow=False), autocommit)
        return self._open_to_write(path, mode, autocommit)

    def _open_to_write(self, path: str, mode: str, autocommit: bool) -> WriteFile:
        inode = self.beneath.inode(path) if mode[0] == "r" else self.beneath.inode_or_none(path)
        size = 0
        if inode is not None:
            with named(path):
                size = require_file(inode).st_size
        self._require_place(path, follow=True)
        temporary = self.publisher.begin(path)
        if mode == "ab":
            return AppendFile(self, path, mode, temporary, autocommit, size)
        if inode is not None and mode[0] in "ra":
            try:
                with named(path):
                    opened = inode.open(os.O_RDONLY)
                    copy_content(opened.number, temporary.fd)
            except OSError:
                temporary.close()
                raise
        file = WriteFile(self, path, mode, temporary, autocommit)
        if mode[0] == "a":
            file.seek(0, os.SEEK_END)
        return file

    # ---- writing

    def pipe_file(
        self,
        path: str,
        value: Buffer,
        mode: str = "overwrite",
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        """Write a whole file in one step; ``mode="create"`` refuses one that exists.

        Args:
            path: where to.
            value: the content.
            mode: "overwrite" or "create".
            if_match: the etag that the file has to have, or ``*`` if there has to be one.
            if_none_match: the etag that it must not have, or ``*`` if nothing may be there.
            kwargs: ignored.

        Returns:
            The new etag; None in a transaction, which writes the file at its end.

        Raises:
            OSError: EEXIST, EISDIR, ENOTDIR, ENOSPC.
            PreconditionFailed: with nothing done.
        """
        require_writing_mode(mode)
        if self._intrans:
            return self._pipe_by_opening(path, value, mode, if_match=if_match, if_none_match=if_none_match)
        normal = self._strip_protocol(path)
        self.require_write(normal)
        condition = condition_of(if_match, if_none_match)
        if condition is not None:
            require_file_if(self.beneath, normal, condition)
        follow = mode == "overwrite"
        return self.publisher.write(normal, value, follow=follow, only_new=not follow, condition=condition)

    def touch(
        self,
        path: str,
        truncate: bool = True,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        """Make an empty file, or empty one that is there; ``truncate=False`` only stamps it with the time.

        Conditions and what is returned are as for ``pipe_file``.
        """
        normal = self._strip_protocol(path)
        condition = condition_of(if_match, if_none_match)
        if truncate or if_none_match == ANY or self.beneath.inode_or_none(normal) is None:
            return self.pipe_file(path, b"", if_match=if_match, if_none_match=if_none_match)
        self.require_write(normal)
        with stamping(self.shared, self.beneath, normal, condition) as found:
            now = time.time_ns()
            try:
                # By the clock of what is published: the one that the kernel stamps with lies up to a tick behind it.
                self.posix.utime(normal, ns=(now, now))
            except PermissionError:  # who may write but does not own the file may only say "now" (utimensat(2))
                self.posix.utime(normal)
                return None
        return found._replace(mtime_ns=now).etag

    def cp_file(
        self,
        path1: str,
        path2: str,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_source_match: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        """Copy one file with its permission bits, or make a directory of the same name.

        Args:
            path1: what is copied.
            path2: where to.
            if_match: the etag that the target has to have, or ``*`` if there has to be one.
            if_none_match: the etag that the target must not have, or ``*`` if nothing may be there.
            if_source_match: the etag that the source has to have.
            kwargs: ignored.

        Returns:
            The new etag of the target; None for a directory.

        Raises:
            OSError: EISDIR, ENOSPC.
            PreconditionFailed: with nothing done.
        """
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        condition, wanted = condition_of(if_match, if_none_match), condition_of(if_source_match)
        if wanted is not None:
            require_file_if(self.beneath, source, wanted)
        inode = self.beneath.inode(source)
        found = inode.stat()
        if stat.S_ISDIR(found.st_mode):
            refuse_etags(source, condition, wanted)
            self.makedirs(target, exist_ok=True)
            return None
        with named(source):
            require_file(inode)
            opened = inode.open(os.O_RDONLY)
        self.require_write(target)
        other = self.beneath.inode_or_none(target)
        if condition is not None:
            require_file_if(self.beneath, target, condition)
        if other is not None and os.path.samestat(found, other.stat()):
            return other.status().etag
        with closing(self.publisher.begin(target)) as temporary, named(target):
            copy_content(opened.number, temporary.fd)
            if wanted is not None:
                wanted.require(source, etag_of(os.fstat(opened.number)))
            return self.publisher.put(temporary, target, mode=found.st_mode, condition=condition)

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Make a directory, and its parents unless told not to. EEXIST, ENOENT, ENOTDIR."""
        normal = self._strip_protocol(path)
        self.require_write(normal)
        if create_parents:
            make_parents(self.shared, self.beneath, normal)
        make_directory(self.shared, self.beneath, normal)

    # ---- removing and moving

    def rmdir(self, path: str) -> None:
        """Remove an empty directory. OSError ENOTEMPTY, NotADirectoryError."""
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
        normal, condition = self._strip_protocol(path), condition_of(if_match)
        if condition is None:
            self.posix.unlink(normal)
            return
        self.require_write(normal)
        with named(normal):
            unlink_if(self.shared, self.beneath, normal, condition)

    def rm(self, path: Paths, recursive: bool = False, maxdepth: int | None = None, *, if_match: Etags = None) -> None:
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
        if if_match is not None:
            remove_each(self, matches(self, path), if_match)
            return
        for match in matches(self, path):
            is_directory = self.beneath.inode(match, follow=False).status().is_directory
            if not is_directory:
                self.rm_file(match)
            elif not recursive:
                raise os_error(errno.EISDIR, match, hint="pass recursive=True to remove a directory")
            elif maxdepth is not None:
                for file in self.find(match, maxdepth=maxdepth):
                    self.rm_file(file)
            else:
                self.require_write(match)
                remove_tree(self.shared, self.beneath, match, itself=match != "/")

    def mv(
        self,
        path1: Paths,
        path2: Paths,
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
            OSError: ENOENT, ENOTEMPTY, EINVAL for a directory into itself; EISDIR, ENOTDIR for unlike kinds; EXDEV
                where another disk is mounted inside the root.
            PreconditionFailed: with nothing done.
            ValueError: for ``maxdepth``, which would leave what is deeper without a place.
        """
        refuse_depth(maxdepth)
        wanted, replaced = condition_of(if_match), condition_of(if_target_match, if_none_match)
        for source, target in move_pairs(self, path1, path2):
            require_name(self.beneath, source, wanted)
            require_name(self.beneath, target, replaced)
            inode = self.beneath.inode(source, follow=False)
            if inode.status().is_directory and is_inside(target, source):
                raise os_error(errno.EINVAL, source, target, hint="a directory cannot move into itself")
            self.require_write(source, target)
            if self.auto_mkdir:
                make_parents(self.shared, self.beneath, target)
            if wanted is None and replaced is None:
                self.posix.rename(source, target)
                continue
            with named(source, target):
                rename_if(self.shared, self.beneath, source, target, wanted, replaced)

    # ---- steps

    def require_write(self, *paths: str) -> None:
        """EROFS if no changes are taken."""
        if self.read_only:
            raise os_error(errno.EROFS, *paths)

    def _require_place(self, path: str, *, follow: bool) -> None:
        """Fail as publishing under this path would, but make nothing yet."""
        try:
            self.beneath.place(path, follow=follow)
        except FileNotFoundError:
            if not self.auto_mkdir:
                raise

    def __repr__(self) -> str:
        options = "" if self.follow_links else ", follow_links=False"
        return f"{type(self).__name__}({os.path.basename(self.shared.path)!r}{options})"


LocalFileSystem = LocalDirectoryFileSystem
"""The name to import. The class itself is called otherwise, as pyarrow takes every fsspec filesystem whose class is
called ``LocalFileSystem`` for the files of this machine, and opens its paths there."""
