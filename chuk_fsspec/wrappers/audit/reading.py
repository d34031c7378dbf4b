"""Reading a log while others write it: the lines that were there when reading began, one at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.wrappers.audit.guard import shared_lock
from chuk_fsspec.wrappers.audit.lines import LINE_MAX, read_line
from chuk_fsspec.wrappers.audit.naming import is_database, segments_of
from chuk_fsspec.wrappers.audit.record import Head, Record

if TYPE_CHECKING:
    import sqlite3

_ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class Place:
    """Where a line stands.

    Attributes:
        file: the name of the file; empty for the one that is written.
        line: its number in there, from 1; in a database the number of the row.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file} line {self.line}" if self.file else f"line {self.line}"


Lines = Iterator[tuple[Place, bytes]]


@dataclass(frozen=True)
class Snapshot:
    """A log at one moment.

    Attributes:
        lines: its lines from the first on, to be read once; longer ones than a log has come in pieces.
        anchor: the bytes of its anchor, empty where there is none.
    """

    lines: Lines
    anchor: bytes


@contextmanager
def snapshot(log: str) -> Iterator[Snapshot]:
    """Look at a log as it is now.

    Args:
        log: path of the file or database that is written.

    Raises:
        ValueError: if it cannot be a log by its name, or is no database.
        OSError: if it cannot be read.
    """
    with _database(log) if is_database(log) else _files(log) as taken:
        yield taken


@contextmanager
def _files(log: str) -> Iterator[Snapshot]:
    with shared_lock(log) as anchor:
        file = open(log, "rb")  # noqa: SIM115 - it is closed below, after the lock is given back
        size = os.fstat(file.fileno()).st_size
        older = segments_of(log)
    with file:
        yield Snapshot(_lines_of(older, file, size), anchor)


def _lines_of(older: list[tuple[int, str]], file: BinaryIO, size: int) -> Lines:
    for _, path in older:
        with open(path, "rb") as aside:
            yield from _numbered(aside, os.path.basename(path), os.fstat(aside.fileno()).st_size)
    yield from _numbered(file, "", size)


def _numbered(file: BinaryIO, name: str, size: int) -> Lines:
    number = 0
    while size:
        line = file.readline(min(size, LINE_MAX))
        if not line:
            return
        size -= len(line)
        number += 1
        yield Place(name, number), line


@contextmanager
def _database(log: str) -> Iterator[Snapshot]:
    import sqlite3  # not every Python has it

    with shared_lock(log) as anchor:
        # Through open(2) first: SQLite says of a missing file only that it cannot open it.
        open(log, "rb").close()
        connection = sqlite3.connect(_uri(log), uri=True, isolation_level=None)
        try:
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM (SELECT 1 FROM line LIMIT 1)").fetchone()
        except sqlite3.Error as error:
            connection.close()
            if "not a database" in str(error) or "no such table" in str(error):
                raise ValueError("this is no audit log: it is a file of another kind") from error
            raise os_error(errno.EIO, log, hint=f"SQLite says: {error}") from error
    try:
        yield Snapshot(_rows(connection), anchor)
    finally:
        connection.close()


def _rows(connection: sqlite3.Connection) -> Lines:
    cursor = connection.execute("SELECT sequence, text FROM line ORDER BY sequence")
    cursor.arraysize = _ROWS_AT_ONCE
    for number, text in cursor:
        yield Place("", number + 1), str(text).encode(errors="surrogatepass")


def _uri(path: str) -> str:
    path = os.path.abspath(path)
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    # Even to read, SQLite makes files beside a database in WAL mode, unless it is told that nobody writes it.
    is_archived = not os.access(os.path.dirname(path), os.W_OK) and not os.path.exists(f"{path}-wal")
    return f"file:{quoted}?mode=ro{'&immutable=1' if is_archived else ''}"


@dataclass(frozen=True)
class Filters:
    """Which records are wanted; what is empty filters nothing.

    Attributes:
        path: those about this path, or one below it.
        actor: those of this actor.
        session: those of this session.
        operation: those of this operation.
        decision: "allowed", "refused", "failed" or "begun".
        since: those that began at this time or later, as records write it.
        until: those that began before this time.
    """

    path: str = ""
    actor: str = ""
    session: str = ""
    operation: str = ""
    decision: str = ""
    since: str = ""
    until: str = ""

    def wants(self, record: Record) -> bool:
        """Whether a record is one of them."""
        entry = record.entry
        return (
            (not self.path or any(is_inside(path, self.path) for path in (entry.path, entry.path2) if path is not None))
            and self.actor in ("", entry.actor)
            and self.session in ("", entry.session)
            and self.operation in ("", entry.operation)
            and self.decision in ("", entry.decision)
            and entry.time >= self.since
            and (not self.until or entry.time < self.until)
        )


EVERYTHING = Filters()


def read_records(log: str, filters: Filters = EVERYTHING) -> Iterator[Record]:
    """The records of a log in their order. Whether they are genuine, only ``verify`` tells.

    Args:
        log: path of the log.
        filters: which ones.

    Raises:
        OSError, ValueError: as ``snapshot``; lines that are no records are left out.
    """
    return (record for _, record in read_lines(log, filters))


def read_lines(log: str, filters: Filters = EVERYTHING) -> Iterator[tuple[bytes, Record]]:
    """As ``read_records``, each with its line as it stands in the log."""
    with snapshot(log) as taken:
        for _, line in taken.lines:
            try:
                record = read_line(line)
            except ValueError:
                continue
            if filters.wants(record):
                yield line, record


def read_head(log: str) -> Head:
    """The head of a log, to be kept elsewhere: of its last whole record. ValueError if it has none."""
    last = b""
    with snapshot(log) as taken:
        for _, line in taken.lines:
            last = line if line.endswith(b"\n") else last
    try:
        return read_line(last).head
    except ValueError:
        raise ValueError("this log does not end in a record; verify shows where it went wrong") from None
