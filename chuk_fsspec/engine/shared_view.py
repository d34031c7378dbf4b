"""A user's place at the shared state: who is told of its changes, and which inodes it keeps alive."""

from __future__ import annotations

from collections.abc import Callable, Container

from chuk_fsspec.contract.nodes import Change
from chuk_fsspec.contract.posix import StatVfs
from chuk_fsspec.engine.inode import Inode
from chuk_fsspec.engine.shared import SharedState, remove_identical


class SharedView:
    """Views of one filesystem share everything; each is told only of the changes that the others make."""

    def __init__(self, shared: SharedState) -> None:
        self.shared = shared
        self.store = shared.store
        self.lock = shared.lock
        self.change = shared.change
        self.root = shared.store.root
        self._child = shared.store.child
        self._settle = shared.store.settle
        self._others: tuple[Change, ...] = ()
        shared.add_view(self)

    def hold(self, table: Container[int]) -> Callable[[], None]:
        """Keep every inode whose number is in ``table`` alive after its last name is gone; returns what ends it."""
        self.shared.holders.append(table)
        return lambda: remove_identical(self.shared.holders, table)

    def opened(self, node: Inode) -> None:
        """Count one more open handle."""
        with self.lock:
            counts = self.shared.open_counts
            counts[node.ino] = counts.get(node.ino, 0) + 1

    def closed(self, node: Inode) -> None:
        """Count one open handle less, and free the inode if nothing holds it any more."""
        with self.lock:
            counts = self.shared.open_counts
            counts[node.ino] -= 1
            if counts[node.ino]:
                return
            del counts[node.ino]
        self.forget(node)

    def forget(self, node: Inode) -> None:
        """Free the inode if it has no name left and nobody holds it."""
        self._settle(node)
        if node.nlink == 0:
            with self.change:
                self._free_if_unused(node)

    def statvfs(self) -> StatVfs:
        """Sizes and free space."""
        return self.store.statvfs()

    def fsync(self, node: Inode) -> None:
        """Make an inode durable, where that means something: the store does it for all at once."""
        self.store.sync()

    def sync(self) -> None:
        """Make everything durable, where that means something."""
        self.store.sync()

    def find_watchers(self) -> None:
        """Look up again whom to tell of changes, until nobody has come or gone meanwhile."""
        shared, watched = self.shared, None
        while watched is not shared.watched:
            watched = shared.watched
            self._others = shared.callbacks_for(self)

    def watch(self, callback: Change) -> Callable[[], None]:
        """Call ``callback`` after every change made through another view; returns what ends it."""
        return self.shared.watch(self, callback)

    def close(self) -> None:
        """Nothing is held by a view itself."""

    def announce_all(self) -> None:
        """Tell watchers that anything may have changed."""
        self._announce(None, "", None)

    def forget_paths(self) -> None:
        """Drop all resolved directory paths. To be called under the lock, and before they turn wrong."""
        self.shared.forget_paths()

    def _announce(self, directory: Inode | None, name: str, inode: Inode | None) -> None:
        for callback in self._others:
            callback(directory, name, inode)

    def _free_if_unused(self, inode: Inode) -> None:
        if not self.shared.is_held(inode):
            self.store.free(inode)
