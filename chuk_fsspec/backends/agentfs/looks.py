"""What the files of a SQLite database look like from outside, by which changes are noticed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

Stamp = tuple[int, int, int, int]
"""Device, inode, size in bytes and time of modification in nanoseconds."""

YOUNG_NS = 20_000_000
"""A file that was written this short a time ago may be written again without a new time: clocks of kernels tick every
1 to 10 ms."""


@dataclass(frozen=True)
class Look:
    """The database file, and the files that SQLite and its kin keep beside it.

    Attributes:
        main: the database.
        wal: its write-ahead log; None if there is none or it is empty.
        has_shm: whether programs share an index of the log.
        has_journal: whether a change with a rollback journal is under way, or broke off.
        is_young: whether a later change may look the same.
    """

    main: Stamp
    wal: Stamp | None
    has_shm: bool
    has_journal: bool
    is_young: bool


def look_at(path: str) -> Look:
    """Look at a database. ENOENT."""
    main = stamp_of(path)
    wal = _stamp_if_filled(f"{path}-wal")
    now = time.time_ns()
    young = any(abs(now - stamp[3]) < YOUNG_NS for stamp in (main, wal) if stamp is not None)
    return Look(main, wal, wal is not None and os.path.exists(f"{path}-shm"), _is_filled(f"{path}-journal"), young)


def stamp_of(path: str) -> Stamp:
    """Look at one file. ENOENT."""
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _stamp_if_filled(path: str) -> Stamp | None:
    try:
        stamp = stamp_of(path)
    except FileNotFoundError:
        return None
    return stamp if stamp[2] else None


def _is_filled(path: str) -> bool:
    return _stamp_if_filled(path) is not None
