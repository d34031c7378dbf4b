"""SQLite's errors as the operating system's."""

from __future__ import annotations

import errno
import os
import sqlite3

from chuk_fsspec.contract.errors import os_error

_DAMAGED = "{file} is damaged; 'chuk-fsspec sqlite check {file}' says where"
# By what the message says, for Python 3.10 does not tell the code.
_CODES = (
    ("locked", errno.EBUSY, "another process keeps {file} locked; a longer busy_timeout waits longer"),
    ("full", errno.ENOSPC, "no space for {file}"),
    ("readonly", errno.EROFS, "{file} cannot be written"),
    ("too big", errno.EFBIG, "more than SQLite takes in one value"),
    ("malformed", errno.EIO, _DAMAGED),
    ("no such table", errno.EIO, _DAMAGED),
    ("no such column", errno.EIO, _DAMAGED),
    ("not a database", errno.EIO, "{file} is no SQLite database any more"),
    ("unable to open", errno.EIO, "{file} or its directory cannot be opened"),
)


def translated(error: sqlite3.Error, path: str = "") -> OSError:
    """The ``OSError`` that stands for an error of SQLite.

    Args:
        error: what SQLite raised.
        path: of the database on the host; only its last name is shown.
    """
    text = str(error)
    for part, code, hint in _CODES:
        if part in text:
            return os_error(code, hint=hint.format(file=_shown(path)))
    return os_error(errno.EIO, hint=f"SQLite says of {_shown(path)}: {text}")


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else has what was asked for (SQLITE_BUSY)."""
    return "locked" in str(error)


def damaged(path: str) -> OSError:
    """EIO for a database in whose tables something is missing.

    Args:
        path: of the database on the host; only its last name is shown.
    """
    return os_error(errno.EIO, hint=_DAMAGED.format(file=_shown(path)))


def stale() -> OSError:
    """ESTALE for what another process has changed in a way that leaves nothing to go on with."""
    return os_error(errno.ESTALE, hint="another process has removed or replaced the file")


def _shown(path: str) -> str:
    return os.path.basename(path) or "the database"
