"""How files of older versions are brought up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from chuk_fsspec.backends.sqlite.snapshots import schema as snapshots

Migration = Callable[[sqlite3.Connection], None]

_COLUMNS = ", ".join(snapshots.COLUMNS)
_ROWS = (
    f"INSERT INTO past_inode (id, past, {_COLUMNS}) "  # noqa: S608 - constants, here and below
    f"SELECT (until << 28) + row_number() OVER (PARTITION BY until ORDER BY rowid), 0, {_COLUMNS} FROM old_past_inode"
)


def _lead_rows_to_their_past(connection: sqlite3.Connection) -> None:
    """Version 2: a row of ``inode`` says where its past is, which was found by an index in version 1."""
    connection.execute("ALTER TABLE inode ADD COLUMN past INTEGER NOT NULL DEFAULT 0")
    if not snapshots.has_snapshots(connection):
        return
    snapshots.drop_triggers(connection)
    connection.execute("DROP TRIGGER inode_made")
    for name in ("past_of_inode", "past_inode_until", "past_content"):
        connection.execute(f"DROP INDEX {name}")
    connection.execute("ALTER TABLE past_inode RENAME TO old_past_inode")
    for statement in snapshots.INODES:
        connection.execute(statement)
    connection.execute(_ROWS)
    connection.execute("DROP TABLE old_past_inode")
    snapshots.lead_rows_to_their_past(connection)
    snapshots.make_triggers(connection)


def _make_triggers_anew(connection: sqlite3.Connection) -> None:
    """Version 3: a row that says where its past is needs one of the triggers of ``inode``, not two."""
    if snapshots.has_snapshots(connection):
        snapshots.make_triggers(connection)


MIGRATIONS: dict[int, Migration] = {1: _lead_rows_to_their_past, 2: _make_triggers_anew}
"""From a version to the next one; each runs in the transaction that opening a file begins."""
