"""SQLite's errors as the operating system's."""

from __future__ import annotations

import errno
import sqlite3

from chuk_fsspec.contract.errors import os_error

# By what the message says, for Python 3.10 does not tell the code.
_CODES = (
    ("locked", errno.EBUSY, "another process keeps the database locked; a longer busy_timeout waits longer"),
    ("full", errno.ENOSPC, "no space for the database"),
    ("readonly", errno.EROFS, "the database cannot be written"),
    ("too big", errno.EFBIG, "more than SQLite takes in one value"),
    ("malformed", errno.EIO, "the database is damaged; 'chuk-fsspec sqlite check' says where"),
    ("not a database", errno.EIO, "the file is no SQLite database any more"),
    ("unable to open", errno.EIO, "the database or its directory cannot be opened"),
)


def translated(error: sqlite3.Error) -> OSError:
    """The ``OSError`` that stands for an error of SQLite; it names no path."""
    text = str(error)
    for part, code, hint in _CODES:
        if part in text:
            return os_error(code, hint=hint)
    return os_error(errno.EIO, hint=f"SQLite says: {text}")
