"""What must hold in a file with snapshots, besides (``rules``)."""

# ruff: noqa: S608 - every query is put together from constants

from __future__ import annotations

import sqlite3

from chuk_fsspec.backends.sqlite.chunks import INDEX_MAX
from chuk_fsspec.backends.sqlite.rules import Rule
from chuk_fsspec.backends.sqlite.snapshots.schema import NEWEST, has_snapshots, triggers

_KIND = "snapshot"
_OF_CONTENT = f"BETWEEN p.cid << 28 AND (p.cid << 28) + {INDEX_MAX}"
_SEEN = "(SELECT max(s.id) FROM snapshot s WHERE s.id <= p.id >> 28)"
"""The newest snapshot that a row ``p`` of ``past_inode`` is for."""
_LATER = f"SELECT 1 FROM past_chunk q WHERE q.id = c.id AND q.until >= {_SEEN}"
_SPACE = (
    f"coalesce((SELECT sum(length(c.data)) FROM chunk c WHERE c.id {_OF_CONTENT} AND NOT EXISTS ({_LATER})), 0) + "
    f"coalesce((SELECT sum(length(c.data)) FROM past_chunk c WHERE c.id {_OF_CONTENT} AND c.until >= {_SEEN} "
    f"AND NOT EXISTS ({_LATER} AND q.until < c.until)), 0)"
)

# A number leads somewhere if a snapshot that has the inode is not newer.
_LEADS = "iif(EXISTS (SELECT 1 FROM snapshot s WHERE s.id > {0}.ino AND s.id << 28 <= {0}.{1}), {0}.{1}, 0)"


def _chain(kind: str, query: str, repair: str) -> Rule:
    """That rows lead to what they were, whatever ``kind`` of row it is."""
    return Rule(
        _KIND,
        f"SELECT * FROM (SELECT p.*, {_LEADS.format('p', 'past')} AS has, {_LEADS.format('p', 'older')} AS needs "
        f"FROM ({query}) p) WHERE has <> needs",
        f"{kind} leads to row {{has}} of its past instead of {{needs}}",
        repair,
    )


_NEWEST_OF_EACH = "(SELECT ino, max(id) AS older FROM past_inode GROUP BY ino) n"
_CHAINS = (
    _chain(
        "the inode",
        f"SELECT i.ino, i.past, ifnull(n.older, 0) AS older FROM inode i LEFT JOIN {_NEWEST_OF_EACH} USING (ino)",
        "UPDATE inode SET past = :needs WHERE ino = :ino",
    ),
    _chain(
        "the removed inode",
        f"SELECT n.ino, ifnull(g.past, 0) AS past, n.older FROM {_NEWEST_OF_EACH} LEFT JOIN past_gone g USING (ino) "
        "WHERE ino NOT IN (SELECT ino FROM inode)",
        "INSERT INTO past_gone VALUES (:ino, :needs) ON CONFLICT (ino) DO UPDATE SET past = excluded.past",
    ),
    _chain(
        "what it was",
        "SELECT id, ino, past, lag(id, 1, 0) OVER (PARTITION BY ino ORDER BY id) AS older FROM past_inode",
        "UPDATE past_inode SET past = :needs WHERE id = :id",
    ),
)


def show_past(connection: sqlite3.Connection, *, shares: bool) -> None:
    """Make what snapshots have known to the rules of every file, as views of contents, numbers and blocks.

    Args:
        connection: to the database.
        shares: whether equal chunks are there once.
    """
    past = has_snapshots(connection)
    views = {
        "past_content (cid)": (past, "SELECT cid FROM past_inode WHERE cid IS NOT NULL"),
        "past_number (n)": (past, "SELECT max(id) FROM snapshot"),
        "past_block (id)": (past and shares, "SELECT block FROM past_reference WHERE block IS NOT NULL"),
    }
    for view, (is_there, query) in views.items():
        connection.execute(f"CREATE TEMP VIEW IF NOT EXISTS {view} AS {query if is_there else 'SELECT 1 WHERE false'}")


def past_rules(connection: sqlite3.Connection, *, shares: bool) -> tuple[Rule, ...]:
    """The rules for snapshots; none if there are none.

    Args:
        connection: to the database.
        shares: whether equal chunks are there once; ``digest`` is that of ``shared_chunks``.
    """
    if not has_snapshots(connection):
        return ()
    past_chunk = "past_reference" if shares else "past_chunk"
    wanted = ", ".join(f"('{name}', '{text.replace(chr(39), chr(39) * 2)}')" for name, text in triggers(shares).items())
    of_blocks = Rule(
        _KIND,
        "SELECT r.id >> 28 AS cid, r.id & 268435455 AS idx FROM past_reference r LEFT JOIN block b ON b.id = r.block "
        "WHERE r.block IS NOT NULL AND (b.id IS NULL OR b.hash <> digest(b.data))",
        "chunk {idx} of content number {cid} is not what was written",
    )
    return (
        *((of_blocks,) if shares else ()),
        *_CHAINS,
        Rule(
            _KIND,
            f"SELECT t.column1 AS trigger FROM (VALUES {wanted}) t LEFT JOIN sqlite_schema s "
            "ON s.type = 'trigger' AND s.name = t.column1 AND s.sql = t.column2 WHERE s.name IS NULL",
            "what changes is not kept for snapshots: the trigger {trigger!r} is missing",
        ),
        Rule(
            _KIND,
            f"SELECT s.value AS has, n.n AS needs FROM past_number n LEFT JOIN setting s ON s.name = '{NEWEST}' "
            "WHERE s.value IS NOT n.n",
            "the newest is said to be number {has}, and is number {needs}",
            f"INSERT OR REPLACE INTO setting VALUES ('{NEWEST}', :needs)",
        ),
        Rule(
            _KIND,
            "SELECT DISTINCT p.parent AS ino, p.name FROM past_dentry p WHERE p.ino IS NOT NULL "
            "AND p.ino NOT IN (SELECT ino FROM inode UNION SELECT ino FROM past_inode)",
            "its entry {name!r} led nowhere",
        ),
        Rule(
            _KIND,
            "SELECT ino FROM past_inode WHERE mode >> 12 NOT IN (1, 2, 4, 6, 8, 10, 12) "
            "OR (xattrs IS NOT NULL AND NOT json_valid(xattrs)) OR (cid IS NOT NULL AND data IS NOT NULL) "
            "OR (mode >> 12 = 8 AND cid IS NULL AND size <> coalesce(length(CAST(data AS BLOB)), 0))",
            "what it was cannot be",
        ),
        Rule(
            _KIND,
            f"SELECT p.ino, p.space AS has, {_SPACE} AS needs FROM past_inode p "
            "WHERE p.cid IS NOT NULL AND p.space <> needs",
            "what it was is said to take {has} bytes, and takes {needs}",
        ),
        Rule(
            _KIND,
            f"SELECT id >> 28 AS cid, count(*) AS n FROM {past_chunk} WHERE id >> 28 NOT IN past_content GROUP BY cid",
            "{n} chunks are kept of content number {cid}, which no snapshot has",
            f"DELETE FROM {past_chunk} WHERE id BETWEEN :cid << 28 AND (:cid << 28) + {INDEX_MAX}",
        ),
    )
