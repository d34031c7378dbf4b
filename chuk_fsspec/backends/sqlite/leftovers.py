"""What programs that were killed have left in a database: files without a name, and contents without a file."""

from __future__ import annotations

import sqlite3

from chuk_fsspec.backends.sqlite.chunks import INDEX_BITS, INDEX_MAX
from chuk_fsspec.backends.sqlite.database import IN_MEMORY, open_alone
from chuk_fsspec.backends.sqlite.schema import deduplicates
from chuk_fsspec.backends.sqlite.session import Session
from chuk_fsspec.backends.sqlite.snapshots.schema import has_snapshots

_ANY = "SELECT EXISTS (SELECT 1 FROM loose) OR EXISTS (SELECT 1 FROM inode WHERE nlink = 0)"
_OF = "DELETE FROM {0} WHERE id IN (SELECT c.id FROM {1} o JOIN {0} c ON c.id BETWEEN {2} AND {3}{4})"
_FIRST, _LAST = f"o.cid << {INDEX_BITS}", f"(o.cid << {INDEX_BITS}) + {INDEX_MAX}"
_UNLESS_OWNED = " WHERE NOT EXISTS (SELECT 1 FROM past_inode p WHERE p.cid = o.cid)"
_REMOVE = (
    "DELETE FROM loose",
    "DELETE FROM dentry WHERE parent IN (SELECT ino FROM inode WHERE nlink = 0)",
    "DELETE FROM inode WHERE nlink = 0",
)


def remove_from(connection: sqlite3.Connection) -> None:
    """Remove leftovers, within a transaction that is alone with the database."""
    table = "reference" if deduplicates(connection.execute) else "chunk"
    unless_owned = _UNLESS_OWNED if has_snapshots(connection) else ""
    for contents in ("loose", "(SELECT cid FROM inode WHERE nlink = 0)"):
        connection.execute(_OF.format(table, contents, _FIRST, _LAST, unless_owned))
    for statement in _REMOVE:
        connection.execute(statement)


def remove_leftovers(session: Session) -> None:
    """Remove what nobody will ever use again, unless another process has the database open and may be using it.

    Args:
        session: on the database, which nobody of this process uses as yet.
    """
    # Without a write-ahead log, others hold no lock while they rest: nobody can know that they are not there.
    if session.path == IN_MEMORY or session.options.journal_mode != "wal":
        return
    with session.lock:
        (there_are_any,) = session.run(_ANY).fetchone()
    if not there_are_any:
        return
    session.close()  # to be alone
    try:
        connection = open_alone(session.path)
    except sqlite3.OperationalError:
        return
    try:
        with connection:
            remove_from(connection)
    finally:
        connection.close()
