"""What the tables said at a snapshot, as queries with its number as ``:at``."""

# ruff: noqa: S608 - every query is put together from constants

from __future__ import annotations

from chuk_fsspec.backends.sqlite.rows import COLUMNS, S_IFDIR, S_IFMT, S_IFREG

# The inodes of a table `e`, with the number of the newest row of the past of each.
_PASTS = (
    "SELECT e.*, ifnull((SELECT i.past FROM inode i WHERE i.ino = e.ino), "
    "(SELECT g.past FROM past_gone g WHERE g.ino = e.ino)) AS past FROM e"
)
_CHANGED = "h.past >= :at << 28"
_THEN = (
    "(WITH RECURSIVE older (id, past) AS (SELECT p.id, p.past FROM past_inode p WHERE p.id = h.past UNION ALL "
    "SELECT p.id, p.past FROM older o JOIN past_inode p ON p.id = o.past WHERE o.past >= :at << 28) "
    "SELECT min(id) FROM older)"
)


def _time(column: str) -> str:
    """A time of an inode ``i``: a directory's is in its entry ``.``."""
    past = (
        f"SELECT s.{column} FROM past_dentry s WHERE s.parent = i.ino AND s.name = '.' AND s.until >= :at "
        "ORDER BY s.until LIMIT 1"
    )
    live = f"SELECT s.{column} FROM dentry s WHERE s.parent = i.ino AND s.name = '.'"
    return f"CASE WHEN i.mode & {S_IFMT} = {S_IFDIR} THEN ifnull(({past}), ({live})) ELSE i.{column} END"


_FIELDS = ", ".join(_time(column) if column in ("mtime_ns", "ctime_ns") else f"i.{column}" for column in COLUMNS)
_WITHOUT_CONTENT = f"{_FIELDS}, CASE WHEN i.mode & {S_IFMT} <> {S_IFREG} THEN i.data END"


def _entries(condition: str) -> str:
    """Names and inodes of a directory, those that meet a condition."""
    return (
        f"SELECT d.name AS name, d.ino AS ino FROM dentry d WHERE d.parent = :parent AND d.{condition} AND NOT EXISTS "
        "(SELECT 1 FROM past_dentry p WHERE p.parent = d.parent AND p.name = d.name AND p.until >= :at) "
        f"UNION ALL SELECT p.name, p.ino FROM past_dentry p WHERE p.parent = :parent AND p.{condition} "
        "AND p.until >= :at AND p.ino IS NOT NULL AND NOT EXISTS (SELECT 1 FROM past_dentry q "
        "WHERE q.parent = p.parent AND q.name = p.name AND q.until >= :at AND q.until < p.until)"
    )


def _inodes(entries: str, fields: str) -> str:
    """The inodes of entries, with their numbers and names; an entry that leads nowhere has an empty one."""
    return (
        f"WITH e (name, ino) AS ({entries}), h AS ({_PASTS}) "
        f"SELECT {fields}, h.ino, h.name FROM h LEFT JOIN inode i ON i.ino = h.ino WHERE ({_CHANGED}) IS NOT TRUE "
        f"UNION ALL SELECT {fields}, h.ino, h.name FROM h JOIN past_inode i ON i.id = {_THEN} WHERE {_CHANGED}"
    )


BY_NAME = _inodes(_entries("name = :name"), f"{_FIELDS}, i.data")
BY_NUMBER = _inodes("SELECT NULL, :ino", f"{_FIELDS}, i.data")
CHILDREN = f"SELECT * FROM ({_inodes(_entries('name <> ' + repr('.')), _WITHOUT_CONTENT)}) ORDER BY name"
IS_EMPTY = f"SELECT NOT EXISTS ({_entries('name <> ' + repr('.'))})"
DATA = (
    f"WITH e (ino) AS (SELECT :ino), h AS ({_PASTS}) "
    f"SELECT i.data FROM h JOIN inode i ON i.ino = h.ino WHERE ({_CHANGED}) IS NOT TRUE "
    f"UNION ALL SELECT i.data FROM h JOIN past_inode i ON i.id = {_THEN} WHERE {_CHANGED}"
)

_LATER_CHUNK = "SELECT 1 FROM past_chunk q WHERE q.id = c.id AND q.until >= :at"


def chunks(fields: str) -> str:
    """The chunks from the key ``:first`` to ``:last``, in order.

    Args:
        fields: what of each chunk ``c``.
    """
    return (
        f"SELECT {fields} FROM chunk c WHERE c.id BETWEEN :first AND :last AND NOT EXISTS ({_LATER_CHUNK}) "
        f"UNION ALL SELECT {fields} FROM past_chunk c WHERE c.id BETWEEN :first AND :last AND c.until >= :at "
        f"AND c.data IS NOT NULL AND NOT EXISTS ({_LATER_CHUNK} AND q.until < c.until) ORDER BY 1"
    )
