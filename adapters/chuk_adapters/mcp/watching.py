"""Noticing that files change: looked at every second, and at once where the filesystem announces its changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of

INTERVAL = 1.0
"""Seconds between two looks at what nobody announces."""
_PAUSE = 0.05
"""Seconds in which announced changes are gathered."""

Look = Callable[[], object]
"""Says in what state something is: equal as long as nothing changed."""


@dataclass
class _Watched:
    look: Look
    tell: Callable[[], None]
    state: object


class Watcher:
    """Looks at things from a thread of its own as long as there are any. Safe to use from several threads.

    Args:
        interval: seconds between two looks.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._watched: dict[Hashable, _Watched] = {}
        self._lock = threading.RLock()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._watched)

    def add(self, key: Hashable, look: Look, tell: Callable[[], None]) -> None:
        """Watch something, from its state as it is now.

        Args:
            key: takes it away again; another thing of the same key takes its place.
            look: says in what state it is; called from other threads.
            tell: called after each change of that state, from another thread; returns at once.
        """
        watched = _Watched(look, tell, look())
        with self._lock:
            self._watched[key] = watched
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="chuk-fsspec mcp watcher", daemon=True)
                self._thread.start()

    def remove(self, key: Hashable) -> None:
        """Watch something no longer; what is not watched is left alone."""
        with self._lock:
            self._watched.pop(key, None)
        self._woken.set()

    def wake(self) -> None:
        """Look now: something may have changed."""
        self._woken.set()

    def close(self) -> None:
        """Watch nothing any more."""
        with self._lock:
            self._watched.clear()
        self._woken.set()

    def _run(self) -> None:
        while True:
            if self._woken.wait(self._interval):
                self._woken.clear()
                time.sleep(_PAUSE)
            with self._lock:
                watched = list(self._watched.items())
                if not watched:
                    self._thread = None
                    return
            for key, one in watched:
                state = one.look()
                if state != one.state and self._watched.get(key) is one:
                    one.state = state
                    one.tell()


def wake_on_changes(fs: AbstractFileSystem, watcher: Watcher) -> Callable[[], None]:
    """Wake a watcher whenever a filesystem announces a change.

    Args:
        fs: any filesystem; nothing is done for one that announces nothing.
        watcher: is woken from any thread.

    Returns:
        What ends it.
    """
    if not capabilities_of(fs).nodes:
        return lambda: None
    nodes = fs.posix.nodes
    end = nodes.watch(lambda directory, name, node: watcher.wake())

    def close() -> None:
        end()
        nodes.close()

    return close
