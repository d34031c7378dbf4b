"""What one client has begun and not ended: a stage, a mount."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from chuk_adapters.mcp.watching import Watcher
from chuk_adapters.mcp.workspace import Workspace

STAGE = "stage"
"""The name of a filesystem that takes the place of the base's for as long as it goes on."""


class Session:
    """The state of one client between its calls. Safe to use from several threads.

    Attributes:
        base: what it may see, without a stage; may be replaced when that changes.
        is_shared: whether several clients share it, for want of anything that tells them apart.
        lock: held by whoever begins or ends something.
        watcher: looks at what the client wants to be told of.
    """

    def __init__(self, base: Workspace, *, is_shared: bool = False) -> None:
        self.base = base
        self.is_shared = is_shared
        self.lock = threading.RLock()
        self.watcher = Watcher()
        self._begun: dict[str, tuple[Any, Callable[[], object]]] = {}
        self._staged: tuple[Workspace, Workspace] | None = None

    @property
    def workspace(self) -> Workspace:
        """What tools work on now."""
        base, stage = self.base, self.find(STAGE)
        if stage is None:
            return base
        if self._staged is None or self._staged[0] is not base or self._staged[1].fs is not stage:
            self._staged = base, replace(base, fs=stage)
        return self._staged[1]

    def begin(self, what: str, value: Any, end: Callable[[], object]) -> None:
        """Remember something that was begun.

        Args:
            what: its name; at most one of each goes on at a time.
            value: what ``find`` gives as long as it goes on.
            end: ends it.
        """
        self._begun[what] = value, end

    def find(self, what: str) -> Any:
        """What goes on under a name; None if nothing does."""
        value, _ = self._begun.get(what, (None, None))
        return value

    def end(self, what: str) -> None:
        """End something if it goes on."""
        _, end = self._begun.pop(what, (None, None))
        if end is not None:
            end()

    def close(self) -> None:
        """End all that goes on, the last thing first."""
        self.watcher.close()
        with self.lock, ExitStack() as closing:
            for what in list(self._begun):
                closing.callback(self.end, what)


class Sessions:
    """The sessions of a server, by what tells its clients apart."""

    def __init__(self) -> None:
        self._found: dict[str, Session] = {}
        self._lock = threading.RLock()

    def of(self, key: str, base: Workspace, *, is_shared: bool = False) -> Session:
        """The session of a client, begun at its first call.

        Args:
            key: what tells it from others; empty where nothing does.
            base: what it may see now.
            is_shared: whether it is not the only one.
        """
        with self._lock:
            session = self._found.setdefault(key, Session(base, is_shared=is_shared))
            session.base = base
            return session

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def end(self, key: str) -> None:
        """End the session of a client that is gone, if it has begun one."""
        with self._lock:
            session = self._found.pop(key, None)
        if session is not None:
            session.close()

    def close(self) -> None:
        """End all of them."""
        with self._lock, ExitStack() as closing:
            for session in self._found.values():
                closing.callback(session.close)
            self._found.clear()
