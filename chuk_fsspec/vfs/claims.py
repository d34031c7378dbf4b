"""Which paths are in use: so that none changes under an operation that is sending it to the filesystem.

Operations on a filesystem may take seconds, and the table's lock is never held meanwhile. What is held is a claim:

- on the path of a node, shared with everybody who needs it too. It covers the directories above, since its path is
  made of theirs;
- to move or remove a node, which waits until nobody uses its path or one below it, and keeps new users away;
- on an entry (a directory and a name), so that no two create, remove or look it up at once; ``ALL`` of them to list.

An operation takes all its claims in one step and none while it holds some, and takes a file's own lock only after them:
so nobody waits for one who waits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from chuk_fsspec.vfs.node import DirectoryNode, PathNode

ALL = ""
"""In place of a name: every entry of the directory."""

Entry = tuple[DirectoryNode, str]


class Claims:
    """All claims on one table's nodes, kept on the nodes themselves."""

    def __init__(self, lock: threading.RLock) -> None:
        self._changed = threading.Condition(lock)

    @contextmanager
    def hold(self, *used: PathNode, entries: Sequence[Entry] = (), moved: Sequence[PathNode] = ()) -> Iterator[None]:
        """Wait for claims, and hold them inside the block.

        Args:
            used: nodes whose path must stay as it is.
            entries: entries that nobody else may look at or change.
            moved: nodes whose path is about to change or end.
        """
        with self._changed:
            for node in moved:
                node.wanted += 1
            try:
                self._changed.wait_for(lambda: _are_free(used, entries, moved))
            finally:
                for node in moved:
                    node.wanted -= 1
                self._changed.notify_all()
            counted = [node for one in used for node in one.above()]
            _take(counted, entries, moved)
        try:
            yield
        finally:
            with self._changed:
                _give_back(counted, entries, moved)
                self._changed.notify_all()


def _are_free(used: Sequence[PathNode], entries: Sequence[Entry], moved: Sequence[PathNode]) -> bool:
    # Those who only use a path let one who waits to move it go first, or a busy directory could never be renamed. Two
    # movers do not wait for each other this way: each would wait for ever.
    polite = not moved
    return (
        all(not node.moving and not (polite and node.wanted) for one in used for node in one.above())
        and all(not node.moving and not node.uses for node in moved)
        and all(_is_free(directory, name) for directory, name in entries)
    )


def _is_free(directory: DirectoryNode, name: str) -> bool:
    if name == ALL:
        return not directory.busy
    return name not in directory.busy and ALL not in directory.busy


def _take(counted: Sequence[PathNode], entries: Sequence[Entry], moved: Sequence[PathNode]) -> None:
    for node in counted:
        node.uses += 1
    for directory, name in entries:
        directory.busy.add(name)
    for node in moved:
        node.moving = True


def _give_back(counted: Sequence[PathNode], entries: Sequence[Entry], moved: Sequence[PathNode]) -> None:
    for node in counted:
        node.uses -= 1
    for directory, name in entries:
        directory.busy.discard(name)
    for node in moved:
        node.moving = False
