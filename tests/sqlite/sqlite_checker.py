"""What must hold in every chuksqlite file, looked up in its tables by SQL alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

_NAMES = "dentry d WHERE d.name <> '.'"
_DIRECTORY = "(mode & 61440) = 16384"
_FILE = "(mode & 61440) = 32768"

# Each query returns what is wrong; the first column says where.
_QUERIES = {
    "chunk of a content that nobody has": (
        "SELECT DISTINCT cid FROM chunk WHERE cid NOT IN (SELECT cid FROM inode WHERE cid IS NOT NULL) "
        "AND cid NOT IN (SELECT cid FROM loose) AND cid NOT IN (SELECT cid FROM past_content)"
    ),
    "content of two files": "SELECT cid FROM inode WHERE cid IS NOT NULL GROUP BY cid HAVING count(*) > 1",
    "content that is loose and a file's": "SELECT cid FROM loose WHERE cid IN (SELECT cid FROM inode)",
    "entry that leads nowhere": f"SELECT d.ino FROM {_NAMES} AND d.ino NOT IN (SELECT ino FROM inode)",
    "entry of what is no directory": (
        f"SELECT d.parent FROM {_NAMES} AND d.parent NOT IN (SELECT ino FROM inode WHERE {_DIRECTORY} AND nlink > 0)"
    ),
    "inode without a name": (
        f"SELECT ino FROM inode WHERE ino <> 1 AND nlink > 0 AND ino NOT IN (SELECT d.ino FROM {_NAMES})"
    ),
    "number of names of a file": (
        "SELECT ino, nlink FROM inode WHERE NOT " + _DIRECTORY + " AND nlink <> "
        f"(SELECT count(*) FROM {_NAMES} AND d.ino = inode.ino)"
    ),
    "number of names of a directory": (
        f"SELECT ino, nlink FROM inode WHERE {_DIRECTORY} AND nlink > 0 AND nlink <> 2 + "
        f"(SELECT count(*) FROM inode i JOIN {_NAMES.replace(' WHERE', ' ON d.ino = i.ino WHERE')} "
        f"AND d.parent = inode.ino AND (i.mode & 61440) = 16384)"
    ),
    "parent of a directory": (
        f"SELECT ino, parent FROM inode WHERE {_DIRECTORY} AND nlink > 0 AND ino <> 1 AND parent IS NOT "
        f"(SELECT d.parent FROM {_NAMES} AND d.ino = inode.ino)"
    ),
    "directory with two names": (
        f"SELECT d.ino FROM {_NAMES} AND d.ino IN (SELECT ino FROM inode WHERE {_DIRECTORY}) "
        "GROUP BY d.ino HAVING count(*) > 1"
    ),
    "size of a small file": f"SELECT ino, size FROM inode WHERE {_FILE} AND cid IS NULL AND size <> length(data)",
    "file with two contents": "SELECT ino FROM inode WHERE cid IS NOT NULL AND data IS NOT NULL",
    "space of a large file": (
        "SELECT ino, space FROM inode WHERE cid IS NOT NULL AND space <> "
        "(SELECT coalesce(sum(length(data)), 0) FROM chunk WHERE chunk.cid = inode.cid)"
    ),
    "chunk past the end of a file": (
        "SELECT ino, idx FROM inode JOIN chunk USING (cid) "
        "WHERE idx * (SELECT value FROM setting WHERE name = 'chunk_size') >= max(size, 1)"
    ),
    "chunk that is too long": (
        "SELECT cid, idx FROM chunk WHERE length(data) > (SELECT value FROM setting WHERE name = 'chunk_size')"
    ),
    "number that may be given again": (
        "SELECT max(coalesce(ino, 0), coalesce(cid, 0)) AS number FROM inode "
        "WHERE number >= (SELECT value FROM setting WHERE name = 'next_number')"
    ),
}
_LEFT = {
    "loose content": "SELECT cid FROM loose",
    "nameless file": "SELECT ino FROM inode WHERE nlink = 0",
}


def problems(database: str, *, in_use: bool = False) -> list[str]:
    """What is wrong in a database, one line each.

    Args:
        database: path of the file.
        in_use: whether somebody has it open, who may have open files without a name.
    """
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        past = (
            "SELECT cid FROM past_inode WHERE cid IS NOT NULL"
            if _has_past(connection)
            else "SELECT 1 AS cid WHERE false"
        )
        connection.execute(f"CREATE TEMP VIEW past_content AS {past}")
        return list(_problems(connection, _QUERIES if in_use else _QUERIES | _LEFT))


def _has_past(connection: sqlite3.Connection) -> bool:
    query = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'past_inode')"
    return bool(connection.execute(query).fetchone()[0])


def _problems(connection: sqlite3.Connection, queries: dict[str, str]) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"integrity_check: {line}"
    for what, query in queries.items():
        for row in connection.execute(query):
            yield f"{what}: {row}"
    (chunk_size,) = connection.execute("SELECT value FROM setting WHERE name = 'chunk_size'").fetchone()
    tails = "SELECT ino, size, idx, chunk.data FROM inode JOIN chunk USING (cid) WHERE idx = size / ?"
    for ino, size, index, data in connection.execute(tails, (chunk_size,)):
        if any(data[size - index * chunk_size :]):
            yield f"bytes past the end of a file: {ino}"
