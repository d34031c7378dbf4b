"""Numbers for files and contents."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.snapshots.schema import NEWEST

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.session import Session

_AT_ONCE = 256


class Numbers:
    """Gives numbers, none of them twice. They are taken from the database many at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._next = self._limit = self._used = 0
        self._aside = 0, 0

    def take(self) -> int:
        """A number that was never used in this database, within a change."""
        if self._next == self._limit:
            self._take_up()
        if self._next == self._limit:
            run = self._session.run
            (free,) = run("SELECT value FROM setting WHERE name = 'next_number'").fetchone()
            self._next = max(free, self._used)
            self._limit = self._next + _AT_ONCE
            run("UPDATE setting SET value = ? WHERE name = 'next_number'", (self._limit,))
        number = self._next
        self._next = self._used = number + 1
        return number

    def take_anew(self) -> int:
        """A number that is higher than all that were taken, by any process, and lower than all to come."""
        self._next = self._limit = 0
        self._aside = 0, 0
        number = self.take()
        self._next = self._limit = 0
        self._session.run("UPDATE setting SET value = ? WHERE name = 'next_number'", (number + 1,))
        return number

    def set_aside(self) -> None:
        """Another process may have taken a snapshot, which makes the numbers that this one has yet too low."""
        if self._next != self._limit:
            self._aside = self._next, self._limit
            self._next = self._limit = 0

    def _take_up(self) -> None:
        """Go on with what was set aside, unless it is too low."""
        aside, self._aside = self._aside, (0, 0)
        if aside[1]:
            newest = self._session.run("SELECT value FROM setting WHERE name = ?", (NEWEST,)).fetchone()
            if newest is None or newest[0] < aside[0]:
                self._next, self._limit = aside

    def undone(self) -> None:
        """What an undone change has numbered may still be open somewhere: no other file gets that number."""
        self._next = self._limit = 0
        self._aside = 0, 0
        if self._used and self._session.is_idle:
            query = "UPDATE setting SET value = max(value, ?) WHERE name = 'next_number' AND value < ?"
            with suppress(sqlite3.Error):  # there may be no space for it; then only this process keeps to it
                self._session.run(query, (self._used, self._used))
