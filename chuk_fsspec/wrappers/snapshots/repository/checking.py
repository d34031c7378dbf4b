"""Looking for damage in a repository, and saying which files it concerns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.paths import join
from chuk_fsspec.wrappers.snapshots.entry import Entry
from chuk_fsspec.wrappers.snapshots.repository.packs import Row
from chuk_fsspec.wrappers.snapshots.repository.reading import unpacked
from chuk_fsspec.wrappers.snapshots.repository.repository import Repository
from chuk_fsspec.wrappers.snapshots.repository.snapshots import StoredSnapshot


@dataclass(frozen=True)
class Damage:
    """A file or directory of a snapshot that cannot be brought back as it was.

    Attributes:
        snapshot: the name of the snapshot.
        path: absolute path in it; ``/`` may stand for all of it.
        problem: what is wrong, in a few words.
    """

    snapshot: str
    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.snapshot}: {self.path}: {self.problem}"


def check(repository: Repository, *, deep: bool, callback: Callback = DEFAULT_CALLBACK) -> Iterator[Damage]:
    """Look at all snapshots.

    Args:
        repository: the store.
        deep: read every byte that is stored, and compare checksums; else only whether everything is there.
        callback: told how many bytes were read.

    Returns:
        What is damaged, once for each path of each snapshot.
    """
    bad = unavailable(repository, deep=deep, callback=callback)
    for snapshot in repository.records.all():
        yield from _concerned(repository, snapshot, bad)


def unavailable(
    repository: Repository, *, deep: bool = False, callback: Callback = DEFAULT_CALLBACK
) -> dict[bytes, str]:
    """Blobs that the index knows and that cannot be had, each with what is wrong; arguments as of ``check``."""
    repository.index.refresh()
    repository.index.adopt()
    stored = {name: int(info["size"]) for name, info in repository.storage.names("packs").items()}
    bad: dict[bytes, str] = {}
    for name, rows in repository.index.packs.items():
        bad.update(_damaged(repository, name, rows, stored.get(name), deep=deep))
        callback.relative_update(stored.get(name, 0) if deep else 0)
    return bad


def problem_of(repository: Repository, entry: Entry, bad: dict[bytes, str]) -> str:
    """What is wrong with the content of a file or the list of a directory; empty if nothing is.

    Args:
        repository: the store.
        entry: as it is stored.
        bad: the blobs that are ``unavailable``.
    """
    for blob in [entry.tree] if entry.is_directory else entry.content:
        key = bytes.fromhex(blob)
        if key in bad:
            return bad[key]
        if key not in repository.index.blobs:
            return "its content is missing in the store"
    return ""


def _damaged(
    repository: Repository, name: str, rows: list[Row], size: int | None, *, deep: bool
) -> Iterator[tuple[bytes, str]]:
    """The blobs of a pack that cannot be had."""
    data = b""
    if size is not None and deep:
        try:
            data = repository.storage.read(f"packs/{name}")
        except FileNotFoundError:
            size = None
    for row in rows:
        if repository.index.blobs[row.blob][0] != name:
            continue  # it is stored twice, and the other one is read
        if size is None:
            yield row.blob, "its content is missing in the store"
        elif row.offset + row.length > size:
            yield row.blob, "its content is cut off in the store"
        elif deep:
            plain = unpacked(data[row.offset : row.offset + row.length], row)
            if plain is None or hashlib.sha256(plain).digest() != row.blob:
                yield row.blob, "its content is damaged in the store"


def _concerned(repository: Repository, snapshot: StoredSnapshot, bad: dict[bytes, str]) -> Iterator[Damage]:
    waiting: list[tuple[str, Entry]] = [(snapshot.root, snapshot.entry)]
    while waiting:
        path, entry = waiting.pop()
        problem = problem_of(repository, entry, bad)
        if problem:
            yield Damage(snapshot.name, path, problem)
        elif entry.is_directory:
            try:
                children = repository.tree(entry.tree)
            except OSError as error:
                yield Damage(snapshot.name, path, str(error.strerror))
                continue
            waiting += [(join(path, child.name), child) for child in reversed(children)]
