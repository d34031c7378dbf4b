"""A log as a SQLite database: the same lines, one row each, and a view ``record`` to ask them by SQL."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import fields

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.wrappers.audit.lines import read_line
from chuk_fsspec.wrappers.audit.record import NOTHING, Entry, Head
from chuk_fsspec.wrappers.audit.sink import Tail

_NO_LOG = "log: this file is there already and is no audit log; choose another name"
_OWNER_ONLY = 0o600
_PATIENCE = 60.0
"""Seconds to wait for somebody who reads the database in a way that keeps others out."""

_MEMBERS = ("sequence", *(field.name for field in fields(Entry)), "previous", "hash")
_COLUMNS = ", ".join(f"json_extract(text, '$.{name}') AS {name}" for name in _MEMBERS)
_SCHEMA = (
    "CREATE TABLE line (sequence INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    f"CREATE VIEW record AS SELECT {_COLUMNS} FROM line",  # noqa: S608 - the names of our own fields
)


class SqliteLines:
    """The database, for its writer.

    Args:
        path: of the database.
        durable: whether a record must be on disk before ``append`` returns.
    """

    def __init__(self, path: str, *, durable: bool) -> None:
        self._path = path
        self._durable = durable
        self._connection: sqlite3.Connection | None = None
        self._version = -1
        self._inode = -1
        self._tail = Tail()
        self._open()

    def tail(self) -> Tail:
        """How the log ends; asked of the database if another connection has changed it."""
        if self._connection is None or self._was_replaced():
            self.close()
            self._open()
        try:
            (version,) = self._database.execute("PRAGMA data_version").fetchone()
            if version != self._version:
                self._tail = self._read_tail()
                self._version = version
        except sqlite3.Error as error:
            raise _translated(error) from error
        return self._tail

    def append(self, lines: Sequence[tuple[bytes, Head]]) -> int:
        """Add lines, all of them or none, in one transaction."""
        database = self._database
        rows = [(head.sequence, line.decode("ascii")) for line, head in lines]
        try:
            with database:
                database.execute("BEGIN IMMEDIATE")
                database.executemany("INSERT INTO line VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            self._version = -1
            raise _translated(error) from error
        self._tail = Tail(lines[-1][1], is_new=False)
        return len(lines)

    def first_line(self) -> bytes:
        """The line of the lowest number."""
        row = self._database.execute("SELECT text FROM line ORDER BY sequence LIMIT 1").fetchone()
        return str(row[0]).encode() if row else b""

    def descriptor(self) -> int | None:
        """None: SQLite has seen to it, as far as it was asked to."""
        return None

    def before_fork(self) -> None:
        """Close the connection: a child with a copy of it would believe that it holds the locks of its parent."""
        self.close()

    def reopen(self) -> None:
        """Open the database of this path, whatever was open before."""
        self.close()
        self._open()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _was_replaced(self) -> bool:
        try:
            return os.stat(self._path).st_ino != self._inode
        except FileNotFoundError:
            return True

    @property
    def _database(self) -> sqlite3.Connection:
        if self._connection is None:
            raise os_error(errno.EBADF, hint="the audit log is closed")
        return self._connection

    def _open(self) -> None:
        # SQLite would make it readable for others.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY))
        database = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            if tables and "line" not in tables:
                raise ValueError(_NO_LOG)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'NORMAL'}")
            if not tables:
                with database:
                    database.execute("BEGIN IMMEDIATE")
                    for statement in _SCHEMA:
                        database.execute(statement)
        except sqlite3.DatabaseError as error:
            database.close()
            if "not a database" in str(error):
                raise ValueError(_NO_LOG) from error
            raise _translated(error) from error
        except ValueError:
            database.close()
            raise
        self._connection = database
        self._inode = os.stat(self._path).st_ino
        self._version = -1

    def _read_tail(self) -> Tail:
        row = self._database.execute("SELECT text FROM line ORDER BY sequence DESC LIMIT 1").fetchone()
        if row is None:
            return Tail(NOTHING)
        try:
            return Tail(read_line(str(row[0]).encode()).head, is_new=False)
        except ValueError:
            hint = "the audit log does not end in a record; verify shows where it went wrong"
            raise os_error(errno.EBADMSG, hint=hint) from None


def _translated(error: sqlite3.Error) -> OSError:
    text = str(error)
    if "full" in text:
        return os_error(errno.ENOSPC)
    if "locked" in text:
        return os_error(errno.EBUSY, hint="somebody keeps the database of the audit log locked")
    if "readonly" in text:
        return os_error(errno.EROFS)
    return os_error(errno.EIO, hint=f"SQLite says: {text}")
