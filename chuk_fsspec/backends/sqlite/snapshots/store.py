"""The files of a database as they were at a snapshot."""

from __future__ import annotations

import errno
import os
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from chuk_fsspec.backends.sqlite.errors import damaged
from chuk_fsspec.backends.sqlite.inode import Row, SqliteDirectory, SqliteInode, Stored
from chuk_fsspec.backends.sqlite.path_cache import SessionPathCache
from chuk_fsspec.backends.sqlite.rows import S_IFDIR, S_IFMT, decode_name, encode_name, fill
from chuk_fsspec.backends.sqlite.schema import PAGE_SIZE, ROOT
from chuk_fsspec.backends.sqlite.snapshots import rows
from chuk_fsspec.backends.sqlite.snapshots.chunks import PastChunks
from chuk_fsspec.backends.sqlite.snapshots.taking import number_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import NAME_MAX
from chuk_fsspec.contract.posix import Buffer, StatVfs
from chuk_fsspec.contract.snapshots import Snapshot
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine.inode import Inode
from chuk_fsspec.engine.readonly import ReadOnlyStore
from chuk_fsspec.engine.snapshots import PAST_IS_READ_ONLY, deleted_error

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.store import SqliteStore

_KEPT_MAX = 100_000
"""Entries that are kept before all are forgotten."""


class PastStore(ReadOnlyStore):
    """The inodes of a database at a snapshot, on the session of the live ones.

    What was read stays true for as long as the snapshot is there, which every scope makes sure of.

    Attributes:
        session: the connection.
        generation: always the same.
        number: of the snapshot.
        keeps_open: what must not be closed as long as this is used.
    """

    refusal = PAST_IS_READ_ONLY
    generation = 0

    def __init__(self, live: SqliteStore, snapshot: Snapshot) -> None:
        super().__init__()
        self.session = live.session
        self.keeps_open: object = None
        self._live = live
        self._snapshot = snapshot
        self._checked = -1
        self._inodes: weakref.WeakValueDictionary[int, Row] = weakref.WeakValueDictionary()
        self._filled: list[SqliteDirectory] = []
        self._kept = 0
        with live.lock:
            self.number = number_of(live, snapshot)
        self.lock = _WhileKept(live.lock, self._require)
        self._reading = _WhileKept(live.reading, self._require)
        with self.reading:
            root = self._by_number(ROOT)
        if not isinstance(root, SqliteDirectory):
            raise damaged(self.session.path)
        self.root = root

    @property
    def reading(self) -> AbstractContextManager[Any]:
        return self._reading

    def path_cache(self) -> SessionPathCache:
        return SessionPathCache(self.session)

    def _require(self) -> None:
        """ESTALE once the snapshot is removed, within a scope."""
        if self._checked != self.session.generation:
            if not self.number or number_of(self._live, self._snapshot) != self.number:
                raise deleted_error(self._snapshot)
            self._checked = self.session.generation

    @property
    def _chunks(self) -> PastChunks:
        return PastChunks(self.session.connection, self._live.chunk_size, self._live.keeping, self.number)

    # ---- inodes and entries

    def reload(self, inode: Row) -> None:
        """Nothing changes here."""

    def note(self, inode: Row, bits: int) -> None:
        """EROFS: nothing is changed here."""
        self.refuse()

    def directory(self, ino: int) -> SqliteDirectory:
        """The directory of a number. EIO if the database is damaged."""
        with self.reading:
            found = self._by_number(ino)
        if not isinstance(found, SqliteDirectory):
            raise damaged(self.session.path)
        return found

    def _by_number(self, ino: int) -> Row | None:
        known = self._inodes.get(ino)
        if known is not None:
            return known
        row = self._run(rows.BY_NUMBER, ino=ino).fetchone()
        return None if row is None or row[2] is None else self._known(ino, row[:-2])

    def _known(self, ino: int, row: tuple[Any, ...]) -> Row:
        """The one object of an inode."""
        inode = self._inodes.get(ino)
        if inode is None:
            if row[2] is None:
                raise damaged(self.session.path)
            is_directory = row[2] & S_IFMT == S_IFDIR
            inode = SqliteDirectory(self, ino) if is_directory else SqliteInode(self, ino)
            fill(inode, row, self.generation)
            self._inodes[ino] = inode
        return inode

    def _run(self, query: str, **values: Any) -> Any:
        return self.session.run(query, {"at": self.number, **values})

    def child(self, directory: Inode, name: str) -> Inode | None:
        if not isinstance(directory, SqliteDirectory):
            raise os_error(errno.ENOTDIR, name)
        with self.lock:
            inode = directory.entries.get(name)
            if inode is not None or directory.is_complete:
                return inode
        try:
            key = encode_name(name)
        except UnicodeEncodeError:  # half a surrogate pair is part of no name
            return None
        with self.reading:
            row = self._run(rows.BY_NAME, parent=directory.ino, name=key).fetchone()
            if row is None:
                return None
            inode = self._known(row[-2], row[:-2])
            self._keep(directory, 1)
            directory.entries[name] = inode
            return inode

    def children(self, directory: Inode) -> list[tuple[str, Inode]]:
        assert isinstance(directory, SqliteDirectory)
        with self.reading:
            if not directory.is_complete:
                found = self._run(rows.CHILDREN, parent=directory.ino).fetchall()
                self._keep(directory, len(found))
                directory.entries = {decode_name(name): self._known(ino, tuple(row)) for *row, ino, name in found}
                directory.is_complete = True
            return list(directory.entries.items())

    def _keep(self, directory: SqliteDirectory, more: int) -> None:
        """Note that a directory gets entries; when they are too many, those of all are forgotten."""
        if self._kept > _KEPT_MAX:
            for filled in self._filled:
                filled.entries, filled.is_complete = {}, False
            self._filled, self._kept = [], 0
        if not directory.entries:
            self._filled.append(directory)
        self._kept += more

    def is_empty(self, directory: Inode) -> bool:
        with self.reading:
            return bool(self._run(rows.IS_EMPTY, parent=directory.ino).fetchone()[0])

    # ---- content

    def whole(self, inode: Inode) -> bytes | None:
        with self.reading:
            content = inode.content
            if type(content) is Stored and content.cid is None:
                (content,) = self._run(rows.DATA, ino=inode.ino).fetchone()
                if content is None:
                    raise damaged(self.session.path)
                inode.raw_content = content  # type: ignore[attr-defined]
            return bytes(content) if type(content) is bytes else None

    def read(self, inode: Inode, size: int, offset: int) -> list[Buffer]:
        with self.reading:
            content = inode.content
            if type(content) is not Stored or content.cid is None:
                return contents.read(self.whole(inode) or b"", size, offset)
            size = min(size, content.size - offset)
            return self._chunks.read(content.cid, size, offset) if size > 0 else []

    def pin(self, inode: Inode) -> _Past:
        return _Past(self, inode)

    def seek(self, inode: Inode, offset: int, whence: int) -> int:
        size = inode.size
        if offset < 0 or offset >= size:
            raise os_error(errno.ENXIO)
        content = inode.content
        if type(content) is not Stored or content.cid is None:
            return offset if whence == os.SEEK_DATA else size
        with self.reading:
            found = self._chunks.seek(content.cid, offset, whence)
        if found is None or (whence == os.SEEK_DATA and found >= size):
            raise os_error(errno.ENXIO)
        return min(found, size)

    def settle(self, inode: Inode) -> None:
        with self.lock:  # which says ESTALE once the snapshot is removed
            pass

    def statvfs(self) -> StatVfs:
        with self.lock:
            found = self._live.statvfs()
        return StatVfs(PAGE_SIZE, found.blocks, 0, found.files, 0, NAME_MAX)


class _Past:
    """A file's content (``engine.store.Readable``)."""

    def __init__(self, store: PastStore, inode: Inode) -> None:
        self._store, self._inode = store, inode

    def __len__(self) -> int:
        return self._inode.size

    def read(self, size: int, offset: int) -> list[Buffer]:
        return self._store.read(self._inode, size, offset)


class _WhileKept:
    """A scope of the session in which the snapshot is there."""

    def __init__(self, scope: AbstractContextManager[Any], require: Callable[[], None]) -> None:
        self._scope = scope
        self._require = require

    def __enter__(self) -> None:
        self._scope.__enter__()
        try:
            self._require()
        except BaseException as error:
            self._scope.__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._scope.__exit__(kind, error, traceback)
