"""One inode of the host as a door knows it, and how many of them are kept open."""

from __future__ import annotations

import os
import resource
import stat
import threading
from collections import OrderedDict

from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.shared import Identity


class LocalNode:
    """An inode (``contract.Node``), with the attributes of the last look at it.

    It is reached by a name in a directory that is a node itself. What is open of it is for speed only and may be closed
    at any time, unless it is ``pinned``, for it has no name any more.

    Attributes:
        ino: its number, which is that of the inode unless another node has that.
        identity: device and number of the inode.
        parent: the directory that it was last seen in; None for the root, and for what has no name.
        name: its name there.
        others: more names, as (directory, name).
        held: holds the inode.
        reading: its content, open for reading.
        writing: its content, open for writing.
        pinned: whether what holds it has to stay.
    """

    announced = False
    __slots__ = (
        "__weakref__",
        "allocated",
        "atime_ns",
        "ctime_ns",
        "gid",
        "held",
        "identity",
        "ino",
        "mode",
        "mtime_ns",
        "name",
        "nlink",
        "others",
        "parent",
        "pinned",
        "rdev",
        "reading",
        "size",
        "uid",
        "writing",
    )

    def __init__(self, ino: int, found: os.stat_result, parent: LocalNode | None, name: str) -> None:
        self.ino = ino
        self.identity: Identity = (found.st_dev, found.st_ino)
        self.parent = parent
        self.name = name
        self.others: set[tuple[LocalNode, str]] | None = None
        self.held: Descriptor | None = None
        self.reading: Descriptor | None = None
        self.writing: Descriptor | None = None
        self.pinned = False
        self.refresh(found)

    def refresh(self, found: os.stat_result) -> None:
        """Take over attributes."""
        self.mode = found.st_mode
        self.nlink = found.st_nlink
        self.uid = found.st_uid
        self.gid = found.st_gid
        self.rdev = found.st_rdev
        self.size = found.st_size
        self.allocated = found.st_blocks * 512
        self.atime_ns = found.st_atime_ns
        self.mtime_ns = found.st_mtime_ns
        self.ctime_ns = found.st_ctime_ns

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)

    def names(self) -> list[tuple[LocalNode, str]]:
        """All names that it was seen under, the last one first."""
        first = [] if self.parent is None else [(self.parent, self.name)]
        return first + list(self.others or ())

    def reached(self, directory: LocalNode, name: str) -> None:
        """It was seen under a name."""
        if self.parent is directory and self.name == name:
            return
        if self.nlink > 1 and self.parent is not None and not self.is_directory:
            if self.others is None:
                self.others = set()
            self.others.add((self.parent, self.name))
            self.others.discard((directory, name))
        self.parent, self.name = directory, name

    def lost(self, directory: LocalNode, name: str) -> None:
        """It has a name no longer."""
        if self.others is not None:
            self.others.discard((directory, name))
        if self.parent is directory and self.name == name:
            self.parent, self.name = self.others.pop() if self.others else (None, "")

    def became(self, found: os.stat_result) -> None:
        """A copy took the place of the inode."""
        self.identity = (found.st_dev, found.st_ino)
        self.held = self.reading = self.writing = None
        self.pinned = False
        self.refresh(found)

    def let_go(self) -> None:
        """Close what is open of it, unless it has to stay."""
        self.reading = self.writing = None
        if not self.pinned:
            self.held = None


class RecentlyUsed:
    """The nodes that were used last, which alone have descriptors: a part of what the process may have open."""

    def __init__(self) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._room = 4096 if soft == resource.RLIM_INFINITY else min(max(soft // 4, 16), 4096)
        self._order: OrderedDict[LocalNode, None] = OrderedDict()
        self._lock = threading.RLock()

    def use(self, node: LocalNode) -> None:
        """A node is used now; the one that was not used for longest may have to let go."""
        try:
            self._order.move_to_end(node)
        except KeyError:
            with self._lock:
                self._order[node] = None
                oldest = self._order.popitem(last=False)[0] if len(self._order) > self._room else None
            if oldest is not None:
                oldest.let_go()

    def forget(self, node: LocalNode) -> None:
        """A node is not used any more."""
        with self._lock:
            self._order.pop(node, None)

    def clear(self) -> None:
        """Let all of them go."""
        with self._lock:
            nodes = list(self._order)
            self._order.clear()
        for node in nodes:
            node.let_go()
