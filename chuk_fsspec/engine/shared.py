"""What all views of one filesystem hold in common."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Container
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from chuk_fsspec.contract.nodes import Change
from chuk_fsspec.contract.snapshots import Snapshot

if TYPE_CHECKING:
    from chuk_fsspec.engine.inode import Inode
    from chuk_fsspec.engine.shared_view import SharedView
    from chuk_fsspec.engine.store import Store


class SharedState:
    """A store, its lock, who looks on, and directories by path: with links followed, and by their real paths only.

    Views and watchers come and go in any thread, also where garbage is collected and with no lock held: each step on
    them is one that no other thread can interrupt, and ``watched`` is another object after each change of the watchers.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lock: AbstractContextManager[Any] = store.lock
        self.change: AbstractContextManager[Any] = store.change
        self.path_cache = store.path_cache()
        self.real_paths = store.path_cache()
        self.holders: list[Container[int]] = []
        self.open_counts: dict[int, int] = {}
        self.watchers: dict[object, tuple[SharedView, Change]] = {}
        self.watched = object()
        self._views: set[weakref.ref[SharedView]] = set()
        self._pasts: dict[Snapshot, SharedState] = {}

    def is_held(self, inode: Inode) -> bool:
        """Whether an inode has to live on without a name: it is open, or a door's client knows it."""
        if inode.ino in self.open_counts:
            return True
        for table in self.holders:  # noqa: SIM110 - asked for each file that is removed, and any() takes four times as long
            if inode.ino in table:
                return True
        return False

    def past(self, name: str) -> SharedState:
        """What all views of a snapshot hold in common. ENOENT."""
        with self.lock:
            snapshot = self.store.snapshot(name)
            past = self._pasts.get(snapshot)
            if past is None:
                past = self._pasts[snapshot] = SharedState(self.store.past(snapshot))
            return past

    def forget_past(self, snapshot: Snapshot, error: OSError) -> SharedState | None:
        """Let every view of a deleted snapshot raise ``error``; returns what they hold in common."""
        past = self._pasts.pop(snapshot, None)
        if past is not None:
            past.refuse(error)
        return past

    def callbacks_for(self, view: SharedView) -> tuple[Change, ...]:
        """Whom to tell of the changes that a view makes: everybody who watches through another one."""
        return tuple(callback for owner, callback in self.watchers.copy().values() if owner is not view)

    def add_view(self, view: SharedView) -> None:
        """Let a view know from now on, for as long as it lives, who watches."""
        self._views.add(weakref.ref(view, self._views.discard))
        view.find_watchers()

    def watch(self, view: SharedView, callback: Change) -> Callable[[], None]:
        """Add a watcher; returns what removes it."""
        entry = object()
        self.watchers[entry] = (view, callback)
        self._tell_views()

        def end() -> None:
            self.watchers.pop(entry, None)
            self._tell_views()

        return end

    def _tell_views(self) -> None:
        self.watched = object()
        for view in self._living_views():
            view.find_watchers()

    def _living_views(self) -> list[SharedView]:
        return [view for one in self._views.copy() if (view := one()) is not None]

    def forget_paths(self) -> None:
        """Drop all resolved directory paths."""
        self.path_cache.forget_all()
        self.real_paths.forget_all()

    def refuse(self, error: OSError) -> None:
        """Make every further operation fail with ``error``: for the copy that a fork leaves in the child."""
        self.lock = self.change = _RefusingLock(error)
        self.forget_paths()
        for view in self._living_views():
            view.lock = view.change = self.lock
        for past in self._pasts.values():
            past.refuse(error)


class _RefusingLock:
    def __init__(self, error: OSError) -> None:
        self._error = error

    def __enter__(self) -> None:
        raise self._error

    def __exit__(self, *exc_info: object) -> None: ...


def remove_identical(items: list[Any], item: object) -> None:
    """Take one object out of a list, by identity."""
    items[:] = [kept for kept in items if kept is not item]
