"""From a path to an inode without following a link, whoever swaps directories for links meanwhile."""

from __future__ import annotations

import errno
from collections.abc import Callable

from chuk_fsspec.contract.errors import link_in_the_way, os_error
from chuk_fsspec.contract.paths import strip_protocol
from chuk_fsspec.engine.inode import S_IFLNK, S_IFMT, Directory, Inode
from chuk_fsspec.engine.resolve import Resolver
from chuk_fsspec.engine.tree import Tree


class NofollowResolver(Resolver):
    """Finds inodes by path; a link where one would have to be followed raises ``LinkInTheWay``, naming the link.

    Its cache is another one, which holds directories only under their real paths. Links may come and go without
    touching it.
    """

    follows_links = False

    def __init__(self, tree: Tree, protocols: tuple[str, ...]) -> None:
        super().__init__(tree, protocols)
        self.cache = tree.shared.real_paths

    def walk(self, path: str, follow: bool = True) -> tuple[Directory, str, Inode | None]:
        """As ``Resolver.walk``, but LinkInTheWay for a link before the last component, and with ``follow`` for any."""
        normal = strip_protocol(path, self.protocols)
        with self._tree.lock:
            directory: Directory = self._tree.root
            inode: Inode | None = directory
            if normal == "/":
                return directory, "", inode
            names = normal[1:].split("/")
            for depth, name in enumerate(names, start=1):
                if not isinstance(inode, Directory):
                    raise os_error(errno.ENOENT if inode is None else errno.ENOTDIR, normal)
                directory, inode = inode, self._child(inode, name)
                if inode is not None and inode.mode & S_IFMT == S_IFLNK and (follow or depth < len(names)):
                    raise link_in_the_way("/" + "/".join(names[:depth]))
            self._remember(normal.rpartition("/")[0], path, names[-1], directory)
            return directory, names[-1], inode


def reader(tree: Tree, resolver: NofollowResolver, path: str) -> Callable[[str], bytes | None]:
    """``Posix.reader``: valid for as long as no directory of the store is moved, and not past a fork."""
    child, whole, cache = tree.store.child, tree.store.whole, tree.shared.real_paths
    with tree.lock:
        directory = resolver.find(path)
        if not isinstance(directory, Directory):
            raise os_error(errno.ENOTDIR, path)
        paths = cache.current

    def read(name: str) -> bytes | None:
        if cache.current is not paths:
            return None
        inode = child(directory, name)
        return None if inode is None else whole(inode)

    return read
