"""The records of snapshots in a repository, one file for each, named after the snapshot."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.snapshots import Snapshot
from chuk_fsspec.wrappers.snapshots.entry import Entry, decode, encode
from chuk_fsspec.wrappers.snapshots.repository.storage import Storage

_NAMES = 10
"""How many names of snapshots are told to somebody who asks for another."""

_deleted: set[str] = set()
_deleted_lock = threading.RLock()


@dataclass(frozen=True)
class StoredSnapshot(Snapshot):
    """A snapshot in a store.

    Attributes:
        root: the directory that it is of.
        files: how many files it has, links and special files included.
        bytes: their content.
        added: bytes that the store did not have before.
        seconds: how long it took.
        read_again: files that changed while they were read, and were read once more.
        entry: the directory itself.
        token: the only one of this value, also if the name is given to another snapshot later.
    """

    root: str = "/"
    files: int = 0
    bytes: int = 0
    added: int = 0
    seconds: float = 0.0
    read_again: tuple[str, ...] = ()
    entry: Entry = field(default=Entry("", "directory"), repr=False)
    token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)


class Records:
    """Finds, writes and removes the records."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def all(self) -> list[StoredSnapshot]:
        """Every snapshot, oldest first."""
        found: list[StoredSnapshot] = []
        for name in self._storage.names("snapshots"):
            with suppress(FileNotFoundError):  # it may be deleted just now
                found.append(_decode(name, self._storage.read(f"snapshots/{name}")))
        return sorted(found, key=lambda snapshot: (snapshot.created_ns, snapshot.name))

    def find(self, name: str) -> StoredSnapshot:
        """One snapshot. ENOENT."""
        file = _file(name)
        try:
            return _decode(file, self._storage.read(file))
        except FileNotFoundError:
            raise unknown(name, [snapshot.name for snapshot in self.all()]) from None

    def has(self, name: str) -> bool:
        """Whether a name is taken."""
        return _file(name).rpartition("/")[2] in self._storage.names("snapshots")

    def write(self, snapshot: StoredSnapshot) -> None:
        """Make a snapshot known. EEXIST if the name is taken."""
        try:
            self._storage.write(_file(snapshot.name), _encode(snapshot), exclusive=True)
        except FileExistsError:
            raise taken(snapshot.name) from None

    def remove(self, name: str) -> None:
        """Forget a snapshot. ENOENT."""
        snapshot = self.find(name)
        self._storage.remove(_file(name))
        with _deleted_lock:
            _deleted.add(snapshot.token)


def require(snapshot: StoredSnapshot) -> None:
    """ESTALE for a snapshot that this process has deleted."""
    if snapshot.token in _deleted:
        raise os_error(errno.ESTALE, hint=f"the snapshot {snapshot.name!r} was deleted")


def unknown(name: str, known: list[str]) -> OSError:
    """ENOENT for a name that no snapshot has.

    Args:
        name: the name.
        known: those that there are, oldest first.
    """
    newest = known[-_NAMES:]
    there = f"there {'is' if len(known) == 1 else 'are'} {'..., ' * (newest != known)}{', '.join(newest) or 'none'}"
    return os_error(errno.ENOENT, name, hint=f"no snapshot has this name; {there}")


def taken(name: str) -> OSError:
    """EEXIST for a name that a snapshot has."""
    return os_error(errno.EEXIST, name, hint="a snapshot has this name; delete it first or choose another one")


def _file(name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    return f"snapshots/{digest}"


def _encode(snapshot: StoredSnapshot) -> bytes:
    fields = {one.name: getattr(snapshot, one.name) for one in dataclasses.fields(snapshot)}
    fields["entry"] = encode([snapshot.entry]).decode()
    text = json.dumps(fields)
    return json.dumps({"sha256": hashlib.sha256(text.encode()).hexdigest(), "snapshot": text}).encode()


def _decode(file: str, data: bytes) -> StoredSnapshot:
    try:
        outer = json.loads(data)
        text = outer["snapshot"]
        if hashlib.sha256(text.encode()).hexdigest() != outer["sha256"]:
            raise ValueError("the checksum differs")
        fields = json.loads(text)
        [fields["entry"]] = decode(fields["entry"])
        fields["read_again"] = tuple(fields["read_again"])
        return StoredSnapshot(**fields)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise os_error(errno.EIO, file, hint="this record of a snapshot is damaged") from error
