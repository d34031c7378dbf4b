"""One AgentFS database file, open for reading only: its bytes, and those of the files beside it, stay as they are.

There are three ways to read, by what lies beside the file:

- still: no log, so the file is all there is. SQLite takes no locks (``immutable``), and we look whether the file
  changed while something was read; then it is read again.
- shared: other SQLite programs are at work. SQLite's own protocol keeps readers and writers apart, and
  ``PRAGMA data_version`` tells of commits.
- copied: a log without an index, or behind a lock: AgentFS itself has the file. See ``copies``.
"""

from __future__ import annotations

import enum
import errno
import os
import sqlite3
import time
import weakref
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from chuk_fsspec.backends.agentfs.copies import Copies
from chuk_fsspec.backends.agentfs.looks import Look, look_at, stamp_of
from chuk_fsspec.contract.errors import os_error

Result = TypeVar("Result")

TRIES = 50
"""How often something is read again that was overwritten meanwhile."""
_PAUSE = 0.002
_BUSY_SECONDS = 5.0
_SHORT_SECONDS = 0.05
_REFUSED = ("locked", "disk i/o", "unable to open", "readonly")


_abandoned: list[sqlite3.Connection] = []


class Way(enum.Enum):
    """How the file is read."""

    STILL = "still"
    SHARED = "shared"
    COPIED = "copied"


class Database:
    """A connection that follows what others do to the file.

    Attributes:
        generation: another number after each change that may have happened.
        epoch: another number after each time that the path led to another file.
    """

    def __init__(self, path: str) -> None:
        """Open a file.

        Args:
            path: absolute path without symbolic links.

        Raises:
            OSError: ENOENT, EACCES, EBUSY, EBADMSG for a damaged database; EINVAL if it is not SQLite's at all.
        """
        self.path = path
        self.name = os.path.basename(path)
        self.generation = 0
        self.epoch = 0
        self._copies = Copies(path)
        self._connection: sqlite3.Connection | None = None
        self._data_version = 0
        self._commits = 0
        self._close: weakref.finalize[[], Database] | None = None
        self._look = self._open(self._look_now())

    @property
    def way(self) -> Way:
        """How the file is read at present."""
        return self._way

    @property
    def state(self) -> tuple[object, ...]:
        """What the file looks like, and how many commits of SQLite programs were noticed."""
        return self._look.main, self._look.wal, self._commits

    @property
    def identity(self) -> tuple[int, int]:
        """Device and number of the file."""
        return self._look.main[:2]

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._look.main[2]

    def check(self) -> None:
        """Notice what others did to the file. Until ``release``, the state that is found now is seen, where possible.

        Errors as for opening.
        """
        try:
            look = self._look_now()
        except FileNotFoundError:
            if self._connection is None:
                raise
            return  # removed: what is open stays readable, as with any file
        replaced = look.main[:2] != self._look.main[:2]
        if self._connection is not None and not replaced:
            shared = self._way is Way.SHARED
            if (shared and self._note_commits()) or (look == self._look and (shared or not look.is_young)):
                self._look = look
                return
        self.generation += 1
        self.epoch += replaced
        if replaced:
            self._copies.drop()
        self._look = self._open(look)

    def release(self) -> None:
        """Let go of the state that was seen."""
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a query on one state of the database; it may be run more than once.

        Raises:
            OSError: EBADMSG for a damaged database, EBUSY if it changes too fast or is locked, EIO.
        """
        for attempt in range(TRIES):
            if attempt:
                time.sleep(_PAUSE * attempt)
                self.check()
            connection = self._connection
            assert connection is not None
            try:
                result = self._in_one_state(connection, query)
            except sqlite3.Error as error:
                if self._way is Way.SHARED and not attempt:
                    self._reopen()  # AgentFS may have taken the file for itself meanwhile
                elif self._is_unchanged():
                    raise self._os_error(error) from None
                continue
            if self._is_unchanged():
                return result
        raise os_error(errno.EBUSY, self.name, hint="the database is rewritten without a pause; try again later")

    def abandon(self) -> None:
        """After a fork: the connection is the parent's, which the child must not even close."""
        if self._connection is not None:
            if self._close is not None:
                self._close.detach()
            _abandoned.append(self._connection)
            self._connection = None
        self._copies = Copies(self.path)

    def _in_one_state(self, connection: sqlite3.Connection, query: Callable[[sqlite3.Connection], Result]) -> Result:
        if self._way is not Way.SHARED or connection.in_transaction:
            return query(connection)
        connection.execute("BEGIN")
        try:
            return query(connection)
        finally:
            connection.execute("ROLLBACK")

    def _is_unchanged(self) -> bool:
        """Whether what was just read cannot have been overwritten meanwhile."""
        if self._way is not Way.STILL:
            return True
        try:
            return stamp_of(self.path) == self._look.main
        except FileNotFoundError:
            return True

    def _note_commits(self) -> bool:
        """Look for commits of other SQLite programs, and say whether there were any."""
        connection = self._connection
        assert connection is not None
        try:
            if not connection.in_transaction:
                connection.execute("BEGIN")
            version = _data_version(connection)
        except sqlite3.Error as error:
            raise self._os_error(error) from None
        if version == self._data_version:
            return False
        self._data_version = version
        self._commits += 1
        self.generation += 1
        return True

    def _reopen(self) -> None:
        self.generation += 1
        self._look = self._open(self._look_now())

    def _open(self, look: Look) -> Look:
        if self._close is not None:
            self._close()
        self._connection = None
        try:
            self._connection = self._connect(look)
        except sqlite3.Error as error:
            raise self._os_error(error) from None
        self._close = weakref.finalize(self, self._connection.close)
        return look

    def _look_now(self) -> Look:
        try:
            return look_at(self.path)
        except OSError as error:
            raise os_error(error.errno or errno.EIO, self.name, hint="the AgentFS database cannot be found") from None

    def _connect(self, look: Look) -> sqlite3.Connection:
        if not look.main[2]:
            # SQLite would take the log of an empty database for a leftover, and remove it.
            raise os_error(errno.EINVAL, self.name, hint="the file is empty")
        if look.wal is None and not look.has_journal:
            self._way = Way.STILL
            return _connect(self.path, "mode=ro&immutable=1", _SHORT_SECONDS)
        if look.has_shm or look.has_journal:
            self._way = Way.SHARED
            seconds = _BUSY_SECONDS if look.wal is None else _SHORT_SECONDS
            try:
                connection = _connect(self.path, "mode=ro", seconds)
                self._data_version = _data_version(connection)
            except sqlite3.OperationalError as error:
                if look.wal is None or not any(word in str(error).lower() for word in _REFUSED):
                    raise
            else:
                return connection
        self._way = Way.COPIED
        return _connect(self._copies.renew(), "mode=ro", _SHORT_SECONDS)

    def _os_error(self, error: sqlite3.Error) -> OSError:
        """What an error of SQLite amounts to; it names the file, never its directory."""
        text = str(error).lower()
        if "not a database" in text or "unsupported file format" in text:
            return os_error(errno.EINVAL, self.name, hint="the file is not a SQLite database")
        if "locked" in text or "busy" in text:
            return os_error(errno.EBUSY, self.name, hint="another program is changing the database; try again later")
        if "readonly" in text:
            hint = "a change of the database was broken off; open it once with the program that writes it"
            return os_error(errno.EIO, self.name, hint=hint)
        if isinstance(error, sqlite3.OperationalError) and "malformed" not in text and "too big" not in text:
            return os_error(errno.EIO, self.name, hint=f"SQLite cannot read the database: {error}")
        hint = f"the database is damaged ({error}); `sqlite3 {self.name} 'PRAGMA integrity_check'` says more"
        return os_error(errno.EBADMSG, self.name, hint=hint)


def _connect(path: str, options: str, seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?{options}",
        uri=True,
        timeout=seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = _text
    try:
        # The schema is the file's, and the file may be anybody's.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _data_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
