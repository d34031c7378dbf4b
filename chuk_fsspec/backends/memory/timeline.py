"""Snapshots of inodes in memory: what each one needs is kept when an inode is changed for the first time after it.

Time is counted in epochs; taking a snapshot ends one. Every method is called under the store's lock, but for
``settle``, which takes it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from chuk_fsspec.backends.memory.inode import (
    CHANGES,
    CONTENT,
    EPOCH,
    FIELDS,
    FREED,
    OLDER,
    PARENT,
    VERSION,
    AnyInode,
    MemoryDirectory,
    MemoryInode,
    Record,
    has_content,
    record_at,
    record_of,
    record_of_directory,
    set_entry,
    space_of,
    without,
)
from chuk_fsspec.backends.memory.restoring import Restores
from chuk_fsspec.backends.memory.space import Space
from chuk_fsspec.contract.snapshots import Snapshot
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine.inode import S_IFMT, S_IFREG

_NEVER = -1
"""No inode is of this epoch."""


class Kept:
    """A snapshot, and whose records it keeps.

    Attributes:
        snapshot: what it is called.
        epoch: the one that it ended.
        inodes: those with a record that it sees, and that no later snapshot sees.
        dropped: it is there no more.
    """

    __slots__ = ("dropped", "epoch", "inodes", "snapshot")

    def __init__(self, snapshot: Snapshot, epoch: int) -> None:
        self.snapshot = snapshot
        self.epoch = epoch
        self.inodes: list[AnyInode] = []
        self.dropped = False


class Timeline:
    """The snapshots of one store.

    Attributes:
        now: the present epoch, or a number that no inode has while there is more to do for a change than to compare.
        epoch: the present epoch.
        kept: the snapshots, oldest first.
        restores: those whose effect has not reached every inode.
    """

    def __init__(self, lock: AbstractContextManager[Any], space: Space, free: Callable[[AnyInode], None]) -> None:
        """Begin with no snapshot.

        Args:
            lock: the store's.
            space: the store's; it goes up and down with what snapshots hold.
            free: frees an inode of the store that has no name, and that nobody holds.
        """
        self._lock = lock
        self._space = space
        self.now = self.epoch = 0
        self.kept: list[Kept] = []
        self.restores = Restores(self, free)

    def find(self, snapshot: Snapshot) -> Kept:
        """What is kept for a snapshot that is there."""
        return next(kept for kept in self.kept if kept.snapshot == snapshot)

    def take(self, snapshot: Snapshot) -> None:
        """Keep everything as it is now."""
        self.kept.append(Kept(snapshot, self.epoch))
        self.next_epoch()

    def next_epoch(self) -> None:
        """Begin another epoch."""
        self.epoch += 1
        self.now = _NEVER if self.restores.pending else self.epoch

    def restored(self) -> None:
        """The restores have reached every inode."""
        self.now = self.epoch

    def begin_change(self, inode: AnyInode) -> None:
        """To be called before a change of an inode whose epoch is not ``now``."""
        if self.now == _NEVER:
            self.restores.apply(inode)
            self.restores.go_on()
        epoch = self.epoch
        if inode.epoch != epoch:
            kept = self.kept
            if kept and kept[-1].epoch >= inode.epoch:  # all snapshots were taken before the present epoch
                _keep_for(kept[-1], inode)
            inode.epoch = epoch

    def keep(self, inode: AnyInode, epoch: int) -> None:
        """Note how an inode is, if a snapshot saw it so, before it changes in an epoch."""
        reader = self._last_before(epoch)
        if reader is not None and reader.epoch >= inode.epoch:
            _keep_for(reader, inode)

    def _last_before(self, epoch: int) -> Kept | None:
        """The newest snapshot that was taken before an epoch began."""
        earlier = bisect_left(self.kept, epoch, key=lambda one: one.epoch)
        return self.kept[earlier - 1] if earlier else None

    def settle(self, inode: AnyInode) -> None:
        """Bring an inode to what the restores have made of it."""
        if self.restores.may_concern(inode):
            with self._lock:
                self.restores.apply(inode)

    def drop(self, kept: Kept) -> None:
        """Forget a snapshot, and what only it has seen."""
        self.restores.finish()
        index = self.kept.index(kept)
        del self.kept[index]
        kept.dropped = True
        before = self.kept[index - 1] if index else None
        for inode in kept.inodes:
            record = record_at(inode, kept.epoch)
            assert record is not None
            if before is not None and record[EPOCH] <= before.epoch:
                before.inodes.append(inode)
            else:
                self._drop_record(inode, record)
        kept.inodes = []

    def _drop_record(self, inode: AnyInode, record: Record) -> None:
        is_newest, older = inode.past is record, record[OLDER]
        inode.past = without(inode.past, record)
        if isinstance(inode, MemoryDirectory):
            if older is not None:
                _merge(record, older, inode, is_newest=is_newest)
        elif inode.mode & S_IFMT == S_IFREG and not has_content(inode, record[VERSION]):
            if inode.version == record[VERSION]:
                inode.shares = False  # the space of the content is now the inode's own
            elif record[VERSION] != FREED:
                self._space.used -= space_of(record[CONTENT])

    def put_back(self, inode: AnyInode, record: Record | None, entries: dict[str, AnyInode | None]) -> None:
        """Make an inode what a record says, which it keeps; without one, or as a freed one, it loses all its names.

        Args:
            inode: it has been kept as it was.
            record: one of its own.
            entries: of a directory, those that were others then.
        """
        if isinstance(inode, MemoryDirectory):
            for name, child in entries.items():
                set_entry(inode, name, child)
        if record is None or record[VERSION] == FREED:
            inode.nlink = 0
            return
        if inode.version == FREED:
            self._space.inodes += 1
        if isinstance(inode, MemoryDirectory):
            inode.parent = record[PARENT]
        elif inode.mode & S_IFMT == S_IFREG and inode.version != record[VERSION]:
            self._space.used -= own_space(inode)
            inode.content = contents.copy(record[CONTENT])
            inode.shares = True
        for name, value in zip(FIELDS, record, strict=False):
            setattr(inode, name, value)


def _keep_for(reader: Kept, inode: AnyInode) -> None:
    """Note how an inode is, for a snapshot that saw it so."""
    content = inode.content
    inode.past = record_of(inode, content) if type(content) is bytes else _record_of_others(inode)
    inode.shares = True
    reader.inodes.append(inode)


def _merge(record: Record, older: Record, directory: MemoryDirectory, *, is_newest: bool) -> None:
    """Let an older record of a directory do without the next one, which goes away."""
    for name, inode in record[CHANGES].items():
        before = older[CHANGES].setdefault(name, inode)
        if is_newest and directory.content.get(name) is before:
            del older[CHANGES][name]


def _record_of_others(inode: AnyInode) -> Record:
    """The record of an inode whose content may be changed in place."""
    if not isinstance(inode, MemoryDirectory):
        return record_of(inode, _content_to_keep(inode))
    return record_of_directory(inode)


def _content_to_keep(inode: MemoryInode) -> Any:
    """The content of a file or link as one that no later change reaches."""
    content = inode.content
    if inode.mode & S_IFMT != S_IFREG or inode.version == FREED:
        return content
    if inode.past is not None and inode.past[VERSION] == inode.version:
        return inode.past[CONTENT]
    kept = contents.copy(content)
    if type(content) is bytearray:
        inode.content = kept
    return kept


def own_space(inode: AnyInode) -> int:
    """Bytes that would be free if a regular file had no content now."""
    return 0 if inode.shares else space_of(inode.content)
