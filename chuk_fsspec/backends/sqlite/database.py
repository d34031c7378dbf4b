"""One SQLite file, opened safely: ours or empty, and no other."""

from __future__ import annotations

import errno
import os
import sqlite3
import struct
import urllib.parse

from chuk_fsspec.backends.sqlite import schema
from chuk_fsspec.backends.sqlite.errors import translated
from chuk_fsspec.backends.sqlite.options import CHUNK_SIZE, Options
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.engine.clock import now_ns

IN_MEMORY = ":memory:"

_CACHE_KIB = 32 * 1024
_MAGIC = b"SQLite format 3\0"


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
    if path != IN_MEMORY:
        _check_header(path, options)
    try:
        connection = _open(path, options)
        try:
            _prepare(connection, options)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise translated(error) from error
    return connection


def open_alone(path: str) -> sqlite3.Connection:
    """Open a chuksqlite file in a transaction that keeps everybody else out, the readers too.

    Raises:
        sqlite3.OperationalError: at once, if another connection is open anywhere.
    """
    connection = sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode=rw", uri=True, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
    except BaseException:
        connection.close()
        raise
    return connection


def _open(path: str, options: Options) -> sqlite3.Connection:
    if path == IN_MEMORY:
        name = path
    else:
        mode = "ro" if options.read_only else "rw" if os.path.exists(path) else "rwc"
        name = f"file:{urllib.parse.quote(path)}?mode={mode}"
    return sqlite3.connect(
        name,
        uri=path != IN_MEMORY,
        timeout=options.busy_timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def _check_header(path: str, options: Options) -> None:
    """Look at a file's first bytes, which changes nothing about it. ValueError, ENOENT, EISDIR."""
    name = os.path.basename(path)
    try:
        with open(path, "rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        if options.create and not options.read_only:
            return
        raise os_error(errno.ENOENT, hint=f"the database {name!r} does not exist; create=True makes it") from None
    except OSError as error:
        raise os_error(error.errno or errno.EIO, hint=f"the database {name!r}") from None
    if not header and not options.read_only:
        return
    found = struct.unpack_from(">I", header, 68)[0] if len(header) == 100 and header.startswith(_MAGIC) else 0
    if found != schema.APPLICATION_ID:
        raise ValueError(f"database: {name!r} is not a chuksqlite file; it was left as it is")


def _prepare(connection: sqlite3.Connection, options: Options) -> None:
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA temp_store = MEMORY")
    # Some builds of SQLite write zeros over everything that is removed, which makes each removal a write of its size.
    connection.execute("PRAGMA secure_delete = FAST")
    version = _number(connection, "user_version")
    if version > schema.VERSION:
        raise ValueError(
            f"database: it was written by a later version of chuk-fsspec (schema {version}, this one knows "
            f"{schema.VERSION}); install a newer chuk-fsspec"
        )
    if options.read_only:
        if version < schema.VERSION:
            raise ValueError("database: its schema is of an older version; open it once without read_only")
        return
    if version < schema.VERSION:
        _make_current(connection, options)
    connection.execute(f"PRAGMA journal_mode = {options.journal_mode}")
    connection.execute(f"PRAGMA synchronous = {options.synchronous}")


def _make_current(connection: sqlite3.Connection, options: Options) -> None:
    """Make the tables of an empty file, or bring those of an older version up to date, in one transaction.

    It is done before the switch to a write-ahead log, so that the file itself says at once what it is.
    """
    connection.execute(f"PRAGMA page_size = {schema.PAGE_SIZE}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _number(connection, "user_version")  # somebody may have been faster
        if version == 0:
            uid, gid = getattr(os, "getuid", int)(), getattr(os, "getgid", int)()
            schema.create(connection, options.chunk_size or CHUNK_SIZE, uid, gid, now_ns())
        else:
            while version < schema.VERSION:
                schema.MIGRATIONS[version](connection)
                version += 1
            connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
