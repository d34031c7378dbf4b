"""The tree of a snapshot in a repository."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.wrappers.snapshots.entry import Entry, Xattrs
from chuk_fsspec.wrappers.snapshots.repository import Repository, StoredSnapshot
from chuk_fsspec.wrappers.snapshots.repository.checking import problem_of, unavailable
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
        with _named(path):
            return self._repository.tree(entry.tree)

    def xattrs(self, path: str, entry: Entry) -> Xattrs | None:
        return entry.xattrs

    def blocks(self, path: str, entry: Entry) -> Iterator[bytes]:
        for blob in entry.content:
            require(self._snapshot)
            with _named(path):
                data = self._repository.read(blob)
            yield data

    def require(self, wanted: Iterable[tuple[str, Entry]]) -> None:
        bad = unavailable(self._repository)
        for path, entry in wanted:
            problem = problem_of(self._repository, entry, bad)
            if problem:
                hint = (
                    f"{problem}, and nothing was changed; verify names all that this concerns, restore paths without it"
                )
                raise os_error(errno.EIO, path, hint=hint)


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Damage of the store is told of the path that it concerns."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EIO and error.filename is None:
            error.filename = path
        raise
