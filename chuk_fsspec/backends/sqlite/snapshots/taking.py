"""The list of snapshots, and how one is taken."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.snapshots import schema
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.snapshots import Snapshot

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.store import SqliteStore

_ALL = "SELECT name, description, created_ns FROM snapshot ORDER BY id"
_SET_NEWEST = "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


def taken(store: SqliteStore) -> list[Snapshot]:
    """All snapshots, oldest first, within a scope."""
    if not store.keeping.newest:
        return []
    return [Snapshot(*row) for row in store.session.run(_ALL).fetchall()]


def number_of(store: SqliteStore, snapshot: Snapshot) -> int:
    """The number of a snapshot, within a scope; 0 if it is there no more."""
    if not store.keeping.newest:
        return 0
    query = "SELECT id FROM snapshot WHERE name = ? AND created_ns = ?"
    row = store.session.run(query, (snapshot.name, snapshot.created_ns)).fetchone()
    return row[0] if row else 0


def take(store: SqliteStore, snapshot: Snapshot) -> None:
    """Take a snapshot, within a change: from now on, what is changed is kept for it."""
    run = store.session.run
    if not store.keeping.newest:
        schema.create(store.session.connection)
    number = store.numbers.take_anew()
    row = number, snapshot.name, snapshot.description, snapshot.created_ns
    run("INSERT INTO snapshot (id, name, description, created_ns) VALUES (?, ?, ?, ?)", row)
    set_newest(store, number)


def set_newest(store: SqliteStore, number: int) -> None:
    """Say which snapshot is the newest one, within a change."""
    store.session.run(_SET_NEWEST, (schema.NEWEST, number))
    store.keeping.forget()


def refuse_in_transaction(store: SqliteStore) -> None:
    """EBUSY within a transaction of the calling thread; those of others keep it from coming here at all."""
    if store.session.is_nested:
        raise os_error(errno.EBUSY, hint="end the transaction first: a snapshot is of what is committed")
