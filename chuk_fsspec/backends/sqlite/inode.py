"""Inodes that are rows of a database: their fields are read again once another process may have changed them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from chuk_fsspec.engine.inode import Directory, Inode

GONE = 0
"""No content has this number: that of a file which another process has removed."""

STAMPS, ATTRIBUTES, CONTENT, NEW = 1, 2, 4, 8
"""What of an inode is to be written: bits of ``changed``."""


@dataclass(frozen=True)
class Stored:
    """Content of a regular file that is not at hand.

    Attributes:
        size: bytes.
        cid: where its chunks are; None if it is small and lies with the inode; ``GONE``.
        space: bytes that it takes, holes left out.
    """

    size: int
    cid: int | None
    space: int

    def __len__(self) -> int:
        return self.size

    @property
    def allocated(self) -> int:
        return self.space


class RowStore(Protocol):
    """What an inode asks of its store.

    Attributes:
        generation: grows whenever a field may have changed.
    """

    generation: int

    def reload(self, inode: Row) -> None:
        """Read its fields again."""

    def note(self, inode: Row, bits: int) -> None:
        """Something of it is to be written."""

    def directory(self, ino: int) -> SqliteDirectory:
        """The directory of a number."""


def _field(name: str, bit: int) -> property:
    """A field of ``Inode`` that is read again when it may have changed, and noted as changed when it is set."""
    member = Inode.__dict__[name]
    get, put = member.__get__, member.__set__

    def read(inode: Any) -> Any:
        if inode.seen != inode.store.generation:
            inode.store.reload(inode)
        return get(inode)

    def write(inode: Any, value: Any) -> None:
        if inode.seen != inode.store.generation:
            inode.store.reload(inode)
        put(inode, value)
        inode.store.note(inode, bit)

    return property(read, write)


class _Row:
    """What both kinds have in common. The ``raw`` fields are the same ones, neither read again nor noted."""

    __slots__ = ()
    announced = False

    raw_mode: Any = Inode.__dict__["mode"]
    raw_nlink: Any = Inode.__dict__["nlink"]
    raw_uid: Any = Inode.__dict__["uid"]
    raw_gid: Any = Inode.__dict__["gid"]
    raw_version: Any = Inode.__dict__["version"]
    raw_atime_ns: Any = Inode.__dict__["atime_ns"]
    raw_mtime_ns: Any = Inode.__dict__["mtime_ns"]
    raw_ctime_ns: Any = Inode.__dict__["ctime_ns"]
    raw_xattrs: Any = Inode.__dict__["xattrs"]
    raw_content: Any = Inode.__dict__["content"]

    mode = _field("mode", ATTRIBUTES)
    nlink = _field("nlink", ATTRIBUTES)
    uid = _field("uid", ATTRIBUTES)
    gid = _field("gid", ATTRIBUTES)
    version = _field("version", STAMPS)
    atime_ns = _field("atime_ns", ATTRIBUTES)
    mtime_ns = _field("mtime_ns", STAMPS)
    ctime_ns = _field("ctime_ns", STAMPS)
    xattrs = _field("xattrs", ATTRIBUTES)
    content = _field("content", CONTENT)


class SqliteInode(_Row, Inode):
    """Everything but a directory.

    Attributes:
        seen: the store's generation that its fields are of.
        changed: bits of what is to be written.
        past: number of the row that says what it was before; 0 if none does.
    """

    __slots__ = ("__weakref__", "changed", "past", "seen", "store")

    store: RowStore
    seen: int
    changed: int
    past: int

    def __init__(self, store: RowStore, ino: int) -> None:
        self.store = store
        self.ino = ino
        self.changed = self.past = 0


class SqliteDirectory(_Row, Directory):
    """A directory. ``entries`` are those that are known, by name; all of them if ``is_complete``."""

    __slots__ = ("__weakref__", "changed", "entries", "is_complete", "parent_ino", "past", "seen", "store")

    store: RowStore
    seen: int
    changed: int
    past: int
    entries: dict[str, Inode]
    is_complete: bool
    parent_ino: int

    def __init__(self, store: RowStore, ino: int) -> None:
        self.store = store
        self.ino = ino
        self.changed = self.past = 0
        self.entries = {}
        self.is_complete = False

    @property
    def parent(self) -> Directory:
        """The directory in which it lies; the root is its own."""
        if self.seen != self.store.generation:
            self.store.reload(self)
        return self.store.directory(self.parent_ino)

    @parent.setter
    def parent(self, directory: Directory) -> None:
        if self.seen != self.store.generation:
            self.store.reload(self)
        self.parent_ino = directory.ino
        self.store.note(self, ATTRIBUTES)


Row = SqliteInode | SqliteDirectory
