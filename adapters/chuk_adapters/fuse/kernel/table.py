"""Which nodes the kernel knows, under which numbers, and how often it was told."""

from __future__ import annotations

import errno
import threading
from itertools import count

from chuk_adapters.fuse.kernel.protocol import ROOT_ID
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node


class Known:
    """A node that the kernel holds: its number there, how many lookups it owes us, and its last known entry."""

    __slots__ = ("lookups", "name", "node", "nodeid", "others", "parent_id")

    def __init__(self, nodeid: int, node: Node) -> None:
        self.nodeid = nodeid
        self.node = node
        self.lookups = 0
        self.parent_id = 0
        self.name = ""
        self.others: set[tuple[int, str]] | None = None

    def names(self) -> set[tuple[int, str]]:
        """All entries, as (parent's number, name), that the kernel has seen it under."""
        return {(self.parent_id, self.name)} | (self.others or set())


class NodeTable:
    """Numbers are given once and never again, so that a number can be retired while the kernel still holds it.

    It answers ``ino in table`` for ``NodeOperations.hold``: what the kernel holds must stay alive.
    """

    def __init__(self, root: Node) -> None:
        self._numbers = count(ROOT_ID)
        self._by_id: dict[int, Known] = {}
        self._by_ino: dict[int, Known] = {}
        self._retired: dict[int, int] = {}
        self._lock = threading.RLock()
        self.remember(root, ROOT_ID, "")

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, ino: object) -> bool:
        return ino in self._by_ino or ino in self._retired

    def node(self, nodeid: int) -> Node:
        """The node of a number. ESTALE if the kernel asks for one it has given back."""
        try:
            return self._by_id[nodeid].node
        except KeyError:
            raise os_error(errno.ESTALE) from None

    def current(self, node: Node) -> Known | None:
        """What the kernel knows of a node, if it knows it."""
        return self._by_ino.get(node.ino)

    def remember(self, node: Node, parent_id: int, name: str) -> int:
        """Count one more lookup of a node, under an entry, and return its number."""
        with self._lock:
            known = self._by_ino.get(node.ino)
            if known is None:
                known = Known(next(self._numbers), node)
                self._by_ino[node.ino] = self._by_id[known.nodeid] = known
            elif known.name != name or known.parent_id != parent_id:
                self._add_name(known)
            known.parent_id = parent_id
            known.name = name
            known.lookups += 1
            return known.nodeid

    def forget(self, nodeid: int, lookups: int) -> Node | None:
        """Give back lookups; returns the node once the kernel holds it under no number any more."""
        with self._lock:
            known = self._by_id.get(nodeid)
            if known is None or nodeid == ROOT_ID:
                return None
            known.lookups -= lookups
            if known.lookups > 0:
                return None
            del self._by_id[nodeid]
            ino = known.node.ino
            if self._by_ino.get(ino) is known:
                del self._by_ino[ino]
                return None if ino in self._retired else known.node
            self._retired[ino] -= 1
            if self._retired[ino]:
                return None
            del self._retired[ino]
            return None if ino in self._by_ino else known.node

    def retire(self, known: Known) -> None:
        """Stop using a number, so that the next lookup of the node gives the kernel a fresh inode."""
        with self._lock:
            ino = known.node.ino
            if self._by_ino.get(ino) is known:
                del self._by_ino[ino]
                self._retired[ino] = self._retired.get(ino, 0) + 1

    def all(self) -> list[Known]:
        """Everything that the kernel knows, at one moment."""
        with self._lock:
            return list(self._by_id.values())

    def clear(self) -> list[Node]:
        """Forget everything at the end of a mount, and return the nodes that were held."""
        with self._lock:
            nodes = {known.node.ino: known.node for known in self._by_id.values()}
            self._by_id.clear()
            self._by_ino.clear()
            self._retired.clear()
            return list(nodes.values())

    def _add_name(self, known: Known) -> None:
        """Keep an earlier entry of a file with several names."""
        if known.node.nlink > 1 and known.name:
            if known.others is None:
                known.others = set()
            known.others.add((known.parent_id, known.name))
