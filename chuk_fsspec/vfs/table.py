"""The node table: where nodes are, what they are like, and how fresh that knowledge is."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Mapping
from hashlib import blake2b
from weakref import WeakValueDictionary

from chuk_fsspec.contract.attributes import Attributes
from chuk_fsspec.vfs.node import DirectoryNode, PathNode
from chuk_fsspec.vfs.places import Places

DIRECTORY_MODE = stat.S_IFDIR | 0o755

_UNKNOWN_SIZE = 1000
"""Entries that a directory is taken to have before it was listed: a page of what services list."""
_REQUESTS_A_DIRECTORY = 2
"""What a question about a directory costs where there are only files: is there such a file, then such a prefix?"""


class NodeTable(Places):
    """All that is known of one filesystem's nodes.

    Args:
        cache_timeout: seconds for which what the filesystem said is believed.
        keeps_directories: whether empty directories persist in it.
        has_links: whether its files can have several names.
        entries_a_lookup: how many entries of a listing cost about as much as one name that is asked for alone.
    """

    def __init__(
        self, cache_timeout: float, *, keeps_directories: bool, has_links: bool, entries_a_lookup: int = 100
    ) -> None:
        self._cache_timeout = cache_timeout
        self._entries_a_lookup = entries_a_lookup
        self._has_links = has_links
        self._started_ns = time.time_ns()
        root = DirectoryNode(1, None, "", Attributes(DIRECTORY_MODE), self._started_ns)
        super().__init__(root, keeps_directories=keeps_directories)
        self._numbered: WeakValueDictionary[int, PathNode] = WeakValueDictionary({root.ino: root})
        self._linked: WeakValueDictionary[int, PathNode] = WeakValueDictionary()
        self._recent: deque[tuple[float, PathNode]] = deque()

    # ---- what is known

    def is_fresh(self, node: PathNode) -> bool:
        """Whether a node need not be asked for: it is gone, it was asked for recently, or the file is edited here."""
        return node.gone or node.expires > time.monotonic() or _is_edited(node)

    def recall(self, directory: DirectoryNode, name: str) -> tuple[bool, PathNode | None]:
        """Whether it is known what is behind an entry, and the node; None if there is nothing."""
        with self.lock:
            node, now = self.child(directory, name), time.monotonic()
            listing = directory.listing if directory.listed_until > now else None
            # An old node may have vanished: only the filesystem can tell, and only asking it takes the node away.
            is_known = self.is_fresh(node) if node is not None else listing is not None and name not in listing
            if is_known:
                if listing is not None:
                    directory.lookups += 1
                return True, node
            missed, until = directory.missed
            return node is None and missed == name and until > now, None

    def recall_all(self, directory: DirectoryNode) -> list[tuple[str, PathNode]] | None:
        """The entries as last listed, if that was recently."""
        with self.lock:
            if directory.listing is None or directory.listed_until <= time.monotonic():
                return None
            return list(directory.listing.items())

    def pays_to_list(self, directory: DirectoryNode) -> bool:
        """Count one more question about a name in a directory; whether to list all of it instead.

        That is so if others of its names were asked for just now, or answered by its last listing: many of them if it
        is large or was never listed.
        """
        with self.lock:
            now = time.monotonic()
            if now - max(directory.looked, directory.listed_until) >= self._cache_timeout:
                directory.lookups = 0
            directory.looked = now
            directory.lookups += 1
            size = _UNKNOWN_SIZE if directory.usual_size is None else directory.usual_size
            if directory.lookups <= 1 + size // self._entries_a_lookup:
                return False
            if directory.usual_size is None:
                directory.lookups = 0
            return True

    def tells_of_itself(self, directory: DirectoryNode) -> bool:
        """Whether a listing of a directory tells as much as a question about it, for no more requests."""
        size = directory.usual_size
        is_small = size is not None and size // self._entries_a_lookup <= _REQUESTS_A_DIRECTORY
        return is_small and self._cache_timeout > 0 and self._is_told_by_listing(directory)

    def doubt(self, directory: DirectoryNode, name: str) -> None:
        """Believe nothing about an entry until the filesystem has been asked again."""
        with self.lock:
            directory.listing = None
            directory.missed = ("", 0.0)
            node = self.child(directory, name)
            if node is not None:
                node.expires = 0.0

    # ---- what the filesystem says

    def learn(self, directory: DirectoryNode, name: str, attributes: Attributes, asked: int) -> PathNode:
        """Take in what is behind an entry.

        Args:
            directory: where it is.
            name: its name.
            attributes: what the filesystem said.
            asked: ``clock`` when it was asked.

        Returns:
            The node: a new one if there was none, or something else.
        """
        with self.lock:
            node = self.child(directory, name) or self._other_name(directory, name, attributes)
            if node is not None and (node.changed > asked or _is_edited(node)):
                return node
            if node is not None and not _may_be(node, attributes):
                self.detach(node, (directory, name))
                node = None
            if node is None:
                node = self._new(directory, name, attributes)
            self._refresh(node, attributes)
            if not node.uses:
                self._unremember(directory, name)
            self._believe(node)
            return node

    def learn_root(self, attributes: Attributes | None) -> None:
        """Take in the root's attributes; what the filesystem does not tell of it, or refuses to, is made up."""
        with self.lock:
            if attributes is not None and stat.S_ISDIR(attributes.mode):
                self._refresh(self.root, attributes)
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
                self.detach(node, (directory, name))
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
            directory.usual_size, directory.lookups = len(listing), 0
            if self._is_told_by_listing(directory) and directory.changed <= asked:
                directory.expires = directory.listed_until
            return list(listing.items())

    # ---- what is done here

    def add(self, directory: DirectoryNode, name: str, attributes: Attributes) -> PathNode:
        """Make the node of an entry that was just created."""
        with self.lock:
            node = self._new(directory, name, attributes)
            node.atime_ns = node.mtime_ns = node.ctime_ns = time.time_ns()
            node.version = None
            self._believe(node)
            self._enter(node, (directory, name), first=True)
            return node

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
            self._forget_times(node)
            node.version, node.expires = None, 0.0
            self.touch(node)

    def edited(self, node: PathNode, size: int) -> None:
        """Content was changed here: the node has this size, and the times of now."""
        with self.lock:
            self._stamp(node)
            node.size = size

    def passed_on(self, node: PathNode) -> None:
        """The filesystem was told to change a node's content, and knows best what became of it."""
        with self.lock:
            self._stamp(node)
            node.version, node.expires = None, 0.0
            self.touch(node)

    def stored(self, node: PathNode, attributes: Attributes) -> None:
        """Content was written to the filesystem, which says this of the file now."""
        with self.lock:
            self.touch(node)
            node.describe(attributes)
            self._believe(node)

    def sent(self, node: PathNode, size: int) -> None:
        """Content of so many bytes was written to the filesystem, which has not said more of the file as yet."""
        with self.lock:
            self.touch(node)
            node.size, node.sized = size, True
            node.version, node.expires = None, 0.0

    # ---- steps, all under the lock

    def _new(self, directory: DirectoryNode, name: str, attributes: Attributes) -> PathNode:
        kind = DirectoryNode if attributes.is_directory else PathNode
        node = kind(self._number(directory, name), directory, name, attributes, self._started_ns)
        self._nodes[directory.ino, name] = self._numbered[node.ino] = node
        return node

    def _number(self, directory: DirectoryNode, name: str) -> int:
        """An inode number: the same each time that a name is met, unless a file that once had the name is in use still.

        git takes a file with another number for another file, and reads all of it again.
        """
        place = b"%d/%s" % (directory.ino, os.fsencode(name))
        while (number := int.from_bytes(blake2b(place, digest_size=8).digest(), "big") >> 1) in self._numbered:
            place += b"/"
        return number

    def _other_name(self, directory: DirectoryNode, name: str, attributes: Attributes) -> PathNode | None:
        """The node of a file that is known under another name already, which has this one too from now on."""
        if not self._has_links or attributes.nlink < 2 or attributes.file_id is None:
            return None
        node = self._linked.get(attributes.file_id)
        if node is None or node.gone or attributes.is_directory or not _may_be(node, attributes):
            return None
        node.aliases.append((directory, name))
        self._nodes[directory.ino, name] = node
        return node

    def _refresh(self, node: PathNode, attributes: Attributes) -> None:
        """Describe a node anew; times that were set here end when somebody else changed the content."""
        if node.version is not None and node.version != attributes.version:
            self._forget_times(node)
        node.describe(attributes)
        if self._has_links and attributes.nlink > 1 and attributes.file_id is not None:
            self._linked[attributes.file_id] = node

    def _is_told_by_listing(self, directory: DirectoryNode) -> bool:
        """Whether all that the filesystem says of a directory is that it is there, and so is said by listing it."""
        is_there = self._keeps_directories or bool(directory.usual_size)
        return is_there and directory.is_plain and directory.version is not None

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


def _may_be(node: PathNode, attributes: Attributes) -> bool:
    """Whether this may be a description of the node: of its type and, if it has several names, of the same file."""
    if stat.S_IFMT(node.mode) != stat.S_IFMT(attributes.mode):
        return False
    return not node.aliases or node.file_id in {None, attributes.file_id}


def _is_edited(node: PathNode) -> bool:
    content = node.content
    return content is not None and content.spool is not None
