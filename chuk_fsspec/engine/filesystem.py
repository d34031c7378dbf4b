"""The fsspec surface over a tree of inodes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.utils import stringify_path

from chuk_fsspec.contract import globbing
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.display import as_html
from chuk_fsspec.contract.errors import LinkInTheWay, omit_unless_link, os_error
from chuk_fsspec.contract.expansion import matches, move_pairs
from chuk_fsspec.contract.layering import layers_of
from chuk_fsspec.contract.paths import is_inside, join, strip_protocol
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.staging import Stageable
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.files import AppendFile, BufferedReadFile, ReadFile, WriteFile
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.listing import InfoDict, Listing
from chuk_fsspec.engine.nofollow import NofollowResolver
from chuk_fsspec.engine.parents import DIRECTORY_PERMISSIONS, make_parents
from chuk_fsspec.engine.posix import InodePosix
from chuk_fsspec.engine.resolve import Resolver
from chuk_fsspec.engine.shared import SharedState
from chuk_fsspec.engine.snapshots import InodeSnapshots, PastTree, past_capabilities
from chuk_fsspec.engine.spilling import STAGED_FROM, SpillingAppendFile, SpillingFile
from chuk_fsspec.engine.store import Stage
from chuk_fsspec.engine.transaction import UndoTransaction
from chuk_fsspec.engine.tree import Tree

_BAD_PATH = frozenset((errno.EINVAL, errno.ENAMETOOLONG))
_MODES = frozenset({"rb", "wb", "ab", "xb", "r+b", "w+b", "a+b", "x+b"})


class InodeFileSystem(Stageable, AbstractFileSystem):
    """An fsspec filesystem on an engine. A backend gives it the shared state of its store.

    ``fs.posix`` has what POSIX knows beyond fsspec; every instance on the same store sees the same files.
    Its ``capabilities`` are all that the engine can; a backend whose store can less declares its own.
    """

    root_marker = "/"
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
        statvfs=True,
        nodes=True,
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

    def without_links(self) -> InodeFileSystem:
        """The view of this store that follows no links (``Posix.nofollow``)."""
        if not self.follow_links:
            return self
        return self._view(self.inodes.shared, follow_links=False)

    def as_of(self, snapshot: str) -> InodeFileSystem:
        """The view of this store as it was (``Snapshots.at``). ENOENT."""
        return self._view(self.inodes.shared.past(snapshot), at=snapshot)

    @property
    def snapshots(self) -> InodeSnapshots:
        """Snapshots of this filesystem."""
        return InodeSnapshots(self)

    def _view(self, shared: SharedState, **changed: Any) -> InodeFileSystem:
        """A filesystem of the same arguments but for those that are changed, on a store."""
        options = {**self.storage_options, **changed}
        try:
            view = type(self)(*self.storage_args, **options)
            if view.inodes.shared is shared:
                return view
        except FileNotFoundError:
            pass
        # The arguments open another store by now, in which there may be no such snapshot.
        view = type(self)(*self.storage_args, **{**options, "at": ""}, skip_instance_cache=True)
        view.stand_on(shared, options.get("at", ""))
        view.storage_options = options
        return view

    @property
    def fsid(self) -> str:
        """Names the store: two filesystems with one ``fsid`` see the same files."""
        raise NotImplementedError

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return strip_protocol(path, (cls.protocol,) if isinstance(cls.protocol, str) else cls.protocol)

    @classmethod
    def _parent(cls, path: str) -> str:
        parent: str = cls._strip_protocol(path).rpartition("/")[0]
        return parent or "/"

    # ---- looking

    def info(self, path: str, **kwargs: Any) -> InfoDict:
        """What is known of a path (``contract.Info``); a link's own attributes with its target's type and size."""
        if type(path) is not str:
            path = stringify_path(path)
        parent, _, name = path.rpartition("/")
        directory = self._path_cache.current.get(parent)
        if directory is not None and path.startswith("/"):
            inode = self._child(directory, name)
            if inode is not None:
                return self._listing.info(path, inode)
        return self._listing.info(self._strip_protocol(path), self._resolver.find_entry(path))

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """A directory's entries in name order, or the one entry that ``path`` is. FileNotFoundError."""
        normal = self._strip_protocol(path)
        inode = self._inode_at(normal)
        if not isinstance(inode, Directory):
            infos = [self._listing.info(normal, self._resolver.find_entry(normal))]
        elif detail:
            infos = self._listing.children(normal, inode)
        else:
            return sorted(join(normal, name) for name, _ in self.inodes.entries(inode))
        return infos if detail else [info["name"] for info in infos]

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **kwargs: Any
    ) -> Any:
        """All files below a path, in order; links are listed and not followed.

        Args:
            path: where to start; a file gives itself, a missing path nothing.
            maxdepth: levels to go down, at least 1; None for all.
            withdirs: list directories too, the start included.
            detail: return a dict from path to info instead of a list of paths.

        Raises:
            ValueError: for a ``maxdepth`` below 1.
        """
        if maxdepth is not None and maxdepth < 1:
            raise ValueError(f"maxdepth must be at least 1, not {maxdepth}")
        normal = self._strip_protocol(path)
        start = self._resolver.find_or_none(normal)
        if start is None:
            return {} if detail else []
        if not isinstance(start, Directory):
            found = [(normal, self._resolver.find_entry(normal))]
        else:
            directories, found = self._listing.below(normal, start, maxdepth)
            if withdirs:
                found += [(normal, start), *directories]
        if not detail:
            return sorted([below for below, _ in found])
        found.sort()
        info = self._listing.info
        return {below: info(below, inode) for below, inode in found}

    def walk(
        self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "omit", **kwargs: Any
    ) -> Iterator[Any]:
        """Directory, names of its directories and names of all else, from a path down, as ``os.walk``.

        Args:
            path: where to start.
            maxdepth: levels to go down, at least 1; None for all.
            topdown: a directory before what it holds, or after.
            on_error: "omit" what cannot be listed, unless a link is in the way; "raise"; or a function to call with the
                error.
            kwargs: ``detail=True`` for dicts from name to info instead of names.
        """
        if on_error == "omit":
            on_error = omit_unless_link
        walked: Iterator[Any] = super().walk(path, maxdepth, topdown, on_error, **kwargs)
        return walked

    def glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        """What matches a pattern, by fsspec's rules (``contract.globbing``)."""
        return globbing.glob(self, path, maxdepth, **kwargs)

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether a path leads to something; a link to nothing does not."""
        return self._resolver.target(stringify_path(path)) is not None

    def lexists(self, path: str, **kwargs: Any) -> bool:
        """Whether there is an entry of this path, be it a link to nothing."""
        return self._resolver.find_entry_or_none(stringify_path(path)) is not None

    def isfile(self, path: str) -> bool:
        """Whether a path leads to a regular file."""
        inode = self._resolver.target(stringify_path(path))
        return inode is not None and inode.is_file

    def isdir(self, path: str) -> bool:
        """Whether a path leads to a directory."""
        return isinstance(self._resolver.target(stringify_path(path)), Directory)

    def created(self, path: str) -> datetime:
        """When a file was made, in UTC."""
        return datetime.fromtimestamp(self._inode_at(stringify_path(path)).btime_ns / 1e9, tz=timezone.utc)

    def modified(self, path: str) -> datetime:
        """When a file's content last changed, in UTC."""
        return datetime.fromtimestamp(self._inode_at(stringify_path(path)).mtime_ns / 1e9, tz=timezone.utc)

    def ukey(self, path: str) -> str:
        """A string that stands for this content of this file and never returns once the content changed."""
        inode = self._inode_at(stringify_path(path))
        return f"{self.fsid}-{inode.ino:x}-{inode.version:x}"

    def checksum(self, path: str) -> int:
        """A number that changes with the content; reading a file leaves it alone."""
        inode = self._inode_at(stringify_path(path))
        return inode.ino << 64 | inode.version

    # ---- reading

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """A file's bytes, or those from ``start`` to ``end``, which count as in a slice. IsADirectoryError."""
        if type(path) is not str:
            path = stringify_path(path)
        if start is None and end is None:
            whole = self._whole(self._inode_at(path))
            if whole is not None:
                return whole
        with self.store.reading:  # between its size and its content, the file may be replaced
            inode = self._inode_at(path)
            if not inode.is_file:
                raise _not_a_file(inode, path)
            start, end, _ = slice(start, end).indices(inode.size)
            return b"".join(self.inodes.read(inode, end - start, start)) if end > start else b""

    def cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        on_error: str = "return",
        **kwargs: Any,
    ) -> list[Any]:
        """Ranges of files; there is nothing to merge here, so ``max_gap`` changes no result."""
        ranges: list[Any] = super().cat_ranges(paths, starts, ends, on_error=on_error, **kwargs)
        return ranges

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        if mode not in _MODES:
            raise ValueError(f"mode {mode!r} is not one of {', '.join(sorted(_MODES))}")
        if mode != "rb" and self.store.refusal:
            raise os_error(errno.EROFS, path, hint=self.store.refusal)
        if mode[0] == "x" and self.lexists(path):
            raise os_error(errno.EEXIST, path)
        if mode == "rb":
            return self._open_to_read(path)
        inode = self._find_quietly(path) if mode[0] != "r" else self._inode_at(path)
        if inode is not None and not inode.is_file:
            raise _not_a_file(inode, path)
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

    def _open_to_read(self, path: str) -> ReadFile | BufferedReadFile:
        with self.store.reading:  # between a look and the next one, the file may be replaced
            inode = self._inode_at(path)
            if not inode.is_file:
                raise _not_a_file(inode, path)
            whole = self.store.whole(inode)
            if whole is not None:
                return ReadFile(self, path, whole)
            return BufferedReadFile(self, path, self.inodes.open(inode, os.O_RDONLY), self.store.pin(inode))

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        cache_options: dict[str, Any] | None = None,
        compression: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Open a file: ``r w a x``, with ``+``, binary (``b``) or text.

        What is written is published when the file is closed: whole, in one step, or not at all if the ``with`` block
        fails. To edit in place and be seen at once, use ``posix.open_handle``.

        Args:
            path: absolute path or URL.
            mode: as Python's ``open``.
            block_size: ignored; there is nothing to fetch.
            cache_options: ignored; there is nothing to cache.
            compression: a codec's name, or "infer" from the path's ending.
            kwargs: ``encoding``, ``errors`` and ``newline`` for text.

        Returns:
            A file object.

        Raises:
            OSError: ENOENT, EEXIST for ``x``, EISDIR, ENOTDIR; when closing, ENOSPC.
            ValueError: for an unknown mode.
        """
        path = self._strip_protocol(path)
        layers = layers_of(path, mode, compression, kwargs)
        autocommit = kwargs.pop("autocommit", not self._intrans)
        file = self._open(path, layers.mode, block_size, autocommit, cache_options, **kwargs)
        if not autocommit and layers.mode != "rb":
            self.transaction.files.append(file)
        return layers.over(file)

    # ---- writing

    def pipe_file(self, path: str, value: Buffer, mode: str = "overwrite", **kwargs: Any) -> None:
        """Write a whole file in one step; ``mode="create"`` refuses one that exists. FileExistsError, ENOSPC."""
        if mode != "overwrite" and mode != "create":  # noqa: PLR1714 - twice as fast as a tuple
            raise ValueError(f"mode {mode!r} is not 'overwrite' or 'create'")
        data = value if type(value) is bytes else bytes(value)
        if self._intrans or (len(data) > STAGED_FROM and self.store.stages):
            with self.open(path, "wb" if mode == "overwrite" else "xb") as file:
                file.write(data)
        else:
            self.publish(path, data, mode == "create")

    def publish(self, path: str, data: Any, exclusive: bool = False, *, has_parent: bool = False) -> Inode:
        """Put content under a path in one step, following links and keeping inode, owner and mode of what is there.

        Args:
            path: absolute path or URL.
            data: ``bytes``, or content of this engine.
            exclusive: fail with FileExistsError if the path exists, be it as a link.
            has_parent: its directory was just made, so that it is not made again.

        Returns:
            The file.

        Raises:
            OSError: EEXIST, EISDIR, ENOTDIR, ENOSPC; ENOENT for a missing parent without ``auto_mkdir``.
        """
        if type(path) is not str:
            path = stringify_path(path)
        try:
            place = self._place
            while (file := self.inodes.put(place, path, data, self._uid, self._gid, exclusive)) is None:
                place = self._resolver.place_behind_links
            return file
        except FileNotFoundError:
            if not self.auto_mkdir or has_parent:
                raise os_error(errno.ENOENT, self._strip_protocol(path), hint="its directory does not exist") from None
            self._prepare_parent(path)
            return self.publish(path, data, exclusive, has_parent=True)
        except LinkInTheWay:
            raise
        except OSError as error:
            error.filename = self._strip_protocol(path)
            raise

    def append(self, path: str, data: bytes | Stage) -> None:
        """Add content to the end of a file in one step, making the file if need be. EISDIR, ENOSPC."""
        inode = self._find_quietly(path)
        if inode is None:
            self._prepare_parent(path)
            try:
                place = self._resolver.place_behind_links
                self.inodes.put(place, path, data, self._uid, self._gid, exclusive=True)
                return
            except FileExistsError:
                inode = self._inode_at(path)  # somebody was faster
        if not inode.is_file:
            raise _not_a_file(inode, path)
        try:
            self.inodes.append(inode, data)
        except OSError as error:
            error.filename = self._strip_protocol(path)
            raise

    def put_file(
        self, lpath: Any, rpath: str, callback: Callback = DEFAULT_CALLBACK, mode: str = "overwrite", **kwargs: Any
    ) -> None:
        """Upload a local file, or make a directory for a local one; ``mode="create"`` refuses a file that exists."""
        if os.path.isdir(lpath):
            self.makedirs(rpath, exist_ok=True)
            return
        with open(lpath, "rb") as source, self.open(rpath, "xb" if mode == "create" else "wb") as target:
            callback.set_size(os.fstat(source.fileno()).st_size)
            while data := source.read(self.blocksize):
                callback.relative_update(target.write(data))

    def touch(self, path: str, truncate: bool = True, **kwargs: Any) -> None:
        """Make an empty file, or empty one that is there; ``truncate=False`` only stamps it with the time."""
        inode = self._find_quietly(path)
        if inode is None or truncate:
            self.pipe_file(path, b"")
        else:
            now = now_ns()
            self.inodes.setattr(inode, atime_ns=now, mtime_ns=now)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy one file with its permission bits, or make a directory of the same name. EISDIR, ENOSPC."""
        self._settle()
        inode = self._inode_at(stringify_path(path1))
        if isinstance(inode, Directory):
            self.makedirs(path2, exist_ok=True)
            return
        if not inode.is_file:
            raise _not_a_file(inode, path1)
        if self._find_quietly(path2) is not inode:
            content = self.store.copy_content(inode)
            self.inodes.setattr(self.publish(path2, content), mode=inode.mode)

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Make a directory, and its parents unless told not to. EEXIST, ENOENT, ENOTDIR."""
        self._settle()
        normal = self._strip_protocol(path)
        if create_parents:
            make_parents(self.inodes, self._resolver, normal, self._uid, self._gid)
        self.posix.mkdir(normal, DIRECTORY_PERMISSIONS)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and its parents; one that exists is an error unless ``exist_ok``."""
        try:
            self.mkdir(path)
        except FileExistsError:
            if not (exist_ok and self.isdir(path)):
                raise

    # ---- removing and moving

    def rmdir(self, path: str) -> None:
        """Remove an empty directory. OSError ENOTEMPTY, NotADirectoryError."""
        self._settle()
        self.posix.rmdir(self._strip_protocol(path))

    def rm_file(self, path: str) -> None:
        """Remove a file or link. IsADirectoryError for a directory."""
        self._settle()
        self.posix.unlink(self._strip_protocol(path))

    def _rm(self, path: str) -> None:
        self.rm_file(path)

    def rm(self, path: str | list[str], recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove files, and directories with all they hold if ``recursive``; links are removed, not followed.

        Args:
            path: a path, a glob pattern, or a list of them.
            recursive: allow directories.
            maxdepth: with ``recursive``, remove only files this many levels down.

        Raises:
            OSError: ENOENT, EISDIR for a directory without ``recursive``.
        """
        self._settle()
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

    def mv(self, path1: Any, path2: Any, recursive: bool = False, maxdepth: int | None = None, **kwargs: Any) -> None:
        """Move a file or directory in one step (rename(2)).

        As in fsspec's copying rules, a target that ends in ``/`` or is a directory takes the source inside. Of a list
        or a glob pattern, each match is moved in a step of its own. Where links are not followed, a target that is one
        is replaced.

        Raises:
            OSError: ENOENT, ENOTEMPTY, EINVAL for a directory into itself; EISDIR, ENOTDIR for unlike kinds.
            ValueError: for ``maxdepth``, which would leave what is deeper without a place.
        """
        if maxdepth is not None:
            raise ValueError("a directory moves whole: maxdepth cannot be given")
        self._settle()
        for source, target in move_pairs(self, path1, path2):
            self._move(source, target)

    def _move(self, source: str, target: str) -> None:
        if isinstance(self._resolver.find_entry(source), Directory) and is_inside(target, source):
            raise os_error(errno.EINVAL, source, target, hint="a directory cannot move into itself")
        self._prepare_parent(target)
        self.posix.rename(source, target)

    # ---- transactions

    def start_transaction(self) -> Any:
        """Begin a transaction without a ``with`` block; ``end_transaction`` commits it, or undoes it if that fails."""
        self.transaction.start()
        return self.transaction

    # ---- steps

    def _find_quietly(self, path: str) -> Inode | None:
        return self._resolver.find_or_none(stringify_path(path))

    def _settle(self) -> None:
        """In a transaction, publish the files written so far before the tree changes under them."""
        if self._intrans:
            self.transaction.publish_files()

    def _require_place(self, path: str) -> None:
        """Fail as publishing under this path would, but make nothing yet."""
        try:
            self._place(path)
        except FileNotFoundError:
            if not self.auto_mkdir:
                raise

    def _prepare_parent(self, path: str) -> None:
        """See to it that a path's directory exists. ENOTDIR, ENOENT without ``auto_mkdir``."""
        normal = self._strip_protocol(path)
        if self.auto_mkdir:
            make_parents(self.inodes, self._resolver, normal, self._uid, self._gid)
        elif self._find_quietly(self._parent(normal)) is None:
            raise os_error(errno.ENOENT, normal, hint="its directory does not exist")

    def _repr_html_(self) -> str:
        """Shown by notebooks."""
        return as_html(self)

    def _get_pyarrow_filesystem(self) -> InodeFileSystem:
        return self


def _not_a_file(inode: Inode, path: str) -> OSError:
    return os_error(errno.EISDIR if isinstance(inode, Directory) else errno.EINVAL, path, hint="not a regular file")
