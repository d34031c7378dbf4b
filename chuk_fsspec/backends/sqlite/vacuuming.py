"""A chuksqlite file without the space that nothing uses any more."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing

from chuk_fsspec.backends.sqlite.database import connect
from chuk_fsspec.backends.sqlite.errors import translated
from chuk_fsspec.backends.sqlite.options import Options
from chuk_fsspec.contract.errors import os_error

_PATIENCE = 5.0


def vacuum(database: str) -> int:
    """Write a chuksqlite file anew, without free pages and with each file's chunks side by side.

    It needs as much free space as the file takes, in the file's directory and among the temporary files.

    Args:
        database: absolute path of the file on this machine.

    Returns:
        By how many bytes the file and its log have become smaller.

    Raises:
        ValueError: if it is no chuksqlite file.
        OSError: ENOENT, EACCES, ENOSPC; EBUSY while others write or read; EIO if it is damaged.
    """
    with closing(connect(database, Options(create=False, busy_timeout=_PATIENCE))) as connection:
        before = _size(database)
        try:
            connection.execute("PRAGMA temp_store = FILE")  # the copy may be larger than the memory
            connection.execute("VACUUM")
            (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            found = translated(error, database)
            raise _busy() if found.errno == errno.EBUSY else found from error
    if is_busy:
        raise _busy()
    return before - _size(database)


def _busy() -> OSError:
    return os_error(errno.EBUSY, hint="other programs use the database; unmount it or end them, and try again")


def _size(database: str) -> int:
    return sum(os.stat(path).st_size for path in (database, database + "-wal") if os.path.exists(path))
