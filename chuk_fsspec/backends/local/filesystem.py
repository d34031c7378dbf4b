"""The fsspec surface of ``chuklocal``."""

from __future__ import annotations

import dataclasses
import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime, timezone
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.backends.local import support
from chuk_fsspec.backends.local.beneath import Beneath
from chuk_fsspec.backends.local.content import copy_content, read_all, read_range, write_all
from chuk_fsspec.backends.local.files import AppendFile, ReadFile, WriteFile
from chuk_fsspec.backends.local.inode import require_file
from chuk_fsspec.backends.local.listing import InfoDict, Listing
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.owning import Owner
from chuk_fsspec.backends.local.parents import make_directory, make_parents
from chuk_fsspec.backends.local.posix import LocalPosix
from chuk_fsspec.backends.local.publishing import Publisher
from chuk_fsspec.backends.local.removing import remove_tree
from chuk_fsspec.backends.local.shared import SharedRoot, make_root, root_path, shared_root
from chuk_fsspec.backends.local.status import Status
from chuk_fsspec.backends.local.temporary import remove_leftovers
from chuk_fsspec.contract import globbing
from chuk_fsspec.contract.display import as_html
from chuk_fsspec.contract.errors import LinkInTheWay, os_error
from chuk_fsspec.contract.expansion import Paths, is_one, matches, move_pairs
from chuk_fsspec.contract.layering import layers_of
from chuk_fsspec.contract.paths import is_inside, split, strip_protocol
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.staging import Stageable
from chuk_fsspec.contract.transaction import EndingTransaction

_MODES = frozenset({"rb", "wb", "ab", "xb", "r+b", "w+b", "a+b", "x+b"})
_LEADS_NOWHERE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL, errno.ENAMETOOLONG))


class LocalFileSystem(Stageable, AbstractFileSystem):
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

    protocol: str | tuple[str, ...] = "chuklocal"
    root_marker = "/"
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

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return strip_protocol(path, (cls.protocol,) if isinstance(cls.protocol, str) else cls.protocol)

    @classmethod
    def _parent(cls, path: str) -> str:
        parent: str = split(cls._strip_protocol(path))[0]
        return parent

    # ---- looking

    def info(self, path: str, **kwargs: Any) -> InfoDict:
        """What is known of a path (``contract.Info``); a link's own attributes with its target's type and size."""
        return self._listing.info(self._strip_protocol(path))

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """A directory's entries in name order, or the one entry that ``path`` is. FileNotFoundError."""
        normal = self._strip_protocol(path)
        if not self._status(normal).is_directory:
            return [self._listing.info(normal)] if detail else [normal]
        return self._listing.children(normal) if detail else self._listing.names(normal)

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
        found: list[str] = []
        with suppress(FileNotFoundError, NotADirectoryError):
            if self._status(normal).is_directory:
                directories, found = self._listing.below(normal, maxdepth)
                if withdirs:
                    found += [normal, *directories]
            else:
                found = [normal]
        found.sort()
        return dict(self._described(found)) if detail else found

    def _described(self, paths: list[str]) -> Iterator[tuple[str, InfoDict]]:
        """Each path with its info, without those that are gone by now."""
        for path in paths:
            with suppress(FileNotFoundError, NotADirectoryError):
                yield path, self._listing.info(path)

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
            on_error = _omit
        walked: Iterator[Any] = super().walk(path, maxdepth, topdown, on_error, **kwargs)
        return walked

    def glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        """What matches a pattern, by fsspec's rules (``contract.globbing``)."""
        return globbing.glob(self, path, maxdepth, **kwargs)

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether a path leads to something; a link to nothing does not."""
        return self._target(path) is not None

    def lexists(self, path: str, **kwargs: Any) -> bool:
        """Whether there is an entry of this path, be it a link to nothing."""
        return self.beneath.inode_or_none(self._strip_protocol(path), follow=False) is not None

    def isfile(self, path: str) -> bool:
        """Whether a path leads to a regular file."""
        target = self._target(path)
        return target is not None and target.is_file

    def isdir(self, path: str) -> bool:
        """Whether a path leads to a directory."""
        target = self._target(path)
        return target is not None and target.is_directory

    def created(self, path: str) -> datetime:
        """When a file was made, in UTC."""
        return datetime.fromtimestamp(self._status(self._strip_protocol(path)).btime_ns / 1e9, tz=timezone.utc)

    def modified(self, path: str) -> datetime:
        """When a file's content last changed, in UTC."""
        return datetime.fromtimestamp(self._status(self._strip_protocol(path)).mtime_ns / 1e9, tz=timezone.utc)

    def ukey(self, path: str) -> str:
        """A string that stands for this content of this file."""
        return f"{self.fsid}-{self._status(self._strip_protocol(path)).etag}"

    def checksum(self, path: str) -> int:
        """A number that changes with the content; reading a file leaves it alone."""
        status = self._status(self._strip_protocol(path))
        return status.ino << 128 | status.size << 64 | status.mtime_ns & 0xFFFF_FFFF_FFFF_FFFF

    # ---- reading

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """A file's bytes, or those from ``start`` to ``end``, which count as in a slice. IsADirectoryError."""
        normal = self._strip_protocol(path)
        inode = self.beneath.inode(normal)
        with named(normal):
            size = require_file(inode).st_size
            opened = inode.open(os.O_RDONLY)
            if start is None and end is None:
                return read_all(opened.number)
            start, end, _ = slice(start, end).indices(size)
            return read_range(opened.number, end - start, start) if end > start else b""

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
        fails. Until then it is in a file without a name. To edit in place and be seen at once, use
        ``posix.open_handle``.

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
            OSError: ENOENT, EEXIST for ``x``, EISDIR, ENOTDIR, EINVAL for a FIFO or a device, EROFS; ENOSPC.
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
        if mode not in ("overwrite", "create"):
            raise ValueError(f"mode {mode!r} is not 'overwrite' or 'create'")
        if self._intrans:
            with self.open(path, "wb" if mode == "overwrite" else "xb") as file:
                file.write(value)
            return
        normal = self._strip_protocol(path)
        self.require_write(normal)
        exclusive = mode == "create"
        with closing(self.publisher.begin(normal, follow=not exclusive)) as temporary, named(normal):
            write_all(temporary.fd, value, 0)
            self.publisher.put(temporary, normal, follow=not exclusive, only_new=exclusive)

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
        normal = self._strip_protocol(path)
        if truncate or self.beneath.inode_or_none(normal) is None:
            self.pipe_file(path, b"")
            return
        now = time.time_ns()
        try:
            # By the clock of what is published: the one that the kernel stamps with lies up to a tick behind it.
            self.posix.utime(normal, ns=(now, now))
        except PermissionError:  # who may write but does not own the file may only say "now" (utimensat(2))
            self.posix.utime(normal)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy one file with its permission bits, or make a directory of the same name. EISDIR, ENOSPC."""
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        inode = self.beneath.inode(source)
        found = inode.stat()
        if stat.S_ISDIR(found.st_mode):
            self.makedirs(target, exist_ok=True)
            return
        with named(source):
            require_file(inode)
            opened = inode.open(os.O_RDONLY)
        self.require_write(target)
        other = self.beneath.inode_or_none(target)
        if other is not None and os.path.samestat(found, other.stat()):
            return
        with closing(self.publisher.begin(target)) as temporary, named(target):
            copy_content(opened.number, temporary.fd)
            self.publisher.put(temporary, target, mode=found.st_mode)

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Make a directory, and its parents unless told not to. EEXIST, ENOENT, ENOTDIR."""
        normal = self._strip_protocol(path)
        self.require_write(normal)
        if create_parents:
            make_parents(self.shared, self.beneath, normal)
        make_directory(self.shared, self.beneath, normal)

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
        self.posix.rmdir(self._strip_protocol(path))

    def rm_file(self, path: str) -> None:
        """Remove a file or link. IsADirectoryError for a directory."""
        self.posix.unlink(self._strip_protocol(path))

    def _rm(self, path: str) -> None:
        self.rm_file(path)

    def rm(self, path: Paths, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove files, and directories with all they hold if ``recursive``; links are removed, not followed.

        Args:
            path: a path, a glob pattern, or a list of them.
            recursive: allow directories.
            maxdepth: with ``recursive``, remove only files this many levels down.

        Raises:
            OSError: ENOENT, EISDIR for a directory without ``recursive``.
        """
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
        self, path1: Paths, path2: Paths, recursive: bool = False, maxdepth: int | None = None, **kwargs: Any
    ) -> None:
        """Move a file or directory in one step (rename(2)).

        As in fsspec's copying rules, a target that ends in ``/`` or is a directory takes the source inside. Of a list
        or a glob pattern, each match is moved in a step of its own. Where links are not followed, a target that is one
        is replaced.

        Raises:
            OSError: ENOENT, ENOTEMPTY, EINVAL for a directory into itself; EISDIR, ENOTDIR for unlike kinds; EXDEV
                where another disk is mounted inside the root.
            ValueError: for ``maxdepth``, which would leave what is deeper without a place.
        """
        if maxdepth is not None:
            raise ValueError("a directory moves whole: maxdepth cannot be given")
        for source, target in self._moves(path1, path2):
            inode = self.beneath.inode(source, follow=False)
            if inode.status().is_directory and is_inside(target, source):
                raise os_error(errno.EINVAL, source, target, hint="a directory cannot move into itself")
            self.require_write(source, target)
            if self.auto_mkdir:
                make_parents(self.shared, self.beneath, target)
            self.posix.rename(source, target)

    def _moves(self, path1: Paths, path2: Paths) -> list[tuple[str, str]]:
        try:
            return move_pairs(self, path1, path2)
        except LinkInTheWay as met:
            if not (is_one(path1) and is_one(path2)) or met.filename != self._strip_protocol(path2):
                raise
            return [(self._strip_protocol(path1), met.filename)]

    # ---- steps

    def require_write(self, *paths: str) -> None:
        """EROFS if no changes are taken."""
        if self.read_only:
            raise os_error(errno.EROFS, *paths)

    def _status(self, path: str) -> Status:
        """What a normal path leads to. ENOENT, ENOTDIR, ELOOP; LinkInTheWay."""
        inode = self.beneath.inode(path)
        with named(path):
            return inode.status()

    def _target(self, path: str) -> Status | None:
        """As ``_status``; None for what leads nowhere, or cannot be a path at all."""
        try:
            return self._status(self._strip_protocol(path))
        except OSError as error:
            if error.errno in _LEADS_NOWHERE and not isinstance(error, LinkInTheWay):
                return None
            raise

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

    def _repr_html_(self) -> str:
        """Shown by notebooks."""
        return as_html(self)

    def _get_pyarrow_filesystem(self) -> LocalFileSystem:
        return self


def _omit(error: OSError) -> None:
    """Leave out what cannot be listed, as ``walk`` does it unless told otherwise."""
    if isinstance(error, LinkInTheWay):
        raise error
