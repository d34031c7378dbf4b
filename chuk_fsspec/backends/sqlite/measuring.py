"""How large a chuksqlite file is, and what takes the space."""

# ruff: noqa: S608 - every query is put together from constants

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass

from chuk_fsspec.backends.sqlite.database import connect
from chuk_fsspec.backends.sqlite.errors import translated
from chuk_fsspec.backends.sqlite.naming import paths_of
from chuk_fsspec.backends.sqlite.options import Options
from chuk_fsspec.backends.sqlite.schema import deduplicates
from chuk_fsspec.backends.sqlite.snapshots.schema import has_snapshots

_KINDS = """
SELECT coalesce(sum(mode & 61440 = 32768), 0), coalesce(sum(mode & 61440 = 16384), 0),
    coalesce(sum(mode & 61440 NOT IN (32768, 16384)), 0), coalesce(sum(iif(mode & 61440 = 32768, size, 0)), 0),
    coalesce(sum(iif(mode & 61440 = 32768, iif(cid IS NULL, size, space), 0)), 0)
FROM inode WHERE nlink > 0
"""
_ALL = "SELECT coalesce(sum(length(data)), 0) FROM"
_SAVED = f"SELECT ({_ALL} chunk) - ({_ALL} block)"
_SAVED_WITH_PAST = f"SELECT ({_ALL} chunk) + ({_ALL} past_chunk) - ({_ALL} block)"
_KEPT = f"""
SELECT (SELECT count(*) FROM snapshot), ({_ALL} past_inode) + ({_ALL} past_chunk) + ({_ALL} chunk
    WHERE cid IN (SELECT cid FROM past_inode) AND cid NOT IN (SELECT cid FROM inode WHERE cid IS NOT NULL))
"""
_LARGEST = "SELECT ino, size FROM inode WHERE mode & 61440 = 32768 AND nlink > 0 ORDER BY size DESC, ino LIMIT ?"


@dataclass(frozen=True)
class Largest:
    """One of the largest files: its first path, and the bytes of its content."""

    path: str
    size: int


@dataclass(frozen=True)
class Size:
    """What is in a chuksqlite file.

    Attributes:
        files: regular files; one with several names counts once.
        directories: the root among them.
        others: symbolic links and special files.
        content: bytes of all files, holes included.
        stored: bytes of content that are really there.
        file: bytes of the database file.
        free: bytes of it that wait to be used again; ``vacuum`` gives them back.
        log: bytes of the write-ahead log beside it.
        chunk_size: bytes of a chunk of a large file.
        saved: bytes of content that are not there a second time; None for a file that does not deduplicate.
        snapshots: how many there are.
        kept: bytes of content that are there for snapshots only.
        largest: the largest files, the largest first.
    """

    files: int
    directories: int
    others: int
    content: int
    stored: int
    file: int
    free: int
    log: int
    chunk_size: int
    saved: int | None
    snapshots: int
    kept: int
    largest: tuple[Largest, ...]


def measure(database: str, *, largest: int = 10) -> Size:
    """Count and add up what is in a chuksqlite file, without changing it.

    Args:
        database: absolute path of the file on this machine.
        largest: how many of the largest files to name.

    Raises:
        ValueError: if it is no chuksqlite file.
        OSError: ENOENT, EACCES, EBUSY; EIO if it is damaged.
    """
    with closing(connect(database, Options(read_only=True, create=False))) as connection:
        try:
            return _measure(connection, database, largest)
        except sqlite3.Error as error:
            raise translated(error, database) from error


def _measure(connection: sqlite3.Connection, database: str, largest: int) -> Size:
    connection.execute("BEGIN")  # all that follows is of one moment
    files, directories, others, content, stored = connection.execute(_KINDS).fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (chunk_size,) = connection.execute("SELECT value FROM setting WHERE name = 'chunk_size'").fetchone()
    found = connection.execute(_LARGEST, (largest,)).fetchall()
    paths = paths_of(connection, [ino for ino, _ in found])
    past = has_snapshots(connection)
    snapshots, kept = connection.execute(_KEPT).fetchone() if past else (0, 0)
    saved = _SAVED_WITH_PAST if past else _SAVED
    return Size(
        files=files,
        directories=directories,
        others=others,
        content=content,
        stored=stored,
        file=os.stat(database).st_size,
        free=free * page_size,
        log=_size_of(database + "-wal"),
        chunk_size=chunk_size,
        saved=connection.execute(saved).fetchone()[0] if deduplicates(connection.execute) else None,
        snapshots=snapshots,
        kept=kept,
        largest=tuple(Largest(paths[ino], size) for ino, size in found),
    )


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
