"""The tables of the past, and the triggers that fill them. They are there only while a snapshot is.

A snapshot is a number from the sequence that numbers inodes and contents: whatever has a higher one came later. A row
of the past is what a live row was up to the snapshot ``until``. So the state at a snapshot is the row of the past with
the lowest ``until`` that is not below the snapshot's number, or else the live row; where ``mode``, ``ino``, ``data`` or
``block`` is NULL, there was none.

Rows of ``past_inode`` are appended, and no index has to be kept: the ``id`` of one begins with its ``until``
(``id >> 28``), and ``past`` leads from the live row, or from ``past_gone`` when that is removed, to the newest row of
the past, and on to the older ones. A ``past`` below all snapshots leads nowhere.

Every change keeps the row as it was, once for each snapshot. Writing does that for inodes (``keeping``); triggers do it
for all else, and for every program that writes an inode and does not. Chunks are kept one by one where they are changed
in place; a content that its file lets go of stays where it is, as long as a row of ``past_inode`` has its number.
"""

# ruff: noqa: S608 - every statement is put together from constants

from __future__ import annotations

import sqlite3

from chuk_fsspec.backends.sqlite.schema import HAS_SNAPSHOTS, block_triggers, deduplicates

NEWEST = "newest_snapshot"
"""The setting that holds the number of the newest snapshot."""

COLUMNS = (
    *("ino", "mode", "nlink", "uid", "gid", "size", "space", "version"),
    *("atime_ns", "mtime_ns", "ctime_ns", "btime_ns", "parent", "cid", "xattrs", "data"),
)
"""Those that ``inode`` and ``past_inode`` have in common, besides ``past``."""

_NEWEST = "(SELECT max(id) FROM snapshot)"
_FLOOR = f"({_NEWEST} << 28)"
_ATTRIBUTES = ", ".join(COLUMNS)
# Of a file without a name, nothing is kept but that it had none: no path of the snapshot leads to it.
_STATE = ", ".join(f"iif(nlink > 0, {name}, NULL)" if name in ("mode", "cid", "data") else name for name in COLUMNS)
_ENTRY_IS_KEPT = f"SELECT 1 FROM past_dentry WHERE parent = {{0}}.parent AND name = {{0}}.name AND until >= {_NEWEST}"


_NEXT_NUMBER = "(SELECT value FROM setting WHERE name = 'next_number')"
_NEXT = f"({_FLOOR} + {_NEXT_NUMBER} - {_NEWEST})"
_TAKE_NEXT = "UPDATE setting SET value = value + 1 WHERE name = 'next_number'"


_OWNED = "(SELECT max(id) >> 28 AS until FROM past_inode WHERE cid = {0} >> 28) o"
_FIRST = "o.until IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {1} p WHERE p.id = {0} AND p.until >= o.until)"

INODES = (
    """CREATE TABLE past_inode (
        id INTEGER PRIMARY KEY, past INTEGER NOT NULL, ino INTEGER NOT NULL, mode INTEGER, nlink INTEGER, uid INTEGER,
        gid INTEGER, size INTEGER, space INTEGER, version INTEGER, atime_ns INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,
        btime_ns INTEGER, parent INTEGER, cid INTEGER, xattrs TEXT, data BLOB)""",
    "CREATE INDEX past_content ON past_inode (cid) WHERE cid IS NOT NULL",
    "CREATE TABLE past_gone (ino INTEGER PRIMARY KEY, past INTEGER NOT NULL)",
)
"""The tables of what inodes were."""

_TABLES = (
    """CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL, created_ns INTEGER NOT NULL)""",
    *INODES,
    """CREATE TABLE past_dentry (
        parent INTEGER NOT NULL, name NOT NULL, until INTEGER NOT NULL, ino INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,
        PRIMARY KEY (parent, name, until)) WITHOUT ROWID""",
    "CREATE INDEX past_dentry_until ON past_dentry (until)",
)
_OWN = (
    "CREATE TABLE past_chunk (id INTEGER NOT NULL, until INTEGER NOT NULL, data BLOB)",
    "CREATE UNIQUE INDEX past_of_chunk ON past_chunk (id, until)",
    "CREATE INDEX past_chunk_until ON past_chunk (until)",
)
_SHARED = (
    """CREATE TABLE past_reference (
        id INTEGER NOT NULL, until INTEGER NOT NULL, block INTEGER, PRIMARY KEY (id, until)) WITHOUT ROWID""",
    "CREATE INDEX past_reference_until ON past_reference (until)",
    "CREATE INDEX past_referrer ON past_reference (block)",
    "CREATE VIEW past_chunk AS SELECT r.id, r.until, b.data FROM past_reference r LEFT JOIN block b ON b.id = r.block",
)


_OLDER = "SELECT id, lag(id, 1, 0) OVER (PARTITION BY ino ORDER BY id) AS past FROM past_inode"
_NEWEST_OF_EACH = "SELECT ino, max(id) AS id FROM past_inode GROUP BY ino"
_LEAD = (
    f"UPDATE past_inode SET past = o.past FROM ({_OLDER}) o WHERE o.id = past_inode.id",
    f"UPDATE inode SET past = n.id FROM ({_NEWEST_OF_EACH}) n WHERE n.ino = inode.ino",
    "INSERT INTO past_gone SELECT ino, max(id) FROM past_inode WHERE ino NOT IN (SELECT ino FROM inode) GROUP BY ino",
)


def _trigger(name: str, when: str, table: str, condition: str, statement: str) -> tuple[str, str]:
    return name, f"CREATE TRIGGER {name} {when} ON {table} WHEN {condition} BEGIN {statement}; END"


def _inode_triggers() -> dict[str, str]:
    """The triggers that keep inodes, by their names."""
    change = f"UPDATE OF {', '.join(COLUMNS)}"  # not of ``past``: that alone says nothing new
    # Whoever writes a row says by a higher ``past`` what number the row of the past gets (``keeping``), or is given
    # one. The comparison of two columns comes first, since it spares asking for the newest snapshot.
    said = "NEW.past > OLD.past"
    unsaid = f"NEW.past <= OLD.past AND OLD.past < {_FLOOR} AND OLD.ino < {_NEWEST}"
    led = f"iif(OLD.past < {_FLOOR}, {_NEXT}, OLD.past)"
    lead = f"UPDATE inode SET past = {_NEXT} WHERE ino = OLD.ino; {_TAKE_NEXT}"
    gone = f"{_keep(_NEXT)} AND past < {_FLOOR}; INSERT INTO past_gone VALUES (OLD.ino, {led}); {_TAKE_NEXT}"
    return dict(
        (
            _trigger("inode_changed", f"BEFORE {change}", "inode", said, _keep("NEW.past")),
            _trigger("inode_changed_unsaid", f"BEFORE {change}", "inode", unsaid, _keep(_NEXT)),
            _trigger("inode_led", f"AFTER {change}", "inode", unsaid, lead),
            _trigger("inode_removed", "BEFORE DELETE", "inode", f"OLD.ino < {_NEWEST}", gone),
        )
    )


def _keep(number: str) -> str:
    """The statement that keeps an inode as it was, as a row of this number."""
    columns = f"id, past, {_ATTRIBUTES}"
    return f"INSERT INTO past_inode ({columns}) SELECT {number}, past, {_STATE} FROM inode WHERE ino = OLD.ino"


def _entry_triggers() -> list[tuple[str, str]]:
    kept = f"INSERT INTO past_dentry VALUES (OLD.parent, OLD.name, {_NEWEST}, OLD.ino, OLD.mtime_ns, OLD.ctime_ns)"
    made = f"INSERT INTO past_dentry VALUES (NEW.parent, NEW.name, {_NEWEST}, NULL, NULL, NULL)"
    first = f"{{0}}.parent < {_NEWEST} AND NOT EXISTS ({_ENTRY_IS_KEPT})"
    return [
        _trigger("entry_changed", "BEFORE UPDATE", "dentry", first.format("OLD"), kept),
        _trigger("entry_removed", "BEFORE DELETE", "dentry", first.format("OLD"), kept),
        _trigger("entry_made", "AFTER INSERT", "dentry", first.format("NEW"), made),
    ]


def keep_chunk(table: str, past: str, column: str, chunk: str) -> str:
    """The statement that keeps a chunk of a content that a snapshot has, unless it is kept.

    Args:
        table: where chunks are: ``chunk`` or ``reference``.
        past: where those of the past are.
        column: what a row of both has besides its key.
        chunk: an expression for the key.
    """
    return (
        f"INSERT INTO {past} (id, until, {column}) SELECT c.id, o.until, c.{column} "
        f"FROM {_OWNED.format(chunk)}, {table} c WHERE c.id = {chunk} AND {_FIRST.format(chunk, past)}"
    )


def _chunk_triggers(table: str, past: str, column: str) -> list[tuple[str, str]]:
    kept = keep_chunk(table, past, column, "OLD.id")
    made = (
        f"INSERT INTO {past} (id, until, {column}) SELECT NEW.id, o.until, NULL FROM {_OWNED.format('NEW.id')} "
        f"WHERE {_FIRST.format('NEW.id', past)}"
    )
    condition = f"{{0}}.id < {_NEWEST} << 28"
    return [
        _trigger("chunk_changed", f"BEFORE UPDATE OF {column}", table, condition.format("OLD"), kept),
        _trigger("chunk_removed", "BEFORE DELETE", table, condition.format("OLD"), kept),
        _trigger("chunk_made", "AFTER INSERT", table, condition.format("NEW"), made),
    ]


def triggers(shares: bool) -> dict[str, str]:
    """The triggers of a file with snapshots, by their names.

    Args:
        shares: whether equal chunks are there once.
    """
    of_chunks = _chunk_triggers(
        *(("reference", "past_reference", "block") if shares else ("chunk", "past_chunk", "data"))
    )
    found = {**_inode_triggers(), **dict(_entry_triggers() + of_chunks)}
    return {**found, **block_triggers("reference", "past_reference")} if shares else found


def create(connection: sqlite3.Connection) -> None:
    """Make the tables and triggers, within a transaction."""
    for statement in (*_TABLES, *(_SHARED if deduplicates(connection.execute) else _OWN)):
        connection.execute(statement)
    make_triggers(connection)
    _stamp(connection, has_snapshots=True)


def lead_rows_to_their_past(connection: sqlite3.Connection) -> None:
    """Set all ``past`` to what rows of ``past_inode`` there are, within a transaction."""
    for statement in _LEAD:
        connection.execute(statement)


def remove(connection: sqlite3.Connection) -> None:
    """Remove them, with all that they hold, within a transaction."""
    shares = deduplicates(connection.execute)
    if shares:
        connection.execute("DELETE FROM past_reference")  # which removes the blocks that nothing else refers to
    drop_triggers(connection)
    if shares:
        connection.execute("DROP VIEW past_chunk")
        for statement in block_triggers("reference").values():
            connection.execute(statement)
    for table in ("past_reference" if shares else "past_chunk", "past_dentry", "past_inode", "past_gone", "snapshot"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DELETE FROM setting WHERE name = ?", (NEWEST,))
    _stamp(connection, has_snapshots=False)


def has_snapshots(connection: sqlite3.Connection) -> bool:
    """Whether a file has any."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(version & HAS_SNAPSHOTS)


def make_triggers(connection: sqlite3.Connection) -> None:
    """Make the triggers of a file with snapshots, in place of those that it has, within a transaction."""
    drop_triggers(connection)
    for statement in triggers(deduplicates(connection.execute)).values():
        connection.execute(statement)


def drop_triggers(connection: sqlite3.Connection) -> None:
    """Drop the triggers of a file with snapshots, within a transaction."""
    for name in triggers(deduplicates(connection.execute)):
        connection.execute(f"DROP TRIGGER IF EXISTS {name}")


def _stamp(connection: sqlite3.Connection, *, has_snapshots: bool) -> None:
    """Say in the file's version whether it has them, so that a library that knows of none refuses the file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(
        f"PRAGMA user_version = {version | HAS_SNAPSHOTS if has_snapshots else version & ~HAS_SNAPSHOTS}"
    )
