"""Building and sending replies."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chuk_adapters.fuse.kernel.protocol import ATTR_REPLY, ENTRY, ENTRY_REPLY, OUT_HEADER, REPLY_SIZE
from chuk_adapters.fuse.kernel.table import NodeTable
from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.posix import Buffer

SECOND = 1_000_000_000
BLOCK_SIZE = 4096
_TYPES_WITHOUT_DEVICE = frozenset((stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK))
_ONE_WRITE = 16 * 1024
"""Up to this many bytes, joining header and content costs less than a vectored write."""


@dataclass(frozen=True)
class Belief:
    """For how long the kernel may believe names and attributes.

    Attributes:
        attributes: seconds and nanoseconds, as an attribute reply has them.
        entry: seconds of the name and of the attributes, then the nanoseconds of both, as an entry reply has them.
        no_entry: a whole reply that a name does not exist; None where the kernel must not remember that.
    """

    attributes: tuple[int, int]
    entry: tuple[int, int, int, int]
    no_entry: bytes | None

    @staticmethod
    def of(duration: float) -> Belief:
        """The belief that lasts so many seconds."""
        seconds = int(duration)
        nanoseconds = int((duration - seconds) * SECOND)
        entry = (seconds, seconds, nanoseconds, nanoseconds)
        no_entry = ENTRY.pack(0, 0, *entry, *([0] * 16)) if duration else None
        return Belief((seconds, nanoseconds), entry, no_entry)


class Replies:
    """Sends replies on the device, and counts each node that an entry reply tells the kernel about.

    Args:
        fd: the device.
        table: what the kernel knows.
        believed: for nodes whose changes are announced.
        doubted: for the others; None where there are none.
    """

    def __init__(self, fd: int, table: NodeTable, believed: Belief, doubted: Belief | None) -> None:
        self._fd = fd
        self._table = table
        self._remember = table.remember
        self._believed = believed
        self._doubted = doubted

    def error(self, unique: int, code: int) -> None:
        """Refuse with an errno."""
        self.send(OUT_HEADER.pack(REPLY_SIZE, -code, unique))

    def done(self, unique: int) -> None:
        """Agree, with nothing to tell."""
        self.send(OUT_HEADER.pack(REPLY_SIZE, 0, unique))

    def data(self, unique: int, data: Buffer) -> None:
        """Agree, with bytes."""
        self.send(OUT_HEADER.pack(REPLY_SIZE + len(data), 0, unique) + data)

    def pieces(self, unique: int, pieces: Sequence[Buffer]) -> None:
        """Agree, with bytes in pieces that are not joined if they are large."""
        if len(pieces) == 1 and len(pieces[0]) <= _ONE_WRITE:
            self.data(unique, pieces[0])
        else:
            header = OUT_HEADER.pack(REPLY_SIZE + sum(map(len, pieces)), 0, unique)
            os.writev(self._fd, (header, *pieces))

    def entry(self, unique: int, node: Node, parent_id: int, name: str) -> None:
        """Agree, with a node under an entry."""
        belief = self._believed if self._doubted is None or node.announced else self._doubted
        nodeid = self._remember(node, parent_id, name)
        self.send(ENTRY_REPLY.pack(ENTRY_REPLY.size, 0, unique, nodeid, 0, *belief.entry, *attributes(node)))

    def no_entry(self, unique: int, directory: Node) -> None:
        """Say that a name does not exist in a directory, and let the kernel remember that."""
        belief = self._believed if self._doubted is None or directory.announced else self._doubted
        if belief.no_entry is None:
            self.error(unique, errno.ENOENT)
        else:
            self.data(unique, belief.no_entry)

    def entry_fields(self, node: Node, parent_id: int, name: str) -> tuple[Any, ...]:
        """The fields of an entry, for replies that hold more than one thing; counts the node."""
        belief = self._believed if self._doubted is None or node.announced else self._doubted
        nodeid = self._remember(node, parent_id, name)
        return (nodeid, 0, *belief.entry, *attributes(node))

    def attr(self, unique: int, node: Node) -> None:
        """Agree, with a node's attributes."""
        belief = self._believed if self._doubted is None or node.announced else self._doubted
        self.send(ATTR_REPLY.pack(ATTR_REPLY.size, 0, unique, *belief.attributes, 0, *attributes(node)))

    def send(self, reply: bytes) -> None:
        """Send a whole reply."""
        os.write(self._fd, reply)


def attributes(node: Node) -> tuple[int, ...]:
    """A node's attributes in the order of ``struct fuse_attr``."""
    mode = node.mode
    mtime_ns = node.mtime_ns
    mtime, mtime_nsec = divmod(mtime_ns, SECOND)
    ctime_ns, atime_ns = node.ctime_ns, node.atime_ns
    ctime, ctime_nsec = (mtime, mtime_nsec) if ctime_ns is mtime_ns else divmod(ctime_ns, SECOND)
    atime, atime_nsec = (mtime, mtime_nsec) if atime_ns is mtime_ns else divmod(atime_ns, SECOND)
    return (
        node.ino,
        node.size,
        (node.allocated + 511) >> 9,
        atime & 0xFFFFFFFFFFFFFFFF,
        mtime & 0xFFFFFFFFFFFFFFFF,
        ctime & 0xFFFFFFFFFFFFFFFF,
        atime_nsec,
        mtime_nsec,
        ctime_nsec,
        mode,
        node.nlink,
        node.uid,
        node.gid,
        0 if mode & 0o170000 in _TYPES_WITHOUT_DEVICE else node.rdev,
        BLOCK_SIZE,
        0,
    )
