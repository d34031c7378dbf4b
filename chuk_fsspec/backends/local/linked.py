"""Hard links that were made here, and those that came from elsewhere.

A file with several names may have one of them outside the root, and whoever changes it here changes it there. Only a
file that had one name when it got its second one through this process is known to have them all inside.
"""

from __future__ import annotations

import threading

from chuk_fsspec.backends.local.status import Status


class LinkedHere:
    """How many names of which files are known to lie inside the root."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, int, int], int] = {}
        self.renew_lock()

    def renew_lock(self) -> None:
        """Take a new lock, in the child of a fork."""
        self._lock = threading.RLock()

    def __bool__(self) -> bool:
        return bool(self._names)

    def linked(self, before: Status) -> None:
        """A file that looked like this got one more name inside."""
        with self._lock:
            if before.nlink == 1 or self._knows(before):
                self._names[before.identity] = before.nlink + 1

    def unlinked(self, before: Status) -> None:
        """A file that looked like this lost a name inside."""
        with self._lock:
            if self._knows(before):
                self._names[before.identity] = before.nlink - 1
                if before.nlink <= 2:
                    del self._names[before.identity]

    def knows_all_names(self, status: Status) -> bool:
        """Whether all names of a file lie inside, as far as anybody can know."""
        if status.nlink <= 1:
            return True
        with self._lock:
            return self._knows(status)

    def _knows(self, status: Status) -> bool:
        known = self._names.get(status.identity)
        if known is None or status.nlink > known:
            return False
        self._names[status.identity] = status.nlink  # what was removed by others does not come back
        return True
