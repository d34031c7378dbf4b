"""Restoring takes one step, and its effect reaches an inode when that is next looked at, or a few with each change."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chuk_fsspec.backends.memory.inode import FREED, AnyInode, MemoryDirectory
from chuk_fsspec.engine.inode import Inode

if TYPE_CHECKING:
    from chuk_fsspec.backends.memory.timeline import Kept, Timeline

_AT_ONCE = 8
"""Inodes that each change brings up to date besides its own; more than one change leaves for the next restore."""


@dataclass(frozen=True)
class Restore:
    """All that was changed after epoch ``to`` and before ``epoch`` does not count any more."""

    to: int
    epoch: int


class Restores:
    """The restores whose effect has not reached every inode yet.

    An inode that a restore concerns is one whose epoch lies between the two of the restore. It is brought to its older
    state as if it was changed in the restore's own epoch, however much later that is done, since nobody has seen or
    changed it meanwhile. So snapshots that were taken before and after see what they have to.

    Attributes:
        pending: oldest first; always the same list, for whoever looks at it often.
    """

    def __init__(self, timeline: Timeline, free: Callable[[AnyInode], None]) -> None:
        self._timeline = timeline
        self._free = free
        self._is_held: Callable[[Inode], bool] = bool
        self._low = self._high = 0
        self._concerned: deque[Iterator[AnyInode]] = deque()
        self.pending: list[Restore] = []

    def may_concern(self, inode: AnyInode) -> bool:
        """Whether an inode has to be looked at more closely."""
        return self._low < inode.epoch < self._high

    def add(self, kept: Kept, is_held: Callable[[Inode], bool]) -> None:
        """Bring back a snapshot."""
        timeline = self._timeline
        while self.pending and self.pending[-1].epoch > timeline.kept[-1].epoch:
            self.pending.pop()  # no snapshot has seen its effect, and this one goes over it
        self._is_held = is_held
        self._concerned.extend(iter(later.inodes) for later in timeline.kept[timeline.kept.index(kept) :])
        restore = Restore(kept.epoch, timeline.epoch + 1)
        self._low = min(one.to for one in (*self.pending, restore))
        self._high = restore.epoch
        self.pending.append(restore)
        timeline.next_epoch()

    def apply(self, inode: AnyInode) -> None:
        """Bring one inode up to date."""
        for restore in self.pending:
            if restore.to < inode.epoch < restore.epoch:
                self._apply(inode, restore)

    def _apply(self, inode: AnyInode, restore: Restore) -> None:
        history = inode.history
        index = -1 if history is None else history.index_at(restore.to)
        record = None if history is None or index < 0 else history.records[index]
        entries: dict[str, AnyInode | None] = {}
        if isinstance(inode, MemoryDirectory):
            if record is None or history is None:
                entries = dict.fromkeys(inode.content)
            else:
                entries = history.changes_since(index)
            touched = [one for name in entries for one in (entries[name], inode.content.get(name)) if one is not None]
            self._concerned.append(iter(touched))
        self._timeline.keep(inode, restore.epoch)
        self._timeline.put_back(inode, record, entries)
        inode.epoch = restore.epoch  # last, for whoever looks without the lock

    def go_on(self) -> None:
        """Bring some more inodes up to date."""
        for _ in range(_AT_ONCE):
            if not self._step():
                return

    def finish(self) -> None:
        """Bring all inodes up to date, in a time proportional to what was changed since the snapshots."""
        while self._step():
            pass

    def _step(self) -> bool:
        """Bring one more inode up to date; False if none is left."""
        while self._concerned:
            inode = next(self._concerned[0], None)
            if inode is None:
                self._concerned.popleft()
                continue
            self.apply(inode)
            if inode.nlink == 0 and inode.version != FREED and not self._is_held(inode):
                self._free(inode)
            return True
        if self.pending:
            self.pending.clear()
            self._low = self._high = 0
            self._timeline.restored()
        return False
