"""One lock for each name that somebody holds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chuk_adapters.mcp.failures import ToolError


class Locks:
    """Locks by name; a name that nobody holds or waits for takes no memory."""

    def __init__(self) -> None:
        self._table = threading.RLock()
        self._locks: dict[str, tuple[threading.RLock, int]] = {}

    @contextmanager
    def held(self, name: str, seconds: float) -> Iterator[None]:
        """Hold the lock of a name.

        Args:
            name: any text.
            seconds: to wait for others at most.

        Raises:
            ToolError: where they hold it longer.
        """
        with self._table:
            lock, users = self._locks.get(name, (threading.RLock(), 0))
            self._locks[name] = lock, users + 1
        try:
            if not lock.acquire(timeout=seconds):
                raise ToolError(f"EBUSY: resource busy or locked, '{name}'")
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._table:
                lock, users = self._locks[name]
                if users == 1:
                    del self._locks[name]
                else:
                    self._locks[name] = lock, users - 1
