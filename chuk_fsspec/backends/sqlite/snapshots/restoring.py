"""How everything is made what it was, in a time proportional to what has changed since.

It is a change like any other, so the triggers keep for later snapshots what they have.
"""

# ruff: noqa: S608 - every statement is put together from constants

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.chunks import INDEX_MAX
from chuk_fsspec.backends.sqlite.snapshots.schema import COLUMNS

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.store import SqliteStore

_FIRST_ENTRY = (
    "p.until >= :at AND p.parent < :at AND NOT EXISTS (SELECT 1 FROM past_dentry q WHERE q.parent = p.parent "
    "AND q.name = p.name AND q.until >= :at AND q.until < p.until)"
)
_FIRST_CHUNK = (
    "p.until >= :at AND NOT EXISTS (SELECT 1 FROM {0} q WHERE q.id = p.id AND q.until >= :at AND q.until < p.until)"
)

_PAST = ", ".join(f"p.{column}" for column in COLUMNS)
# Whatever changes a content changes the inode's version, too.
_IS_THE_SAME = (
    f"SELECT 1 FROM inode i WHERE i.ino = p.ino AND ({', '.join(f'i.{column}' for column in COLUMNS)}) IS ({_PAST})"
)
# What each inode that has changed was: the row of the past with that number, or none if it was not there.
_BEGIN = "CREATE TEMP TABLE was (ino INTEGER PRIMARY KEY, past INTEGER, held INTEGER NOT NULL DEFAULT 0)"
_CHANGED = (
    "INSERT INTO was (ino, past) SELECT p.ino, iif(p.mode IS NULL, NULL, p.id) FROM past_inode p WHERE p.id IN "
    "(SELECT min(id) FROM past_inode WHERE id >= :at << 28 AND ino < :at GROUP BY ino) "
    f"AND NOT EXISTS ({_IS_THE_SAME})"
)
_LATER = "INSERT INTO was (ino) SELECT ino FROM inode WHERE ino > :at"
_NEW = "SELECT w.ino FROM was w JOIN inode USING (ino) WHERE w.past IS NULL"
_HOLD = "UPDATE was SET held = 1 WHERE ino = ?"
_LET_GO = (
    "SELECT i.cid FROM was w JOIN inode i USING (ino) LEFT JOIN past_inode p ON p.id = w.past "
    "WHERE i.cid IS NOT NULL AND i.cid IS NOT p.cid AND NOT w.held"
)
_SETS = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS[1:])
_PUT_INODES = (
    f"INSERT INTO inode ({', '.join(COLUMNS)}) SELECT {_PAST} FROM was w JOIN past_inode p ON p.id = w.past "
    f"WHERE true ON CONFLICT (ino) DO UPDATE SET {_SETS}"
)
# What was removed comes back without a name at first, and that is what it was.
_NAMELESS = ", ".join("0" if column == "nlink" else f"p.{column}" for column in COLUMNS)
_BRING_BACK = (
    f"INSERT INTO inode ({', '.join(COLUMNS)}, past) SELECT {_NAMELESS}, g.past "
    "FROM was w JOIN past_inode p ON p.id = w.past JOIN past_gone g ON g.ino = w.ino"
)
_ARE_BACK = "DELETE FROM past_gone WHERE ino IN (SELECT ino FROM was WHERE past IS NOT NULL)"
_UNNAME_INODES = "UPDATE inode SET nlink = 0 WHERE ino IN (SELECT ino FROM was WHERE held)"
_DROP_INODES = "DELETE FROM inode WHERE ino IN (SELECT ino FROM was WHERE past IS NULL AND NOT held)"
_EMPTY_DIRECTORIES = (
    "DELETE FROM dentry WHERE parent IN (SELECT ino FROM was WHERE past IS NULL) "
    "AND (name <> '.' OR parent NOT IN (SELECT ino FROM was WHERE held))"
)
_DROP_ENTRIES = (
    "DELETE FROM dentry WHERE (parent, name) IN "
    f"(SELECT parent, name FROM past_dentry p WHERE {_FIRST_ENTRY} AND ino IS NULL)"
)
_PUT_ENTRIES = (
    "INSERT INTO dentry (parent, name, ino, mtime_ns, ctime_ns) SELECT parent, name, ino, mtime_ns, ctime_ns "
    f"FROM past_dentry p WHERE {_FIRST_ENTRY} AND ino IS NOT NULL ON CONFLICT (parent, name) "
    "DO UPDATE SET ino = excluded.ino, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns "
    "WHERE (ino, mtime_ns, ctime_ns) IS NOT (excluded.ino, excluded.mtime_ns, excluded.ctime_ns)"
)
_CHUNKS = (
    "SELECT p.id, p.until, p.{1} IS NULL FROM was w JOIN past_inode i ON i.id = w.past JOIN {0} p "
    f"ON p.id BETWEEN i.cid << 28 AND (i.cid << 28) + {INDEX_MAX} WHERE i.cid IS NOT NULL AND {_FIRST_CHUNK}"
)
_CHUNK = (
    "INSERT INTO {0} (id, {2}) SELECT id, {2} FROM {1} WHERE id = ? AND until = ? "
    "ON CONFLICT (id) DO UPDATE SET {2} = excluded.{2}"
)


def restore(store: SqliteStore, number: int, is_held: Callable[[int], bool]) -> None:
    """Make everything what it was, within a change.

    Args:
        store: the live files.
        number: of the snapshot.
        is_held: whether an inode, by its number, must live on though it was not there.
    """
    store.session.flush()
    run, at = store.session.run, {"at": number}
    run(_BEGIN)
    try:
        run(_CHANGED, at)
        run(_LATER, at)
        for ino in [ino for (ino,) in run(_NEW).fetchall() if is_held(ino)]:
            run(_HOLD, (ino,))
        contents = [cid for (cid,) in run(_LET_GO).fetchall()]
        for statement in (_BRING_BACK, _ARE_BACK, _PUT_INODES, _UNNAME_INODES, _DROP_INODES, _EMPTY_DIRECTORIES):
            run(statement)
        for statement in (_DROP_ENTRIES, _PUT_ENTRIES):
            run(statement, at)
        _restore_chunks(store, number)
    finally:
        run("DROP TABLE IF EXISTS was")
    for cid in contents:
        store.loose.receive(cid)
    store.session.outdated()


def _restore_chunks(store: SqliteStore, number: int) -> None:
    """Put back the chunks that were changed in place, one after the other: each may be large."""
    run = store.session.run
    shares = store.deduplicates
    table, past, column = ("reference", "past_reference", "block") if shares else ("chunk", "past_chunk", "data")
    put, drop = _CHUNK.format(table, past, column), f"DELETE FROM {table} WHERE id = ?"
    for chunk, until, was_missing in run(_CHUNKS.format(past, column), {"at": number}).fetchall():
        if was_missing:
            run(drop, (chunk,))
        else:
            run(put, (chunk, until))
