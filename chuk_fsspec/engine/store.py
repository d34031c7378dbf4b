"""What an engine asks of the place where inodes live. ``Tree`` gives these primitives their POSIX meaning.

Every method that changes something is called in the scope ``change``; ``child``, ``children``, ``whole`` and ``read``
must be safe beside a writer, and all else is called under ``lock``. A store checks nothing: names are valid, kinds are
right.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer, StatVfs
from chuk_fsspec.contract.snapshots import Snapshot
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.path_cache import PathCache


class Readable(Protocol):
    """One file's content."""

    def __len__(self) -> int: ...

    def read(self, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes from ``offset``, in pieces."""


class Stage(ABC):
    """Content that is written before a file has it; ``Store.new`` and ``Store.replace`` take it."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes from ``offset``, in pieces."""

    @abstractmethod
    def write(self, data: Buffer, offset: int) -> None:
        """Write all of ``data`` at ``offset``, in steps of bounded size. ENOSPC."""

    @abstractmethod
    def truncate(self, size: int) -> None:
        """Cut, or grow with a hole. ENOSPC."""

    @abstractmethod
    def drop(self) -> None:
        """Give it up, if no file has it."""


class Store(ABC):
    """Inodes, directory entries and content, with an undo scope.

    Attributes:
        refusal: why nothing can be changed, and what to do instead; empty where it can.
        stages: whether ``stage`` can be used: contents are not in memory.
        root: the root directory.
        lock: keeps everybody else from changing anything; reentrant.
        change: the same, to change something: all that is done in it takes effect, or nothing. Reentrant.
    """

    refusal = ""
    stages = False
    root: Directory
    lock: AbstractContextManager[Any]
    change: AbstractContextManager[Any]

    @property
    def reading(self) -> AbstractContextManager[Any]:
        """A scope to find a file and read it in, all as of one moment. Reentrant."""
        return self.lock

    def path_cache(self) -> PathCache:
        """A cache of directories by path, as honest as this store needs it."""
        return PathCache()

    @abstractmethod
    def new(self, mode: int, uid: int, gid: int, content: Any, now: int) -> Inode:
        """An inode without a name yet: a ``Directory`` if ``mode`` says so. ENOSPC."""

    @abstractmethod
    def free(self, inode: Inode) -> None:
        """The inode has neither a name nor a user left."""

    @abstractmethod
    def child(self, directory: Inode, name: str) -> Inode | None:
        """The inode behind an entry."""

    @abstractmethod
    def children(self, directory: Inode) -> list[tuple[str, Inode]]:
        """All entries at one moment, in the order in which they were made."""

    @abstractmethod
    def is_empty(self, directory: Inode) -> bool:
        """Whether a directory has no entries."""

    @abstractmethod
    def attach(self, directory: Directory, name: str, inode: Inode, now: int) -> None:
        """Make or replace an entry and stamp the directory."""

    @abstractmethod
    def detach(self, directory: Directory, name: str, now: int) -> None:
        """Remove an entry and stamp the directory."""

    @abstractmethod
    def clear(self, directory: Directory) -> list[Inode]:
        """Remove all entries of a directory that goes away itself, and return what was behind them."""

    @abstractmethod
    def relink(self, inode: Inode, nlink: int, now: int) -> None:
        """Set the number of names of an inode and stamp its ctime."""

    @abstractmethod
    def stamp(self, inode: Inode, mtime_ns: int, ctime_ns: int) -> None:
        """Set the times of modification and change."""

    @abstractmethod
    def update(self, inode: Inode, **fields: Any) -> None:
        """Set fields of an inode."""

    @abstractmethod
    def read(self, inode: Inode, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes from ``offset``, in pieces."""

    @abstractmethod
    def whole(self, inode: Inode) -> bytes | None:
        """A file's whole content where it is at hand as one unchanging ``bytes``; None otherwise, and for no file."""

    @abstractmethod
    def pin(self, inode: Inode) -> Readable:
        """The content of a file whose ``whole`` is None, unmoved by a later ``replace``."""

    @abstractmethod
    def write(self, inode: Inode, data: Buffer | Stage, offset: int, now: int) -> None:
        """Write in place, stamp and take a new version. ENOSPC."""

    @abstractmethod
    def replace(self, inode: Inode, content: Any, now: int) -> None:
        """Put other content in the place of all there is, stamp and take a new version. ENOSPC."""

    @abstractmethod
    def truncate(self, inode: Inode, size: int, now: int) -> None:
        """Cut or grow with a hole, stamp and take a new version. ENOSPC."""

    @abstractmethod
    def zero(self, inode: Inode, offset: int, length: int, now: int) -> None:
        """Zero a range inside the file, freeing what it can, stamp and take a new version."""

    @abstractmethod
    def reserve(self, inode: Inode, offset: int, length: int, now: int) -> None:
        """Give a range space, growing the file if needed, stamp. ENOSPC."""

    @abstractmethod
    def seek(self, inode: Inode, offset: int, whence: int) -> int:
        """SEEK_DATA or SEEK_HOLE. ENXIO."""

    @abstractmethod
    def copy_content(self, inode: Inode) -> Any:
        """The content of a file in a form that ``new`` and ``replace`` take, sharing what can be shared.

        It is called outside of every scope, and enters those that it needs.
        """

    def stage(self, source: Inode | None = None) -> Stage:
        """A place for content that is too large for memory, empty or with the content of a file. Outside of scopes."""
        raise NotImplementedError

    @abstractmethod
    def begin(self) -> None:
        """Start an undo scope for the calling thread. Scopes nest: the views of one store each have their own."""

    @abstractmethod
    def commit(self) -> None:
        """Keep what the calling thread did since ``begin``, for as long as the scope around it is kept."""

    @abstractmethod
    def rollback(self) -> None:
        """Undo what the calling thread did since ``begin``, last change first."""

    def await_transactions(self) -> None:  # noqa: B027 - where transactions keep others out, none is open
        """Wait, under the lock, until no thread has an undo scope open; the lock is given up meanwhile.

        EBUSY after a while, and at once if the scope is the caller's own.
        """

    def snapshots(self) -> list[Snapshot]:
        """All snapshots, oldest first."""
        return []

    def snapshot(self, name: str) -> Snapshot:
        """The snapshot of a name. ENOENT."""
        for snapshot in self.snapshots():
            if snapshot.name == name:
                return snapshot
        raise os_error(errno.ENOENT, name, hint="no snapshot of this name was taken")

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Keep everything as it is now, under a name that is free, with no undo scope open."""
        raise _no_snapshots(snapshot)

    def drop_snapshot(self, snapshot: Snapshot) -> None:
        """Free what only this snapshot needs."""
        raise _no_snapshots(snapshot)

    def restore_snapshot(self, snapshot: Snapshot, is_held: Callable[[Inode], bool]) -> None:
        """Make everything what it was, with no undo scope open. The snapshots stay as they are.

        Inodes keep their identity. Those that are made nameless are freed as soon as ``is_held`` denies.
        """
        raise _no_snapshots(snapshot)

    def past(self, snapshot: Snapshot) -> Store:
        """Everything as it was, only to be read (``ReadOnlyStore``). Once the snapshot is dropped it raises ESTALE."""
        raise _no_snapshots(snapshot)

    def settle(self, inode: Inode) -> None:  # noqa: B027 - a store that restores at once has nothing to do
        """Bring an inode that somebody has held since before a ``restore_snapshot`` to what that made of it."""

    @abstractmethod
    def statvfs(self) -> StatVfs:
        """Sizes and free space."""

    @abstractmethod
    def sync(self) -> None:
        """Make everything durable, where that means something."""


def _no_snapshots(snapshot: Snapshot) -> OSError:
    return os_error(errno.ENOTSUP, snapshot.name, hint="this filesystem takes no snapshots")
