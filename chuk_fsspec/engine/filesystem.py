"""The fsspec surface over a tree of inodes."""

from __future__ import annotations

import errno
import os
from typing import Any

from fsspec.utils import stringify_path

from chuk_fsspec.contract.arguments import require_open_mode, require_writing_mode
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.conditions import ANY, Condition, condition_of, refuse_etags
from chuk_fsspec.contract.errors import LinkInTheWay, PreconditionFailed, not_a_file, os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.conditions import Check, check_of_file
from chuk_fsspec.engine.files import AppendFile, HandleReader, ReadFile, WriteFile
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.listing import Listing
from chuk_fsspec.engine.nofollow import NofollowResolver
from chuk_fsspec.engine.parents import DIRECTORY_PERMISSIONS, make_parents
from chuk_fsspec.engine.posix import InodePosix
from chuk_fsspec.engine.removing import RemovingFileSystem
from chuk_fsspec.engine.resolve import Resolver
from chuk_fsspec.engine.shared import SharedState
from chuk_fsspec.engine.snapshots import PastTree, past_capabilities
from chuk_fsspec.engine.spilling import STAGED_FROM, SpillingAppendFile, SpillingFile
from chuk_fsspec.engine.store import Stage
from chuk_fsspec.engine.transaction import UndoTransaction
from chuk_fsspec.engine.tree import Tree
from chuk_fsspec.engine.views import StoreViews

_BAD_PATH = frozenset((errno.EINVAL, errno.ENAMETOOLONG))


class InodeFileSystem(StoreViews, RemovingFileSystem):
    """An fsspec filesystem on an engine. A backend gives it the shared state of its store.

    ``fs.posix`` has what POSIX knows beyond fsspec; every instance on the same store sees the same files.
    Its ``capabilities`` are all that the engine can; a backend whose store can less declares its own.
    """

    transaction_type = UndoTransaction
    tree_class: type[Tree] = Tree
    past_tree_class: type[Tree] = PastTree
    capabilities = Capabilities(
        write=True,
        directories=True,
        rename=True,
        replace=True,
        atomic_write=True,
        append=True,
        exclusive_create=True,
        random_write=True,
        transactions=True,
        modified_times=True,
        etags=True,
        symlinks=True,
        hardlinks=True,
        attributes=True,
        xattrs=True,
        special_files=True,
        sparse=True,
        rename_flags=True,
        conditional_write=True,
        statvfs=True,
        nodes=True,
        whole_files=True,
        shared_between_threads=True,
    )

    def __init__(
        self,
        shared: SharedState,
        *,
        auto_mkdir: bool = True,
        follow_links: bool = True,
        at: str = "",
        **kwargs: Any,
    ) -> None:
        """Open a view of a store.

        Args:
            shared: the state of the store, common to all its views.
            auto_mkdir: make missing parent directories when a file is written, copied or moved, as object stores do.
            follow_links: follow symbolic links, or raise ``LinkInTheWay`` (see ``Posix.nofollow``). A backend's
                constructor takes it too, by this name.
            at: name of a snapshot, to read the files as they were then; empty for the files as they are. A backend's
                constructor takes it too, by this name.
            kwargs: fsspec's own options.

        Raises:
            OSError: ENOENT for a snapshot that does not exist.
        """
        super().__init__(**kwargs)
        self.auto_mkdir = auto_mkdir
        self.follow_links = follow_links
        self.stand_on(shared.past(at) if at else shared, at)

    def stand_on(self, shared: SharedState, at: str = "") -> None:
        """Use another store from now on.

        Args:
            shared: the state of the store, common to all its views.
            at: the snapshot that it is the past of, if it is one.
        """
        self._at = at
        if at:
            self.capabilities = past_capabilities(type(self).capabilities)
        self.inodes = (self.past_tree_class if self._at else self.tree_class)(shared)
        self.store = shared.store
        self._uid = getattr(os, "getuid", int)()
        self._gid = getattr(os, "getgid", int)()
        protocols = (self.protocol,) if isinstance(self.protocol, str) else tuple(self.protocol)
        self._resolver = (Resolver if self.follow_links else NofollowResolver)(self.inodes, protocols)
        self._listing = Listing(self.inodes, self._resolver)
        self._inode_at = self._resolver.find
        self._place = self._resolver.place
        self._child = self.store.child
        self._whole = self.store.whole
        self._path_cache = self._resolver.cache

    @property
    def posix(self) -> InodePosix:
        """POSIX operations on this filesystem."""
        return InodePosix(self, self.inodes, self._resolver, self._uid, self._gid)

    @property
    def fsid(self) -> str:
        """Names the store: two filesystems with one ``fsid`` see the same files."""
        raise NotImplementedError

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
        check = check_of_file(self.inodes, self._resolver, path, condition)
        if check is not None:
            check()
        if mode != "rb" and self.store.refusal:
            raise os_error(errno.EROFS, path, hint=self.store.refusal)
        if mode[0] == "x" and self.lexists(path):
            raise os_error(errno.EEXIST, path)
        if mode == "rb":
            return self._open_to_read(path)
        inode = self._find_quietly(path) if mode[0] != "r" else self._inode_at(path)
        if inode is not None and not inode.is_file:
            raise not_a_file(path, is_directory=isinstance(inode, Directory))
        self._require_place(path)
        if mode == "ab":
            append_file = SpillingAppendFile if self.store.stages else AppendFile
            return append_file(self, path, mode, inode.size if inode is not None else 0, autocommit)
        if self.store.stages:
            return SpillingFile(self, path, mode, inode if mode[0] in "ra" else None, autocommit)
        old = self.cat_file(path) if inode is not None and mode[0] in "ra" else b""
        file = WriteFile(self, path, mode, old, autocommit)
        if mode[0] == "a":
            file.seek(0, os.SEEK_END)
        return file

    def _open_to_read(self, path: str) -> ReadFile | HandleReader:
        with self.store.reading:  # between a look and the next one, the file may be replaced
            inode = self._inode_at(path)
            if not inode.is_file:
                raise not_a_file(path, is_directory=isinstance(inode, Directory))
            whole = self.store.whole(inode)
            if whole is not None:
                return ReadFile(self, path, whole)
            etag, handle = inode.etag, self.inodes.open(inode, os.O_RDONLY)
            return HandleReader(self, path, handle, self.store.pin(inode), etag)

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
        if mode != "overwrite":  # most writes need no further call
            require_writing_mode(mode)
        data = value if type(value) is bytes else bytes(value)
        if self._intrans or (len(data) > STAGED_FROM and self.store.stages):
            return self._pipe_by_opening(path, data, mode, if_match=if_match, if_none_match=if_none_match)
        # Most writes ask for nothing, and are a tenth faster without a call that says so.
        is_asked = if_match is not None or if_none_match is not None
        condition = condition_of(if_match, if_none_match) if is_asked else None
        _, etag = self.publish(path, data, mode == "create", condition)
        return etag

    def publish(
        self,
        path: str,
        data: Any,
        exclusive: bool = False,
        condition: Condition | None = None,
        *,
        has_parent: bool = False,
    ) -> tuple[Inode, str]:
        """Put content under a path in one step, following links and keeping inode, owner and mode of what is there.

        Args:
            path: absolute path or URL.
            data: ``bytes``, or content of this engine.
            exclusive: fail with FileExistsError if the path exists, be it as a link.
            condition: what has to be there.
            has_parent: its directory was just made, so that it is not made again.

        Returns:
            The file and its new etag.

        Raises:
            OSError: EEXIST, EISDIR, ENOTDIR, ENOSPC; ENOENT for a missing parent without ``auto_mkdir``.
            PreconditionFailed: with nothing done.
        """
        if type(path) is not str:
            path = stringify_path(path)
        check = None if condition is None else check_of_file(self.inodes, self._resolver, path, condition)
        try:
            place = self._place
            while (done := self.inodes.put(place, path, data, self._uid, self._gid, exclusive, check)) is None:
                place = self._resolver.place_behind_links
            return done
        except FileNotFoundError:
            if not self.auto_mkdir or has_parent:
                raise os_error(errno.ENOENT, self._strip_protocol(path), hint="its directory does not exist") from None
            self._prepare_parent(path)
            return self.publish(path, data, exclusive, condition, has_parent=True)
        except LinkInTheWay:
            raise
        except OSError as error:
            error.filename = self._strip_protocol(path)
            raise

    def append(self, path: str, data: bytes | Stage, condition: Condition | None = None) -> str:
        """Add content to the end of a file in one step, making the file if need be.

        Args:
            path: absolute path or URL.
            data: what is added.
            condition: what has to be there.

        Returns:
            The new etag.

        Raises:
            OSError: EISDIR, ENOSPC.
            PreconditionFailed: with nothing done.
        """
        check = check_of_file(self.inodes, self._resolver, path, condition)

        def find() -> Inode:
            if check is not None:
                check()
            return self._inode_at(path)

        try:
            if self._find_quietly(path) is None:
                if check is not None:
                    check()  # before a directory is made for it
                self._prepare_parent(path)
                done = self._put_new(path, data, check)
                if done is not None:
                    return done[1]
            return self.inodes.extend(find, data)
        except LinkInTheWay:
            raise
        except OSError as error:
            error.filename = self._strip_protocol(path)
            raise

    def _put_new(self, path: str, data: bytes | Stage, check: Check | None) -> tuple[Inode, str] | None:
        """Publish a new file; None if somebody was faster."""
        place = self._resolver.place_behind_links
        try:
            return self.inodes.put(place, path, data, self._uid, self._gid, True, check)
        except PreconditionFailed:
            raise
        except FileExistsError:
            return None

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
        inode = self._find_quietly(path)
        if inode is None or truncate or if_none_match == ANY:
            return self.pipe_file(path, b"", if_match=if_match, if_none_match=if_none_match)
        check = check_of_file(self.inodes, self._resolver, path, condition_of(if_match, if_none_match))
        etags: list[str] = []

        def note() -> None:
            if check is not None:
                check()
            etags.append(inode.etag)

        now = now_ns()
        self.inodes.setattr(inode, atime_ns=now, mtime_ns=now, check=note)
        return etags[0]

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
        self._settle()
        condition, source = condition_of(if_match, if_none_match), condition_of(if_source_match)
        check = check_of_file(self.inodes, self._resolver, stringify_path(path1), source)
        if check is not None:
            check()
        inode = self._inode_at(stringify_path(path1))
        if isinstance(inode, Directory):
            refuse_etags(self._strip_protocol(path1), condition, source)
            self.makedirs(path2, exist_ok=True)
            return None
        if not inode.is_file:
            raise not_a_file(path1, is_directory=False)
        if self._find_quietly(path2) is inode:
            if condition is not None:
                condition.require(self._strip_protocol(path2), inode.etag)
            return self.inodes.getattr(inode).etag
        content = self.store.copy_content(inode)
        if source is not None:  # no etag comes back: what is still the same one was copied
            source.require(self._strip_protocol(path1), inode.etag)
        file, etag = self.publish(path2, content, condition=condition)
        self.inodes.setattr(file, mode=inode.mode)
        return etag

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Make a directory, and its parents unless told not to. EEXIST, ENOENT, ENOTDIR."""
        self._settle()
        normal = self._strip_protocol(path)
        if create_parents:
            make_parents(self.inodes, self._resolver, normal, self._uid, self._gid)
        self.posix.mkdir(normal, DIRECTORY_PERMISSIONS)

    # ---- transactions

    def start_transaction(self) -> Any:
        """Begin a transaction without a ``with`` block; ``end_transaction`` commits it, or undoes it if that fails."""
        self.transaction.start()
        return self.transaction

    # ---- steps

    def _require_place(self, path: str) -> None:
        """Fail as publishing under this path would, but make nothing yet."""
        try:
            self._place(path)
        except FileNotFoundError:
            if not self.auto_mkdir:
                raise
