"""Inodes that remember what they were when snapshots were taken."""

from __future__ import annotations

import errno
from typing import Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine.inode import Directory, Inode

FREED = 0
"""The version of an inode that was freed: no content ever has this number."""


class Gone:
    """The content of a freed file that snapshots still have: whoever was about to read it is told so. ESTALE."""

    def __len__(self) -> int:
        return 0

    def __getitem__(self, _: object) -> bytes:
        raise os_error(errno.ESTALE, hint="the file was removed meanwhile")


FIELDS = ("mode", "uid", "gid", "nlink", "atime_ns", "mtime_ns", "ctime_ns", "version", "xattrs")
"""What is remembered of every inode, besides its content, or its entries and its parent."""


class MemoryInode(Inode):
    """Everything but a directory.

    ``epoch`` is that in which its fields were changed last, ``history`` what they were before.
    """

    __slots__ = ("epoch", "history")

    epoch: int
    history: History | None


class MemoryDirectory(Directory):
    """A directory. Its ``content`` is a dict from name to inode; ``epoch`` and ``history`` as of ``MemoryInode``."""

    __slots__ = ("epoch", "history")

    epoch: int
    history: History | None


AnyInode = MemoryInode | MemoryDirectory


class Record:
    """An inode as it was from ``epoch`` on, up to the next record, or up to the epoch of the inode itself.

    Attributes:
        content: of a directory None.
        changes: of a directory, what was behind those names that had something else behind them by the next record:
            an inode, or None for no entry.
        parent: of a directory, where it was.
    """

    __slots__ = (*FIELDS, "changes", "content", "epoch", "parent")

    version: int
    content: Any
    parent: MemoryDirectory

    def __init__(self, inode: AnyInode, content: Any) -> None:
        for name in FIELDS:
            setattr(self, name, getattr(inode, name))
        self.epoch = inode.epoch
        self.content = content
        self.changes: dict[str, AnyInode | None] = {}
        if isinstance(inode, MemoryDirectory):
            self.parent = inode.parent  # type: ignore[assignment]


class History:
    """The records of one inode, oldest first.

    Attributes:
        records: never empty.
        shares: one of them has the content that the inode has now, so that it takes no space of its own.
    """

    __slots__ = ("records", "shares")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.shares = False

    def index_at(self, epoch: int) -> int:
        """The place of the newest record that is not newer than an epoch; -1 if there is none."""
        index = len(self.records) - 1
        while index >= 0 and self.records[index].epoch > epoch:
            index -= 1
        return index

    def has_content(self, version: int) -> bool:
        """Whether a record has the content of this number."""
        return any(record.version == version for record in self.records)

    def entry(self, index: int, name: str, now: AnyInode | None) -> AnyInode | None:
        """What a directory had behind a name as of a record, where it has ``now`` at present."""
        for record in self.records[index:]:
            if name in record.changes:
                return record.changes[name]
        return now

    def changes_since(self, index: int) -> dict[str, AnyInode | None]:
        """What a directory had, as of a record, behind all names that were changed since."""
        changes: dict[str, AnyInode | None] = {}
        for record in reversed(self.records[index:]):
            changes.update(record.changes)
        return changes


def state_at(inode: AnyInode, epoch: int) -> Record | AnyInode | None:
    """A settled inode as it was at the end of an epoch; itself if that is what it still is; None if it was not yet."""
    if inode.epoch <= epoch:
        return inode
    index = inode.history.index_at(epoch) if inode.history is not None else -1
    return inode.history.records[index] if inode.history is not None and index >= 0 else None


def entry_at(directory: MemoryDirectory, name: str, epoch: int) -> AnyInode | None:
    """What a settled directory had behind a name at the end of an epoch."""
    now: AnyInode | None = directory.content.get(name)
    if directory.epoch <= epoch or directory.history is None:
        return now
    return directory.history.entry(max(directory.history.index_at(epoch), 0), name, now)


def entries_at(directory: MemoryDirectory, epoch: int) -> dict[str, AnyInode]:
    """All entries of a settled directory at the end of an epoch."""
    entries: dict[str, AnyInode | None] = dict(directory.content)
    if directory.epoch > epoch and directory.history is not None:
        entries.update(directory.history.changes_since(max(directory.history.index_at(epoch), 0)))
    return {name: inode for name, inode in entries.items() if inode is not None}


def set_entry(directory: MemoryDirectory, name: str, inode: AnyInode | None) -> None:
    """Put something, or nothing, behind a name; the newest record keeps what it had there."""
    entries = directory.content
    if directory.history is not None:
        changes = directory.history.records[-1].changes
        before = entries.get(name)
        if name not in changes:
            if before is not inode:
                changes[name] = before
        elif changes[name] is inode:
            del changes[name]
    if inode is None:
        entries.pop(name, None)
    else:
        entries[name] = inode


def space_of(inode: AnyInode | Record) -> int:
    """Bytes that a regular file's content takes, holes left out."""
    content = inode.content
    return content.allocated if type(content) is contents.Extents else len(content)
