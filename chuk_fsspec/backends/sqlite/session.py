"""This process's one connection to a database: whose turn it is, and what is still known of the file."""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Callable, Collection
from threading import get_ident
from typing import Any

from chuk_fsspec.backends.sqlite.database import IN_MEMORY, FrozenConnection, connect
from chuk_fsspec.backends.sqlite.errors import translated
from chuk_fsspec.backends.sqlite.options import Options
from chuk_fsspec.contract.errors import os_error


class Session:
    """A connection that all threads share, one at a time.

    Attributes:
        generation: grows whenever something that was read may no longer be so, because another process has changed the
            file, or because a change of our own was undone.
        lock: the scope in which something is looked up.
        change: the scope in which something is changed: a transaction, or a savepoint within one.
        pending: what a store has changed in memory only.
        flush: writes that; called before a change ends well.
        forget: drops what a store knows; called whenever ``generation`` has grown.
    """

    def __init__(self, path: str, options: Options) -> None:
        self.path = path
        self.options = options
        self.generation = 0
        self.lock = Looking(self)
        self.change = Changing(self)
        self.pending: Collection[int] = ()
        self.flush: Callable[[], None] = _nothing
        self.forget: Callable[[], None] = _nothing
        self._mutex = threading.RLock()
        self._owner = 0
        self._held = 0
        self._depth = 0
        self._changes = 0
        self._data_version = -1
        self._connection: sqlite3.Connection | None = connect(path, options)
        self.execute: Callable[..., sqlite3.Cursor] = self._connection.execute

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection; to be used within ``lock`` or ``change``."""
        if self._connection is None:
            self._connection = connect(self.path, self.options)
            self.execute = self._connection.execute
            self._data_version = -1
        return self._connection

    def refresh(self) -> None:
        """Notice what other processes have committed. Whoever is in a scope already knows, and keeps to that."""
        # While a thread of ours changes something, nobody else can; it has looked after it had begun.
        if self._depth or self._owner == get_ident():
            return
        with self.lock:
            pass

    def outdated(self) -> None:
        """What was read may no longer be so."""
        self.generation += 1
        self.forget()

    def acquire(self) -> None:
        """Wait for this process's other threads. EBUSY if one keeps a transaction open for too long."""
        mutex = self._mutex
        # The first try takes a fifth of the time of the second, and is the one that nearly always succeeds.
        if not mutex.acquire(blocking=False) and not mutex.acquire(timeout=self.options.busy_timeout or -1):
            raise os_error(errno.EBUSY, hint="another thread keeps a transaction open")
        self._held += 1
        self._owner = get_ident()

    def release(self) -> None:
        """Let the next thread in."""
        self._held -= 1
        if not self._held:
            self._owner = 0
        self._mutex.release()

    @property
    def is_free(self) -> bool:
        """Whether this thread has just come in from outside of every scope."""
        return self._held == 1

    def look(self) -> None:
        """Ask the database whether another connection has changed it."""
        if type(self._connection) is FrozenConnection and self._connection.is_outdated:
            self.close()
        if self._connection is None:
            self.connection  # noqa: B018 - opens it again, after a fork
        (version,) = self.execute("PRAGMA data_version").fetchone()
        if version != self._data_version:
            self._data_version = version
            self.outdated()

    def begin(self) -> None:
        """Begin a transaction, or a savepoint within the one that this thread has begun. EROFS, EBUSY."""
        if self._depth:
            self.flush()
            self.execute(f"SAVEPOINT change_{self._depth}")
        elif self.options.read_only:
            raise os_error(errno.EROFS, hint="the database was opened with read_only=True")
        else:
            if self._connection is None:
                self.connection  # noqa: B018 - opens it again, after a fork
            self.execute("BEGIN IMMEDIATE")
            try:
                self.look()
            except BaseException:
                self.execute("ROLLBACK")
                raise
            self._changes = self.connection.total_changes
        self._depth += 1

    def end(self, *, keep: bool) -> None:
        """End what the last ``begin`` began; if it cannot be kept, it is undone and the error raised."""
        try:
            if keep:
                self.flush()
                depth = self._depth - 1
                self.execute(f"RELEASE change_{depth}" if depth else "COMMIT")
                self._depth = depth
        except BaseException:
            self._undo()
            raise
        if not keep:
            self._undo()

    def _undo(self) -> None:
        self._depth -= 1
        if not self._depth and not self.pending and self.connection.total_changes == self._changes:
            self.execute("ROLLBACK")  # an error before anything was done
            return
        try:
            if self._depth:
                self.execute(f"ROLLBACK TO change_{self._depth}")
                self.execute(f"RELEASE change_{self._depth}")
            elif self.connection.in_transaction:  # some errors end it by themselves
                self.execute("ROLLBACK")
        finally:
            self.outdated()

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ---- fork

    @property
    def survives_fork(self) -> bool:
        """Whether a child can go on with the database: not with one in memory, nor in the middle of a transaction."""
        return self.path != IN_MEMORY and not self._depth

    def before_fork(self) -> None:
        """Wait for the other threads, and close the connection: a child with a copy would believe it had its locks."""
        self._mutex.acquire()
        if self.survives_fork:
            self.close()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._mutex.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: what threads held that are not here is held no more."""
        self._mutex = threading.RLock()
        self._owner = self._held = self._depth = 0
        self.outdated()


class Looking:
    """A scope in which nobody of this process changes anything, entered knowing what other processes have committed."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> None:
        session = self._session
        session.acquire()
        try:
            if session.is_free:
                session.look()
        except sqlite3.Error as error:
            session.release()
            raise translated(error) from error
        except BaseException:
            session.release()
            raise

    def __exit__(self, exc_type: object, error: BaseException | None, traceback: object) -> None:
        self._session.release()
        if isinstance(error, sqlite3.Error):
            raise translated(error) from error


class Changing:
    """A scope that takes effect as a whole or not at all."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> None:
        session = self._session
        session.acquire()
        try:
            session.begin()
        except sqlite3.Error as error:
            session.release()
            raise translated(error) from error
        except BaseException:
            session.release()
            raise

    def __exit__(self, exc_type: object, error: BaseException | None, traceback: object) -> None:
        try:
            self._session.end(keep=error is None)
        except sqlite3.Error as failure:
            raise translated(failure) from failure
        finally:
            self._session.release()
        if isinstance(error, sqlite3.Error):
            raise translated(error) from error


def _nothing() -> Any:
    return None
