"""``fs.snapshots`` of the engines: points in time that the store keeps."""

from __future__ import annotations

import errno
import time
from dataclasses import fields
from typing import TYPE_CHECKING

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import check_name
from chuk_fsspec.contract.snapshots import Snapshot
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.readonly import ReadOnlyTree

if TYPE_CHECKING:
    from chuk_fsspec.engine.filesystem import InodeFileSystem
    from chuk_fsspec.engine.shared import SharedState

PAST_IS_READ_ONLY = "a snapshot is only read; restore it, or copy out of it"

_LOOKING = frozenset(
    (
        "directories",
        "modified_times",
        "etags",
        "symlinks",
        "hardlinks",
        "attributes",
        "xattrs",
        "special_files",
        "statvfs",
        "nodes",
        "shared_between_threads",
        "shared_between_processes",
    )
)


class InodeSnapshots:
    """Snapshots of the store that a filesystem stands on (``contract.Snapshots``)."""

    def __init__(self, fs: InodeFileSystem) -> None:
        self._fs = fs
        self._tree = fs.inodes
        self._store = fs.store

    def create(self, name: str, description: str = "") -> Snapshot:
        check_name(name)
        with self._tree.change:
            if any(one.name == name for one in self._store.snapshots()):
                raise os_error(errno.EEXIST, name, hint="a snapshot of this name was taken; delete it first")
            self._store.await_transactions()
            snapshot = Snapshot(name, description, time.time_ns())
            self._store.take_snapshot(snapshot)
        return snapshot

    def taken(self) -> list[Snapshot]:
        with self._tree.lock:
            return self._store.snapshots()

    def restore(self, name: str) -> None:
        with self._tree.change:
            self._store.await_transactions()
            snapshot = self._store.snapshot(name)
            self._tree.forget_paths()
            self._store.restore_snapshot(snapshot, self._tree.shared.is_held)
        self._tree.announce_all()

    def delete(self, name: str) -> None:
        with self._tree.change:
            snapshot = self._store.snapshot(name)
            self._store.drop_snapshot(snapshot)
            past = self._tree.shared.forget_past(snapshot, deleted_error(snapshot))
        if past is not None:
            _forget_instances(type(self._fs), past)

    def at(self, name: str) -> InodeFileSystem:
        return self._fs.as_of(name)


class PastTree(ReadOnlyTree):
    """A view of files as they were. Once the snapshot is deleted, also what is held of it answers ESTALE."""

    def getattr(self, node: Inode) -> Inode:
        with self.lock:
            return node

    def parent(self, directory: Directory) -> Directory:
        with self.lock:
            return directory.parent


def past_capabilities(live: Capabilities) -> Capabilities:
    """What works on files as they were, of all that works on them as they are: nothing that changes something."""
    return Capabilities(**{one.name: one.name in _LOOKING and getattr(live, one.name) for one in fields(live)})


def deleted_error(snapshot: Snapshot) -> OSError:
    """ESTALE for whoever still looks at a snapshot that was deleted."""
    return os_error(errno.ESTALE, hint=f"the snapshot {snapshot.name!r} was deleted")


def _forget_instances(cls: type[InodeFileSystem], past: SharedState) -> None:
    """Take the filesystems of a deleted snapshot out of fsspec's cache, so that its name may be used again."""
    for token, fs in list(cls._cache.items()):
        if fs.inodes.shared is past:
            cls._cache.pop(token, None)
