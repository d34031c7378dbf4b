"""What can be put right in a chuksqlite file without losing anything."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing

from chuk_fsspec.backends.sqlite.checking import Report, Step, broken, check, find_problems, rules_besides
from chuk_fsspec.backends.sqlite.database import open_alone
from chuk_fsspec.backends.sqlite.errors import translated
from chuk_fsspec.backends.sqlite.leftovers import remove_from
from chuk_fsspec.backends.sqlite.rules import FIRST, LAST, LOST, Rule
from chuk_fsspec.backends.sqlite.schema import ROOT, deduplicates
from chuk_fsspec.backends.sqlite.snapshots.rules import show_past
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.engine.clock import now_ns

LOST_AND_FOUND = "lost+found"

_CONTENTS, _UNREACHABLE = LOST
_NEW = (
    "INSERT INTO inode SELECT :ino, :mode, :nlink, uid, gid, :size, :space, :ino, :now, :now, :now, :now, :parent, "
    "cid, NULL, NULL, 0 FROM (SELECT uid, gid, :cid AS cid FROM inode WHERE ino = 1)"
)
# Where equal chunks are there once, what changes one finds another block for it, as `shared_chunks` does.
_CHANGEABLE = """
CREATE TEMP TRIGGER changed INSTEAD OF UPDATE OF data ON chunk BEGIN
    INSERT OR IGNORE INTO block (hash, data) VALUES (digest(NEW.data), NEW.data);
    UPDATE reference SET block = (SELECT id FROM block WHERE hash = digest(NEW.data)) WHERE id = NEW.id;
END
"""
_ENTRY = "INSERT INTO dentry (parent, name, ino) VALUES (?, ?, ?)"


def repair(database: str, *, on_step: Step | None = None) -> Report:
    """Put right what is safe to put right, in one transaction, while nobody else has the file open.

    Entries that lead nowhere are removed, numbers of names and sizes are counted anew, leftovers of killed programs are
    removed, and what is there without a path gets one in ``/lost+found``, named by its number.

    Args:
        database: absolute path of the file on this machine.
        on_step: told what is looked at next.

    Returns:
        What is still wrong.

    Raises:
        ValueError: if it is no chuksqlite file, or of another version.
        OSError: ENOENT, EACCES, ENOSPC; EBUSY while others have it open.
    """
    on_step = on_step or (lambda _: None)
    report = check(database, on_step=on_step)
    if report.is_damaged or not (report.count or report.leftovers):
        return report
    try:
        with closing(open_alone(database)) as connection:
            _repair(connection, on_step)
            report = find_problems(connection, on_step)
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        found = translated(error, database)
        if found.errno == errno.EBUSY:
            found = os_error(errno.EBUSY, hint="other programs use the database; unmount it or end them, and try again")
        raise found from error
    return report


def _repair(connection: sqlite3.Connection, on_step: Step) -> None:
    show_past(connection, shares=deduplicates(connection.execute))
    for rule in FIRST:
        on_step(rule.kind)
        _apply(connection, rule)
    on_step(LOST_AND_FOUND)
    for row in list(broken(connection, _CONTENTS)):
        ino = _number(connection)
        values = {**row, "ino": ino, "mode": 0o100600, "nlink": 1, "parent": None, "now": now_ns()}
        connection.execute(_NEW, values)
    while lost := [row["ino"] for row in broken(connection, _UNREACHABLE)]:
        _find(connection, lost)
    besides = rules_besides(connection)
    if deduplicates(connection.execute):
        connection.execute(_CHANGEABLE)
    for rule in (*LAST, *besides):
        on_step(rule.kind)
        _apply(connection, rule)
    # Without a write-ahead log, others hold no lock while they rest: they may have nameless files open.
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        remove_from(connection)


def _apply(connection: sqlite3.Connection, rule: Rule) -> None:
    if rule.repair:
        connection.executemany(rule.repair, list(broken(connection, rule)))


def _find(connection: sqlite3.Connection, lost: list[int]) -> None:
    """Give those a name to which no entry leads; in a circle of directories, the one with the lowest number."""
    home = _lost_and_found(connection)
    marked = set(lost)
    inside = {ino for (ino,) in connection.execute("SELECT ino FROM dentry WHERE name <> '.'")} & marked
    tops = marked - inside
    if not tops:
        tops = {min(marked)}
        connection.execute("DELETE FROM dentry WHERE ino = ? AND name <> '.'", tuple(tops))
    connection.executemany(_ENTRY, [(home, f"#{ino}", ino) for ino in sorted(tops)])


def _lost_and_found(connection: sqlite3.Connection) -> int:
    """The number of the directory of that name in the root, which is made if need be."""
    name = LOST_AND_FOUND
    query = "SELECT d.ino FROM dentry d JOIN inode i USING (ino) WHERE d.parent = ? AND d.name = ? AND mode >> 12 = 4"
    while (row := connection.execute(query, (ROOT, name)).fetchone()) is None:
        if connection.execute("SELECT 1 FROM dentry WHERE parent = ? AND name = ?", (ROOT, name)).fetchone():
            name += "+"  # something else has the name
            continue
        ino = _number(connection)
        values = {"ino": ino, "mode": 0o040700, "nlink": 2, "size": 0, "space": 0, "parent": ROOT, "cid": None}
        connection.execute(_NEW, {**values, "now": now_ns()})
        connection.execute(_ENTRY, (ROOT, name, ino))
    return int(row[0])


def _number(connection: sqlite3.Connection) -> int:
    connection.execute("UPDATE setting SET value = value + 1 WHERE name = 'next_number'")
    (value,) = connection.execute("SELECT value FROM setting WHERE name = 'next_number'").fetchone()
    return int(value) - 1
