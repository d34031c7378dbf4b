"""What an engine's filesystem answers without changing anything: what is there, and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from fsspec.utils import stringify_path

from chuk_fsspec.contract.arguments import require_depth
from chuk_fsspec.contract.errors import not_a_file
from chuk_fsspec.contract.paths import join
from chuk_fsspec.contract.surface import LeafSurface
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.listing import InfoDict, Listing
from chuk_fsspec.engine.resolve import Resolver
from chuk_fsspec.engine.store import Store
from chuk_fsspec.engine.tree import Tree


class LookingFileSystem(LeafSurface):
    """The part of ``InodeFileSystem`` that looks and reads; ``InodeFileSystem.stand_on`` sets its attributes."""

    inodes: Tree
    store: Store
    _resolver: Resolver
    _listing: Listing
    _inode_at: Callable[[str], Inode]
    _child: Callable[[Inode, str], Inode | None]
    _whole: Callable[[Inode], bytes | None]
    _path_cache: Any

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
        require_depth(maxdepth)
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
                raise not_a_file(path, is_directory=isinstance(inode, Directory))
            start, end, _ = slice(start, end).indices(inode.size)
            return b"".join(self.inodes.read(inode, end - start, start)) if end > start else b""

    # ---- steps

    def _find_quietly(self, path: str) -> Inode | None:
        return self._resolver.find_or_none(stringify_path(path))
