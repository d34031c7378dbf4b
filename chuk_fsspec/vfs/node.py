"""Nodes of filesystems that have no inodes: a place in the tree of names, and what is known about it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chuk_fsspec.contract.attributes import Attributes

if TYPE_CHECKING:
    from chuk_fsspec.vfs.content import Content
    from chuk_fsspec.vfs.direct import DirectHandle


Place = tuple["DirectoryNode", str]
"""An entry: a directory and a name in it."""


class PathNode:
    """One file, link or directory (``contract.Node``), named by its parent and its name in it.

    Its path follows from its parents, so renaming a directory moves everything below it at no cost. The fields of
    ``contract.Node`` are the attributes last heard of; ``NodeTable`` says what the others mean and when they change.

    Attributes:
        aliases: other places of the same file (hard links).
        file_id: the filesystem's own number of the file.
        etag: of the content last heard of, where the filesystem has etags.
        gone: removed or replaced; what is still open lives on without a name.
        expires: until when, on the monotonic clock, the attributes need not be asked for again.
        changed: the table's count of own changes when this node last had one; answers to older questions are void.
        overrides: attributes that were set here and that the filesystem cannot hold.
        content: what its open handles share, if it is edited by way of a spool file.
        direct: its open handles, if the filesystem gives handles of its own.
        version: differs once the content does; None if the filesystem has not been asked since a change made here.
        uses: how many operations under way need the path of this node or of one below it.
        moving: an operation that changes the path is under way.
    """

    announced = False
    __slots__ = (
        "__weakref__",
        "aliases",
        "atime_ns",
        "changed",
        "content",
        "ctime_ns",
        "direct",
        "etag",
        "expires",
        "file_id",
        "gid",
        "gone",
        "ino",
        "keeps_mode",
        "mode",
        "moving",
        "mtime_ns",
        "name",
        "nlink",
        "overrides",
        "parent",
        "size",
        "sized",
        "target",
        "uid",
        "uses",
        "version",
    )

    rdev = 0

    def __init__(self, ino: int, parent: DirectoryNode | None, name: str, attributes: Attributes, now_ns: int) -> None:
        self.ino = ino
        self.parent = parent if parent is not None else _itself_the_root(self)
        self.name = name
        self.aliases: list[Place] = []
        self.gone = False
        self.expires = 0.0
        self.changed = 0
        self.overrides: dict[str, int] = {}
        self.content: Content | None = None
        self.direct: list[DirectHandle] = []
        self.uses = 0
        self.moving = False
        self.version: tuple[object, ...] | None = None
        self.atime_ns = self.mtime_ns = self.ctime_ns = now_ns
        self.describe(attributes)

    @property
    def allocated(self) -> int:
        """Nobody tells how much space remote content takes; its size is the best guess."""
        return self.size

    @property
    def is_file(self) -> bool:
        """Whether this is a regular file."""
        return stat.S_ISREG(self.mode)

    def describe(self, attributes: Attributes) -> None:
        """Take over attributes, under those that were set here. Times that are not told stay as they are."""
        self.mode = attributes.mode
        self.size = attributes.size
        self.sized = attributes.sized
        self.keeps_mode = attributes.keeps_mode
        self.nlink = attributes.nlink
        self.uid = attributes.uid
        self.gid = attributes.gid
        self.target = attributes.target
        self.etag = attributes.etag
        self.version = attributes.version
        self.file_id = attributes.file_id
        if attributes.mtime_ns is not None:
            self.mtime_ns = attributes.mtime_ns
        self.atime_ns = self.mtime_ns if attributes.atime_ns is None else attributes.atime_ns
        self.ctime_ns = self.mtime_ns if attributes.ctime_ns is None else attributes.ctime_ns
        self.apply_overrides()

    def apply_overrides(self) -> None:
        """Let the attributes that were set here win."""
        for name, value in self.overrides.items():
            setattr(self, name, value)

    @property
    def place(self) -> Place:
        """Where the node is; the first place of a file with several."""
        return self.parent, self.name

    def above(self) -> Iterator[PathNode]:
        """The node itself, and its directories up to the root."""
        node: PathNode = self
        yield node
        while node.parent is not node:
            node = node.parent
            yield node

    def is_inside(self, other: PathNode) -> bool:
        """Whether this node is ``other`` or lies below it."""
        return any(node is other for node in self.above())


class DirectoryNode(PathNode):
    """A directory, with what is known of its entries.

    Attributes:
        listing: all entries by name as last listed, while that is fresh enough to answer for them.
        listed_until: when ``listing`` is too old, on the monotonic clock.
        missed: the name last looked for in vain, and until when that is believed. Programs look before they create.
        usual_size: how many entries the last listing had; None if there was none.
        remembered: subdirectories that the filesystem does not show, because it knows directories only by their files.
        busy: names whose entry an operation under way is looking up or changing, and whether it only looks; ``""``
            stands for all of them.
        lookups: how many names were asked for since the last listing: it answered them, or they were asked for one by
            one, each soon after the one before.
        looked: when one of those was last, on the monotonic clock.
        is_plain: the filesystem says nothing of it but that it is there, neither times nor a mode.
    """

    __slots__ = (
        "busy",
        "is_plain",
        "listed_until",
        "listing",
        "looked",
        "lookups",
        "missed",
        "remembered",
        "usual_size",
    )

    def __init__(self, ino: int, parent: DirectoryNode | None, name: str, attributes: Attributes, now_ns: int) -> None:
        super().__init__(ino, parent, name, attributes, now_ns)
        self.listing: dict[str, PathNode] | None = None
        self.listed_until = 0.0
        self.missed = ("", 0.0)
        self.usual_size: int | None = None
        self.remembered: dict[str, DirectoryNode] = {}
        self.busy: dict[str, bool] = {}
        self.lookups = 0
        self.looked = 0.0

    def describe(self, attributes: Attributes) -> None:
        """As for every node."""
        super().describe(attributes)
        self.is_plain = attributes.mtime_ns is None and not attributes.keeps_mode


def _itself_the_root(node: PathNode) -> DirectoryNode:
    assert isinstance(node, DirectoryNode), "only the root has no parent"
    return node


def stat_result(node: PathNode, size: int) -> os.stat_result:
    """A node's attributes as the standard library's type, in nanoseconds too.

    Args:
        node: any node.
        size: its length in bytes, which an open handle may know better than the node.
    """
    times = (node.atime_ns, node.mtime_ns, node.ctime_ns)
    names = ("st_atime", "st_mtime", "st_ctime")
    return os.stat_result(
        (node.mode, node.ino, 0, node.nlink, node.uid, node.gid, size, *(ns // 10**9 for ns in times)),
        {
            **{name: ns / 1e9 for name, ns in zip(names, times, strict=True)},
            **{f"{name}_ns": ns for name, ns in zip(names, times, strict=True)},
            "st_blocks": -(-size // 512),
            "st_blksize": 4096,
            "st_rdev": node.rdev,
        },
    )
