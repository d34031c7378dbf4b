"""Where snapshots of a filesystem are: in the filesystem itself, or in a repository. One meaning for both."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from fsspec import AbstractFileSystem
from fsspec.callbacks import Callback

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.paths import join
from chuk_fsspec.contract.snapshots import Snapshot, Snapshots
from chuk_fsspec.wrappers.snapshots.entry import Entry, Tree
from chuk_fsspec.wrappers.snapshots.live import LiveTree, now_ns
from chuk_fsspec.wrappers.snapshots.past import PastFileSystem
from chuk_fsspec.wrappers.snapshots.repository import Repository, StoredSnapshot
from chuk_fsspec.wrappers.snapshots.repository.checking import Damage, check
from chuk_fsspec.wrappers.snapshots.repository.collecting import collect
from chuk_fsspec.wrappers.snapshots.repository.locks import adding
from chuk_fsspec.wrappers.snapshots.repository.snapshots import taken
from chuk_fsspec.wrappers.snapshots.restoring import restore
from chuk_fsspec.wrappers.snapshots.stored import StoredTree
from chuk_fsspec.wrappers.snapshots.taking import Taker, store_inside

_REMOTE_WORKERS = 16


class History(Protocol):
    """The snapshots of one directory of one filesystem. Names have been checked."""

    def create(self, name: str, description: str, callback: Callback) -> Snapshot:
        """Take a snapshot. EEXIST."""

    def taken(self) -> Sequence[Snapshot]:
        """All snapshots, oldest first."""

    def tree(self, name: str) -> Tree:
        """A snapshot, to be compared. ENOENT."""

    def view(self, name: str) -> AbstractFileSystem:
        """A snapshot, to be read. ENOENT."""

    def restore(self, name: str, paths: Sequence[str], callback: Callback) -> None:
        """Make the directory what it was, or some paths in it. ENOENT."""

    def delete(self, names: Iterable[str]) -> None:
        """Forget snapshots and give back what only they needed. ENOENT."""

    def verify(self, deep: bool, callback: Callback) -> Iterator[Damage]:
        """What cannot be brought back as it was."""


class NativeHistory:
    """Snapshots that the filesystem takes of itself. They are of all of it, and shown from one directory on."""

    def __init__(self, fs: AbstractFileSystem, snapshots: Snapshots, root: str) -> None:
        self._fs, self._snapshots, self._root = fs, snapshots, root

    def create(self, name: str, description: str, callback: Callback) -> Snapshot:
        return self._snapshots.create(name, description)

    def taken(self) -> Sequence[Snapshot]:
        return self._snapshots.taken()

    def tree(self, name: str) -> Tree:
        view = self.view(name)
        taken_ns = next((snapshot.created_ns for snapshot in self.taken() if snapshot.name == name), 0)
        return LiveTree(view, self._root, taken_ns)

    def view(self, name: str) -> AbstractFileSystem:
        return self._snapshots.at(name)

    def restore(self, name: str, paths: Sequence[str], callback: Callback) -> None:
        if not paths and self._root == "/":
            self._snapshots.restore(name)
        else:
            restore(self.tree(name), LiveTree(self._fs, self._root), paths, callback)

    def delete(self, names: Iterable[str]) -> None:
        for name in names:
            self._snapshots.delete(name)

    def verify(self, deep: bool, callback: Callback) -> Iterator[Damage]:
        for snapshot in self.taken():
            tree = self.tree(snapshot.name)
            waiting: list[tuple[str, Entry]] = [(self._root, tree.root)]
            while waiting:
                path, entry = waiting.pop()
                try:
                    if entry.is_directory:
                        waiting += [(join(path, child.name), child) for child in reversed(tree.entries(path, entry))]
                    elif entry.is_file and deep:
                        for block in tree.blocks(path, entry):
                            callback.relative_update(len(block))
                except OSError as error:
                    yield Damage(snapshot.name, path, error.strerror or str(error))


class StoredHistory:
    """Snapshots in a repository, of any filesystem."""

    def __init__(self, fs: AbstractFileSystem, repository: Repository, root: str, workers: int) -> None:
        self._fs, self._repository, self._root = fs, repository, root
        self._workers = workers or (_REMOTE_WORKERS if fs.async_impl else 1)

    def create(self, name: str, description: str, callback: Callback) -> Snapshot:
        repository = self._repository
        began_ns, clock = now_ns(), time.monotonic_ns()
        if repository.storage.lies_in(self._fs, self._root):
            raise store_inside(repository.storage.url)
        repository.identity()
        with adding(repository.storage) as lock:
            if repository.records.has(name):
                raise taken(name)
            live = LiveTree(self._fs, self._root)
            with repository.writer() as writer:
                taker = Taker(live, repository, writer, lock, self._workers, callback)
                entry = taker.take(self._last())
                writer.finish()
            counts = taker.counts
            snapshot = StoredSnapshot(
                name=name,
                description=description,
                created_ns=began_ns,
                root=self._root,
                files=counts.files,
                bytes=counts.bytes,
                added=writer.added,
                seconds=(time.monotonic_ns() - clock) / 1e9,
                read_again=tuple(counts.read_again),
                entry=entry,
            )
            repository.records.write(snapshot)
        return snapshot

    def taken(self) -> Sequence[StoredSnapshot]:
        return [snapshot for snapshot in self._repository.records.all() if snapshot.root == self._root]

    def tree(self, name: str) -> Tree:
        return StoredTree(self._repository, self._repository.records.find(name))

    def view(self, name: str) -> AbstractFileSystem:
        return PastFileSystem(self.tree(name), capabilities_of(self._fs))

    def restore(self, name: str, paths: Sequence[str], callback: Callback) -> None:
        past = self._repository.records.find(name)
        live = LiveTree(self._fs, past.root)
        restore(StoredTree(self._repository, past), live, paths, callback, self._workers)

    def delete(self, names: Iterable[str]) -> None:
        for name in names:
            self._repository.records.remove(name)
        try:
            collect(self._repository)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            # Somebody is at work on the store: the next one to delete or prune gives the space back.

    def verify(self, deep: bool, callback: Callback) -> Iterator[Damage]:
        return check(self._repository, deep=deep, callback=callback)

    def _last(self) -> Entry | None:
        """The newest snapshot of this directory, most of which may still be as it was."""
        snapshots = self.taken()
        return snapshots[-1].entry if snapshots else None
