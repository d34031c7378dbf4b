"""Whether a chuksqlite file is whole."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.backends.sqlite.database import connect
from chuk_fsspec.backends.sqlite.naming import paths_of, shown
from chuk_fsspec.backends.sqlite.options import Options
from chuk_fsspec.backends.sqlite.rules import LOST, RULES, SHARED, Rule
from chuk_fsspec.backends.sqlite.schema import deduplicates
from chuk_fsspec.backends.sqlite.shared_chunks import digest
from chuk_fsspec.backends.sqlite.snapshots.rules import past_rules, show_past

_SHOWN = 20
_LEFTOVERS = "SELECT (SELECT count(*) FROM inode WHERE nlink = 0) + (SELECT count(*) FROM loose)"

Step = Callable[[str], None]
"""Called with the name of what is looked at next."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong.

    Attributes:
        kind: a word or two for it; "damaged" for a file that SQLite itself cannot read.
        where: the path, or what leads to it, of the inode in question; empty if it is none.
        message: what is wrong with it.
        can_be_repaired: whether ``repair`` knows what to do.
    """

    kind: str
    where: str
    message: str
    can_be_repaired: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


@dataclass(frozen=True)
class Report:
    """What a check has found.

    Attributes:
        problems: the first twenty of each kind.
        count: how many there are.
        leftovers: files and contents without a name, of programs that have them open or were killed; the next one to
            open the database alone removes them. They are no problem.
    """

    problems: tuple[Problem, ...]
    count: int
    leftovers: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.count

    @property
    def is_damaged(self) -> bool:
        """Whether SQLite itself cannot read the file, so that nothing here can repair it."""
        return any(problem.kind == "damaged" for problem in self.problems)


def check(database: str, *, on_step: Step | None = None) -> Report:
    """Look for everything that can be wrong in a chuksqlite file, without changing it. Others may go on using it.

    Args:
        database: absolute path of the file on this machine.
        on_step: told what is looked at next.

    Raises:
        ValueError: if it is no chuksqlite file, or of another version.
        OSError: ENOENT, EACCES, EBUSY.
    """
    try:
        connection = connect(database, Options(read_only=True, create=False, mmap_size=0))
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return _damaged([str(error.strerror)])
    with closing(connection):
        connection.execute("BEGIN")  # all that follows is of one moment
        return find_problems(connection, on_step or _quiet)


def find_problems(connection: sqlite3.Connection, on_step: Step) -> Report:
    """What ``check`` finds, within a transaction."""
    connection.text_factory = _as_text
    try:
        on_step("the database")
        lines = [line for (line,) in connection.execute(f"PRAGMA integrity_check({_SHOWN})")]
        if lines != ["ok"]:
            return _damaged(lines)
        show_past(connection, shares=deduplicates(connection.execute))
        problems: list[Problem] = []
        count = 0
        for rule in (*RULES, *rules_besides(connection)):
            on_step(rule.kind)
            found = list(broken(connection, rule))
            count += len(found)
            problems += _described(connection, rule, found[:_SHOWN])
        (leftovers,) = connection.execute(_LEFTOVERS).fetchone()
    except sqlite3.DatabaseError as error:
        return _damaged([str(error)])
    return Report(tuple(problems), count, leftovers)


def rules_besides(connection: sqlite3.Connection) -> tuple[Rule, ...]:
    """The rules that hold in this file and not in every one, with what they need."""
    shares = deduplicates(connection.execute)
    past = past_rules(connection, shares=shares)
    if not shares:
        return past
    connection.create_function("digest", 1, digest, deterministic=True)
    return (*SHARED, *past)


def broken(connection: sqlite3.Connection, rule: Rule) -> Iterator[dict[str, Any]]:
    """The rows that break a rule, by the names of their columns."""
    cursor = connection.execute(rule.query)
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def _described(connection: sqlite3.Connection, rule: Rule, found: list[dict[str, Any]]) -> Iterator[Problem]:
    paths = paths_of(connection, {row["ino"] for row in found if "ino" in row})
    for row in found:
        if "name" in row:
            row["name"] = shown(row["name"])
        where = paths[row["ino"]] if "ino" in row else ""
        yield Problem(rule.kind, where, rule.message.format(**row), bool(rule.repair) or rule in LOST)


def _damaged(lines: list[str]) -> Report:
    problems = tuple(Problem("damaged", "", line, can_be_repaired=False) for line in lines)
    return Report(problems, len(problems), 0)


def _as_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _quiet(_: str) -> None:
    """Say nothing."""
