"""Versions of the AgentFS specification: how a database tells its own, and what to ask it in that version's words.

0.1 brought chunks of one size in place of chunks with offsets, 0.2 the number of links, 0.4 nanoseconds and device
numbers. A database names its version (``schema_version``) only since 0.4, so the columns are looked at first.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from chuk_fsspec.backends.agentfs.facts import Facts

DEFAULT_CHUNK_SIZE = 4096
_CHUNK_SIZE_MAX = 1 << 30
_NEWEST = (0, 4)
_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})(?:\.\d+)*")
_NANOSECONDS = ("atime_nsec", "mtime_nsec", "ctime_nsec")

_NEEDED = {
    "fs_inode": {"ino", "mode", "uid", "gid", "size", "atime", "mtime", "ctime"},
    "fs_dentry": {"id", "name", "parent_ino", "ino"},
    "fs_data": {"ino", "data"},
    "fs_symlink": {"ino", "target"},
}


class NotAgentFSError(ValueError):
    """The file is no AgentFS database, or one of a version that is not known here."""


@dataclass(frozen=True)
class Schema:
    """How one database is laid out.

    Attributes:
        version: of the specification.
        chunk_size: bytes in a chunk; 0 where each chunk says its own offset and size.
        counts_links: whether inodes know how many names they have.
        inode: the columns of ``fs_inode AS i LEFT JOIN fs_symlink AS s`` that make an inode.
    """

    version: str
    chunk_size: int
    counts_links: bool
    inode: str


def read_schema(connection: sqlite3.Connection, name: str) -> Schema:
    """Find out how a database is laid out.

    Args:
        connection: to the database.
        name: the file's name, for messages.

    Raises:
        NotAgentFSError: if it is not an AgentFS database, or a newer one.
        sqlite3.Error: if it cannot be read.
    """
    columns = {table: _columns(connection, table) for table in _NEEDED}
    missing = [table for table, needed in _NEEDED.items() if not needed <= columns[table]]
    if missing:
        raise NotAgentFSError(
            f"{name} is not an AgentFS database: it has no table {missing[0]}, or one with other columns. "
            "Pass a file that AgentFS made (.agentfs/<id>.db)"
        )
    config = _config(connection)
    version = _version(columns["fs_inode"], columns["fs_data"], config.get("schema_version"), name)
    inode = columns["fs_inode"]
    nanoseconds = [f"i.{column}" if column in inode else "0" for column in _NANOSECONDS]
    parts = ["i.ino", "i.mode", "i.nlink" if "nlink" in inode else "NULL", "i.uid", "i.gid", "i.size"]
    parts += ["i.atime", "i.mtime", "i.ctime", *nanoseconds, "i.rdev" if "rdev" in inode else "0", "s.target"]
    chunk_size = 0 if "chunk_index" not in columns["fs_data"] else _chunk_size(config.get("chunk_size"), name)
    return Schema(version, chunk_size, "nlink" in inode, ", ".join(parts))


def read_facts(connection: sqlite3.Connection, schema: Schema) -> Facts:
    """Count what a database holds besides files."""
    overlay = _columns(connection, "fs_overlay_config") >= {"key", "value"}
    whiteouts = _count(connection, "fs_whiteout")
    base: object = None
    if overlay:
        row = connection.execute("SELECT value FROM fs_overlay_config WHERE key = 'base_path'").fetchone()
        base = row[0] if row else None
    return Facts(
        version=schema.version,
        chunk_size=schema.chunk_size,
        kv_entries=_count(connection, "kv_store"),
        tool_calls=_count(connection, "tool_calls"),
        is_overlay=overlay or whiteouts > 0,
        base=base if isinstance(base, str) else "",
        whiteouts=whiteouts,
    )


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """Names of a table's columns; empty for what is no plain table: a view or virtual table could compute anything."""
    sql = "SELECT count(*) FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type = 'table' AND rootpage > 0"
    if not connection.execute(sql, (table,)).fetchone()[0]:
        return set()
    rows = connection.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,))
    return {str(name) for (name,) in rows}


def _count(connection: sqlite3.Connection, table: str) -> int:
    if not _columns(connection, table):
        return 0
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - one of our names


def _config(connection: sqlite3.Connection) -> dict[str, object]:
    if not _columns(connection, "fs_config") >= {"key", "value"}:
        return {}
    rows = connection.execute("SELECT key, value FROM fs_config WHERE key IN ('schema_version', 'chunk_size')")
    return {str(key): value for key, value in rows}


def _version(inode: set[str], data: set[str], said: object, name: str) -> str:
    if said is not None:
        match = _VERSION.fullmatch(str(said))
        if match is None:
            raise NotAgentFSError(f"{name} says that it is of AgentFS version {str(said)[:40]!r}, which is no version")
        if (int(match[1]), int(match[2])) > _NEWEST:
            raise NotAgentFSError(
                f"{name} is of AgentFS specification {match[0]}; 0.0 to 0.4 are known here. Use a newer chuk-fsspec"
            )
    if inode.issuperset((*_NANOSECONDS, "rdev")):
        return "0.4"
    if "nlink" in inode:
        return "0.2"
    if "chunk_index" in data:
        return "0.1"
    if data.issuperset(("offset", "size")):
        return "0.0"
    raise NotAgentFSError(f"{name} is not an AgentFS database: its table fs_data is that of no version")


def _chunk_size(value: object, name: str) -> int:
    if value is None:
        return DEFAULT_CHUNK_SIZE
    text = str(value)
    if not text.isascii() or not text.isdigit() or len(text) > 10 or not 0 < int(text) <= _CHUNK_SIZE_MAX:
        raise NotAgentFSError(f"{name} has chunks of {text[:40]!r} bytes; a size from 1 to {_CHUNK_SIZE_MAX} is needed")
    return int(text)
