"""Threads that come when there is work and go when there is none."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

_REST = 10.0
"""Seconds without work after which a thread ends."""


class Workers(Generic[Item]):
    """Each item gets a thread at once: one that rests, or a new one. So no item waits for another that is stalled.

    Whoever hands items in bounds their number.
    """

    def __init__(self, work: Callable[[Item], None]) -> None:
        """Workers that call ``work`` with each item; it raises nothing."""
        self._work = work
        self._items: deque[Item] = deque()
        self._resting = 0
        self._alive = 0
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._all_gone = threading.Condition(lock)
        self._is_over = False

    def hand(self, item: Item) -> None:
        """Have an item worked on, now."""
        with self._changed:
            self._items.append(item)
            if self._resting >= len(self._items):
                self._changed.notify()
                return
            self._alive += 1
        threading.Thread(target=self._run, name="webdav-worker", daemon=True).start()

    def stop(self, seconds: float) -> bool:
        """Let the threads end after what they are at; whether they did within that time."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
            return self._all_gone.wait_for(lambda: not self._alive, seconds)

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._work(item)
        finally:
            with self._changed:
                self._alive -= 1
                self._all_gone.notify_all()

    def _next(self) -> Item | None:
        with self._changed:
            self._resting += 1
            self._changed.wait_for(lambda: self._items or self._is_over, _REST)
            self._resting -= 1
            return self._items.popleft() if self._items else None
