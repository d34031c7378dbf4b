"""The scope in which the engine looks at a database that others write."""

from __future__ import annotations

import threading
from collections.abc import Callable


class LookScope:
    """A reentrant lock; whoever enters it first notices what others did to the file, and sees one state of it inside.

    Args:
        refresh: called when the first scope is entered.
        release: called when it ends.
    """

    def __init__(self, refresh: Callable[[], None], release: Callable[[], None]) -> None:
        self._refresh = refresh
        self._release = release
        self.renew()

    def renew(self) -> None:
        """Begin anew: after a fork, the lock may be held by a thread that the child does not have."""
        self._lock = threading.RLock()
        self._depth = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1
        if self._depth == 1:
            try:
                self._refresh()
            except BaseException:
                self.__exit__()
                raise

    def __exit__(self, *exc_info: object) -> None:
        try:
            if self._depth == 1:
                self._release()
        finally:
            self._depth -= 1
            self._lock.release()
