"""A store as it was when a snapshot was taken."""

from __future__ import annotations

import errno
import weakref
from typing import TYPE_CHECKING, Any

from chuk_fsspec.backends.memory.inode import (
    CONTENT,
    FIELDS,
    PARENT,
    AnyInode,
    MemoryDirectory,
    Record,
    entries_at,
    entry_at,
    state_at,
)
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer, StatVfs
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.readonly import ReadOnlyStore
from chuk_fsspec.engine.snapshots import PAST_IS_READ_ONLY, deleted_error
from chuk_fsspec.engine.store import Readable

if TYPE_CHECKING:
    from chuk_fsspec.backends.memory.store import MemoryStore
    from chuk_fsspec.backends.memory.timeline import Kept


class PastInode(Inode):
    """An inode as it was: its fields are its own, its content is where the live inode or one of its records has it."""

    __slots__ = ("__weakref__", "live", "store")

    live: AnyInode
    store: PastStore

    def __init__(self, store: PastStore, live: AnyInode, state: Record) -> None:
        self.store = store
        self.live = live
        _describe(self, state)

    @property
    def content(self) -> Any:
        return self.store.content_of(self)


class PastDirectory(Directory):
    """A directory as it was."""

    __slots__ = ("__weakref__", "live", "store")

    live: MemoryDirectory
    store: PastStore

    def __init__(self, store: PastStore, live: MemoryDirectory, state: Record) -> None:
        self.store = store
        self.live = live
        _describe(self, state)

    @property
    def parent(self) -> Directory:  # type: ignore[override]
        return self.store.parent_of(self)


AnyPast = PastInode | PastDirectory


class PastStore(ReadOnlyStore):
    """What one snapshot has of the inodes of a store, and what has not changed since."""

    refusal = PAST_IS_READ_ONLY

    def __init__(self, live: MemoryStore, kept: Kept) -> None:
        super().__init__()
        self.lock = live.lock
        self._live = live
        self._timeline = live.timeline
        self._kept = kept
        self._known: weakref.WeakValueDictionary[int, AnyPast] = weakref.WeakValueDictionary()
        root = self._node(live.root)
        assert isinstance(root, PastDirectory)
        self.root = root

    # ---- inodes and entries

    def child(self, directory: Inode, name: str) -> Inode | None:
        if not isinstance(directory, PastDirectory):
            raise os_error(errno.ENOTDIR, name)
        with self.lock:
            self._state(directory.live)
            inode = entry_at(directory.live, name, self._kept.epoch)
            return None if inode is None else self._node(inode)

    def children(self, directory: Inode) -> list[tuple[str, Inode]]:
        if not isinstance(directory, PastDirectory):
            raise os_error(errno.ENOTDIR)
        with self.lock:
            self._state(directory.live)
            entries = entries_at(directory.live, self._kept.epoch)
            return [(name, self._node(inode)) for name, inode in entries.items()]

    def is_empty(self, directory: Inode) -> bool:
        return not self.children(directory)

    def parent_of(self, directory: PastDirectory) -> Directory:
        """The directory that held a directory."""
        with self.lock:
            parent = self._node(self._state(directory.live)[PARENT])
            assert isinstance(parent, PastDirectory)
            return parent

    # ---- content

    def content_of(self, inode: PastInode) -> Any:
        """What a file held, or where a link pointed. Under the lock, since the live file may have it still."""
        with self.lock:
            return self._state(inode.live)[CONTENT]

    def read(self, inode: Inode, size: int, offset: int) -> list[Buffer]:
        with self.lock:
            pieces = contents.read(inode.content, size, offset)
            return [piece if type(piece) is bytes else bytes(piece) for piece in pieces]

    def whole(self, inode: Inode) -> bytes | None:
        if not isinstance(inode, PastInode):
            return None
        with self.lock:
            content = inode.content
            if type(content) is bytes:
                return content
            return bytes(content) if type(content) is bytearray else None

    def pin(self, inode: Inode) -> Readable:
        return PastContent(self, inode)

    def seek(self, inode: Inode, offset: int, whence: int) -> int:
        with self.lock:
            return contents.seek(inode.content, offset, whence)

    def statvfs(self) -> StatVfs:
        with self.lock:
            self._require()
            return self._live.statvfs()

    def settle(self, inode: Inode) -> None:
        self._require()

    # ---- steps, all under the lock

    def _state(self, live: AnyInode) -> Record:
        """What an inode was. ESTALE once the snapshot is deleted."""
        self._require()
        self._timeline.settle(live)
        state = state_at(live, self._kept.epoch)
        assert state is not None
        return state

    def _require(self) -> None:
        """ESTALE once the snapshot is deleted."""
        if self._kept.dropped:
            raise deleted_error(self._kept.snapshot)

    def _node(self, live: AnyInode) -> AnyPast:
        """The one object for an inode as it was."""
        found = self._known.get(live.ino)
        if found is None:
            state = self._state(live)
            if isinstance(live, MemoryDirectory):
                found = PastDirectory(self, live, state)
            else:
                found = PastInode(self, live, state)
            self._known[live.ino] = found
        return found


class PastContent:
    """The content of a large file as it was."""

    def __init__(self, store: PastStore, inode: Inode) -> None:
        self._store = store
        self._inode = inode

    def __len__(self) -> int:
        return len(self._inode.content)

    def read(self, size: int, offset: int) -> list[Buffer]:
        return self._store.read(self._inode, size, offset)


def _describe(inode: AnyPast, state: Record) -> None:
    inode.ino = inode.live.ino
    inode.btime_ns = inode.live.btime_ns
    for name, value in zip(FIELDS, state, strict=False):
        setattr(inode, name, value)
