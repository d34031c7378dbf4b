"""Requests that list directories.

OPENDIR is answered ENOSYS once, and the kernel caches listings itself (FUSE_NO_OPENDIR_SUPPORT). So that a listing read
in several parts neither loses nor repeats an entry while others make and remove some, each listing that is begun is
kept for a while, and the position that the kernel hands back names it.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import count

from chuk_adapters.fuse.kernel.protocol import DIRENT, ENTRY, HEADER_SIZE, READ_IN, Opcode
from chuk_adapters.fuse.kernel.replies import Replies
from chuk_adapters.fuse.kernel.request import Handler
from chuk_adapters.fuse.kernel.table import NodeTable
from chuk_fsspec.contract.nodes import Node, NodeOperations

_LISTINGS_KEPT = 256
_INDEX_BITS = 32
_PADDING = [bytes(n) for n in range(8)]
_NO_ENTRY = bytes(ENTRY.size)

Listing = Sequence[tuple[str, Node]]


class Directories:
    """Listings, with or without attributes."""

    def __init__(self, nodes: NodeOperations, table: NodeTable, replies: Replies) -> None:
        self._nodes = nodes
        self._table = table
        self._node = table.node
        self._replies = replies
        self._numbers = count(1)
        self._listings: OrderedDict[int, Listing] = OrderedDict()
        self._lock = threading.RLock()

    def handlers(self) -> dict[int, Handler]:
        """What answers which request."""
        return {Opcode.READDIR: self.readdir, Opcode.READDIRPLUS: self.readdirplus}

    def readdir(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        self._list(unique, nodeid, buffer, plus=False)

    def readdirplus(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        self._list(unique, nodeid, buffer, plus=True)

    def _list(self, unique: int, nodeid: int, buffer: bytearray, *, plus: bool) -> None:
        _, offset, size, _, _, _, _ = READ_IN.unpack_from(buffer, HEADER_SIZE)
        directory = self._node(nodeid)
        listing_id, listing = self._listing(directory, offset)
        first = offset & (1 << _INDEX_BITS) - 1
        out: list[bytes] = []
        told: list[int] = []
        room = size
        for index in range(first, len(listing)):
            name, node = listing[index]
            encoded = os.fsencode(name)
            length = DIRENT.size + len(encoded)
            padding = -length % 8
            room -= length + padding + (ENTRY.size if plus else 0)
            if room < 0:
                break
            if plus and index > 1:
                current = self._nodes.lookup(directory, name)
                if current is None:
                    continue  # removed since the listing was begun: telling the kernel would bring the name back
                fields = self._replies.entry_fields(current, nodeid, name)
                told.append(fields[0])
                out.append(ENTRY.pack(*fields))
            elif plus:
                out.append(_NO_ENTRY)
            position = listing_id << _INDEX_BITS | index + 1
            out.append(DIRENT.pack(node.ino, position, len(encoded), node.mode >> 12 & 0o17))
            out.append(encoded)
            out.append(_PADDING[padding])
        try:
            self._replies.data(unique, b"".join(out))
        except OSError:
            # The request was taken back meanwhile, so that the kernel will never forget what it has not heard of.
            for one in told:
                if (forgotten := self._table.forget(one, 1)) is not None:
                    self._nodes.forget(forgotten)
            raise

    def _listing(self, directory: Node, offset: int) -> tuple[int, Listing]:
        """The listing that a position belongs to; a new one for the start, or if the old one was not kept."""
        listing_id = offset >> _INDEX_BITS
        with self._lock:
            kept = self._listings.get(listing_id)
            if kept is not None:
                self._listings.move_to_end(listing_id)
                return listing_id, kept
        listing = [(".", directory), ("..", self._nodes.parent(directory)), *self._nodes.entries(directory)]
        with self._lock:
            listing_id = next(self._numbers)
            self._listings[listing_id] = listing
            if len(self._listings) > _LISTINGS_KEPT:
                self._listings.popitem(last=False)
        return listing_id, listing

    def clear(self) -> None:
        """Let go of all listings."""
        with self._lock:
            self._listings.clear()
