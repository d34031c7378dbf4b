"""The tree of a snapshot in a repository."""

from __future__ import annotations

from collections.abc import Iterator

from chuk_fsspec.wrappers.snapshots.entry import Entry, Xattrs
from chuk_fsspec.wrappers.snapshots.repository import Repository, StoredSnapshot
from chuk_fsspec.wrappers.snapshots.repository.snapshots import require


class StoredTree:
    """A directory as it was, with all below it."""

    def __init__(self, repository: Repository, snapshot: StoredSnapshot) -> None:
        self._repository, self._snapshot = repository, snapshot
        self.path = snapshot.root

    @property
    def root(self) -> Entry:
        require(self._snapshot)
        return self._snapshot.entry

    def entries(self, path: str, entry: Entry) -> list[Entry]:
        require(self._snapshot)
        return self._repository.tree(entry.tree)

    def xattrs(self, path: str, entry: Entry) -> Xattrs | None:
        return entry.xattrs

    def blocks(self, path: str, entry: Entry) -> Iterator[bytes]:
        for blob in entry.content:
            require(self._snapshot)
            yield self._repository.read(blob)
