"""Where nodes are: the tree of names, as far as it is known.

A node is known for as long as anyone has it: a door, an open handle, or the tree itself, where the node holds something
that the filesystem does not: attributes, or being a directory though it is empty.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from chuk_fsspec.vfs.claims import ALL, Claims
from chuk_fsspec.vfs.node import DirectoryNode, PathNode, Place

_TIMES = ("atime_ns", "mtime_ns", "ctime_ns")


class Places:
    """The known part of a filesystem's tree.

    ``clock`` counts the changes made here. An answer that was asked for before a node's last change is void, for it may
    describe what was there before.

    Args:
        root: the root directory.
        keeps_directories: whether empty directories persist in the filesystem.
    """

    def __init__(self, root: DirectoryNode, *, keeps_directories: bool) -> None:
        self.root = root
        self.lock = threading.RLock()
        self.claims = Claims(self.lock)
        self.clock = 0
        self._keeps_directories = keeps_directories
        self._nodes: WeakValueDictionary[tuple[int, str], PathNode] = WeakValueDictionary()
        self._remembered: dict[int, DirectoryNode] = {}
        self._pinned: dict[int, PathNode] = {}

    # ---- paths

    def names(self, node: PathNode) -> list[str]:
        """The names that lead from the root to a node."""
        names = [one.name for one in node.above()]
        names.pop()
        return names[::-1]

    @contextmanager
    def using(self, node: PathNode) -> Iterator[list[str]]:
        """Claim a node's path and tell its names."""
        with self.claims.hold(node):
            yield self.names(node)

    @contextmanager
    def using_entry(
        self, directory: DirectoryNode, name: str = ALL, *, waits_for_changes: bool = True
    ) -> Iterator[list[str]]:
        """Claim an entry to look it up, or all of a directory to list them, and tell the directory's names."""
        entries = [(directory, name)]
        with self.claims.hold(directory, entries=entries, only_looks=True, waits_for_changes=waits_for_changes):
            yield self.names(directory)

    # ---- the tree

    def child(self, directory: DirectoryNode, name: str) -> PathNode | None:
        """The node known under a name, however old that knowledge is."""
        return self._nodes.get((directory.ino, name))

    def link(self, node: PathNode, place: Place) -> None:
        """A file was given one more name."""
        with self.lock:
            self._enter(node, place, first=False)
            node.nlink += 1
            node.version = None

    def move(self, node: PathNode, place: Place, new_place: Place) -> None:
        """A node was given another place. It may have new times and a new version there."""
        with self.lock:
            first = not node.aliases
            self._leave(node, place)
            self._enter(node, new_place, first=first)
            node.version, node.expires = None, 0.0

    def swap(self, node: PathNode, place: Place, other: PathNode, other_place: Place) -> None:
        """Two nodes changed places."""
        with self.lock:
            first, other_first = not node.aliases, not other.aliases
            self._leave(node, place)
            self._leave(other, other_place)
            self._enter(node, other_place, first=first)
            self._enter(other, place, first=other_first)
            node.expires = other.expires = 0.0

    def detach(self, node: PathNode, place: Place) -> None:
        """A node lost a place: it was removed or replaced there. Without another place it is gone."""
        with self.lock:
            node.gone = not node.aliases
            self._leave(node, place)
            node.nlink = max(node.nlink - 1, 0)
            node.expires = 0.0
            if node.gone:
                self._pinned.pop(node.ino, None)

    def touch(self, node: PathNode) -> None:
        """Void all answers about a node that are still on their way."""
        with self.lock:
            self.clock += 1
            node.changed = self.clock

    # ---- empty directories

    def remember(self, directory: DirectoryNode) -> None:
        """Keep a directory and those above it, though the filesystem may know directories only by their files."""
        if not self._keeps_directories:
            self._remember(directory)

    def remember_emptied(self, directory: DirectoryNode) -> None:
        """The same for one that has lost an entry. In a bucket, one that nobody has made ends with its last file."""
        if not self._keeps_directories or (directory.is_plain and not directory.listing):
            self._remember(directory)

    def _remember(self, directory: DirectoryNode) -> None:
        with self.lock:
            for node in directory.above():
                if node is self.root or node.gone or not isinstance(node, DirectoryNode):
                    return
                node.parent.remembered[node.name] = self._remembered[node.ino] = node
                self.touch(node)

    def is_remembered(self, node: PathNode) -> bool:
        """Whether a node is a directory that the filesystem may not show."""
        return node.ino in self._remembered

    # ---- steps, all under the lock

    def _stamp(self, node: PathNode) -> None:
        """Give a node the times of now: what is done to it ends those that were set on it."""
        self._forget_times(node)
        node.mtime_ns = node.ctime_ns = time.time_ns()

    def _forget_times(self, node: PathNode) -> None:
        for name in _TIMES:
            node.overrides.pop(name, None)
        if not node.overrides:
            self._pinned.pop(node.ino, None)

    def _unremember(self, directory: DirectoryNode, name: str) -> None:
        node = directory.remembered.pop(name, None)
        if node is not None:
            del self._remembered[node.ino]

    def _enter(self, node: PathNode, place: Place, *, first: bool) -> None:
        directory, name = place
        if first:
            node.parent, node.name = place
        else:
            node.aliases.append(place)
        self._nodes[directory.ino, name] = node
        if directory.listing is not None:
            directory.listing[name] = node
        if directory.missed[0] == name:
            directory.missed = ("", 0.0)
        self._stamp(directory)
        self.touch(node)

    def _leave(self, node: PathNode, place: Place) -> None:
        directory, name = place
        if self._nodes.get((directory.ino, name)) is node:
            del self._nodes[directory.ino, name]
        if self.is_remembered(node):
            self._unremember(directory, name)
        if directory.listing is not None and directory.listing.get(name) is node:
            del directory.listing[name]
        if place in node.aliases:
            node.aliases.remove(place)
        elif node.aliases:
            node.parent, node.name = node.aliases.pop()
        self._stamp(directory)
        self.touch(node)
