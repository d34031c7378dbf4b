"""``chukmount``: several filesystems as one tree."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from fsspec.utils import tokenize

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import not_found, not_supported, os_error
from chuk_fsspec.contract.expansion import takes_inside
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Operation
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.contract.whereabouts import Way, way_by_name
from chuk_fsspec.forwarding.conditions import NAMES, require_for_directory, taken_from
from chuk_fsspec.forwarding.surface import ForwardingFileSystem
from chuk_fsspec.mounted.access import Access, call, ways_in
from chuk_fsspec.mounted.arguments import PlainArguments
from chuk_fsspec.mounted.bulk import Bulk
from chuk_fsspec.mounted.describing import Describing
from chuk_fsspec.mounted.listing import Listing
from chuk_fsspec.mounted.looking import Looking
from chuk_fsspec.mounted.opening import Opening
from chuk_fsspec.mounted.pairs import Pairs
from chuk_fsspec.mounted.reading import config_with, configs_of, plain
from chuk_fsspec.mounted.table import Mount
from chuk_fsspec.mounted.transaction import TreeTransaction
from chuk_fsspec.mounted.tree import Tree
from chuk_fsspec.mounted.workspace import PROTOCOL

Reader = Callable[[str], "bytes | None"]


class MountedFileSystem(ForwardingFileSystem, metaclass=PlainArguments):
    """Filesystems mounted in one tree, at its root, inside one another, anywhere.

    The mount with the longest matching path answers. Mount points show up in listings, also where the filesystem
    below has no such directory; what it has there is covered. Symbolic links are followed in the tree as a whole.
    ``mv`` inside a mount is the filesystem's own; across mounts it copies, verifies and then deletes. A table of mounts
    belongs to its object: what is mounted later is not seen by other objects that were made alike.

    What ``capabilities`` declares, every mount can; renames and hard links from one to another fail with EXDEV.
    """

    protocol = PROTOCOL

    def __init__(
        self, mounts: Mapping[str, Any] | None = None, *, follow_links: bool = True, fo: str = "", **kwargs: Any
    ) -> None:
        """Open the filesystems and mount them; all or none.

        Args:
            mounts: from mount point to what is mounted there: a filesystem, a pair of one and a directory in it, a URL,
                a protocol, or a dict with ``protocol``, ``url`` or ``filesystem``, and ``options``, ``root``,
                ``read_only`` and ``wrappers``. Texts may refer to the environment as ``${env:NAME}``.
            follow_links: follow symbolic links; False is what ``posix.nofollow`` gives.
            fo: the path that a chained URL gives; paths come with each call, so it is not used.
            kwargs: ``workspace``, a TOML file that says what is mounted; ``fs``, or ``target_protocol`` and
                ``target_options``, for the root; and fsspec's own options.

        Raises:
            ValueError: for unknown keys and protocols, and for environment variables that are not set.
            OSError: of the filesystems.
        """
        super().__init__(**kwargs)
        self._follows = follow_links
        self._thread = threading.get_ident()
        self._options: dict[str, Any] = {}
        self._stand_on(Tree(configs_of(mounts or {})))

    def _stand_on(self, tree: Tree) -> None:
        self._tree = tree
        self._first_table = tree.table
        access = Access(tree, follows=self._follows)
        describing = Describing(access)
        looking, listing = Looking(access, describing), Listing(access, describing)
        opening, pairs, bulk = Opening(access, looking), Pairs(access), Bulk(self, access)
        self._access = access
        self._pairs = pairs
        self._transaction_below: TreeTransaction | None = None
        self._fsspec: dict[str, Callable[..., Any]] = {
            "info": describing.info,
            "ls": listing.ls,
            "find": listing.find,
            "exists": looking.exists,
            "lexists": looking.lexists,
            "isdir": looking.isdir,
            "isfile": looking.isfile,
            "created": looking.created,
            "modified": looking.modified,
            "checksum": looking.checksum,
            "ukey": looking.ukey,
            "makedirs": looking.makedirs,
            "open": opening.open,
            "open_async": opening.open_async,
            "cat_ranges": bulk.cat_ranges,
            "pipe": bulk.pipe,
            "get": bulk.get,
            "put": bulk.put,
            "copy": bulk.copy,
            "rm": bulk.rm,
            "invalidate_cache": bulk.invalidate_cache,
            "cp_file": pairs.cp_file,
            "mv": pairs.mv,
            "transaction": self._begin_or_end,
        }
        self._posix: dict[str, Callable[..., Any]] = {
            "stat": looking.stat,
            "lstat": looking.lstat,
            "listxattr": looking.listxattr,
            "getxattr": looking.getxattr,
            "statvfs": looking.statvfs,
            "open_handle": opening.open_handle,
            "rename": pairs.rename,
            "link": pairs.link,
            "nofollow": self._without_links,
            "reader": self._reader,
            "nodes": self._nodes,
        }

    # ---- mounts

    def mount(
        self,
        path: str,
        fs: Any,
        root: str = "",
        *,
        options: Mapping[str, Any] | None = None,
        read_only: bool = False,
        wrappers: Iterable[Any] = (),
        **storage_options: Any,
    ) -> None:
        """Mount a filesystem. What its mount point held is covered until it is unmounted.

        Args:
            path: the mount point. It need not exist.
            fs: a filesystem, a URL, a protocol, or a dict as in ``mounts``.
            root: the directory of the filesystem to mount; empty for all of it. It is made if it is missing.
            options: storage options of the filesystem.
            read_only: refuse every change with EROFS.
            wrappers: filesystems put over it, the outermost first: protocols, or dicts of ``protocol`` and ``options``.
            storage_options: more ``options``.

        Raises:
            OSError: EBUSY if something is mounted there.
            ValueError: for unknown keys and protocols.
        """
        point = self._normal(path)
        given = {"options": {**(options or {}), **storage_options}, "root": root, "read_only": read_only}
        config = config_with(fs, f"mounts[{point!r}]", wrappers=list(wrappers), **given)
        self._tree.mount(point, config)
        self._table_changed()

    def unmount(self, path: str, force: bool = False) -> None:
        """Take a mount away, and show again what it covered.

        Args:
            path: the mount point.
            force: also while it is in use: open files go on working, doors find what they hold gone.

        Raises:
            OSError: EINVAL if nothing is mounted there; EBUSY if files are open in it, a door holds some of it, or
                another mount lies inside.
        """
        self._tree.unmount(self._normal(path), force=force)
        self._table_changed()

    def list_mounts(self) -> list[dict[str, Any]]:
        """What is mounted, in order of mount points.

        Returns:
            Dicts of ``mount_point protocol options read_only root wrappers``; secrets are left out of the options.
        """
        return [mount.config.shown(path) for path, mount in self._tree.table.mounts.items()]

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """What all mounts can; changes are possible where one of them takes any."""
        return self._tree.can

    @property
    def fsid(self) -> str:
        """Names the tree: two with one ``fsid`` show the same files in the same places."""
        parts = "\n".join(mount.identity for mount in self._tree.table.mounts.values())
        return f"{self.protocol}-{sha256(parts.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"

    def ways(self, path: str) -> list[Way]:
        """Where a directory of the tree is, and what is mounted below it (``contract.whereabouts``)."""
        return self._access.through(self._ways, self._normal(path))

    def _ways(self, path: str) -> list[Way]:
        mount, inner, _, _ = self._tree.table.route(path)
        own = [way_by_name(self, path)] if mount is None else ways_in(mount, inner, path)
        inside = self._tree.table.inside(path)
        return own + [way for mount in inside for way in ways_in(mount, mount.names.root, mount.path)]

    def __repr__(self) -> str:
        points = ", ".join(f"{path!r}: {mount.config.name}" for path, mount in self._tree.table.mounts.items())
        return f"{type(self).__name__}({{{points}}})"

    @property
    def storage_options(self) -> dict[str, Any]:
        """What makes this filesystem again, with the mounts that it has now."""
        if self._tree.table is self._first_table:
            return self._options
        mounts = {path: mount.config for path, mount in self._tree.table.mounts.items()}
        return {**self._options, "mounts": plain(mounts)}

    @storage_options.setter
    def storage_options(self, options: dict[str, Any]) -> None:
        self._options = options

    @property
    def _fs_token(self) -> str:
        """What fsspec tells filesystems apart by."""
        return str(tokenize(type(self), os.getpid(), self._thread, **self.storage_options))

    def _table_changed(self) -> None:
        """From now on this object is no longer what others get who ask with the same arguments."""
        kept = type(self)._cache  # noqa: SLF001 - fsspec has no public way to let one go
        for token in [token for token, fs in list(kept.items()) if fs is self]:
            kept.pop(token, None)

    # ---- the only door

    def _perform(
        self, operation: Operation, paths: tuple[Any, ...], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        """Have it done by the part that knows how; what none does is asked of the one filesystem that has the path."""
        known = (self._posix if operation.posix else self._fsspec).get(operation.name)
        if known is not None:
            return known(*paths, *arguments, **options)
        return self._access.ask(operation, paths[0], *arguments, **options)

    def _keeps_conditions(self, path: str) -> bool:
        mount = self._tree.table.route(path).mount
        return mount is None or mount.can.conditional_write  # where links lead to, that mount is asked once more

    def _move(self, source: str, target: str, recursive: bool, **kwargs: Any) -> None:
        if is_inside(target, source) and self.info(source)["type"] == "directory":
            raise os_error(errno.EINVAL, source, target, hint="a directory cannot move into itself")
        if not NAMES.isdisjoint(kwargs) and takes_inside(self, target):
            require_for_directory(self, source, target, taken_from(kwargs))
        self._forward(FSSPEC["mv"], source, self._pairs.unfinished(source, target) or target, **kwargs)

    def _begin_or_end(self) -> TreeTransaction:
        if self._transaction_below is None or not self._intrans:
            self._transaction_below = TreeTransaction(self._tree)
        return self._transaction_below

    # ---- other ways to see the tree

    def _without_links(self) -> MountedFileSystem:
        """The view that follows no links: of the same tree, so that what is mounted later is seen in both."""
        if not self._follows:
            return self
        options = {**self.storage_options, "follow_links": False}
        view: MountedFileSystem = type(self)(**{**options, "mounts": {}}, skip_instance_cache=True)
        view._stand_on(self._tree)
        view.storage_options = options
        return view

    def _reader(self, directory: str) -> Reader:
        tree = self._tree
        table = tree.table
        mount, inner, point, _ = table.route(directory)
        if mount is None and point is None:
            raise not_found(directory)
        covered = frozenset(point.children if point is not None else ())
        below = _nothing if mount is None else _reader_below(mount, inner, directory)

        def read(name: str) -> bytes | None:
            return None if tree.table is not table or name in covered else below(name)

        return read

    def _nodes(self) -> Any:
        if not self.capabilities.nodes:
            raise not_supported("inode operations: not every mount has them")
        from chuk_fsspec.mounted.nodes import MountedNodes

        return MountedNodes(self._tree)


def _reader_below(mount: Mount, inner: str, directory: str) -> Reader:
    """The short way of one filesystem; one that has none is no reason for the others to go without."""
    try:
        reader: Reader = call(mount, POSIX["reader"], (inner,), (directory,))
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        return _nothing
    return reader


def _nothing(name: str) -> bytes | None:
    return None
