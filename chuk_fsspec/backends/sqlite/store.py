"""Inodes and directory entries as rows, behind what the engine asks of a store.

What was read is kept until another process has changed the file (``Session.generation``). What a scope changes is kept
in memory and written once when it ends, so that a new file is one row inserted, not one inserted and updated.
"""

from __future__ import annotations

import errno
import sqlite3
import weakref
from collections.abc import Callable
from typing import Any

from chuk_fsspec.backends.sqlite import rows
from chuk_fsspec.backends.sqlite.chunks import Chunks
from chuk_fsspec.backends.sqlite.contents import FileContents
from chuk_fsspec.backends.sqlite.database import IN_MEMORY, synchronise
from chuk_fsspec.backends.sqlite.errors import damaged, stale
from chuk_fsspec.backends.sqlite.inode import (
    GONE,
    NEW,
    STAMPS,
    Row,
    SqliteDirectory,
    SqliteInode,
    Stored,
)
from chuk_fsspec.backends.sqlite.leftovers import remove_leftovers
from chuk_fsspec.backends.sqlite.loose_list import LooseList
from chuk_fsspec.backends.sqlite.numbers import Numbers
from chuk_fsspec.backends.sqlite.path_cache import SessionPathCache
from chuk_fsspec.backends.sqlite.schema import PAGE_SIZE, ROOT, deduplicates
from chuk_fsspec.backends.sqlite.session import Session
from chuk_fsspec.backends.sqlite.shared_chunks import SharedChunks
from chuk_fsspec.backends.sqlite.snapshots import removing, restoring, taking
from chuk_fsspec.backends.sqlite.snapshots.keeping import Keeping
from chuk_fsspec.backends.sqlite.snapshots.store import PastStore
from chuk_fsspec.backends.sqlite.space import free_bytes
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import NAME_MAX
from chuk_fsspec.contract.posix import StatVfs
from chuk_fsspec.contract.snapshots import Snapshot
from chuk_fsspec.engine.inode import Directory, Inode

_ROWS = (SqliteInode, SqliteDirectory)
_KEPT_MAX = 64 << 20
"""Bytes of inodes and small files that are kept, about, before all are forgotten."""
_INODE_BYTES = 600
_MAX_INODES = 2**48


class SqliteStore(FileContents):
    """The inodes of one database.

    Attributes:
        generation: that of the session.
    """

    stages = True

    def __init__(self, session: Session) -> None:
        self.session = session
        self.lock = session.lock
        self.change = session.change
        self.generation = session.generation
        self.numbers = Numbers(session)
        self.keeping = Keeping(session, self.numbers)
        self.loose = LooseList(self)
        # Without callbacks, which take ten times as long; dead ones go in `_drop_entries`.
        self._inodes: dict[int, weakref.ref[Row]] = {}
        self._changed: dict[int, Row] = {}
        self._filled: list[SqliteDirectory] = []
        self._kept = 0
        self._count: int | None = None
        session.pending, session.flush, session.forget = self._changed, self._flush, self._forget
        session.undone = self._undone
        if not session.options.read_only:
            remove_leftovers(session)
        with self.lock:
            setting = session.run("SELECT value FROM setting WHERE name = 'chunk_size'").fetchone()
            self.deduplicates = deduplicates(session.run)
            root = self._by_number(ROOT)
        if setting is None or not isinstance(root, SqliteDirectory):
            raise damaged(session.path)
        (self.chunk_size,) = setting
        self._kind = SharedChunks if self.deduplicates else Chunks
        self._chunks = self._kind(session.connection, self.chunk_size, self.keeping)
        self.root = root

    def path_cache(self) -> SessionPathCache:
        return SessionPathCache(self.session)

    # ---- what is known

    def reload(self, inode: Row) -> None:
        """Read an inode's fields again. One that is gone has no names left."""
        with self.lock:
            if inode.seen == self.generation:
                return
            row = self.session.run(rows.BY_NUMBER, (inode.ino,)).fetchone()
            if row is not None:
                rows.fill(inode, row, self.generation)
            else:
                inode.raw_nlink = 0
                content = inode.raw_content
                if type(content) is Stored:
                    inode.raw_content = Stored(content.size, GONE, content.space)
                inode.seen = self.generation

    def note(self, inode: Row, bits: int) -> None:
        """Something of an inode is to be written."""
        inode.changed |= bits
        self._changed[inode.ino] = inode
        self.session.has_noted = True

    def directory(self, ino: int) -> SqliteDirectory:
        """The directory of a number. EIO if the database is damaged."""
        found = self._in_use(ino)
        if found is None:
            with self.lock:
                found = self._by_number(ino)
        if not isinstance(found, SqliteDirectory):
            raise damaged(self.session.path)
        return found

    def _in_use(self, ino: int) -> Row | None:
        """The object of an inode, if anybody has it."""
        reference = self._inodes.get(ino)
        return None if reference is None else reference()

    def _by_number(self, ino: int) -> Row | None:
        row = self.session.run(rows.BY_NUMBER, (ino,)).fetchone()
        return None if row is None else self._known(ino, row)

    def _known(self, ino: int, row: tuple[Any, ...]) -> Row:
        """The one object of an inode, with the fields of a row that was just read, unless it has newer ones."""
        inode = self._in_use(ino)
        if inode is None:
            if row[0] is None:
                raise damaged(self.session.path)
            is_directory = row[2] & rows.S_IFMT == rows.S_IFDIR
            inode = SqliteDirectory(self, ino) if is_directory else SqliteInode(self, ino)
            rows.fill(inode, row, self.generation)
            self._inodes[ino] = weakref.ref(inode)
        elif inode.seen != self.generation:
            if row[0] is None:
                raise damaged(self.session.path)
            rows.fill(inode, row, self.generation)
        return inode

    def _keep(self, directory: SqliteDirectory, name: str, inode: Row) -> None:
        if not directory.entries:
            self._filled.append(directory)
        directory.entries[name] = inode
        content = inode.raw_content
        self._kept += _INODE_BYTES + (len(content) if type(content) is bytes else 0)

    def _forget(self) -> None:
        """Whatever was read may have changed."""
        self.generation = self.session.generation
        for inode in self._changed.values():
            inode.changed = 0
        self._changed.clear()
        self._count = None
        self.numbers.set_aside()
        self._drop_entries()

    def _drop_entries(self) -> None:
        filled, self._filled, self._kept = self._filled, [], 0
        for directory in filled:
            directory.entries = {}
            directory.is_complete = False
        del filled
        self._inodes = {ino: reference for ino, reference in self._inodes.items() if reference() is not None}

    def _flush(self) -> None:
        """Write what was changed in memory. ESTALE for an inode that another process has removed."""
        pending = self._changed
        for ino in list(pending):  # in the order of their numbers, mostly: rows that are appended fill their pages
            inode = pending.pop(ino)
            changed, inode.changed = inode.changed, 0
            if changed != STAMPS or type(inode) is SqliteInode:  # a directory's stamps are in its entry
                self.keeping.before_row(inode)
            if not rows.write(self.session.run, inode, changed):
                raise stale()
        if self.loose.unused or self.loose.unpinned:
            self.loose.drop_unused()
        if self._kept > _KEPT_MAX:
            self._drop_entries()

    # ---- inodes and entries

    def new(self, mode: int, uid: int, gid: int, content: Any, now: int) -> Inode:
        ino = self.numbers.take()
        is_directory = mode & rows.S_IFMT == rows.S_IFDIR
        inode = SqliteDirectory(self, ino) if is_directory else SqliteInode(self, ino)
        if mode & rows.S_IFMT == rows.S_IFREG:
            content = self._take(content)
        inode.raw_mode = mode
        inode.raw_nlink = 0
        inode.raw_uid = uid
        inode.raw_gid = gid
        inode.raw_version = ino
        inode.raw_atime_ns = now
        inode.raw_mtime_ns = now
        inode.raw_ctime_ns = now
        inode.btime_ns = now
        inode.raw_xattrs = None
        inode.raw_content = content
        if isinstance(inode, SqliteDirectory):
            inode.parent_ino = ino
            inode.is_complete = True
            self._filled.append(inode)
        inode.seen = self.generation
        inode.changed = NEW
        self._changed[ino] = inode
        self._inodes[ino] = weakref.ref(inode)
        if self._count is not None:
            self._count += 1
        return inode

    def _undone(self) -> None:
        self.numbers.undone()
        self.loose.undone()

    def free(self, inode: Inode) -> None:
        assert isinstance(inode, _ROWS)
        content = inode.content
        changed, inode.changed = inode.changed, 0
        self._changed.pop(inode.ino, None)
        if not changed & NEW:
            self.session.run("DELETE FROM inode WHERE ino = ?", (inode.ino,))
            if isinstance(inode, SqliteDirectory):
                # Its other entries are not for this to drop: whoever removes a tree goes through them yet.
                self.session.run("DELETE FROM dentry WHERE parent = ? AND name = '.'", (inode.ino,))
        self._let_go(inode, content)
        if self._count is not None:
            self._count -= 1

    def child(self, directory: Inode, name: str) -> Inode | None:
        try:
            inode: Inode | None = directory.entries.get(name)  # type: ignore[attr-defined]
        except AttributeError:
            raise os_error(errno.ENOTDIR, name) from None
        if inode is not None or directory.is_complete:  # type: ignore[attr-defined]
            return inode
        assert isinstance(directory, SqliteDirectory)
        try:
            key = rows.encode_name(name)
        except UnicodeEncodeError:  # half a surrogate pair is part of no name
            return None
        with self.lock:
            row = self.session.run(rows.BY_NAME, (directory.ino, key)).fetchone()
            if row is None:
                return None
            inode = self._known(row[-1], row[:-1])
            self._keep(directory, name, inode)
            return inode

    def children(self, directory: Inode) -> list[tuple[str, Inode]]:
        assert isinstance(directory, SqliteDirectory)
        with self.lock:
            if not directory.is_complete:
                found = self.session.run(rows.CHILDREN, (directory.ino,)).fetchall()
                if not directory.entries:
                    self._filled.append(directory)
                directory.entries = {rows.decode_name(name): self._known(ino, tuple(row)) for *row, ino, name in found}
                directory.is_complete = True
                self._kept += _INODE_BYTES * len(found)
            return list(directory.entries.items())

    def is_empty(self, directory: Inode) -> bool:
        assert isinstance(directory, SqliteDirectory)
        if directory.entries or directory.is_complete:
            return not directory.entries
        query = "SELECT 1 FROM dentry WHERE parent = ? AND name <> '.' LIMIT 1"
        return self.session.run(query, (directory.ino,)).fetchone() is None

    def attach(self, directory: Directory, name: str, inode: Inode, now: int) -> None:
        assert isinstance(directory, SqliteDirectory)
        assert isinstance(inode, _ROWS)
        row = inode.ino, directory.ino, rows.encode_name(name)
        try:
            self.session.run("INSERT INTO dentry (ino, parent, name) VALUES (?, ?, ?)", row)
        except sqlite3.IntegrityError:
            self.session.run("UPDATE dentry SET ino = ? WHERE parent = ? AND name = ?", row)
        self._keep(directory, name, inode)
        self._stamp_directory(directory, now)

    def detach(self, directory: Directory, name: str, now: int) -> None:
        assert isinstance(directory, SqliteDirectory)
        query = "DELETE FROM dentry WHERE parent = ? AND name = ?"
        self.session.run(query, (directory.ino, rows.encode_name(name)))
        directory.entries.pop(name, None)
        self._stamp_directory(directory, now)

    def _stamp_directory(self, directory: SqliteDirectory, now: int) -> None:
        directory.ctime_ns = now
        directory.raw_mtime_ns = now

    def clear(self, directory: Directory) -> list[Inode]:
        assert isinstance(directory, SqliteDirectory)
        gone = [inode for _, inode in self.children(directory)]
        self.session.run("DELETE FROM dentry WHERE parent = ? AND name <> '.'", (directory.ino,))
        directory.entries = {}
        return gone

    def relink(self, inode: Inode, nlink: int, now: int) -> None:
        inode.nlink = nlink
        inode.ctime_ns = now

    def stamp(self, inode: Inode, mtime_ns: int, ctime_ns: int) -> None:
        inode.mtime_ns = mtime_ns
        inode.ctime_ns = ctime_ns

    def update(self, inode: Inode, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(inode, name, value)

    # ---- snapshots

    def await_transactions(self) -> None:
        taking.refuse_in_transaction(self)

    def snapshots(self) -> list[Snapshot]:
        return taking.taken(self)

    def take_snapshot(self, snapshot: Snapshot) -> None:
        taking.take(self, snapshot)

    def drop_snapshot(self, snapshot: Snapshot) -> None:
        removing.remove(self, taking.number_of(self, snapshot))
        self.session.outdated()

    def restore_snapshot(self, snapshot: Snapshot, is_held: Callable[[Inode], bool]) -> None:
        restoring.restore(self, taking.number_of(self, snapshot), self._holds(is_held))

    def past(self, snapshot: Snapshot) -> PastStore:
        return PastStore(self, snapshot)

    def _holds(self, is_held: Callable[[Inode], bool]) -> Callable[[int], bool]:
        """Whether somebody holds an inode, by its number: nobody holds what no object stands for."""

        def holds(ino: int) -> bool:
            inode = self._in_use(ino)
            return inode is not None and is_held(inode)

        return holds

    # ---- undo, space

    def begin(self) -> None:
        self.change.__enter__()

    def commit(self) -> None:
        self.change.__exit__(None, None, None)

    def rollback(self) -> None:
        try:
            self.session.end(keep=False)
        finally:
            self.session.release()

    def statvfs(self) -> StatVfs:
        with self.lock:
            (pages,) = self.session.run("PRAGMA page_count").fetchone()
            (free,) = self.session.run("PRAGMA freelist_count").fetchone()
            if self._count is None:
                (self._count,) = self.session.run("SELECT count(*) FROM inode").fetchone()
            count = self._count
        disk = free_bytes(self.session.path) // PAGE_SIZE
        return StatVfs(PAGE_SIZE, pages + disk, free + disk, _MAX_INODES, _MAX_INODES - count, NAME_MAX)

    def sync(self) -> None:
        """Make what was committed durable, whatever ``synchronous`` says."""
        if self.session.path != IN_MEMORY and not self.session.options.read_only:
            synchronise(self.session.path)
