"""Which paths are in use: so that none changes under an operation that is sending it to the filesystem.

Operations on a filesystem may take seconds, and the table's lock is never held meanwhile. What is held is a claim:

- on the path of a node, shared with everybody who needs it too. It covers the directories above, since its path is
  made of theirs;
- to move or remove a node, which waits until nobody uses its path or one below it, and keeps new users away;
- on an entry (a directory and a name), so that no two create, remove or look it up at once; ``ALL`` of them to list.
  Looking up and listing do not exclude each other: one name that is answered late keeps nobody from the others.

An operation takes all its claims in one step and none while it holds some, and takes a file's own lock only after them;
and claims that exclude each other are granted in the order in which they were asked for. So nobody waits for ever.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.vfs.node import DirectoryNode, PathNode, Place

ALL = ""
"""In place of a name: every entry of the directory."""


class Claims:
    """All claims on one table's nodes."""

    def __init__(self, lock: threading.RLock) -> None:
        self._changed = threading.Condition(lock)
        self._waiting: list[_Claim] = []

    @contextmanager
    def hold(
        self,
        *used: PathNode,
        entries: Sequence[Place] = (),
        moved: Sequence[PathNode] = (),
        only_looks: bool = False,
        waits_for_changes: bool = True,
    ) -> Iterator[None]:
        """Wait for claims, and hold them inside the block.

        Args:
            used: nodes whose path must stay as it is.
            entries: entries that nobody else may look at or change.
            moved: nodes whose path is about to change or end.
            only_looks: nothing is changed behind the entries.
            waits_for_changes: wait also for those who change something in the directories of the entries.

        Raises:
            BlockingIOError: somebody is changing something there, and that is not to be waited for.
        """
        claim = _Claim(used, entries, moved, only_looks)
        with self._changed:
            if not waits_for_changes and any(self._is_changing(directory) for directory, _ in entries):
                raise os_error(errno.EAGAIN)
            self._waiting.append(claim)
            try:
                self._changed.wait_for(lambda: self._may_go(claim))
                counted = claim.take()
            finally:
                self._waiting.remove(claim)
                self._changed.notify_all()
        try:
            yield
        finally:
            self._end(claim, counted)

    def extend(self, node: PathNode) -> Callable[[], None]:
        """Claim a path once more for somebody else, by one who holds a claim on it and so need not wait.

        Returns:
            What ends the new claim, from whatever thread.
        """
        claim = _Claim((node,), (), ())
        with self._changed:
            counted = claim.take()
        return lambda: self._end(claim, counted)

    def _end(self, claim: _Claim, counted: Sequence[PathNode]) -> None:
        with self._changed:
            claim.give_back(counted)
            self._changed.notify_all()

    def _is_changing(self, directory: DirectoryNode) -> bool:
        """Whether anybody is changing an entry of a directory, or waits to."""
        waiting = (claim for claim in self._waiting if not claim.only_looks)
        return not all(directory.busy.values()) or any(
            one is directory for claim in waiting for one, _ in claim.entries
        )

    def _may_go(self, claim: _Claim) -> bool:
        if not claim.is_free():
            return False
        for earlier in self._waiting:
            if earlier is claim:
                break
            if earlier.excludes(claim):
                return False
        return True


@dataclass(frozen=True, eq=False)
class _Claim:
    """What one operation claims. The nodes themselves keep account of what is held."""

    used: Sequence[PathNode]
    entries: Sequence[Place]
    moved: Sequence[PathNode]
    only_looks: bool = False

    def is_free(self) -> bool:
        """Whether nobody holds what excludes this claim."""
        return (
            not any(node.moving for one in self.used for node in one.above())
            and not any(node.moving or node.uses for node in self.moved)
            and not any(self._is_busy(directory, name) for directory, name in self.entries)
        )

    def excludes(self, other: _Claim) -> bool:
        """Whether the two cannot be held at once."""
        return _disturbs(self, other) or _disturbs(other, self) or self._meets(other)

    def take(self) -> list[PathNode]:
        """Hold the claim; returns the nodes that are in use now, for ``give_back``."""
        counted = [node for one in self.used for node in one.above()]
        for node in counted:
            node.uses += 1
        for directory, name in self.entries:
            directory.busy[name] = self.only_looks
        for node in self.moved:
            node.moving = True
        return counted

    def give_back(self, counted: Sequence[PathNode]) -> None:
        """Hold it no more."""
        for node in counted:
            node.uses -= 1
        for directory, name in self.entries:
            directory.busy.pop(name, None)
        for node in self.moved:
            node.moving = False

    def _is_busy(self, directory: DirectoryNode, name: str) -> bool:
        if name == ALL:
            return ALL in directory.busy or not all(self.only_looks and looks for looks in directory.busy.values())
        return name in directory.busy or (ALL in directory.busy and not (self.only_looks and directory.busy[ALL]))

    def _meets(self, other: _Claim) -> bool:
        both_look = self.only_looks and other.only_looks
        return any(
            directory is other_directory and (name == other_name or (ALL in {name, other_name} and not both_look))
            for directory, name in self.entries
            for other_directory, other_name in other.entries
        )


def _disturbs(mover: _Claim, other: _Claim) -> bool:
    """Whether one moves something whose path the other needs."""
    return any(one.is_inside(node) for node in mover.moved for one in (*other.used, *other.moved))
