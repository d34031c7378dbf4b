"""Writing a new AgentFS database (specification 0.4)."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.posix import Buffer

VERSION = "0.4"
CHUNK_SIZE = 4096
ROOT_INO = 1

_ROWS_AT_ONCE = 1000

# The tables of the key-value store and of tool calls are not made here. Every AgentFS program makes its own when it
# opens a database, and the columns of tool_calls differ between them.
_TABLES = """
CREATE TABLE fs_config (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE fs_inode (
    ino INTEGER PRIMARY KEY AUTOINCREMENT, mode INTEGER NOT NULL, nlink INTEGER NOT NULL DEFAULT 0,
    uid INTEGER NOT NULL DEFAULT 0, gid INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0,
    atime INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, rdev INTEGER NOT NULL DEFAULT 0,
    atime_nsec INTEGER NOT NULL DEFAULT 0, mtime_nsec INTEGER NOT NULL DEFAULT 0, ctime_nsec INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE fs_dentry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, parent_ino INTEGER NOT NULL, ino INTEGER NOT NULL,
    UNIQUE (parent_ino, name)
);
CREATE TABLE fs_data (
    ino INTEGER NOT NULL, chunk_index INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (ino, chunk_index)
);
CREATE TABLE fs_symlink (ino INTEGER PRIMARY KEY, target TEXT NOT NULL);
"""
_INDEX = "CREATE INDEX idx_fs_dentry_parent ON fs_dentry (parent_ino, name)"
_INODE = """INSERT INTO fs_inode (ino, mode, nlink, uid, gid, size, atime, mtime, ctime, rdev, atime_nsec, mtime_nsec,
ctime_nsec) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


class AgentDatabase:
    """A database in the making, under a name of its own until it is whole.

    Used as a context manager: it takes its place when the block ends well, and is removed when it does not.
    """

    def __init__(self, path: str, *, overwrite: bool, chunk_size: int) -> None:
        """Begin a database.

        Args:
            path: absolute path of where it will be.
            overwrite: whether it may take the place of a file that is there.
            chunk_size: bytes in a chunk of content, at least 1.

        Raises:
            FileExistsError: if there is a file and ``overwrite`` is not set.
            OSError: EBUSY if a program has such a database open, or left it unfinished; ENOENT for the directory.
        """
        self.chunk_size = chunk_size
        self._path = path
        self._name = os.path.basename(path)
        self._overwrite = overwrite
        self._require_place()
        self._draft = os.path.join(os.path.dirname(path), f".{self._name}-{secrets.token_hex(8)}.part")
        self.last_ino = ROOT_INO
        self._entries: list[tuple[str, int, int]] = []
        with self._errors():
            os.close(os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
            self._connection = sqlite3.connect(self._draft, isolation_level=None)
        self._run("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA page_size = 4096", "BEGIN")
        self._run(*filter(str.strip, _TABLES.split(";\n")))
        config = (("chunk_size", str(chunk_size)), ("schema_version", VERSION))
        self._write_all("INSERT INTO fs_config (key, value) VALUES (?, ?)", config)

    def new_ino(self) -> int:
        """A number for the next inode."""
        self.last_ino += 1
        return self.last_ino

    def add_entry(self, parent: int, name: str, ino: int) -> None:
        """Give an inode a name in a directory."""
        self._entries.append((name, parent, ino))
        if len(self._entries) >= _ROWS_AT_ONCE:
            self._write_entries()

    def add_inode(self, ino: int, node: Node, size: int) -> None:
        """Note the attributes of an inode with one name; ``size`` is in bytes."""
        atime, mtime, ctime = (divmod(ns, 10**9) for ns in (node.atime_ns, node.mtime_ns, node.ctime_ns))
        seconds, nanoseconds = zip(atime, mtime, ctime, strict=True)
        row = (ino, node.mode, 1, node.uid, node.gid, size, *seconds, node.rdev, *nanoseconds)
        self._write_all(_INODE, [row])

    def add_content(self, ino: int, offset: int, data: Buffer) -> None:
        """Note content, from an offset that is a multiple of the chunk size up to such a one, or to the end."""
        size, view = self.chunk_size, memoryview(data)
        first = offset // size
        rows = ((ino, first + at // size, view[at : at + size]) for at in range(0, len(view), size))
        self._write_all("INSERT INTO fs_data (ino, chunk_index, data) VALUES (?, ?, ?)", rows)

    def add_target(self, ino: int, target: str) -> None:
        """Note where a symbolic link leads."""
        self._write_all("INSERT INTO fs_symlink (ino, target) VALUES (?, ?)", [(ino, target)])

    def set_names(self, ino: int, count: int) -> None:
        """Note how many names an inode has."""
        self._write_all("UPDATE fs_inode SET nlink = ? WHERE ino = ?", [(count, ino)])

    def __enter__(self) -> AgentDatabase:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._write_entries()
                self._run(_INDEX, "COMMIT")
            self._connection.close()
            if kind is None:
                with self._errors():
                    self._publish()
        finally:
            self._connection.close()
            with suppress(FileNotFoundError):
                os.unlink(self._draft)

    # ---- steps

    def _write_entries(self) -> None:
        entries, self._entries = self._entries, []
        self._write_all("INSERT INTO fs_dentry (name, parent_ino, ino) VALUES (?, ?, ?)", entries)

    def _run(self, *statements: str) -> None:
        with self._errors():
            for statement in statements:
                self._connection.execute(statement)

    def _write_all(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        with self._errors():
            self._connection.executemany(sql, rows)

    def _require_place(self) -> None:
        """See to it that the new file would be alone: a log beside it would be taken for its own."""
        for ending in ("-wal", "-journal"):
            with suppress(FileNotFoundError):
                if os.stat(self._path + ending).st_size:
                    hint = f"{self._name}{ending} lies beside it: a program has the database open, or was killed; "
                    hint += "end the program, or open and close the database with it"
                    raise os_error(errno.EBUSY, self._name, hint=hint)
        if not self._overwrite and os.path.lexists(self._path):
            raise os_error(errno.EEXIST, self._name, hint="choose another name, or allow to overwrite it")

    def _publish(self) -> None:
        """Put the finished file in its place, in one step."""
        descriptor = os.open(self._draft, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._require_place()
        for ending in ("-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                os.unlink(self._path + ending)
        if self._overwrite:
            os.replace(self._draft, self._path)
        else:
            _move_to_free_name(self._draft, self._path)

    def _errors(self) -> _Named:
        return _Named(self._name)


def _move_to_free_name(source: str, target: str) -> None:
    """Rename a file, never over another one. FileExistsError."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a filesystem without hard links
        if os.path.lexists(target):
            raise os_error(errno.EEXIST, target) from None
        os.rename(source, target)


class _Named:
    """Errors of SQLite and of the host, as such that name the database only."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            full = "full" in str(error).lower()
            raise os_error(errno.ENOSPC if full else errno.EIO, self._name, hint=str(error)) from None
        if isinstance(error, OSError):
            hint = "the AgentFS database cannot be written"
            if error.errno == errno.EEXIST:
                hint = "it was made by somebody else meanwhile"
            raise os_error(error.errno or errno.EIO, self._name, hint=hint) from None
