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

    Attributes:
        epoch: that in which its fields were changed last.
        past: what it was before, newest first.
        shares: a record of its past has the content that it has now, so that it takes no space of its own.
    """

    __slots__ = ("epoch", "past", "shares")

    epoch: int
    past: Record | None
    shares: bool


class MemoryDirectory(Directory):
    """A directory. Its ``content`` is a dict from name to inode; all else as of ``MemoryInode``."""

    __slots__ = ("epoch", "past", "shares")

    epoch: int
    past: Record | None
    shares: bool


AnyInode = MemoryInode | MemoryDirectory


Record = tuple[Any, ...]
"""An inode as it was from one epoch on, up to the next newer record, or up to the epoch of the inode itself.

It has the values of ``FIELDS``, and then what is at ``EPOCH`` to ``PARENT``. It is a plain tuple of numbers and bytes,
which the garbage collector lets go of when it first sees it; objects of a class it would go through again and again,
and after ten thousand changes that takes half as long as the changes themselves.
"""

VERSION = FIELDS.index("version")
EPOCH = len(FIELDS)
"""From when on."""
CONTENT = EPOCH + 1
"""Of a directory None."""
OLDER = CONTENT + 1
"""The record before, or None."""
CHANGES = OLDER + 1
"""Of a directory, what was behind those names that had something else behind them by the next newer record: an inode,
or None for no entry."""
PARENT = CHANGES + 1
"""Of a directory, where it was."""


def record_of(inode: AnyInode, content: Any) -> Record:
    """A record of an inode as it is, with this content; that of a directory lacks what only directories have."""
    return (  # field by field: every first change after a snapshot waits for this
        inode.mode,
        inode.uid,
        inode.gid,
        inode.nlink,
        inode.atime_ns,
        inode.mtime_ns,
        inode.ctime_ns,
        inode.version,
        inode.xattrs,
        inode.epoch,
        content,
        inode.past,
    )


def record_of_directory(directory: MemoryDirectory) -> Record:
    """The record of a directory as it is, behind whose names nothing has changed yet."""
    return (*record_of(directory, None), {}, directory.parent)


def without(newest: Record | None, record: Record) -> Record | None:
    """The records from the newest one on, but for one of them."""
    newer = []
    while newest is not record:
        assert newest is not None
        newer.append(newest)
        newest = newest[OLDER]
    rest: Record | None = record[OLDER]
    for one in reversed(newer):
        rest = (*one[:OLDER], rest, *one[OLDER + 1 :])
    return rest


def record_at(inode: AnyInode, epoch: int) -> Record | None:
    """The newest record of an inode that is not newer than an epoch."""
    record = inode.past
    while record is not None and record[EPOCH] > epoch:
        record = record[OLDER]
    return record


def has_content(inode: AnyInode, version: int) -> bool:
    """Whether a record of an inode has the content of this number."""
    record = inode.past
    while record is not None and record[VERSION] != version:
        record = record[OLDER]
    return record is not None


def state_at(inode: AnyInode, epoch: int) -> Record | None:
    """A settled inode as it was at the end of an epoch; None if it was not there yet."""
    if inode.epoch > epoch:
        return record_at(inode, epoch)
    return record_of_directory(inode) if isinstance(inode, MemoryDirectory) else record_of(inode, inode.content)


def changes_since(directory: MemoryDirectory, epoch: int) -> dict[str, AnyInode | None]:
    """What a settled directory had, at the end of an epoch, behind all names that were changed since."""
    changes: dict[str, AnyInode | None] = {}
    record = directory.past if directory.epoch > epoch else None
    while record is not None:
        changes.update(record[CHANGES])
        record = record[OLDER] if record[EPOCH] > epoch else None
    return changes


def entry_at(directory: MemoryDirectory, name: str, epoch: int) -> AnyInode | None:
    """What a settled directory had behind a name at the end of an epoch."""
    found: AnyInode | None = directory.content.get(name)
    record = directory.past if directory.epoch > epoch else None
    while record is not None:
        found = record[CHANGES].get(name, found)
        record = record[OLDER] if record[EPOCH] > epoch else None
    return found


def entries_at(directory: MemoryDirectory, epoch: int) -> dict[str, AnyInode]:
    """All entries of a settled directory at the end of an epoch."""
    entries = {**directory.content, **changes_since(directory, epoch)}
    return {name: inode for name, inode in entries.items() if inode is not None}


def set_entry(directory: MemoryDirectory, name: str, inode: AnyInode | None) -> None:
    """Put something, or nothing, behind a name; the newest record keeps what it had there."""
    entries = directory.content
    if directory.past is not None:
        changes = directory.past[CHANGES]
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


def space_of(content: contents.Content) -> int:
    """Bytes that a regular file's content takes, holes left out."""
    return content.allocated if type(content) is contents.Extents else len(content)
