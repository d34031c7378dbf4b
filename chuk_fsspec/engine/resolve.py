"""From a path to an inode (namei), with a cache of directories by path.

The cache maps a directory's path to the directory: the normal path, and URLs as they were asked for. It is filled under
the tree's lock and emptied under it before a directory or link moves or goes away, so that lookups, which take no lock,
never find something by a path that leads there no more. An entry for a removed directory is harmless: the directory is
empty and takes no new names, and then the path is walked from the root.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from chuk_fsspec.contract.errors import leads_nowhere, os_error
from chuk_fsspec.contract.paths import PATH_MAX, SPECIAL_NAMES, check_name, strip_protocol
from chuk_fsspec.engine.inode import S_IFLNK, S_IFMT, Directory, Inode
from chuk_fsspec.engine.tree import Tree

LINKS_MAX = 40
ALWAYS_SHORT_PATH = PATH_MAX // 4
"""A path of this many characters or fewer fits PATH_MAX whatever its characters are."""


class Resolver:
    """Finds inodes by path. Paths may carry one of the protocols and need not be in normal form."""

    follows_links = True

    def __init__(self, tree: Tree, protocols: tuple[str, ...]) -> None:
        self._tree = tree
        self._child = tree.store.child
        self.cache = tree.shared.path_cache
        self.protocols = protocols

    def find(self, path: str) -> Inode:
        """The inode at a path, links followed. ENOENT, ENOTDIR, ELOOP."""
        parent, _, name = path.rpartition("/")
        directory = self.cache.current.get(parent)
        if directory is not None:
            inode = self._child(directory, name)
            if inode is not None and inode.mode & S_IFMT != S_IFLNK:
                return inode
        _, _, inode = self.walk(path)
        if inode is None:
            raise os_error(errno.ENOENT, strip_protocol(path, self.protocols))
        return inode

    def find_or_none(self, path: str) -> Inode | None:
        """The inode at a path, links followed; None if there is none. ELOOP."""
        try:
            return self.find(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def target(self, path: str) -> Inode | None:
        """As ``find_or_none``; also None for a loop of links and for what cannot be a path at all."""
        try:
            return self.find(path)
        except OSError as error:
            if leads_nowhere(error):
                return None
            raise

    def find_entry(self, path: str) -> Inode:
        """The inode at a path, a final link not followed. ENOENT, ENOTDIR, ELOOP."""
        _, _, inode = self.walk(path, follow=False)
        if inode is None:
            raise os_error(errno.ENOENT, strip_protocol(path, self.protocols))
        return inode

    def find_entry_or_none(self, path: str) -> Inode | None:
        """The inode at a path, a final link not followed; None if there is none. ELOOP."""
        try:
            return self.find_entry(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def place(self, path: str) -> tuple[Directory, str]:
        """Directory and name of a path's last component, which may be a link: where a file may be put.

        Raises:
            OSError: ENOENT if the directory is missing, ENOTDIR, ELOOP, EISDIR for the root.
        """
        parent, _, name = path.rpartition("/")
        directory = self.cache.current.get(parent)
        if directory is not None and directory.nlink and name not in SPECIAL_NAMES and len(path) <= ALWAYS_SHORT_PATH:
            return directory, name
        return self._named(path, follow=False)

    def place_behind_links(self, path: str) -> tuple[Directory, str]:
        """Directory and name of what a path leads to, a link as the last component followed. As ``place``."""
        return self._named(path, follow=True)

    def _named(self, path: str, follow: bool) -> tuple[Directory, str]:
        directory, name, _ = self.walk(path, follow)
        if not name:
            raise os_error(errno.EISDIR, strip_protocol(path, self.protocols))
        return directory, name

    def walk(self, path: str, follow: bool = True) -> tuple[Directory, str, Inode | None]:
        """Resolve a path from the root.

        Args:
            path: a path or URL.
            follow: whether a link as the last component is followed.

        Returns:
            The directory of the last component, its name, and the inode, None if there is none. For the root, and for a
            link target that ends in a directory's ``.`` or ``..``, the name is empty.

        Raises:
            OSError: ENOENT, ENOTDIR, ELOOP past 40 links (path_resolution(7)), EINVAL and ENAMETOOLONG for bad paths.
        """
        normal = strip_protocol(path, self.protocols)
        if normal == "/":
            with self._tree.lock:  # which refuses where a fork or a pickle has left the files behind
                return self._tree.root, "", self._tree.root
        parent, _, name = normal.rpartition("/")
        links = iter(range(LINKS_MAX))
        with self._tree.lock:
            _, _, directory = self._follow(self._tree.root, parent, True, normal, links)
            if not isinstance(directory, Directory):
                raise os_error(errno.ENOENT if directory is None else errno.ENOTDIR, normal)
            self._remember(parent, path, name, directory)
            return self._follow(directory, name, follow, normal, links)

    def _follow(
        self, directory: Directory, path: str, follow: bool, asked: str, links: Iterator[int]
    ) -> tuple[Directory, str, Inode | None]:
        """Walk a path, not necessarily normal, from a directory; each link followed takes one of ``links``."""
        pending = _components(path)
        while pending:
            name = pending.pop()
            if name == "..":
                directory = directory.parent
                continue
            if name == ".":
                continue
            inode = self._child(directory, name)
            if inode is None:
                check_name(name, asked)
            if inode is not None and inode.mode & S_IFMT == S_IFLNK and (follow or pending):
                if next(links, None) is None:
                    raise os_error(errno.ELOOP, asked)
                target = self._tree.readlink(inode)
                if target.startswith("/"):
                    directory = self._tree.root
                pending += _components(target)
            elif not pending:
                return directory, name, inode
            elif isinstance(inode, Directory):
                directory = inode
            else:
                raise os_error(errno.ENOENT if inode is None else errno.ENOTDIR, asked)
        return directory.parent, "", directory

    def _remember(self, parent: str, path: str, name: str, directory: Directory) -> None:
        """Cache a directory under its normal path and, if it was asked for by URL, under that."""
        self.cache.add(parent, directory)
        spelled, _, last = path.rpartition("/")
        if last == name and not spelled.startswith("/"):
            self.cache.add(spelled, directory)


def _components(path: str) -> list[str]:
    """The components of a path, last first. A slash at the end asks for a directory as ``.`` does, and becomes one."""
    components = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    if path.endswith(("/", "/.")):
        components.insert(0, ".")
    return components
