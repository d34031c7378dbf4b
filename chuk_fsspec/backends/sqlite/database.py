"""One SQLite file, opened safely: ours or empty, and no other."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import struct
import time
import urllib.parse
from contextlib import suppress

from chuk_fsspec.backends.sqlite import migrations, schema
from chuk_fsspec.backends.sqlite.descriptors import on_descriptor
from chuk_fsspec.backends.sqlite.errors import is_busy, translated
from chuk_fsspec.backends.sqlite.options import CHUNK_SIZE, Options
from chuk_fsspec.backends.sqlite.turns import IMPATIENCE
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.engine.clock import now_ns

IN_MEMORY = ":memory:"

_CACHE_KIB = 32 * 1024
_PAUSE = 0.02
"""Seconds between two tries to be alone with a file."""
_LOG_MAX = 64 << 20
"""Bytes of a write-ahead log that are kept for the next changes, once it is empty."""
_LOG_PAGES = 2000
"""Pages in a write-ahead log from which on they are moved into the file: each once, however often it was written."""
_MAGIC = b"SQLite format 3\0"
_WITH_LOG = b"\2\2"
"""Bytes 18 and 19 of a file with a write-ahead log."""


def connect(path: str, options: Options) -> sqlite3.Connection:
    """Open a chuksqlite file, after making or migrating it if need be.

    Args:
        path: absolute path on the host, or ``:memory:``.
        options: how to open it.

    Returns:
        A connection in autocommit mode, for any thread.

    Raises:
        ValueError: if the file is no chuksqlite file, or of a later version; it is left untouched.
        OSError: ENOENT if it is missing and must not be made, EACCES, EBUSY. No error shows the path's directories.
    """
    version = None if path == IN_MEMORY else _version_of(path, options)
    try:
        if version is not None and version < schema.VERSION and not options.read_only:
            _migrate(path, options)
        connection = _open(path, options)
        try:
            _prepare(connection, options)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        if options.read_only and "unable to open" in str(error) and os.path.exists(path + "-wal"):
            hint = f"{os.path.basename(path)} was not closed; open it once as somebody who may write there"
            raise os_error(errno.EIO, hint=hint) from error
        raise translated(error, path) from error
    return connection


class FrozenConnection(sqlite3.Connection):
    """A connection to a file as it is, for there is no log beside it, and this user can make none there.

    Somebody else may begin one. Whoever holds this asks ``is_outdated`` before each look, and then opens the file anew.
    """

    path: str
    state: tuple[int, ...] | None

    @property
    def is_outdated(self) -> bool:
        """Whether the file has changed, or got a log."""
        return _frozen_state(self.path) != self.state


def _frozen_state(path: str) -> tuple[int, ...] | None:
    """What tells whether a file has changed; None if it, or its directory, takes part in writing."""
    if os.access(os.path.dirname(path), os.W_OK) or os.path.exists(path + "-wal"):
        return None
    return on_descriptor(path, _state_of)


def _state_of(fd: int) -> tuple[int, ...] | None:
    found = os.fstat(fd)
    return (found.st_ino, found.st_size, found.st_mtime_ns) if os.pread(fd, 2, 18) == _WITH_LOG else None


def open_alone(path: str) -> sqlite3.Connection:
    """Open a chuksqlite file in a transaction that keeps everybody else out, the readers too.

    Args:
        path: absolute path on the host.

    Raises:
        sqlite3.OperationalError: at once, if another connection is open anywhere.
    """
    connection = sqlite3.connect(_uri(path, "rw"), uri=True, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute("BEGIN EXCLUSIVE")
    except BaseException:
        connection.close()
        raise
    return connection


def synchronise(path: str) -> None:
    """Make what was written to a file and its log durable."""
    for name in (path + "-wal", path):
        with suppress(FileNotFoundError):
            on_descriptor(name, os.fsync)


def _open(path: str, options: Options) -> sqlite3.Connection:
    if path == IN_MEMORY:
        return _connect(path, options)
    if not options.read_only:
        return _connect(_uri(path, "rw" if os.path.exists(path) else "rwc"), options)
    state = _frozen_state(path)
    if state is None:
        return _connect(_uri(path, "ro"), options)
    connection = _connect(_uri(path, "ro") + "&immutable=1", options, factory=FrozenConnection)
    assert isinstance(connection, FrozenConnection)
    connection.path, connection.state = path, state
    return connection


def _connect(name: str, options: Options, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    return sqlite3.connect(
        name,
        uri=name != IN_MEMORY,
        timeout=options.busy_timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        factory=factory,
    )


def _uri(path: str, mode: str) -> str:
    return f"file:{urllib.parse.quote(path)}?mode={mode}"


def _version_of(path: str, options: Options) -> int | None:
    """The version that a file's first bytes tell, which changes nothing about it; None if the file is to be made.

    The source is https://sqlite.org/fileformat2.html#the_database_header.
    """
    name = os.path.basename(path)
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise os_error(errno.EISDIR, hint=f"the database {name!r}")
        if not stat.S_ISREG(mode):
            raise ValueError(f"database: {name!r} is not a regular file")
        header = on_descriptor(path, lambda fd: os.pread(fd, 100, 0))
    except FileNotFoundError:
        if not options.create or options.read_only:
            hint = f"the database {name!r} does not exist, and is not to be made"
            raise os_error(errno.ENOENT, hint=hint) from None
        if not os.path.isdir(os.path.dirname(path)):
            raise os_error(errno.ENOENT, hint=f"the directory of the database {name!r}") from None
        return None
    except OSError as error:
        if error.filename is None:
            raise
        raise os_error(error.errno or errno.EIO, hint=f"the database {name!r}") from None
    if not header and not options.read_only:
        return None
    application, version = 0, 0
    if len(header) == 100 and header.startswith(_MAGIC):
        version, application = struct.unpack_from(">I4xI", header, 60)
    if application != schema.APPLICATION_ID:
        raise ValueError(f"database: {name!r} is not a chuksqlite file; it was left as it is")
    return _schema_version(version)


def _schema_version(version: int) -> int:
    """The version of the schema that ``PRAGMA user_version`` tells, whether there are snapshots or not. ValueError."""
    known = version & ~schema.HAS_SNAPSHOTS
    if known > schema.VERSION:
        raise ValueError(
            f"database: it was written by a later version of chuk-fsspec (schema {version}, this one knows "
            f"{schema.VERSION}); install a newer chuk-fsspec"
        )
    return known


def _prepare(connection: sqlite3.Connection, options: Options) -> None:
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA temp_store = MEMORY")
    # Some builds of SQLite write zeros over everything that is removed, which makes each removal a write of its size.
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_MAX}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    # Without SQLite's locks, somebody else may cut off what is mapped.
    mapped = 0 if isinstance(connection, FrozenConnection) else options.mapped
    connection.execute(f"PRAGMA mmap_size = {mapped}")
    version = _schema_version(_number(connection, "user_version"))
    if options.read_only:
        if version < schema.VERSION:
            raise ValueError("database: its schema is of an older version; open it once without read_only")
        return
    if version == 0:
        _make(connection, options)
    (mode,) = connection.execute(f"PRAGMA journal_mode = {options.journal_mode}").fetchone()
    if mode not in (options.journal_mode, "memory"):
        raise os_error(errno.ENOTSUP, hint=f"journal_mode: this file takes {mode!r} only, not {options.journal_mode!r}")
    connection.execute(f"PRAGMA synchronous = {options.synchronous}")
    connection.execute(f"PRAGMA busy_timeout = {round(min(options.busy_timeout, IMPATIENCE) * 1000)}")


def _make(connection: sqlite3.Connection, options: Options) -> None:
    """Make the tables of an empty file, in one transaction.

    It is done before the switch to a write-ahead log, so that the file itself says at once what it is.
    """
    connection.execute(f"PRAGMA page_size = {schema.PAGE_SIZE}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _number(connection, "user_version") == 0:  # else somebody was faster
            uid, gid = getattr(os, "getuid", int)(), getattr(os, "getgid", int)()
            size, deduplicate = options.chunk_size or CHUNK_SIZE, bool(options.deduplicate)
            schema.create(connection, size, deduplicate=deduplicate, uid=uid, gid=gid, now=now_ns())
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise


def _migrate(path: str, options: Options) -> None:
    """Bring a file of an older version up to date, in one transaction.

    Nobody else may have it open: they would go on writing as they did. Closing the connection that was alone puts the
    log into the file, so that the file itself says of what version it is.
    """
    deadline = time.monotonic() + options.busy_timeout
    while (_version_of(path, options) or 0) < schema.VERSION:  # else somebody was faster
        try:
            connection = open_alone(path)
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            if time.monotonic() >= deadline:
                hint = "the database is of an older version; it is brought up to date while nobody else has it open"
                raise os_error(errno.EBUSY, hint=hint) from error
            time.sleep(_PAUSE)
            continue
        try:
            _run_migrations(connection)
        except BaseException:
            _roll_back(connection)
            raise
        finally:
            connection.close()
        return


def _run_migrations(connection: sqlite3.Connection) -> None:
    stamp = _number(connection, "user_version")
    while (version := _schema_version(stamp)) < schema.VERSION:
        migrations.MIGRATIONS[version](connection)
        stamp += 1
        connection.execute(f"PRAGMA user_version = {stamp}")
    connection.execute("COMMIT")


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # some errors end it by themselves
        connection.execute("ROLLBACK")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
