"""This process's one connection to a database: whose turn it is, and what is still known of the file."""

from __future__ import annotations

import errno
import sqlite3
import threading
import weakref
from collections.abc import Callable, Collection
from contextlib import suppress
from threading import get_ident
from typing import Any

from chuk_fsspec.backends.sqlite.database import IN_MEMORY, FrozenConnection, connect
from chuk_fsspec.backends.sqlite.options import Options
from chuk_fsspec.backends.sqlite.scopes import Batching, Changing, Looking, Reading
from chuk_fsspec.backends.sqlite.turns import Turns
from chuk_fsspec.contract.errors import os_error

_LAST_PATIENCE = 1.0
"""Seconds that the end of the process waits for a thread that is still in a scope."""


class Session:
    """A connection that all threads share, one at a time.

    Attributes:
        generation: grows whenever something that was read may no longer be so, because another process has changed the
            file, or because a change of our own was undone.
        run: executes a statement within a scope, always on the same cursor, which saves a tenth of the time; so what a
            query finds is to be fetched at once.
        lock: the scope in which something is looked up.
        reading: the scope in which several things are read as they were at one moment, whatever other processes do.
        change: the scope in which something is changed: a transaction, or a savepoint within one.
        batch: a transaction for many operations, in which ``change`` makes no savepoints.
        has_noted: set by a store that has changed something in memory only.
        held: how many scopes the thread whose turn it is has entered; 1 for one that has just come in from outside.
        announcements: what watchers are to be told once the batch that goes on is kept.
        pending: what a store has changed in memory only.
        flush: writes that; called before a change ends well.
        forget: drops what a store knows; called whenever ``generation`` has grown.
        undone: called after a change was undone, and when this is another process than it was.
    """

    def __init__(self, path: str, options: Options) -> None:
        self.path = path
        self.options = options
        self.generation = 0
        self.lock = Looking(self)
        self.reading = Reading(self)
        self.change = Changing(self)
        self.batch = Batching(self)
        self.has_noted = False
        self.announcements: list[Callable[[], None]] = []
        self.pending: Collection[int] = ()
        self.flush: Callable[[], None] = _nothing
        self.forget: Callable[[], None] = _nothing
        self.undone: Callable[[], None] = _nothing
        self._mutex = threading.RLock()
        self._owner = 0
        self.held = 0
        self._depth = 0
        self._changes = 0
        self._batching = False
        self._broken = False
        self._before = 0, 0
        self._data_version = -1
        self._turns = Turns(options.busy_timeout)
        self._connection: sqlite3.Connection | None = None
        self.run: Callable[..., sqlite3.Cursor]
        self.connection  # noqa: B018 - opens it

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection; to be used within ``lock`` or ``change``."""
        if self._connection is None:
            self._connection = connect(self.path, self.options)
            # Not `__del__`, for the garbage collector might finalise the connection first.
            self._close = weakref.finalize(self, self._connection.close)
            self._close.atexit = False  # `close_at_exit` looks first whether a thread is at it
            self.run = self._patient(self._connection.cursor().execute)
            self._data_version = -1
            if self.path != IN_MEMORY and not self.options.read_only:
                self._turns.follow(self.path)
        return self._connection

    def _patient(self, execute: Callable[..., sqlite3.Cursor]) -> Callable[..., sqlite3.Cursor]:
        """The same, for as long as others keep it from the file: with a log beside it, only beginning has to wait."""
        if self.options.journal_mode == "wal":
            return execute

        def run(*statement: Any) -> sqlite3.Cursor:
            try:
                return execute(*statement)
            except sqlite3.OperationalError as error:
                in_line = not self.connection.in_transaction
                return self._turns.go_on_after(error, lambda: execute(*statement), in_line=in_line)

        return run

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
        self.held += 1
        self._owner = get_ident()

    def release(self) -> None:
        """Let the next thread in."""
        self.held -= 1
        if not self.held:
            self._owner = 0
        self._mutex.release()

    def look(self) -> None:
        """Ask the database whether another connection has changed it."""
        self._open()
        try:
            self._look()
        except sqlite3.OperationalError as error:
            self._turns.go_on_after(error, self._look, in_line=False)

    def _look(self) -> None:
        (version,) = self.run("PRAGMA data_version").fetchone()
        if version != self._data_version:
            self._data_version = version
            self.outdated()

    def _open(self) -> sqlite3.Connection:
        """The connection, opened again if a fork has closed it, or if what it reads has been replaced."""
        connection = self._connection
        if type(connection) is FrozenConnection and connection.is_outdated and not connection.in_transaction:
            self.close()
            connection = None
        return connection or self.connection

    @property
    def is_idle(self) -> bool:
        """Whether the connection is open, and in no transaction."""
        return self._connection is not None and not self._connection.in_transaction

    def begin_reading(self) -> None:
        """Keep to what the file says now."""
        self._open()
        self.run("BEGIN")
        try:
            self.look()  # from here on it says the same
        except BaseException:
            self.end_reading()
            raise

    def end_reading(self) -> None:
        """Let others' changes be seen again."""
        if self.connection.in_transaction:  # some errors end it by themselves
            self.run("COMMIT")

    def begin(self) -> None:
        """Begin a transaction, or a savepoint within the one that this thread has begun. EROFS, EBUSY."""
        if self._batching:
            self._begin_in_batch()
        elif self._depth:
            self.flush()
            self.run(f"SAVEPOINT change_{self._depth}")
        elif self.options.read_only:
            raise os_error(errno.EROFS, hint="the database was opened with read_only=True")
        else:
            connection = self._open()
            self._turns.take(self._begin_writing)
            try:
                self._look()
            except BaseException:
                self.run("ROLLBACK")
                raise
            self._changes = connection.total_changes
        self._depth += 1

    def _begin_writing(self) -> None:
        """Keep all other processes from changing the file."""
        self.run("BEGIN IMMEDIATE")

    def end(self, *, keep: bool, damage: bool = False) -> None:
        """End what the last ``begin`` began; if it cannot be kept, it is undone and the error raised.

        Args:
            keep: whether it went well.
            damage: whether it failed by an error of SQLite, after which nobody knows what was done.
        """
        if self._batching:
            self._end_in_batch(keep, damage)
            return
        try:
            if keep:
                self.flush()
                depth = self._depth - 1
                self.run(f"RELEASE change_{depth}" if depth else "COMMIT")
                self._depth = depth
        except BaseException:
            self._undo()
            raise
        if not keep:
            self._undo()

    def _undo(self) -> None:
        self._depth -= 1
        if not self._depth and not self.pending and self.connection.total_changes == self._changes:
            self._roll_back()  # an error before anything was done
            return
        try:
            if self._depth:
                self.run(f"ROLLBACK TO change_{self._depth}")
                self.run(f"RELEASE change_{self._depth}")
            else:
                self._roll_back()
        finally:
            self.outdated()
            self.undone()

    def _roll_back(self) -> None:
        if self.connection.in_transaction:  # some errors end it by themselves
            self.run("ROLLBACK")

    # ---- batches

    @property
    def is_ours(self) -> bool:
        """Whether the calling thread is in a scope."""
        return self._owner == get_ident()

    @property
    def is_nested(self) -> bool:
        """Whether the change that goes on is a part of a transaction or a batch that was begun before."""
        return self._depth > 1

    @property
    def is_batching(self) -> bool:
        """Whether the calling thread is in a batch."""
        return self._batching and self._owner == get_ident()

    @property
    def is_broken(self) -> bool:
        """Whether something of the batch failed half-way, so that all of it has to be undone."""
        return self._broken

    def begin_batch(self) -> None:
        """Begin a transaction in which scopes take no savepoints. EROFS, EBUSY."""
        self.begin()
        self._batching = True

    def end_batch(self, *, keep: bool) -> None:
        """End it as any other; a broken one cannot be kept."""
        self._batching = False
        keep, self._broken = keep and not self._broken, False
        try:
            self.end(keep=keep)
        finally:
            self.announcements = []

    def take_announcements(self) -> list[Callable[[], None]]:
        """What there is to be told since this was last asked."""
        taken, self.announcements = self.announcements, []
        return taken

    def _begin_in_batch(self) -> None:
        if self._broken:
            raise os_error(errno.EIO, hint="the transaction of several operations is being undone")
        if self._depth == 1:
            self.has_noted = False
            self._before = len(self.pending), self.connection.total_changes

    def _end_in_batch(self, keep: bool, damage: bool) -> None:
        self._depth -= 1
        if not keep:
            has_changed = self.has_noted or self._before != (len(self.pending), self.connection.total_changes)
            self._broken = self._broken or damage or has_changed

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        if self._connection is not None:
            self._close.detach()
            self._connection.close()
            self._connection = None

    def close_at_exit(self) -> None:
        """Close the connection as the last act of the process, unless a thread is still at it."""
        if self._mutex.acquire(timeout=_LAST_PATIENCE):
            try:
                if not self._depth and self.path != IN_MEMORY:
                    self.close()
            finally:
                self._mutex.release()

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
        """Go on, with a connection: without one, another process might believe that it is alone with the file."""
        try:
            with suppress(OSError, ValueError):  # the next use tries again, and says why it fails
                self.connection  # noqa: B018 - opens it
        finally:
            self._mutex.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: what threads held that are not here is held no more."""
        self._mutex = threading.RLock()
        self._owner = self.held = self._depth = 0
        self._batching = self._broken = False
        self.outdated()
        self.undone()

    def refuse_in_child(self, error: OSError) -> None:
        """Raise ``error`` from now on. The connection is never closed: that would undo what the parent goes on with."""
        import ctypes

        self._close.detach()
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))
        self._connection = None

        def refuse() -> None:
            raise error

        self.acquire = refuse  # type: ignore[method-assign]


def _nothing() -> Any:
    return None
