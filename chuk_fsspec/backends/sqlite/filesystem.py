"""``chuksqlite``: the engine on a SQLite file."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from chuk_fsspec.backends.sqlite.aio import CoroutineMethods
from chuk_fsspec.backends.sqlite.database import IN_MEMORY
from chuk_fsspec.backends.sqlite.options import Options
from chuk_fsspec.backends.sqlite.shared import shared_database
from chuk_fsspec.backends.sqlite.snapshots.store import PastStore
from chuk_fsspec.backends.sqlite.tree import SqliteTree

_TARGET_PROTOCOLS = frozenset(("", "file", "local"))


class SqliteFileSystem(CoroutineMethods):
    """A filesystem in one SQLite file, which several processes and threads may use at once.

    It has all of fsspec's surface and, on ``fs.posix``, links, permissions, nanosecond times, extended attributes,
    sparse files and in-place writes, and snapshots. It can be mounted. Every operation is one transaction.
    """

    protocol = "chuksqlite"
    tree_class = SqliteTree
    capabilities = replace(
        CoroutineMethods.capabilities, isolated_transactions=True, snapshots=True, shared_between_processes=True
    )

    def __init__(
        self,
        database: str = "",
        fo: str = "",
        target_protocol: str = "",
        target_options: dict[str, Any] | None = None,
        *,
        synchronous: str = "normal",
        chunk_size: int = 0,
        journal_mode: str = "wal",
        busy_timeout: float = 30.0,
        read_only: bool = False,
        create: bool = True,
        deduplicate: bool | None = None,
        mmap_size: int | None = None,
        auto_mkdir: bool = True,
        follow_links: bool = True,
        at: str = "",
        **kwargs: Any,
    ) -> None:
        """Open a database, making it if it is new.

        Args:
            database: absolute path of the file on this machine, or ``:memory:`` for one that ends with its last user.
            fo: the same, as a chained URL gives it (``chuksqlite://a/b::file:///data/w.db``).
            target_protocol: the protocol of a chained URL; only files of this machine can be used.
            target_options: ignored; a file of this machine has none.
            synchronous: "normal", "full" (every operation is on disk before it returns) or "off".
            chunk_size: bytes of a chunk of large files in a new database; 0 for 64 KiB, or what the file has.
            journal_mode: SQLite's; "wal" lets readers and writers work side by side.
            busy_timeout: seconds to wait for other processes before EBUSY.
            read_only: refuse every change with EROFS.
            create: make a database that is not there.
            deduplicate: in a new database, keep equal chunks of large files once; None for no, or what the file has.
            mmap_size: bytes of the file that are read through a mapping, 0 for none; None for 1 GiB with "wal", else 0.
            auto_mkdir: make missing parent directories when a file is written, copied or moved.
            follow_links: follow symbolic links; False is what ``posix.nofollow`` gives.
            at: name of a snapshot, to read the files as they were then; empty for the files as they are.
            kwargs: fsspec's own options.

        Raises:
            ValueError: for a bad argument, for a file that is no chuksqlite file or of a later version, and for options
                other than those with which this process has the file open.
            OSError: ENOENT without ``create`` and for a snapshot that is not there, EACCES, EBUSY.
        """
        path = _database_path(database, fo, target_protocol or "")
        options = Options(
            synchronous, chunk_size, journal_mode, busy_timeout, read_only, create, deduplicate, mmap_size
        )
        self.database = path
        shared = shared_database(path, options)
        super().__init__(shared, auto_mkdir=auto_mkdir, follow_links=follow_links, at=at, **kwargs)
        if path == IN_MEMORY:
            self.capabilities = replace(self.capabilities, shared_between_processes=False)

    @property
    def fsid(self) -> str:
        """Names the database, or a snapshot of it."""
        past = f"-at-{self.store.number:x}" if isinstance(self.store, PastStore) else ""
        if self.database == IN_MEMORY:
            return f"chuksqlite-memory-{os.getpid()}{past}"
        found = os.stat(self.database)
        return f"chuksqlite-{found.st_dev:x}-{found.st_ino:x}{past}"

    def __repr__(self) -> str:
        past = f", at={self._at!r}" if self._at else ""
        return f"{type(self).__name__}({os.path.basename(self.database)!r}{past})"


def _database_path(database: str, fo: str, target_protocol: str) -> str:
    """The database's path, from one of the two places where it may be said. ValueError."""
    if target_protocol not in _TARGET_PROTOCOLS:
        raise ValueError(f"the database must be a file of this machine (file://), not one of {target_protocol!r}")
    if bool(database) == bool(fo):
        raise ValueError("chuksqlite needs one file: database=, or a chained URL: chuksqlite://a::file:///data/w.db")
    path = database or fo
    if path != IN_MEMORY and not os.path.isabs(path):
        raise ValueError("database must be an absolute path: pass os.path.abspath(...), or ':memory:'")
    return path
