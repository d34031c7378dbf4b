"""What all views of one filesystem hold in common."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Container
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from chuk_fsspec.contract.nodes import Change

if TYPE_CHECKING:
    from chuk_fsspec.engine.store import Store
    from chuk_fsspec.engine.tree import Tree


class SharedState:
    """A store, its lock, who looks on, and directories by path: with links followed, and by their real paths only."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lock: AbstractContextManager[Any] = store.lock
        self.change: AbstractContextManager[Any] = store.change
        self.path_cache = store.path_cache()
        self.real_paths = store.path_cache()
        self.watchers: list[tuple[Tree, Change]] = []
        self.holders: list[Container[int]] = []
        self.open_counts: dict[int, int] = {}
        self.views: weakref.WeakSet[Tree] = weakref.WeakSet()

    def callbacks_for(self, view: Tree) -> tuple[Change, ...]:
        """Whom to tell of the changes that a view makes: everybody who watches through another one."""
        return tuple(callback for owner, callback in self.watchers if owner is not view)

    def watch(self, view: Tree, callback: Change) -> Callable[[], None]:
        """Add a watcher; returns what removes it."""
        entry = (view, callback)
        self.watchers.append(entry)
        self._tell_views()

        def end() -> None:
            remove_identical(self.watchers, entry)
            self._tell_views()

        return end

    def _tell_views(self) -> None:
        for view in list(self.views):
            view.find_watchers()

    def forget_paths(self) -> None:
        """Drop all resolved directory paths."""
        self.path_cache.forget_all()
        self.real_paths.forget_all()

    def refuse(self, error: OSError) -> None:
        """Make every further operation fail with ``error``: for the copy that a fork leaves in the child."""
        self.lock = self.change = _RefusingLock(error)
        self.forget_paths()
        for view in self.views:
            view.lock = view.change = self.lock


class _RefusingLock:
    def __init__(self, error: OSError) -> None:
        self._error = error

    def __enter__(self) -> None:
        raise self._error

    def __exit__(self, *exc_info: object) -> None: ...


def remove_identical(items: list[Any], item: object) -> None:
    """Take one object out of a list, by identity."""
    items[:] = [kept for kept in items if kept is not item]
