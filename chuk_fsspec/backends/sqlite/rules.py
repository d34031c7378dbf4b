"""What must hold in every chuksqlite file, as queries for what does not, and what is done about it.

What snapshots have is in ``past_content``, ``past_number`` and ``past_block`` (``snapshots.rules.show_past``).
"""

# ruff: noqa: S608 - every query is put together from constants

from __future__ import annotations

from dataclasses import dataclass

_DIRECTORY = "mode & 61440 = 16384"
_FILE = "mode & 61440 = 32768"
_CHUNK_SIZE = "(SELECT value FROM setting WHERE name = 'chunk_size')"
_NUMBERS = (
    "SELECT max(ino) AS n FROM inode UNION ALL SELECT max(cid) FROM inode UNION ALL SELECT max(cid) FROM chunk "
    "UNION ALL SELECT max(cid) FROM loose UNION ALL SELECT max(cid) FROM past_content "
    "UNION ALL SELECT n FROM past_number"
)


@dataclass(frozen=True)
class Rule:
    """One thing that must hold.

    Attributes:
        kind: a word or two for it.
        query: finds what breaks it; a column ``ino`` says where, if there is one.
        message: what is wrong, with the columns of the query in braces.
        repair: a statement for each row that was found, with its columns as parameters; empty if nothing is safe to do.
    """

    kind: str
    query: str
    message: str
    repair: str = ""


LOST = (
    Rule(
        "content without a file",
        f"SELECT cid, max(idx * {_CHUNK_SIZE} + length(data)) AS size, sum(length(data)) AS space FROM chunk "
        "WHERE cid NOT IN (SELECT cid FROM inode WHERE cid IS NOT NULL UNION SELECT cid FROM loose "
        "UNION SELECT cid FROM past_content) GROUP BY cid",
        "{size} bytes of content number {cid} belong to no file",
    ),
    Rule(
        "unreachable",
        "WITH RECURSIVE reached (ino) AS (SELECT 1 UNION SELECT d.ino FROM reached r JOIN dentry d ON d.parent = r.ino "
        "WHERE d.name <> '.') SELECT ino FROM inode WHERE nlink > 0 AND ino NOT IN reached",
        "no path leads to it",
    ),
)
"""What is lost but there: a repair gives it a name in ``/lost+found``."""

FIRST = (
    Rule(
        "setting",
        "SELECT n.column1 AS name FROM (VALUES ('chunk_size'), ('next_number')) n LEFT JOIN setting s "
        "ON s.name = n.column1 WHERE s.value IS NULL OR typeof(s.value) <> 'integer' OR s.value < 1",
        "the setting {name} is missing or wrong",
    ),
    Rule(
        "root",
        "SELECT 1 AS ino WHERE NOT EXISTS "
        f"(SELECT 1 FROM inode WHERE ino = 1 AND {_DIRECTORY} AND nlink > 0 AND parent = 1)",
        "there is no root directory",
    ),
    Rule(
        "number",
        f"SELECT s.value AS has, m.n + 1 AS needs FROM setting s, (SELECT max(n) AS n FROM ({_NUMBERS})) m "
        "WHERE s.name = 'next_number' AND s.value <= m.n",
        "the number {has} would be given a second time",
        "UPDATE setting SET value = :needs WHERE name = 'next_number'",
    ),
    Rule(
        "loose content",
        "SELECT i.ino, l.cid FROM inode i JOIN loose l ON l.cid = i.cid",
        "its content is listed as one that nobody has",
        "DELETE FROM loose WHERE cid = :cid",
    ),
    Rule(
        "entry",
        "SELECT d.parent AS ino, d.parent, d.name FROM dentry d LEFT JOIN inode i ON i.ino = d.ino "
        "WHERE d.name <> '.' AND i.ino IS NULL",
        "its entry {name!r} leads nowhere",
        "DELETE FROM dentry WHERE parent = :parent AND name = :name",
    ),
    Rule(
        "entry",
        "SELECT d.ino, d.parent, d.name FROM dentry d LEFT JOIN inode p ON p.ino = d.parent "
        f"WHERE p.ino IS NULL OR NOT (p.{_DIRECTORY})",
        "its name {name!r} is in something that is no directory",
        "DELETE FROM dentry WHERE parent = :parent AND name = :name",
    ),
    Rule(
        "name",
        "SELECT parent AS ino, parent, name FROM dentry WHERE typeof(name) NOT IN ('text', 'blob') "
        "OR length(CAST(name AS BLOB)) NOT BETWEEN 1 AND 255 OR instr(CAST(name AS BLOB), x'2f') "
        "OR instr(CAST(name AS BLOB), x'00') OR name IN ('..', x'2e', x'2e2e') OR (ino = 1 AND name <> '.')",
        "its entry {name!r} cannot be one",
        "DELETE FROM dentry WHERE parent = :parent AND name = :name",
    ),
    Rule(
        "name",
        "SELECT d.parent AS ino, d.parent, d.name FROM dentry d JOIN dentry e ON e.parent = d.parent "
        "AND e.name = CAST(d.name AS TEXT) WHERE typeof(d.name) = 'blob'",
        "its entry {name!r} is there twice",
        "DELETE FROM dentry WHERE parent = :parent AND name = :name",
    ),
    Rule(
        "directory",
        "SELECT ino, parent, name FROM (SELECT d.ino, d.parent, d.name, row_number() OVER (PARTITION BY d.ino "
        "ORDER BY d.parent = i.parent DESC, d.parent, d.name) AS number FROM dentry d JOIN inode i ON i.ino = d.ino "
        f"WHERE d.name <> '.' AND i.{_DIRECTORY}) WHERE number > 1",
        "the directory has the second name {name!r}",
        "DELETE FROM dentry WHERE parent = :parent AND name = :name",
    ),
)
"""What is repaired before the lost is found: it may make more of it."""

LAST = (
    Rule(
        "directory",
        f"SELECT i.ino FROM inode i LEFT JOIN dentry d ON d.parent = i.ino AND d.name = '.' WHERE i.{_DIRECTORY} "
        "AND (d.ino IS NOT i.ino OR d.mtime_ns IS NULL OR d.ctime_ns IS NULL)",
        "the directory has no times",
        "INSERT INTO dentry SELECT ino, '.', ino, mtime_ns, ctime_ns FROM inode WHERE ino = :ino ON CONFLICT "
        "DO UPDATE SET ino = excluded.ino, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns",
    ),
    Rule(
        "directory",
        "SELECT d.parent, d.name FROM dentry d LEFT JOIN inode i ON i.ino = d.parent "
        f"WHERE d.name = '.' AND (i.ino IS NULL OR NOT (i.{_DIRECTORY}))",
        "there are times of the directory {parent}, which is none",
        "DELETE FROM dentry WHERE parent = :parent AND name = :name",
    ),
    Rule(
        "parent",
        f"SELECT d.ino, d.parent FROM dentry d JOIN inode i ON i.ino = d.ino WHERE d.name <> '.' AND i.{_DIRECTORY} "
        "AND i.parent IS NOT d.parent",
        "the directory says that it lies somewhere else",
        "UPDATE inode SET parent = :parent WHERE ino = :ino",
    ),
    Rule(
        "nlink",
        "SELECT i.ino, i.nlink AS has, c.n AS needs FROM (SELECT ino, count(*) AS n FROM dentry WHERE name <> '.' "
        f"GROUP BY ino) c JOIN inode i ON i.ino = c.ino WHERE NOT (i.{_DIRECTORY}) AND i.nlink <> c.n",
        "nlink is {has}, and there are {needs} names",
        "UPDATE inode SET nlink = :needs WHERE ino = :ino",
    ),
    Rule(
        "nlink",
        "SELECT i.ino, i.nlink AS has, 2 + coalesce(c.n, 0) AS needs FROM inode i "
        "LEFT JOIN (SELECT d.parent, count(*) AS n FROM dentry d JOIN inode s ON s.ino = d.ino WHERE d.name <> '.' "
        f"AND s.{_DIRECTORY} GROUP BY d.parent) c ON c.parent = i.ino WHERE i.{_DIRECTORY} AND i.nlink <> needs "
        "AND (i.nlink > 0 OR i.ino IN (SELECT ino FROM dentry WHERE name <> '.'))",
        "nlink of the directory is {has} instead of {needs}",
        "UPDATE inode SET nlink = :needs WHERE ino = :ino",
    ),
    Rule(
        "kind",
        "SELECT ino, mode FROM inode WHERE mode >> 12 NOT IN (1, 2, 4, 6, 8, 10, 12)",
        "its mode {mode:o} is of no kind of file",
    ),
    Rule(
        "size",
        f"SELECT ino, size AS has, length(CAST(data AS BLOB)) AS needs FROM inode WHERE {_FILE} AND cid IS NULL "
        "AND data IS NOT NULL AND has <> needs",
        "its size is {has}, and there are {needs} bytes",
        "UPDATE inode SET size = :needs WHERE ino = :ino",
    ),
    Rule(
        "content",
        "SELECT ino, size FROM inode WHERE cid IS NULL AND data IS NULL "
        f"AND (({_FILE} AND size > 0) OR mode & 61440 = 40960)",
        "its content of {size} bytes is missing",
    ),
    Rule("content", "SELECT ino FROM inode WHERE cid IS NOT NULL AND data IS NOT NULL", "it has two contents"),
    Rule(
        "content",
        "SELECT ino, cid FROM inode WHERE cid IN "
        "(SELECT cid FROM inode WHERE cid IS NOT NULL GROUP BY cid HAVING count(*) > 1)",
        "it has content number {cid}, like another file",
    ),
    Rule(
        "chunk",
        f"SELECT i.ino, c.idx FROM chunk c JOIN inode i ON i.cid = c.cid WHERE length(c.data) > {_CHUNK_SIZE} "
        "OR typeof(c.data) <> 'blob'",
        "its chunk {idx} cannot be one",
    ),
    Rule(
        "chunk",
        f"SELECT i.ino, c.idx FROM chunk c JOIN inode i ON i.cid = c.cid WHERE c.idx * {_CHUNK_SIZE} >= i.size",
        "its chunk {idx} lies past the end",
    ),
    Rule(
        "chunk",
        f"SELECT i.ino, c.id, i.size - c.idx * {_CHUNK_SIZE} AS rest FROM chunk c JOIN inode i ON i.cid = c.cid "
        "WHERE rest > 0 AND length(c.data) > rest AND substr(c.data, rest + 1) <> zeroblob(length(c.data) - rest)",
        "its last chunk has bytes past the end",
        "UPDATE chunk SET data = substr(data, 1, :rest) WHERE id = :id",
    ),
    Rule(
        "space",
        "SELECT i.ino, i.space AS has, coalesce(c.n, 0) AS needs FROM inode i LEFT JOIN "
        "(SELECT cid, sum(length(data)) AS n FROM chunk GROUP BY cid) c ON c.cid = i.cid "
        "WHERE i.cid IS NOT NULL AND i.space <> needs",
        "it is said to take {has} bytes, and takes {needs}",
        "UPDATE inode SET space = :needs WHERE ino = :ino",
    ),
    Rule(
        "xattrs",
        "SELECT ino FROM inode WHERE xattrs IS NOT NULL AND NOT json_valid(xattrs)",
        "its extended attributes cannot be read",
    ),
)
RULES = (*FIRST, *LOST, *LAST)

_REFERENCE = "reference r JOIN inode i ON i.cid = r.id >> 28"
SHARED = (
    Rule(
        "block",
        f"SELECT i.ino, r.id & 268435455 AS idx FROM {_REFERENCE} WHERE r.block NOT IN (SELECT id FROM block)",
        "its chunk {idx} refers to a block that is not there",
    ),
    Rule(
        "block",
        "SELECT id, length(data) AS size FROM block WHERE id NOT IN (SELECT block FROM reference) "
        "AND id NOT IN (SELECT id FROM past_block)",
        "nothing refers to block {id} of {size} bytes",
        "DELETE FROM block WHERE id = :id",
    ),
    Rule(
        "block",
        f"SELECT i.ino, r.id & 268435455 AS idx FROM {_REFERENCE} JOIN block b ON b.id = r.block "
        "WHERE b.hash <> digest(b.data)",
        "its chunk {idx} is not what was written",
    ),
)
"""What must hold besides, where equal chunks are there once; ``digest`` is that of ``shared_chunks``."""
