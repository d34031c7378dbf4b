"""The tables of the past, and the triggers that fill them. They are there only while a snapshot is.

A snapshot is a number from the sequence that numbers inodes and contents: whatever has a higher one came later. A row
of the past is what a live row was up to the snapshot ``until``. So the state at a snapshot is the row of the past with
the lowest ``until`` that is not below the snapshot's number, or else the live row; where ``mode``, ``ino``, ``data`` or
``block`` is NULL, there was none.

Every change, whichever program makes it, fires a trigger that keeps the row as it was, once for each snapshot. Chunks
are kept one by one where they are changed in place; a content that its file lets go of stays where it is, as long as a
row of ``past_inode`` has its number.
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
"""Those that ``inode`` and ``past_inode`` have in common."""

_NEWEST = "(SELECT max(id) FROM snapshot)"
_ATTRIBUTES = ", ".join(COLUMNS)
# Of a file without a name, nothing is kept but that it had none: no path of the snapshot leads to it.
_STATE = ", ".join(f"iif(nlink > 0, {name}, NULL)" if name in ("mode", "cid", "data") else name for name in COLUMNS)

_IS_KEPT = f"SELECT 1 FROM past_inode WHERE ino = {{0}} AND until >= {_NEWEST}"
_ENTRY_IS_KEPT = f"SELECT 1 FROM past_dentry WHERE parent = {{0}}.parent AND name = {{0}}.name AND until >= {_NEWEST}"

KEEP_INODE = (
    f"INSERT INTO past_inode (until, {_ATTRIBUTES}) SELECT {_NEWEST}, {_STATE} FROM inode "
    f"WHERE ino = {{0}} AND NOT EXISTS ({_IS_KEPT})"
)
"""Keeps an inode, unless the newest snapshot has it; to be completed by its number."""

_OWNED = "(SELECT max(until) AS until FROM past_inode WHERE cid = {0} >> 28) o"
_FIRST = "o.until IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {1} p WHERE p.id = {0} AND p.until >= o.until)"

_TABLES = (
    """CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL, created_ns INTEGER NOT NULL)""",
    """CREATE TABLE past_inode (
        until INTEGER NOT NULL, ino INTEGER NOT NULL, mode INTEGER, nlink INTEGER, uid INTEGER, gid INTEGER,
        size INTEGER, space INTEGER, version INTEGER, atime_ns INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,
        btime_ns INTEGER, parent INTEGER, cid INTEGER, xattrs TEXT, data BLOB)""",
    "CREATE UNIQUE INDEX past_of_inode ON past_inode (ino, until)",
    "CREATE INDEX past_inode_until ON past_inode (until)",
    "CREATE INDEX past_content ON past_inode (cid, until) WHERE cid IS NOT NULL",
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


def _trigger(name: str, when: str, table: str, condition: str, statement: str) -> tuple[str, str]:
    return name, f"CREATE TRIGGER {name} {when} ON {table} WHEN {condition} BEGIN {statement}; END"


def _inode_triggers() -> list[tuple[str, str]]:
    kept, condition = KEEP_INODE.format("OLD.ino"), f"OLD.ino < {_NEWEST}"
    made = f"INSERT INTO past_inode (until, ino) VALUES ({_NEWEST}, NEW.ino)"
    first = f"NEW.ino < {_NEWEST} AND NOT EXISTS ({_IS_KEPT.format('NEW.ino')})"
    return [
        _trigger("inode_changed", "BEFORE UPDATE", "inode", condition, kept),
        _trigger("inode_removed", "BEFORE DELETE", "inode", condition, kept),
        _trigger("inode_made", "AFTER INSERT", "inode", first, made),
    ]


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
    found = dict(_inode_triggers() + _entry_triggers() + of_chunks)
    return {**found, **block_triggers("reference", "past_reference")} if shares else found


def create(connection: sqlite3.Connection) -> None:
    """Make the tables and triggers, within a transaction."""
    shares = deduplicates(connection.execute)
    for statement in (*_TABLES, *(_SHARED if shares else _OWN)):
        connection.execute(statement)
    _set_triggers(connection, triggers(shares))
    _stamp(connection, has_snapshots=True)


def remove(connection: sqlite3.Connection) -> None:
    """Remove them, with all that they hold, within a transaction."""
    shares = deduplicates(connection.execute)
    if shares:
        connection.execute("DELETE FROM past_reference")  # which removes the blocks that nothing else refers to
    for name in triggers(shares):
        connection.execute(f"DROP TRIGGER IF EXISTS {name}")
    if shares:
        connection.execute("DROP VIEW past_chunk")
        _set_triggers(connection, block_triggers("reference"))
    for table in ("past_reference" if shares else "past_chunk", "past_dentry", "past_inode", "snapshot"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DELETE FROM setting WHERE name = ?", (NEWEST,))
    _stamp(connection, has_snapshots=False)


def has_snapshots(connection: sqlite3.Connection) -> bool:
    """Whether a file has any."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(version & HAS_SNAPSHOTS)


def _set_triggers(connection: sqlite3.Connection, wanted: dict[str, str]) -> None:
    for name, statement in wanted.items():
        connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        connection.execute(statement)


def _stamp(connection: sqlite3.Connection, *, has_snapshots: bool) -> None:
    """Say in the file's version whether it has them, so that a library that knows of none refuses the file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(
        f"PRAGMA user_version = {version | HAS_SNAPSHOTS if has_snapshots else version & ~HAS_SNAPSHOTS}"
    )
