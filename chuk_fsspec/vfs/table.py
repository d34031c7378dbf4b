"""The node table: which places of a filesystem are known, under which number, and how fresh that knowledge is.

A node is known for as long as anyone has it: a door, an open handle, or the table itself, while what was heard of it is
fresh and where it holds something that the filesystem does not (attributes, empty directories).
"""

from __future__ import annotations

import stat
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from weakref import WeakValueDictionary

from chuk_fsspec.vfs.attributes import Attributes
from chuk_fsspec.vfs.claims import ALL, Claims
from chuk_fsspec.vfs.node import DirectoryNode, PathNode

DIRECTORY_MODE = stat.S_IFDIR | 0o755
_TIMES = ("atime_ns", "mtime_ns", "ctime_ns")


class NodeTable:
    """All nodes of one filesystem.

    ``clock`` counts the changes made here. An answer that was asked for before a node's last change is void, for it may
    describe what was there before.

    Args:
        cache_timeout: seconds for which what the filesystem said is believed.
        keeps_directories: whether empty directories persist in it.
    """

    def __init__(self, cache_timeout: float, *, keeps_directories: bool) -> None:
        self.lock = threading.RLock()
        self.claims = Claims(self.lock)
        self.clock = 0
        self._cache_timeout = cache_timeout
        self._keeps_directories = keeps_directories
        self._started_ns = time.time_ns()
        self._inos = count(1)
        self._nodes: WeakValueDictionary[tuple[int, str], PathNode] = WeakValueDictionary()
        self._pinned: dict[int, PathNode] = {}
        self._remembered: dict[int, DirectoryNode] = {}
        self._recent: deque[tuple[float, PathNode]] = deque()
        self.root = DirectoryNode(next(self._inos), None, "", Attributes(DIRECTORY_MODE), self._started_ns)

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
    def using_entry(self, directory: DirectoryNode, name: str = ALL) -> Iterator[list[str]]:
        """Claim an entry, or all of a directory, and tell the directory's names."""
        with self.claims.hold(directory, entries=[(directory, name)]):
            yield self.names(directory)

    # ---- what is known

    def child(self, directory: DirectoryNode, name: str) -> PathNode | None:
        """The node known under a name, however old that knowledge is."""
        return self._nodes.get((directory.ino, name))

    def is_fresh(self, node: PathNode) -> bool:
        """Whether a node need not be asked for: it is gone, it was asked for recently, or the file is edited here."""
        return node.gone or node.expires > time.monotonic() or _is_edited(node)

    def recall(self, directory: DirectoryNode, name: str) -> tuple[bool, PathNode | None]:
        """Whether it is known what is behind an entry, and the node; None if there is nothing."""
        with self.lock:
            node = self.child(directory, name)
            if node is not None:
                # An old node may have vanished: only the filesystem can tell, and only asking it takes the node away.
                return (True, node) if self.is_fresh(node) else (False, None)
            now = time.monotonic()
            if directory.listing is not None and directory.listed_until > now and name not in directory.listing:
                return True, None
            missed, until = directory.missed
            return missed == name and until > now, None

    def recall_all(self, directory: DirectoryNode) -> list[tuple[str, PathNode]] | None:
        """The entries as last listed, if that was recently."""
        with self.lock:
            if directory.listing is None or directory.listed_until <= time.monotonic():
                return None
            return list(directory.listing.items())

    # ---- what the filesystem says

    def learn(self, directory: DirectoryNode, name: str, attributes: Attributes, asked: int) -> PathNode:
        """Take in what is behind an entry.

        Args:
            directory: where it is.
            name: its name.
            attributes: what the filesystem said.
            asked: ``clock`` when it was asked.

        Returns:
            The node: a new one if there was none, or one of another type.
        """
        with self.lock:
            node = self.child(directory, name)
            if node is not None and (node.changed > asked or _is_edited(node)):
                return node
            if node is not None and stat.S_IFMT(node.mode) != stat.S_IFMT(attributes.mode):
                self.detach(node)
                node = None
            if node is None:
                node = self._new(directory, name, attributes)
            else:
                _refresh(node, attributes)
            if not node.uses:
                self._unremember(directory, name)
            self._believe(node)
            return node

    def learn_root(self, attributes: Attributes | None) -> None:
        """Take in the root's attributes; what the filesystem does not tell of it, or refuses to, is made up."""
        with self.lock:
            if attributes is not None and stat.S_ISDIR(attributes.mode):
                _refresh(self.root, attributes)
            self._believe(self.root)

    def learn_missing(self, directory: DirectoryNode, name: str, asked: int, *, own_uses: int = 0) -> PathNode | None:
        """Take in that the filesystem has no such entry, and return what is there nevertheless.

        That is an empty directory that only we remember, a file whose content is still to be written back, and whatever
        others use: an operation under way may be taking the last file out of a directory at this moment.

        Args:
            directory: where it is not.
            name: its name.
            asked: ``clock`` when the filesystem was asked.
            own_uses: how many of the claims on its path are the caller's own.
        """
        with self.lock:
            node = self.child(directory, name)
            if node is None:
                directory.missed = (name, time.monotonic() + self._cache_timeout)
                return None
            unwritten = node.content is not None and node.content.dirty
            if unwritten or self.is_remembered(node):
                self._believe(node)
            elif node.changed <= asked and node.uses <= own_uses:
                self.detach(node)
                return None
            return node

    def learn_all(
        self, directory: DirectoryNode, found: Mapping[str, Attributes], asked: int
    ) -> list[tuple[str, PathNode]]:
        """Take in all entries of a directory, and return them with those that are there only for us."""
        with self.lock:
            if found and directory.changed <= asked:
                self._unremember(directory.parent, directory.name)
            old = directory.listing or {}
            listing = {name: self.learn(directory, name, attributes, asked) for name, attributes in found.items()}
            for name in [*directory.remembered, *old]:
                if name not in listing:
                    node = self.learn_missing(directory, name, asked)
                    if node is not None:
                        listing[name] = node
            directory.listing, directory.listed_until = listing, self._keep(directory)
            return list(listing.items())

    def stored(self, node: PathNode, attributes: Attributes) -> None:
        """Take in what the filesystem says of content that was just written to it from here."""
        with self.lock:
            self.touch(node)
            node.describe(attributes)
            self._believe(node)

    # ---- what is done here

    def add(self, directory: DirectoryNode, name: str, attributes: Attributes) -> PathNode:
        """Make the node of an entry that was just created."""
        with self.lock:
            node = self._new(directory, name, attributes)
            node.atime_ns = node.mtime_ns = node.ctime_ns = time.time_ns()
            node.version = None
            self._believe(node)
            self._enter(node, directory, name)
            return node

    def move(self, node: PathNode, directory: DirectoryNode, name: str) -> None:
        """Give a node another place. It may have new times and a new version there."""
        with self.lock:
            self._leave(node)
            self._enter(node, directory, name)
            node.version, node.expires = None, 0.0

    def swap(self, node: PathNode, other: PathNode) -> None:
        """Let two nodes change places."""
        with self.lock:
            place, other_place = (node.parent, node.name), (other.parent, other.name)
            self._leave(node)
            self._leave(other)
            self._enter(node, *other_place)
            self._enter(other, *place)
            node.expires = other.expires = 0.0

    def detach(self, node: PathNode) -> None:
        """Take a node out of the tree: it was removed or replaced."""
        with self.lock:
            self._leave(node)
            node.gone = True
            node.nlink = max(node.nlink - 1, 0)
            self._pinned.pop(node.ino, None)

    def remember(self, directory: DirectoryNode) -> None:
        """Keep a directory and those above it, though the filesystem may know directories only by their files."""
        if self._keeps_directories:
            return
        with self.lock:
            for node in directory.above():
                if node is self.root or node.gone or not isinstance(node, DirectoryNode):
                    return
                node.parent.remembered[node.name] = self._remembered[node.ino] = node
                self.touch(node)

    def is_remembered(self, node: PathNode) -> bool:
        """Whether a node is a directory that the filesystem may not show."""
        return node.ino in self._remembered

    def override(self, node: PathNode, attributes: Mapping[str, int]) -> None:
        """Keep attributes that the filesystem cannot hold, for as long as the table lives."""
        with self.lock:
            node.overrides.update(attributes)
            node.apply_overrides()
            if not node.gone:
                self._pinned[node.ino] = node

    def described(self, node: PathNode, attributes: Mapping[str, int]) -> None:
        """The filesystem was told these attributes of a node, and keeps them."""
        with self.lock:
            for name, value in attributes.items():
                setattr(node, name, value)
            node.version = None
            self.touch(node)

    def handed_over(self, node: PathNode) -> None:
        """The filesystem has taken over the times that were kept here."""
        with self.lock:
            _forget_times(node)
            node.version, node.expires = None, 0.0
            self.touch(node)

    def edited(self, node: PathNode, size: int) -> None:
        """Content was changed here: the node has this size, and the times of now."""
        with self.lock:
            _stamp(node)
            node.size = size

    def passed_on(self, node: PathNode) -> None:
        """The filesystem was told to change a node, and knows best what became of it."""
        with self.lock:
            _stamp(node)
            node.version, node.expires = None, 0.0
            self.touch(node)

    def touch(self, node: PathNode) -> None:
        """Void all answers about a node that are still on their way."""
        with self.lock:
            self.clock += 1
            node.changed = self.clock

    def doubt(self, directory: DirectoryNode, name: str) -> None:
        """Believe nothing about an entry until the filesystem has been asked again."""
        with self.lock:
            directory.listing = None
            directory.missed = ("", 0.0)
            node = self.child(directory, name)
            if node is not None:
                node.expires = 0.0

    # ---- steps, all under the lock

    def _new(self, directory: DirectoryNode, name: str, attributes: Attributes) -> PathNode:
        kind = DirectoryNode if stat.S_ISDIR(attributes.mode) else PathNode
        node = kind(next(self._inos), directory, name, attributes, self._started_ns)
        self._nodes[directory.ino, name] = node
        return node

    def _enter(self, node: PathNode, directory: DirectoryNode, name: str) -> None:
        node.parent, node.name = directory, name
        self._nodes[directory.ino, name] = node
        if directory.listing is not None:
            directory.listing[name] = node
        if directory.missed[0] == name:
            directory.missed = ("", 0.0)
        _stamp(directory)
        self.touch(node)

    def _leave(self, node: PathNode) -> None:
        directory, name = node.parent, node.name
        if self._nodes.get((directory.ino, name)) is node:
            del self._nodes[directory.ino, name]
        if self.is_remembered(node):
            self._unremember(directory, name)
        if directory.listing is not None and directory.listing.get(name) is node:
            del directory.listing[name]
        _stamp(directory)
        self.touch(node)

    def _unremember(self, directory: DirectoryNode, name: str) -> None:
        node = directory.remembered.pop(name, None)
        if node is not None:
            del self._remembered[node.ino]

    def _believe(self, node: PathNode) -> None:
        node.expires = self._keep(node)

    def _keep(self, node: PathNode) -> float:
        """Keep a node while what is known of it is fresh, and let go of others; returns when its time is over."""
        now = time.monotonic()
        until = now + self._cache_timeout
        self._recent.append((until, node))
        while self._recent[0][0] < now:
            _, expired = self._recent.popleft()
            if isinstance(expired, DirectoryNode) and expired.listed_until < now:
                # It holds all its nodes.
                expired.listing = None
        return until


def _refresh(node: PathNode, attributes: Attributes) -> None:
    """Describe a node anew; times that were set here end when somebody else changed the content."""
    if node.version is not None and node.version != attributes.version:
        _forget_times(node)
    node.describe(attributes)


def _stamp(node: PathNode) -> None:
    """What is done to a node ends the times that were set on it."""
    _forget_times(node)
    node.mtime_ns = node.ctime_ns = time.time_ns()


def _forget_times(node: PathNode) -> None:
    for name in _TIMES:
        node.overrides.pop(name, None)


def _is_edited(node: PathNode) -> bool:
    return node.content is not None and node.content.spool is not None
