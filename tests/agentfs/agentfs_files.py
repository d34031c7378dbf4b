"""AgentFS databases written with plain sqlite3, by the specification, and broken ones."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import fsspec

from chuk_fsspec.backends.agentfs import AgentFileSystem

fsspec.register_implementation("chukagentfs", AgentFileSystem, clobber=True)

THEN = 1_700_000_000
CHUNK = 4096
FILE, DIRECTORY, LINK = stat.S_IFREG | 0o644, stat.S_IFDIR | 0o755, stat.S_IFLNK | 0o777

_TIMES = "atime INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL"
_NLINK = "nlink INTEGER NOT NULL DEFAULT 0,"
_NEW = """, rdev INTEGER NOT NULL DEFAULT 0, atime_nsec INTEGER NOT NULL DEFAULT 0,
mtime_nsec INTEGER NOT NULL DEFAULT 0, ctime_nsec INTEGER NOT NULL DEFAULT 0"""


class Maker:
    """A database in the making, which stays open for writing like an agent's."""

    def __init__(self, path: Path, version: str = "0.4", journal_mode: str = "delete", chunk: int = CHUNK) -> None:
        self.path = path
        self.version = version
        self.chunk = chunk
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute(f"PRAGMA journal_mode = {journal_mode}")
        self.run("PRAGMA synchronous = OFF")
        self.run("BEGIN")
        nlink = _NLINK if version >= "0.2" else ""
        self.run(f"""CREATE TABLE fs_inode (ino INTEGER PRIMARY KEY AUTOINCREMENT, mode INTEGER NOT NULL, {nlink}
            uid INTEGER NOT NULL DEFAULT 0, gid INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0,
            {_TIMES}{_NEW if version >= "0.4" else ""})""")
        self.run("""CREATE TABLE fs_dentry (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
            parent_ino INTEGER NOT NULL, ino INTEGER NOT NULL, UNIQUE (parent_ino, name))""")
        self.run("CREATE INDEX idx_fs_dentry_parent ON fs_dentry (parent_ino, name)")
        self.run("CREATE TABLE fs_symlink (ino INTEGER PRIMARY KEY, target TEXT NOT NULL)")
        if version == "0.0":
            self.run("""CREATE TABLE fs_data (id INTEGER PRIMARY KEY AUTOINCREMENT, ino INTEGER NOT NULL,
                offset INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL)""")
        else:
            self.run("""CREATE TABLE fs_data (ino INTEGER NOT NULL, chunk_index INTEGER NOT NULL, data BLOB NOT NULL,
                PRIMARY KEY (ino, chunk_index))""")
            self.run("CREATE TABLE fs_config (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
            self.run("INSERT INTO fs_config VALUES ('chunk_size', ?)", str(chunk))
        if version >= "0.4":
            self.run("INSERT INTO fs_config VALUES ('schema_version', ?)", version)
        self.inode(DIRECTORY, ino=1)
        self.run("COMMIT")

    def run(self, sql: str, *arguments: object) -> sqlite3.Cursor:
        return self.db.execute(sql, arguments)

    def inode(self, mode: int, size: int = 0, ino: int | None = None, mtime: int = THEN) -> int:
        sql = "INSERT INTO fs_inode (ino, mode, size, atime, mtime, ctime) VALUES (?, ?, ?, ?, ?, ?)"
        made = self.run(sql, ino, mode, size, mtime, mtime, mtime).lastrowid
        assert made is not None
        return made

    def entry(self, parent: int, name: object, ino: int) -> int:
        self.run("INSERT INTO fs_dentry (name, parent_ino, ino) VALUES (?, ?, ?)", name, parent, ino)
        if self.version >= "0.2":
            self.run("UPDATE fs_inode SET nlink = nlink + 1 WHERE ino = ?", ino)
        return ino

    def content(self, ino: int, data: bytes) -> None:
        self.run("DELETE FROM fs_data WHERE ino = ?", ino)
        for index, start in enumerate(range(0, len(data), self.chunk)):
            piece = data[start : start + self.chunk]
            if self.version == "0.0":
                self.run(
                    "INSERT INTO fs_data (ino, offset, size, data) VALUES (?, ?, ?, ?)", ino, start, len(piece), piece
                )
            else:
                self.run("INSERT INTO fs_data VALUES (?, ?, ?)", ino, index, piece)
        self.run("UPDATE fs_inode SET size = ? WHERE ino = ?", len(data), ino)

    def file(self, name: object, data: bytes = b"", parent: int = 1) -> int:
        ino = self.entry(parent, name, self.inode(FILE))
        self.content(ino, data)
        return ino

    def directory(self, name: object, parent: int = 1) -> int:
        return self.entry(parent, name, self.inode(DIRECTORY))

    def link(self, name: object, target: str, parent: int = 1) -> int:
        ino = self.entry(parent, name, self.inode(LINK, len(target)))
        self.run("INSERT INTO fs_symlink VALUES (?, ?)", ino, target)
        return ino

    def open(self, **options: Any) -> AgentFileSystem:
        fs: AgentFileSystem = AgentFileSystem(database=str(self.path), skip_instance_cache=True, **options)
        return fs

    def close(self) -> None:
        self.db.close()


_ROWS = [bytes((place * 7 + start) % 256 for place in range(251)) for start in range(256)]


def pattern(size: int, seed: int = 1) -> bytes:
    """Bytes in which no two places look alike for long."""
    return b"".join(_ROWS[(row * 222 + seed) % 256] for row in range(size // 251 + 1))[:size]


def state_of(directory: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file of a host directory: size, time and content."""
    found = {}
    for name in sorted(os.listdir(directory)):
        path = directory / name
        if path.is_file():
            status = path.stat()
            found[name] = status.st_size, status.st_mtime_ns, path.read_bytes()
    return found
