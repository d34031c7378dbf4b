"""Who is at work on a repository: many may add to it at once, and one alone removes from it."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.forwarding.publishing.leftovers import is_left_behind, temporary_name
from chuk_fsspec.wrappers.snapshots.repository.storage import Storage

_ADDING, _REMOVING = "locks/adding", "locks/removing"
_PREFIX = "held"
"""Stands before a name that says which process holds the lock."""
_REFRESH = 600.0
"""Seconds after which a lock is written anew, so that others see that its holder is still there."""
_PAUSE = 0.2


class Lock:
    """A held lock."""

    def __init__(self, storage: Storage, name: str) -> None:
        self._storage, self.name = storage, name
        self._written = 0.0
        self.refresh()

    def refresh(self) -> None:
        """Show that somebody is still there; to be called now and then."""
        if not self._written or time.monotonic() - self._written > _REFRESH:
            self._storage.write(self.name, b"")
            self._written = time.monotonic()


@contextmanager
def adding(storage: Storage, patience: float = 30.0) -> Iterator[Lock]:
    """Keep others from removing anything.

    Args:
        storage: of the repository.
        patience: seconds to wait for one that is removing.

    Raises:
        OSError: EBUSY after that.
    """
    with _held(storage, _ADDING, (_REMOVING,), patience) as lock:
        yield lock


@contextmanager
def removing(storage: Storage, patience: float = 0.0) -> Iterator[Lock]:
    """Be the only one at work. EBUSY after ``patience`` seconds."""
    with _held(storage, _REMOVING, (_ADDING, _REMOVING), patience) as lock:
        yield lock


@contextmanager
def _held(storage: Storage, own: str, against: tuple[str, ...], patience: float) -> Iterator[Lock]:
    until = time.monotonic() + patience
    while True:
        # Written first and looked for others afterwards: of two at the same moment, at least one sees the other.
        lock = Lock(storage, f"{own}/{_PREFIX}{temporary_name()}")
        try:
            if not any(_others(storage, directory, lock.name) for directory in against):
                yield lock
                return
        finally:
            storage.remove(lock.name)
        if time.monotonic() >= until:
            raise os_error(errno.EBUSY, hint="another process is at work on this store of snapshots; try again later")
        time.sleep(_PAUSE)


def _others(storage: Storage, directory: str, own: str) -> bool:
    """Whether somebody else holds a lock; those of processes that have ended are removed."""
    found = False
    for name, info in storage.names(directory).items():
        if f"{directory}/{name}" == own:
            continue
        if is_left_behind(name.removeprefix(_PREFIX), partial(_idle, info)):
            storage.remove(f"{directory}/{name}")
        else:
            found = True
    return found


def _idle(info: dict[str, Any]) -> float:
    moment = info.get("mtime", info.get("LastModified", info.get("created")))
    if isinstance(moment, datetime):
        moment = moment.timestamp()
    return time.time() - moment if isinstance(moment, (int, float)) else 0.0
