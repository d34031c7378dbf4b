"""Whose turn it is to change a database that several processes change.

SQLite lets whoever asks first have it, and who asks again right after a transaction is always first: others may wait
for as long as that goes on. Here, who has waited for a while shows it, by a lock on a byte of the file that means
nothing to SQLite; who has had a turn looks whether somebody waits, and if so, waits in line too.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from chuk_fsspec.backends.sqlite.descriptors import descriptors_of
from chuk_fsspec.backends.sqlite.errors import is_busy

if sys.platform == "linux":
    import fcntl

IMPATIENCE = 0.25
"""Seconds that SQLite itself waits for others, by which most waiting is over."""

TURN = 0.03
"""Seconds that a process may go on with transactions while others wait in line."""

Result = TypeVar("Result")

_PAUSE = 0.001
_PLACE = 1 << 62
"""The byte: past the end of every database."""


class Turns:
    """This process's turns with one database.

    Args:
        patience: seconds that one waits for a turn.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._until = 0.0
        self._line: _Line | None = None

    def follow(self, path: str) -> None:
        """The file at a path of the host was opened by SQLite, for the first time or once more."""
        self._line = _line(path)

    def go_on_after(self, error: sqlite3.OperationalError, step: Callable[[], Result], *, in_line: bool) -> Result:
        """Try something again that raised SQLITE_BUSY, for as long as patience lasts; another error is raised again.

        Args:
            error: what it raised.
            step: what is tried.
            in_line: whether to wait in line for it. Whoever has begun must not, for the next one waits for its end.

        Returns:
            What the step returns.
        """
        if not is_busy(error):
            raise error
        deadline = time.monotonic() + self._patience
        if self._line is None or not in_line:
            return _until_it_begins(step, deadline)
        return self._wait_in_line(self._line, step, deadline)

    def take(self, begin: Callable[[], object]) -> None:
        """Begin a transaction.

        Args:
            begin: begins one, or raises SQLITE_BUSY after ``IMPATIENCE``.

        Raises:
            sqlite3.OperationalError: as ``begin``; SQLITE_BUSY once patience is at its end.
        """
        line = self._line
        now = time.monotonic()
        if line is None:
            _until_it_begins(begin, now + self._patience)
            return
        if now < self._until or not line.is_taken():
            try:
                begin()
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
            else:
                if now >= self._until:
                    self._until = now + TURN
                return
        self._wait_in_line(line, begin, now + self._patience)

    def _wait_in_line(self, line: _Line, begin: Callable[[], Result], deadline: float) -> Result:
        """Be the next one, then begin."""
        while not line.take():
            if time.monotonic() >= deadline:  # whoever is first waits for somebody with a very long transaction
                return begin()
            time.sleep(_PAUSE)
        try:
            begun = _until_it_begins(begin, deadline)
        finally:
            line.leave()
        self._until = time.monotonic() + TURN
        return begun


def _until_it_begins(begin: Callable[[], Result], deadline: float) -> Result:
    while True:
        try:
            return begin()
        except sqlite3.OperationalError as error:  # noqa: PERF203 - each try may fail
            if not is_busy(error) or time.monotonic() >= deadline:
                raise


class _Line:
    """The byte that whoever is next has a lock on.

    The lock belongs to the open file (F_OFD_SETLK of fcntl(2)), not to the process as those of SQLite, so that neither
    gets in the way of the other, and ends with it.

    Args:
        fd: SQLite's own descriptor of the file: to close another one would drop SQLite's locks.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def is_taken(self) -> bool:
        """Whether another process is next."""
        try:
            answer = fcntl.fcntl(self._fd, fcntl.F_OFD_GETLK, _flock(fcntl.F_WRLCK))
        except OSError:  # a file system without such locks: nobody stands in line
            return False
        (kind,) = struct.unpack_from("h", answer)
        return bool(kind != fcntl.F_UNLCK)

    def take(self) -> bool:
        """Be next; False if another process is."""
        try:
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _flock(fcntl.F_WRLCK))
        except OSError as error:
            return error.errno not in (errno.EAGAIN, errno.EACCES)
        return True

    def leave(self) -> None:
        """Let somebody else be next."""
        with suppress(OSError):
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _flock(fcntl.F_UNLCK))


def _flock(kind: int) -> bytes:
    """``struct flock``."""
    return struct.pack("hhqqi0q", kind, os.SEEK_SET, _PLACE, 1, 0)


def _line(path: str) -> _Line | None:
    """Where processes wait in line; None where they cannot, and SQLite alone decides."""
    if sys.platform != "linux" or struct.calcsize("l") != struct.calcsize("q"):
        return None
    for fd in descriptors_of(os.stat(path)):
        if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR:
            return _Line(fd)
    return None
