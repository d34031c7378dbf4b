"""A transaction of a tree: one of each mount, which end together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chuk_fsspec.mounted.ends import settle
from chuk_fsspec.mounted.names import Named
from chuk_fsspec.mounted.table import Mount
from chuk_fsspec.mounted.tree import Tree


class TreeTransaction:
    """Begins, commits and rolls back in all mounts. What each can undo is undone, in all of them or in none.

    Files are published everywhere before anything is committed, so that what can fail, fails in time: the commits after
    that only let go of what an undo would have needed.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._begun: list[tuple[Mount, Any, Callable[[], None]]] = []

    def start(self) -> None:
        """Begin in all mounts, or in none."""
        filesystems: set[int] = set()
        try:
            for mount in self._tree.table.mounts.values():
                if id(mount.fs) not in filesystems:  # one that is mounted twice has one transaction
                    filesystems.add(id(mount.fs))
                    self._begin(mount)
        except BaseException:
            self.complete(commit=False)
            raise

    def complete(self, commit: bool = True) -> None:
        """Commit in all mounts, or roll back in all. An error while publishing rolls back and is raised."""
        if commit:
            try:
                for mount, _, _ in self._begun:
                    with Named(mount.names):
                        settle(mount)
            except BaseException:
                self.complete(commit=False)
                raise
        failed: Exception | None = None
        while self._begun:
            mount, transaction, let_go = self._begun.pop(0)
            try:
                with Named(mount.names):
                    transaction.complete(commit=commit and failed is None)
            except Exception as error:  # noqa: BLE001 - raised below, when the others have ended too
                failed = failed or error
            finally:
                let_go()
        if failed is not None:
            raise failed

    def _begin(self, mount: Mount) -> None:
        with Named(mount.names):
            transaction = mount.fs.transaction
            transaction.start()
        self._begun.append((mount, transaction, self._tree.note_user(mount, self)))
