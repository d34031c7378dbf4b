"""An AgentFS database as the engine's store: inodes are loaded when they are met, content by the chunk."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chuk_fsspec.backends.agentfs import content, names
from chuk_fsspec.backends.agentfs.database import Database, Way
from chuk_fsspec.backends.agentfs.facts import Facts, LeftOut
from chuk_fsspec.backends.agentfs.inodes import (
    DEPTH_MAX,
    ROOT_INO,
    AgentDirectory,
    AgentInode,
    AnyInode,
    DamagedError,
    make_inode,
    update_inode,
)
from chuk_fsspec.backends.agentfs.locking import LookScope
from chuk_fsspec.backends.agentfs.paths import FollowingPathCache
from chuk_fsspec.backends.agentfs.schema import NotAgentFSError, read_facts, read_schema
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import NAME_MAX, join
from chuk_fsspec.contract.posix import Buffer, StatVfs
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.readonly import ReadOnlyStore
from chuk_fsspec.engine.store import Readable

Result = TypeVar("Result")
Row = Sequence[Any]

BLOCK = 4096
LEFT_OUT_MAX = 1000
"""Damaged entries that are remembered; all are left out."""

_log = logging.getLogger("chuk_fsspec.agentfs")

_INODE = "SELECT {columns} FROM fs_inode AS i LEFT JOIN fs_symlink AS s ON s.ino = i.ino WHERE i.ino = ?"
_ENTRIES = """SELECT d.id, d.ino, d.name, {columns} FROM fs_dentry AS d LEFT JOIN fs_inode AS i ON i.ino = d.ino
LEFT JOIN fs_symlink AS s ON s.ino = i.ino WHERE d.parent_ino = ?"""
_TEXT_NAME = " AND d.name = ?"
_BYTES_NAME = " AND d.name = CAST(? AS TEXT)"
_UNSAYABLE = f""" AND (d.name IN ('', '.', '..') OR instr(d.name, '/') OR instr(CAST(d.name AS BLOB), x'00')
OR length(CAST(d.name AS BLOB)) > {NAME_MAX})"""
_SHARED_INODES = "SELECT ino, count(*) FROM fs_dentry GROUP BY ino HAVING count(*) > 1"


class AgentStore(ReadOnlyStore):
    """One database, for all who read it in this process."""

    refusal = "an AgentFS database is only read; import it to change its files"
    root: AgentDirectory

    def __init__(self, path: str) -> None:
        """Open a database.

        Args:
            path: absolute path of the host without symbolic links.

        Raises:
            NotAgentFSError: if it is not an AgentFS database, or one of a version that is not known.
            OSError: if it cannot be read.
        """
        super().__init__()
        self.lock = self._scope = LookScope(self._refresh, self._release)
        self._pid = os.getpid()
        self._salt = os.urandom(8)
        self._known: weakref.WeakValueDictionary[int, AnyInode] = weakref.WeakValueDictionary()
        self._places: dict[int, int] = {}
        self._left_out: dict[int, list[LeftOut]] = {}
        self._warned: set[LeftOut] = set()
        try:
            self._database = Database(path)
            self._learned = self.generation, self.epoch
            self._learn()
            self.root = self._load_root()
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise NotAgentFSError(f"{error.filename} is not an AgentFS database: {error.strerror}") from None
            raise
        _stores.add(self)

    @property
    def epoch(self) -> int:
        """Another number after each time that the path led to another database."""
        return self._database.epoch

    @property
    def generation(self) -> int:
        """Another number after each change of the database that may have happened."""
        return self._database.generation

    @property
    def state(self) -> tuple[object, ...]:
        """Another value after each change of the database."""
        self.look()
        return self._database.state

    @property
    def identity(self) -> tuple[int, int]:
        """Device and number of the file."""
        return self._database.identity

    @property
    def way(self) -> Way:
        """How the file is read at present."""
        return self._database.way

    def look(self) -> None:
        """Notice what others did to the database."""
        with self.lock:
            pass

    def path_cache(self) -> FollowingPathCache:
        return FollowingPathCache(self)

    def facts(self) -> Facts:
        """What the database holds besides files."""
        with self.lock:
            return self._database.read(lambda connection: read_facts(connection, self._schema))

    def left_out(self) -> list[LeftOut]:
        """Damaged entries that are not shown, as directories were listed last; about 1000 at most."""
        with self.lock:
            return [found for of_directory in self._left_out.values() for found in of_directory]

    # ---- inodes and entries

    def child(self, directory: Inode, name: str) -> Inode | None:
        if not isinstance(directory, AgentDirectory):
            raise os_error(errno.ENOTDIR, name)
        if not names.is_sayable(name):
            return None
        with self.lock:
            if not self._is_there(directory):
                return None
            row = self._find_row(directory.ino, name)
            if row is None:
                return None
            try:
                return self._meet(directory, name, row)
            except DamagedError as error:
                raise os_error(errno.EIO, name, hint=f"the AgentFS database is damaged: {error}") from None

    def children(self, directory: Inode) -> list[tuple[str, Inode]]:
        if not isinstance(directory, AgentDirectory):
            raise os_error(errno.ENOTDIR)
        with self.lock:
            if not self._is_there(directory):
                return []
            rows = self._rows(directory.ino, " ORDER BY d.id")
            self._left_out.pop(directory.ino, None)
            taken = {row[2] for row in rows}
            found: dict[str, Inode] = {}
            for row in rows:
                name, inode = self._listed(directory, row, taken)
                if inode is not None:
                    found.setdefault(name, inode)
            return list(found.items())

    def is_empty(self, directory: Inode) -> bool:
        return not self.children(directory)

    def bring_up_to_date(self, inode: Inode) -> None:
        """Fill in an inode's fields as they are now. ENOENT if it was removed."""
        with self.lock:
            if isinstance(inode, (AgentInode, AgentDirectory)) and not self._is_current(inode):
                raise os_error(errno.ENOENT, hint="it was removed by another program")

    # ---- content

    def read(self, inode: Inode, size: int, offset: int) -> list[Buffer]:
        pieces: list[Buffer] = inode.content.read(size, offset)
        return pieces

    def read_content(self, ino: int, epoch: int, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes of a file from ``offset``, of one state. ESTALE if it was removed, EIO, EFBIG."""

        def query(connection: sqlite3.Connection) -> list[Buffer]:
            length = self._length(connection, ino, epoch)
            end = min(offset + size, length)
            return content.read_range(connection, self._schema, ino, offset, end) if end > offset else []

        with self.lock:
            return self._reading(query)

    def seek(self, inode: Inode, offset: int, whence: int) -> int:
        def query(connection: sqlite3.Connection) -> int:
            length = self._length(connection, inode.ino, self.epoch)
            if not 0 <= offset < length:
                raise os_error(errno.ENXIO)
            return content.find_edge(connection, self._schema, inode.ino, offset, length, whence)

        with self.lock:
            return self._reading(query)

    def whole(self, inode: Inode) -> bytes | None:
        return None

    def pin(self, inode: Inode) -> Readable:
        readable: Readable = inode.content
        return readable

    def statvfs(self) -> StatVfs:
        def query(connection: sqlite3.Connection) -> int:
            return int(connection.execute("SELECT count(*) FROM fs_inode").fetchone()[0])

        with self.lock:
            inodes = self._database.read(query)
            return StatVfs(BLOCK, -(-self._database.size // BLOCK), 0, inodes, 0, NAME_MAX)

    # ---- steps, all under the lock

    def _refresh(self) -> None:
        """Notice what others did, and see that one state until ``_release``.

        An inode is brought up to date when it is met next, the root at once.
        """
        if os.getpid() != self._pid:
            self._pid = os.getpid()
            self._database.abandon()
        database = self._database
        database.check()
        now = database.generation, database.epoch
        if self._learned == now:
            return
        try:
            self._learn()
        except NotAgentFSError as error:
            raise os_error(errno.ESTALE, database.name, hint=str(error)) from None
        if self._learned[1] != database.epoch:
            self._known.clear()
            self._places.clear()
            self._left_out.clear()
            self._warned.clear()
            self._known[ROOT_INO] = self.root
        if not self._is_current(self.root):
            raise os_error(errno.EIO, database.name, hint="the AgentFS database has no root directory any more")
        self._learned = now

    def _release(self) -> None:
        self._database.release()

    def _learn(self) -> None:
        """Find out how the database is laid out by now."""
        name = self._database.name
        self._schema = self._database.read(lambda connection: read_schema(connection, name))
        self._names_of: dict[int, int] = {}
        if not self._schema.counts_links:
            self._names_of = self._database.read(lambda connection: dict(connection.execute(_SHARED_INODES)))

    def _load_root(self) -> AgentDirectory:
        row = self._row_of(ROOT_INO)
        try:
            root = make_inode(row, self, self._salt) if row is not None else None
        except DamagedError as error:
            raise NotAgentFSError(f"{self._database.name} is a damaged AgentFS database: {error}") from None
        if not isinstance(root, AgentDirectory):
            raise NotAgentFSError(f"{self._database.name} is a damaged AgentFS database: it has no root directory")
        root.generation = self.generation
        self._known[ROOT_INO] = root
        return root

    def _is_current(self, inode: AnyInode) -> bool:
        """Bring an inode up to date; False if it is not there any more."""
        if inode.generation == self.generation:
            return True
        row = self._row_of(inode.ino) if self._known.get(inode.ino) is inode else None
        try:
            found = row is not None and update_inode(inode, row, self, self._salt_now())
        except DamagedError as error:
            raise os_error(errno.EIO, hint=f"the AgentFS database is damaged: {error}") from None
        if not found:
            inode.nlink = 0
            return False
        inode.generation = self.generation
        return True

    def _is_there(self, directory: AgentDirectory) -> bool:
        return self._is_current(directory) and directory.nlink > 0

    def _listed(self, directory: AgentDirectory, row: Row, taken: set[object]) -> tuple[str, AnyInode | None]:
        """An entry as it is listed; no inode for one that is damaged."""
        try:
            name = _shown(row[2], taken)
            return name, self._meet(directory, name, row)
        except DamagedError as error:
            self._leave_out(directory, str(row[2]), str(error))
            return "", None

    def _meet(self, directory: AgentDirectory, name: str, row: Row) -> AnyInode:
        """The inode behind an entry of a directory. DamagedError."""
        entry, target, _, *fields = row
        if fields[0] is None:
            raise DamagedError(f"the entry leads to inode {target}, which is missing")
        if target == ROOT_INO:
            raise DamagedError("the entry leads back to the root directory")
        self._count_names(fields)
        inode = self._known.get(target)
        if inode is None or inode.generation != self.generation:
            if inode is None or not update_inode(inode, fields, self, self._salt_now()):
                inode = self._known[target] = make_inode(fields, self, self._salt_now())
            inode.generation = self.generation
        if isinstance(inode, AgentDirectory):
            self._settle(inode, directory, name, entry)
        return inode

    def _settle(self, inode: AgentDirectory, directory: AgentDirectory, name: str, entry: int) -> None:
        """Give a directory its one place: where it was met first, for as long as that entry stands.

        So directories are a tree whatever the database says, and nobody walks in circles.
        """
        place = self._places.get(inode.ino, entry)
        if place != entry and self._leads_to(place, inode.ino):
            raise DamagedError(f"the directory of inode {inode.ino} has a second name")
        if directory.depth >= DEPTH_MAX:
            raise DamagedError(f"directories lie more than {DEPTH_MAX} deep")
        self._places[inode.ino] = entry
        inode.parent, inode.name, inode.depth = directory, name, directory.depth + 1

    def _leads_to(self, entry: int, ino: int) -> bool:
        def query(connection: sqlite3.Connection) -> bool:
            sql = "SELECT 1 FROM fs_dentry WHERE id = ? AND ino = ?"
            return connection.execute(sql, (entry, ino)).fetchone() is not None

        return self._database.read(query)

    def _find_row(self, parent: int, name: str) -> Row | None:
        """The row behind a name as it is shown."""
        try:
            name.encode()
        except UnicodeEncodeError:
            rows = self._rows(parent, _BYTES_NAME, name.encode("utf-8", "surrogateescape"))
        else:
            rows = self._rows(parent, _TEXT_NAME, name)
        if not rows and names.MARK in name:
            rows = [row for row in self._rows(parent, _UNSAYABLE) if names.shown(row[2]) == name]
        return min(rows, key=lambda row: row[0]) if rows else None

    def _rows(self, parent: int, condition: str, *arguments: object) -> list[Row]:
        sql = _ENTRIES.format(columns=self._schema.inode) + condition
        return self._database.read(lambda connection: connection.execute(sql, (parent, *arguments)).fetchall())

    def _row_of(self, ino: int) -> Row | None:
        sql = _INODE.format(columns=self._schema.inode)
        row = self._database.read(lambda connection: connection.execute(sql, (ino,)).fetchone())
        if row is None:
            return None
        fields = list(row)
        self._count_names(fields)
        return fields

    def _count_names(self, fields: list[Any]) -> None:
        if not self._schema.counts_links:
            fields[2] = self._names_of.get(fields[0], 1)

    def _length(self, connection: sqlite3.Connection, ino: int, epoch: int) -> int:
        row = connection.execute("SELECT size FROM fs_inode WHERE ino = ?", (ino,)).fetchone()
        if row is None or epoch != self.epoch:
            raise os_error(errno.ESTALE, hint="the file was removed by another program")
        if type(row[0]) is not int:
            raise DamagedError(f"the size of inode {ino} is no number")
        return int(row[0])

    def _reading(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return self._database.read(query)
        except DamagedError as error:
            raise os_error(errno.EIO, hint=f"the AgentFS database is damaged: {error}") from None

    def _salt_now(self) -> bytes:
        return self._salt + self.generation.to_bytes(8, "big")

    def _leave_out(self, directory: AgentDirectory, name: str, reason: str) -> None:
        found = LeftOut(join(_path(directory), names.shown(name)), reason)
        if sum(map(len, self._left_out.values())) < LEFT_OUT_MAX:
            self._left_out.setdefault(directory.ino, []).append(found)
        if found not in self._warned and len(self._warned) < LEFT_OUT_MAX:
            self._warned.add(found)
            _log.warning("%s: %r is left out: %s", self._database.name, found.path, reason)

    def renew_after_fork(self) -> None:
        """In the child of a fork: the lock and the connection are the parent's."""
        self._scope.renew()


def _shown(name: object, taken: set[object]) -> str:
    """The name under which an entry is listed. DamagedError if it has none."""
    if not isinstance(name, str):
        raise DamagedError("the name of the entry is no text")
    shown = names.shown(name)
    if shown != name and shown in taken:
        raise DamagedError("what its name is shown as is the name of another entry")
    return shown


def _path(directory: Directory) -> str:
    parts: list[str] = []
    while isinstance(directory, AgentDirectory) and directory.name:
        parts.append(directory.name)
        directory = directory.parent
    return "/" + "/".join(reversed(parts))


_stores: weakref.WeakSet[AgentStore] = weakref.WeakSet()


def _renew_locks() -> None:
    for store in list(_stores):
        store.renew_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
