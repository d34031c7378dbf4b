"""What space the disk has left for a database."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.database import IN_MEMORY
from chuk_fsspec.backends.sqlite.schema import PAGE_SIZE
from chuk_fsspec.contract.errors import os_error

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.session import Session

_RESERVE = 4 << 20
"""Bytes of the disk that large files leave free: on a full one SQLite cannot even remove anything."""


def free_bytes(path: str) -> int:
    """Bytes that a database may grow by."""
    if path == IN_MEMORY or not hasattr(os, "statvfs"):
        return 1 << 40
    found = os.statvfs(os.path.dirname(path))
    return found.f_bavail * found.f_frsize


def require_space(session: Session, size: int) -> None:
    """ENOSPC unless some more content fits into the log and then into the file, within a scope.

    Args:
        session: on the database.
        size: bytes that will be written in one transaction.
    """
    size += size // 16  # for what is not content
    (pages,) = session.run("PRAGMA freelist_count").fetchone()
    more = max(size - pages * PAGE_SIZE, 0) + max(size - _log_size(session.path), 0)
    if free_bytes(session.path) < more + _RESERVE:
        raise os_error(errno.ENOSPC, hint=f"no space for {os.path.basename(session.path)}")


def _log_size(path: str) -> int:
    try:
        return os.stat(path + "-wal").st_size
    except FileNotFoundError:
        return 0
