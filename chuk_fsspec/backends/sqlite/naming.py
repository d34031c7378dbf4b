"""Where inodes are, by the tables alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Any

from chuk_fsspec.backends.sqlite.rows import decode_name
from chuk_fsspec.backends.sqlite.schema import ROOT

_NAME = "SELECT name FROM dentry WHERE parent = ? AND ino = ? AND name <> '.' LIMIT 1"
_DEEPEST = 4096


def paths_of(connection: sqlite3.Connection, numbers: Collection[int]) -> dict[int, str]:
    """A path of each of some inodes; one that cannot be reached begins with the number of what leads nowhere.

    Args:
        connection: to the database.
        numbers: of the inodes.
    """
    # One look at all entries, for they are not sorted by where they lead to.
    marks = ", ".join("?" * len(numbers))
    query = f"SELECT ino, parent, name FROM dentry WHERE name <> '.' AND ino IN ({marks})"  # noqa: S608 - marks
    entries = {ino: (parent, name) for ino, parent, name in connection.execute(query, tuple(numbers))}
    return {ino: "/" if ino == ROOT else _path(connection, ino, entries) for ino in numbers}


def shown(name: Any) -> str:
    """A name as it is shown, even one that no program can have made."""
    return decode_name(name) if isinstance(name, str | bytes) else repr(name)


def _path(connection: sqlite3.Connection, ino: int, entries: dict[int, tuple[int, Any]]) -> str:
    if ino not in entries:
        return f"#{ino}"
    parent, name = entries[ino]
    names = [shown(name)]
    while parent != ROOT:
        row = connection.execute("SELECT parent FROM inode WHERE ino = ?", (parent,)).fetchone()
        entry = row and connection.execute(_NAME, (row[0], parent)).fetchone()
        if not entry or len(names) > _DEEPEST:
            return "/".join([f"#{parent}", *reversed(names)])
        parent = row[0]
        names.append(shown(entry[0]))
    return "/" + "/".join(reversed(names))
