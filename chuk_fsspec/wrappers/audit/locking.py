"""One writer at a time among processes: a lock on a file, which ends with the process that holds it."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any

_TRY_AGAIN = 0.01


def _nothing(fd: int) -> None:
    """Where there is one process only (Emscripten), nobody has to be locked out."""


def _unix(fcntl: Any) -> tuple[Callable[[int], None], ...]:
    def lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX)

    def lock_shared(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_SH)

    def unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)

    return lock, lock_shared, unlock


def _windows(msvcrt: Any) -> tuple[Callable[[int], None], ...]:
    # The locked byte lies where nothing is written: a locked one cannot be read by others.
    place = 1 << 40

    def lock(fd: int) -> None:
        while True:
            os.lseek(fd, place, os.SEEK_SET)
            try:
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(_TRY_AGAIN)
            else:
                return

    def unlock(fd: int) -> None:
        os.lseek(fd, place, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

    return lock, lock, unlock


def _system() -> tuple[Callable[[int], None], ...]:
    if sys.platform == "win32":
        return _windows(importlib.import_module("msvcrt"))
    try:
        return _unix(importlib.import_module("fcntl"))
    except ImportError:
        return _nothing, _nothing, _nothing


lock, lock_shared, unlock = _system()
