"""By which entries nodes were reached, so that a wrapper of inode operations can tell their paths.

A node is known for as long as a door holds it, or knows something below it; one that was only listed, for a while.
"""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.paths import join

KNOWN_MAX = 65_536
"""How many nodes are known that no door holds, before those are let go that were not met for the longest time."""

Note = TypeVar("Note")


class Known(Generic[Note]):
    """A node that was reached.

    Attributes:
        node: the node, as it was last given out.
        parent: the directory in which it was found; None for the root.
        name: its name there.
        others: further entries of a file with several names.
        note: what a wrapper keeps of it; None after it was found under another entry.
    """

    __slots__ = ("__weakref__", "name", "node", "note", "others", "parent")

    def __init__(self, node: Node, parent: Known[Note] | None, name: str) -> None:
        self.node = node
        self.parent = parent
        self.name = name
        self.others: tuple[tuple[Known[Note], str], ...] = ()
        self.note: Note | None = None

    def path(self) -> str:
        """An absolute path by which it was reached."""
        names: list[str] = []
        known = self
        while known.parent is not None:
            names.append(known.name)
            known = known.parent
        return "/" + "/".join(reversed(names))

    def is_above(self, other: Known[Note]) -> bool:
        """Whether another one was reached by way of this one."""
        above: Known[Note] | None = other
        while above is not None and above is not self:
            above = above.parent
        return above is self

    def entries(self) -> Iterator[tuple[Known[Note], str]]:
        """All entries under which it was found."""
        if self.parent is not None:
            yield self.parent, self.name
        yield from self.others


class NodePaths(Generic[Note]):
    """Nodes by number, with the entries under which they were found.

    Args:
        root: the root directory.
    """

    def __init__(self, root: Node) -> None:
        self.root: Known[Note] = Known(root, None, "")
        self.known: dict[int, Known[Note]] = {root.ino: self.root}
        """What was looked up; for short ways, only to be read."""
        self._directories: WeakValueDictionary[int, Known[Note]] = WeakValueDictionary()
        """Those that something below them still knows, too."""
        self._listed: dict[int, tuple[Known[Note], str, Node]] = {}
        self._tables: list[Container[int]] = []
        self._most = KNOWN_MAX
        self._lock = threading.RLock()

    def find(self, node: Node) -> Known[Note] | None:
        """What is known of a node, if it was ever given out and is not forgotten."""
        known = self.known.get(node.ino) or self._directories.get(node.ino)
        if known is None:
            listed = self._listed.get(node.ino)
            if listed is not None:
                known = self.saw(*listed)
        return known

    def saw(self, directory: Known[Note], name: str, node: Node) -> Known[Note]:
        """A node was found under an entry."""
        ino = node.ino
        with self._lock:
            known = self.known.get(ino) or self._directories.get(ino)
            is_elsewhere = known is not None and (known.parent is not directory or known.name != name)
            if known is None or (is_elsewhere and _turns_round(known, directory, node)):
                known = Known(node, directory, name)
                if stat.S_ISDIR(node.mode):
                    self._directories[ino] = known
            elif is_elsewhere:
                self._found_elsewhere(known, directory, name, node)
            known.node = node
            self.known[ino] = known
            if len(self.known) > self._most:
                self._let_go()
            return known

    def _found_elsewhere(self, known: Known[Note], directory: Known[Note], name: str, node: Node) -> None:
        if known is self.root or (directory, name) in known.others:
            return
        if node.nlink > 1 and not stat.S_ISDIR(node.mode):
            known.others += ((directory, name),)
        else:
            known.parent, known.name, known.others = directory, name, ()
        known.note = None

    def listed(self, directory: Known[Note], entries: Iterable[tuple[str, Node]]) -> None:
        """Nodes were given out in a listing; most of them nobody will ask for."""
        if len(self._listed) >= KNOWN_MAX:
            self._listed = {}
        self._listed.update({node.ino: (directory, name, node) for name, node in entries})

    def moved(self, directory: Known[Note], name: str, node: Node) -> Known[Note] | None:
        """A node is under another entry now than where it was; returns what is known of it, if anything is."""
        self._listed.pop(node.ino, None)
        if node.ino not in self.known and node.ino not in self._directories:
            return None
        return self.saw(directory, name, node)

    def renamed(self, directory: Known[Note], name: str, node: Node) -> bool:
        """As ``moved``, where nothing that a wrapper keeps of it changes; False if ``moved`` has to be asked."""
        known = self.known.get(node.ino)
        if known is None or known.others or known is self.root or _turns_round(known, directory, node):
            return False
        if node.nlink > 1 and not stat.S_ISDIR(node.mode):
            return False
        known.parent, known.name = directory, name
        return True

    def left(self, directory: Known[Note], name: str, node: Node) -> None:
        """A node lost an entry; the last one that is known stays, to tell where it was."""
        known = self.find(node)
        if known is None or not known.others:
            return
        first, *rest = [entry for entry in known.entries() if entry != (directory, name)]
        (known.parent, known.name), known.others = first, tuple(rest)
        known.note = None

    def drop(self, known: Known[Note]) -> None:
        """Where a node is, is not known any more."""
        self.known.pop(known.node.ino, None)
        self._directories.pop(known.node.ino, None)

    def all(self) -> list[Known[Note]]:
        """All nodes that are known but the root."""
        everything = {**self._directories, **self.known}
        return [known for known in everything.values() if known is not self.root]

    def forget_notes(self) -> None:
        """Let wrappers decide anew about every node."""
        for known in self.all():
            known.note = None

    # ---- lifetime

    def hold(self, table: Container[int]) -> Callable[[], None]:
        """Nodes whose number is in ``table`` stay known; returns what ends it."""
        self._tables.append(table)

        def end() -> None:
            self._tables[:] = [kept for kept in self._tables if kept is not table]

        return end

    def forget(self, node: Node) -> None:
        """A door holds a node no longer."""
        ino = node.ino
        if ino != self.root.node.ino and not self._is_held(ino):
            self.known.pop(ino, None)

    def _is_held(self, ino: int) -> bool:
        return any(ino in table for table in self._tables)

    def _let_go(self) -> None:
        """Let go of the half that became known first, but for what is held."""
        held = {ino for ino in self.known if self._is_held(ino)}
        for ino in list(self.known)[1 : len(self.known) // 2]:
            if ino not in held:
                del self.known[ino]
        self._most = KNOWN_MAX + 2 * len(held)


def _turns_round(known: Known[Note], directory: Known[Note], node: Node) -> bool:
    """Whether a directory was found below what had been found below it: others moved either, unseen."""
    return known.parent is not None and stat.S_ISDIR(node.mode) and known.is_above(directory)


def path_of(directory: Known[Note], name: str) -> str:
    """The path of an entry."""
    return join(directory.path(), name)
