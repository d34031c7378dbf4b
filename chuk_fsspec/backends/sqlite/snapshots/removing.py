"""How a snapshot is removed: what only it needs goes with it, in a time proportional to that."""

# ruff: noqa: S608 - every statement is put together from constants

from __future__ import annotations

from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.chunks import INDEX_MAX, key
from chuk_fsspec.backends.sqlite.snapshots import schema
from chuk_fsspec.backends.sqlite.snapshots.taking import set_newest

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.store import SqliteStore

_NEIGHBOURS = "SELECT (SELECT max(id) FROM snapshot WHERE id < :at), (SELECT min(id) FROM snapshot WHERE id > :at)"

# A row of the past serves the snapshots from the next earlier row of the same thing up to its own `until`. With the
# snapshot away, the latest that a row up to the next one can serve is the one before, if the thing was there by then.
_SERVES_NONE = (
    "until >= :at AND until < :next AND ({born} > :before OR EXISTS "
    "(SELECT 1 FROM {table} q WHERE {same} AND q.until >= :before AND q.until < {table}.until))"
)


def _unneeded(table: str, born: str, *columns: str) -> str:
    same = " AND ".join(f"q.{column} = {table}.{column}" for column in columns)
    return _SERVES_NONE.format(table=table, born=born, same=same)


_INODES = "id >= :at << 28 AND id < :next << 28 AND (ino > :before OR past >= :before << 28)"
_ENTRIES = _unneeded("past_dentry", "parent", "parent", "name")
_CONTENTS = f"SELECT DISTINCT cid FROM past_inode WHERE cid IS NOT NULL AND {_INODES}"
# Rows that go, and that lead from newer ones to those that snapshots still need.
_LINKS = f"SELECT id, past, ino FROM past_inode WHERE {_INODES} AND ino < :before ORDER BY id DESC"
_HEAD = "ifnull((SELECT past FROM inode WHERE ino = :ino), (SELECT past FROM past_gone WHERE ino = :ino))"
_NEWER = (
    f"WITH RECURSIVE newer (id, past) AS (SELECT id, past FROM past_inode WHERE id = {_HEAD} UNION ALL "
    "SELECT p.id, p.past FROM newer n JOIN past_inode p ON p.id = n.past WHERE n.past > :id) "
    "SELECT id FROM newer WHERE past = :id"
)
_SKIP = (
    "UPDATE inode SET past = :past WHERE ino = :ino AND past = :id",
    "UPDATE past_gone SET past = :past WHERE ino = :ino AND past = :id",
    f"UPDATE past_inode SET past = :past WHERE id = ({_NEWER})",
)
_GONE = f"DELETE FROM past_gone WHERE (ino, past) IN (SELECT ino, id FROM past_inode WHERE {_INODES})"
_LIVES = "SELECT EXISTS (SELECT 1 FROM inode i JOIN past_inode p USING (ino) WHERE p.cid = :cid AND i.cid = :cid)"
_FOREVER = 1 << 34


def remove(store: SqliteStore, number: int) -> None:
    """Remove a snapshot, within a change.

    Args:
        store: the live files.
        number: of the snapshot.
    """
    run = store.session.run
    before, following = run(_NEIGHBOURS, {"at": number}).fetchone()
    span = {"at": number, "before": before or 0, "next": following or _FOREVER}
    if before is None:
        span["at"] = 0
    # Which file each has is known by the rows that go, so it is asked for before.
    contents = [cid for (cid,) in run(_CONTENTS, span).fetchall()]
    lives = {cid for cid in contents if run(_LIVES, {"cid": cid}).fetchone()[0]}
    if before is None and following is None:
        schema.remove(store.session.connection)
        store.keeping.forget()
        gone = contents
    else:
        gone = _remove_rows(store, span, contents)
        run("DELETE FROM snapshot WHERE id = ?", (number,))
        if following is None:
            set_newest(store, before)
    for cid in gone:
        if cid not in lives:
            store.loose.receive(cid)


def _remove_rows(store: SqliteStore, span: dict[str, int], contents: list[int]) -> list[int]:
    """Remove the rows of the past that serve no snapshot any more; returns the contents that none has now."""
    run = store.session.run
    past_chunk = "past_reference" if store.deduplicates else "past_chunk"
    for number, past, ino in run(_LINKS, span).fetchall():
        for statement in _SKIP:
            run(statement, {"id": number, "past": past, "ino": ino})
    run(_GONE, span)
    run(f"DELETE FROM past_inode WHERE {_INODES}", span)
    run(f"DELETE FROM past_dentry WHERE {_ENTRIES}", span)
    gone = [cid for cid in contents if not store.keeping.owns(cid)]
    for cid in gone:
        run(f"DELETE FROM {past_chunk} WHERE id BETWEEN ? AND ?", (key(cid, 0), key(cid, INDEX_MAX)))
    run(f"DELETE FROM {past_chunk} WHERE {_unneeded(past_chunk, 'id >> 28', 'id')}", span)
    return gone
