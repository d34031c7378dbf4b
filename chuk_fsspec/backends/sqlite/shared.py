"""The databases that this process has open: every filesystem object on one file shares its state."""

from __future__ import annotations

import atexit
import errno
import os
import threading
import weakref
from dataclasses import fields

from chuk_fsspec.backends.sqlite.database import IN_MEMORY
from chuk_fsspec.backends.sqlite.options import Options
from chuk_fsspec.backends.sqlite.session import Session
from chuk_fsspec.backends.sqlite.snapshots.store import PastStore
from chuk_fsspec.backends.sqlite.store import SqliteStore
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.engine.shared import SharedState


class SharedDatabase(SharedState):
    """The state of one open database."""

    store: SqliteStore

    def __init__(self, key: str, path: str, options: Options) -> None:
        self.key = key
        self.options = options
        super().__init__(SqliteStore(Session(path, options)))

    def past(self, name: str) -> SharedState:
        past = super().past(name)
        assert isinstance(past.store, PastStore)
        past.store.keeps_open = self
        return past


_OF_THE_FILE = ("create", "chunk_size", "deduplicate")
"""Options that say how a file is made; it need not be asked for twice."""

_databases: weakref.WeakValueDictionary[str, SharedDatabase] = weakref.WeakValueDictionary()
_databases_lock = threading.RLock()


def shared_database(database: str, options: Options) -> SharedDatabase:
    """The open database of a path, common to all who use it in this process.

    Args:
        database: absolute path of the file on the host, or ``:memory:``.
        options: how to open it.

    Raises:
        ValueError: if it is no chuksqlite file, or if this process has it open with other options.
        OSError: ENOENT, EACCES, EBUSY.
    """
    path = database if database == IN_MEMORY else os.path.realpath(database)
    key = f"{path}?ro" if options.read_only else path
    if path in _refused:
        raise _refused[path]
    with _databases_lock:
        shared = _databases.get(key)
        if shared is None:
            shared = _databases[key] = SharedDatabase(key, path, options)
        for field in fields(Options):
            mine, others = getattr(options, field.name), getattr(shared.options, field.name)
            if mine != others and field.name not in _OF_THE_FILE:
                raise ValueError(f"{field.name}: this process has this database open with {others!r}, not {mine!r}")
        if options.chunk_size not in (0, shared.store.chunk_size):
            raise ValueError(
                f"chunk_size: this database has {shared.store.chunk_size}, not {options.chunk_size}; 0 takes that"
            )
        if options.deduplicate not in (None, shared.store.deduplicates):
            raise ValueError(
                f"deduplicate: this database was made with {shared.store.deduplicates}, not {options.deduplicate}; "
                "None takes that"
            )
        return shared


_refused: dict[str, OSError] = {}
"""Files that must not be opened here, by path: SQLite believes that it has the locks that the parent has on them."""

_forking: list[SharedDatabase] = []
"""The databases that wait for the fork which goes on."""


def _before_fork() -> None:
    for shared in list(_databases.values()):
        shared.store.session.before_fork()
        _forking.append(shared)


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop().store.session.after_fork_in_parent()


def _after_fork_in_child() -> None:
    global _databases_lock  # noqa: PLW0603 - the child is a process of its own
    _databases_lock = threading.RLock()
    while _forking:
        shared = _forking.pop()
        if shared.store.session.survives_fork:
            shared.store.session.after_fork_in_child()
            for ino in shared.open_counts:
                shared.open_counts[ino] += 1  # what the parent has open is not the child's to remove
        else:
            _databases.pop(shared.key, None)
            path = shared.store.session.path
            error = _foreign_error(path)
            if path != IN_MEMORY:
                _refused[path] = error
            shared.refuse(error)
            shared.store.session.refuse_in_child(error)


def _foreign_error(path: str) -> OSError:
    parent = os.getppid()
    hint = f"the database is in the memory of process {parent}; open another one here"
    if path != IN_MEMORY:
        hint = f"this process was forked in the middle of a transaction of process {parent}; fork before or after it"
    return os_error(errno.ENXIO, hint=hint)


def _close_all() -> None:
    """Leave every file without a log beside it, so that it may be copied; what is still used is opened again."""
    for shared in list(_databases.values()):
        shared.store.session.close_at_exit()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
