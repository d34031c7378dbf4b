"""Contents that no inode refers to: being written or copied."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.inode import Stored
from chuk_fsspec.backends.sqlite.space import require_space
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine.inode import Inode
from chuk_fsspec.engine.store import Stage

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.contents import FileContents

PIECE = 8 << 20
"""Bytes that are written in one transaction, so that others get in between and the write-ahead log stays small."""


class Loose(Stage):
    """Content that an inode may take (``SqliteStore.new``, ``replace``); else it is dropped with this object.

    Attributes:
        stored: where it is, and how large.
    """

    def __init__(self, store: FileContents) -> None:
        """Begin an empty content. EROFS, EBUSY, ENOSPC."""
        self._store = store
        self._process = os.getpid()
        with store.change:
            self._cid = store.loose.new()
        self.stored = Stored(0, self._cid, 0)

    def __len__(self) -> int:
        return self.stored.size

    def read(self, size: int, offset: int) -> list[Buffer]:
        with self._store.lock:
            return self._store.read_stored(self.stored, size, offset)

    def write(self, data: Buffer, offset: int) -> None:
        view = memoryview(data)
        while view:
            piece = view[: PIECE - offset % PIECE]
            self._write(piece, offset)
            offset += len(piece)
            view = view[len(piece) :]

    def _write(self, piece: memoryview, offset: int) -> None:
        store, before = self._store, self.stored
        with store.change:
            self.require()
            require_space(store.session, len(piece))
            if offset >= before.size and offset % store.chunk_size == 0:  # nothing can be there
                more = store.chunks.add(self._cid, piece, offset // store.chunk_size)
            else:
                more = store.chunks.write(self._cid, piece, offset)
        self.stored = Stored(max(before.size, offset + len(piece)), self._cid, before.space + more)

    def truncate(self, size: int) -> None:
        store, before = self._store, self.stored
        more = 0
        if size < before.size:
            with store.change:
                more = store.chunks.truncate(self._cid, size)
        self.stored = Stored(size, self._cid, before.space + more)

    def drop(self) -> None:
        if self._process != os.getpid():  # after a fork, it is the parent's
            return
        try:
            with self._store.change:
                self._store.loose.drop(self._cid)
        except OSError:
            # Nobody sees it; the next change tries again, and at last whoever opens the database.
            self._store.loose.unused.append(self._cid)

    def require(self) -> None:
        """ESTALE if it is there no more, within a scope: its transaction was undone, or it was taken for a leftover."""
        if self._cid not in self._store.loose:
            raise os_error(errno.ESTALE, hint="what was written so far was undone; write the file again")

    def __del__(self) -> None:
        if hasattr(self, "stored") and self._process == os.getpid():
            self._store.loose.unused.append(self._cid)


def copy_of(store: FileContents, inode: Inode) -> Loose:
    """A copy of a file in chunks as it is at one moment.

    It is made piece by piece, each in a transaction. If somebody changes the file meanwhile it is made anew, at once.
    """
    copy = Loose(store)
    version = inode.version
    if not _copy_pieces(store, inode, version, copy):
        with store.change:
            copy.truncate(0)
            _copy_pieces(store, inode, inode.version, copy)
    return copy


def _copy_pieces(store: FileContents, inode: Inode, version: int, copy: Loose) -> bool:
    """Copy all chunks; False if the file is of another version meanwhile."""
    count = PIECE // store.chunk_size
    first = 0
    while True:
        with store.change:
            stored = inode.content
            if inode.version != version:
                return False
            if type(stored) is not Stored or stored.cid is None:
                copy.write(b"".join(store.read(inode, inode.size, 0)), 0)
                return True
            assert copy.stored.cid is not None
            require_space(store.session, min(PIECE, stored.size))
            store.chunks.copy(stored.cid, copy.stored.cid, first, count)
            copy.stored = Stored(stored.size, copy.stored.cid, stored.space)
        first += count
        if first * store.chunk_size >= stored.size:
            return True
