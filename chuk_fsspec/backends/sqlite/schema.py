"""The tables of a chuksqlite file, and how to tell such a file from others."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x6368756B
"""``chuk`` in ASCII, at byte 68 of the file (https://sqlite.org/fileformat2.html#application_id)."""

VERSION = 3
"""Of the schema, in the low byte of ``PRAGMA user_version``."""

HAS_SNAPSHOTS = 0x100
"""Added to the version while the file has snapshots (``snapshots.schema``)."""

PAGE_SIZE = 4096
ROOT = 1
"""Number of the root directory."""

# Content comes late, so that attributes are read without it; what comes after it is small, and mostly 0. ``past`` says
# where it is kept what was before (``snapshots.schema``). A file's content is either in ``data``, or in the chunks
# of ``cid``; the target of a link and the number of a device are in ``data``. A name is text, or its bytes where those
# are no UTF-8. Each directory has an entry ``.`` with the directory's times: they are beside the other entries, so
# that a new file changes two pages and not three. No number is ever used twice. A chunk is found by ``id`` only
# (``chunks.key``); its ``cid`` and ``idx`` are for people who look. ``loose`` lists contents that no inode refers to:
# being written, or still being read by somebody.
TABLES = (
    """CREATE TABLE inode (
        ino INTEGER PRIMARY KEY, mode INTEGER NOT NULL, nlink INTEGER NOT NULL, uid INTEGER NOT NULL,
        gid INTEGER NOT NULL, size INTEGER NOT NULL, space INTEGER NOT NULL, version INTEGER NOT NULL,
        atime_ns INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, btime_ns INTEGER NOT NULL,
        parent INTEGER, cid INTEGER, xattrs TEXT, data BLOB, past INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX nameless ON inode (ino) WHERE nlink = 0",
    """CREATE TABLE dentry (
        parent INTEGER NOT NULL, name NOT NULL, ino INTEGER NOT NULL, mtime_ns INTEGER, ctime_ns INTEGER,
        PRIMARY KEY (parent, name)) WITHOUT ROWID""",
    "CREATE TABLE loose (cid INTEGER PRIMARY KEY)",
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
)

OWN = (
    """CREATE TABLE chunk (
        id INTEGER PRIMARY KEY, data BLOB NOT NULL,
        cid INTEGER AS (id >> 28), idx INTEGER AS (id & 268435455))""",
)
"""Chunks that each have their data."""


def block_triggers(*referring: str) -> dict[str, str]:
    """The triggers that remove a block in the statement that takes away the last reference to it, by their names.

    Args:
        referring: all tables that refer to blocks.
    """
    unused = " AND ".join(f"NOT EXISTS (SELECT 1 FROM {table} WHERE block = OLD.block)" for table in referring)  # noqa: S608
    remove = f"WHEN {unused} BEGIN DELETE FROM block WHERE id = OLD.block; END"  # noqa: S608 - constants
    changes = {"replaced": "UPDATE OF block ON reference"}
    for table in referring:
        changes["removed" if table == "reference" else f"{table}_removed"] = f"DELETE ON {table}"
    return {name: f"CREATE TRIGGER {name} AFTER {change} {remove}" for name, change in changes.items()}


SHARED = (
    "CREATE TABLE block (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, data BLOB NOT NULL)",
    "CREATE TABLE reference (id INTEGER PRIMARY KEY, block INTEGER NOT NULL)",
    "CREATE INDEX referrer ON reference (block)",
    *block_triggers("reference").values(),
    """CREATE VIEW chunk AS SELECT r.id, b.data, r.id >> 28 AS cid, r.id & 268435455 AS idx
        FROM reference r JOIN block b ON b.id = r.block""",
)
"""Chunks of which equal ones have the same data (``shared_chunks``)."""


def create(connection: sqlite3.Connection, chunk_size: int, *, deduplicate: bool, uid: int, gid: int, now: int) -> None:
    """Make the tables and the root directory, within a transaction.

    Args:
        connection: to an empty database.
        chunk_size: bytes of a chunk of every file in it.
        deduplicate: whether equal chunks are there once.
        uid: owner of the root directory.
        gid: group of the root directory.
        now: nanoseconds since 1970.
    """
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    for statement in (*TABLES, *(SHARED if deduplicate else OWN)):
        connection.execute(statement)
    settings = [("chunk_size", chunk_size), ("next_number", ROOT + 1)]
    if deduplicate:
        settings.append(("deduplicate", 1))
    connection.executemany("INSERT INTO setting VALUES (?, ?)", settings)
    root = (ROOT, 0o040755, 2, uid, gid, 0, 0, ROOT, now, now, now, now, ROOT, None, None, None, 0)
    connection.execute("INSERT INTO dentry VALUES (?, '.', ?, ?, ?)", (ROOT, ROOT, now, now))
    connection.execute("INSERT INTO inode VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", root)


def deduplicates(execute: Callable[[str], sqlite3.Cursor]) -> bool:
    """Whether a file was made with the option."""
    row = execute("SELECT value FROM setting WHERE name = 'deduplicate'").fetchone()
    return row is not None and bool(row[0])
