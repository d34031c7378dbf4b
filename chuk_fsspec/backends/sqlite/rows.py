"""Rows of the table ``inode``, and what is in them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from chuk_fsspec.backends.sqlite.inode import ATTRIBUTES, CONTENT, NEW, STAMPS, Row, SqliteDirectory, Stored

S_IFMT, S_IFLNK, S_IFDIR, S_IFREG = 0o170000, 0o120000, 0o040000, 0o100000

_ATTRIBUTES = "mode, nlink, uid, gid, version, atime_ns, mtime_ns, ctime_ns, size, space, parent, past, xattrs, cid"


def _column(name: str) -> str:
    """A column as it is read: a directory's times are in its entry ``.``."""
    if name not in ("mtime_ns", "ctime_ns"):
        return f"i.{name}"
    dot = f"SELECT s.{name} FROM dentry s WHERE s.parent = i.ino AND s.name = '.'"  # noqa: S608 - constants
    return f"CASE WHEN i.mode & {S_IFMT} = {S_IFDIR} THEN ({dot}) ELSE i.{name} END"


COLUMNS = ("ino", "btime_ns", *(name.strip() for name in _ATTRIBUTES.split(",")))
"""What of an inode ``fill`` takes, ``data`` last."""

_COLUMNS = ", ".join(map(_column, COLUMNS))
_WITH_DATA = f"{_COLUMNS}, i.data"
# A listing needs what links say, and no file's content.
_WITHOUT_CONTENT = f"{_COLUMNS}, CASE WHEN i.mode & {S_IFMT} <> {S_IFREG} THEN i.data END"

BY_NUMBER = f"SELECT {_WITH_DATA} FROM inode i WHERE ino = ?"  # noqa: S608 - constants, here and below
BY_NAME = (
    f"SELECT {_WITH_DATA}, d.ino FROM dentry d LEFT JOIN inode i ON i.ino = d.ino "  # noqa: S608
    "WHERE d.parent = ? AND d.name = ?"
)
CHILDREN = (
    f"SELECT {_WITHOUT_CONTENT}, d.ino, d.name FROM dentry d LEFT JOIN inode i ON i.ino = d.ino "  # noqa: S608
    "WHERE d.parent = ? AND d.name <> '.' ORDER BY d.name"
)
_INSERT = f"INSERT INTO inode (ino, btime_ns, {_ATTRIBUTES}, data) VALUES ({', '.join('?' * 17)})"  # noqa: S608 - constants
_SETS = ", ".join(f"{name.strip()} = ?" for name in _ATTRIBUTES.split(","))
# OR FAIL, since with triggers SQLite would else prepare each statement to be undone alone, which costs 2 µs. A scope in
# which one fails is undone as a whole.
_UPDATE = f"UPDATE OR FAIL inode SET {_SETS} WHERE ino = ?"  # noqa: S608 - constants
_UPDATE_STAMPS = "UPDATE OR FAIL inode SET version = ?, mtime_ns = ?, ctime_ns = ?, past = ? WHERE ino = ?"
_UPDATE_DIRECTORY_TIMES = "UPDATE dentry SET mtime_ns = ?, ctime_ns = ? WHERE parent = ? AND name = '.'"
_INSERT_DIRECTORY_TIMES = "INSERT INTO dentry (mtime_ns, ctime_ns, parent, name, ino) VALUES (?, ?, ?, '.', ?)"
_UPDATE_WITH_DATA = f"UPDATE OR FAIL inode SET {_SETS}, data = ? WHERE ino = ?"  # noqa: S608 - constants


def fill(inode: Row, row: tuple[Any, ...], generation: int) -> None:
    """Set an inode's fields from what a query has found."""
    inode.btime_ns, mode = row[1:3]
    size, space, parent, inode.past, xattrs, cid, data = row[10:]
    inode.raw_mode = mode
    (
        inode.raw_nlink,
        inode.raw_uid,
        inode.raw_gid,
        inode.raw_version,
        inode.raw_atime_ns,
        inode.raw_mtime_ns,
        inode.raw_ctime_ns,
    ) = row[3:10]
    inode.raw_xattrs = decode_xattrs(xattrs) if xattrs is not None else None
    kind = mode & S_IFMT
    if kind == S_IFREG:
        inode.raw_content = data if data is not None else Stored(size, cid, space) if size or cid else b""
    elif kind == S_IFDIR:
        inode.raw_content = None
        assert isinstance(inode, SqliteDirectory)
        inode.parent_ino = parent
    else:
        inode.raw_content = decode_name(data) if kind == S_IFLNK else data
    inode.seen = generation


_EIGHT_FIRST = attrgetter(*(f"raw_{name.strip()}" for name in _ATTRIBUTES.split(",")[:8]))


def _attributes(inode: Row) -> tuple[Any, ...]:
    """The values of ``_UPDATE`` without the last one, and those in the middle of ``_INSERT``."""
    content = inode.raw_content
    kind = inode.raw_mode & S_IFMT
    size = len(content) if kind == S_IFREG else inode.size
    cid, space = (content.cid, content.space) if type(content) is Stored else (None, 0)
    parent = inode.parent_ino if isinstance(inode, SqliteDirectory) else None
    xattrs = inode.raw_xattrs
    return (*_EIGHT_FIRST(inode), size, space, parent, inode.past, encode_xattrs(xattrs) if xattrs else None, cid)


def _times(inode: Row) -> tuple[int, int]:
    """Of modification and change."""
    return inode.raw_mtime_ns, inode.raw_ctime_ns


def _data_of(inode: Row) -> Any:
    """What lies with the inode: a small file's content, a link's target, a device's number."""
    content = inode.raw_content
    if type(content) is str:
        return encode_name(content)
    return content if type(content) is bytes or type(content) is int else None


def write(run: Callable[..., sqlite3.Cursor], inode: Row, changed: int) -> bool:
    """Write what of an inode was changed; False if it is not there any more.

    Args:
        run: executes a statement.
        inode: the inode.
        changed: bits of what is to be written.
    """
    ino = inode.ino
    is_directory = isinstance(inode, SqliteDirectory)
    if changed & NEW:
        run(_INSERT, (ino, inode.btime_ns, *_attributes(inode), _data_of(inode)))
        if is_directory:
            run(_INSERT_DIRECTORY_TIMES, (*_times(inode), ino, ino))
        return True
    if changed & CONTENT:
        return run(_UPDATE_WITH_DATA, (*_attributes(inode), _data_of(inode), ino)).rowcount == 1
    if changed & ATTRIBUTES:
        if run(_UPDATE, (*_attributes(inode), ino)).rowcount != 1:
            return False
        if not is_directory or not changed & STAMPS:
            return True
    if is_directory:
        return run(_UPDATE_DIRECTORY_TIMES, (*_times(inode), ino)).rowcount == 1
    return run(_UPDATE_STAMPS, (inode.raw_version, *_times(inode), inode.past, ino)).rowcount == 1


def encode_name(name: str) -> str | bytes:
    """A name as the database holds it: text where that is possible."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape")
    return name


def decode_name(value: str | bytes) -> str:
    """A name from the database."""
    return value if type(value) is str else bytes(value).decode("utf-8", "surrogateescape")  # type: ignore[arg-type]


def encode_xattrs(xattrs: dict[str, bytes]) -> str:
    """Extended attributes as JSON, values in hexadecimal."""
    return json.dumps({name: value.hex() for name, value in xattrs.items()})


def decode_xattrs(text: str) -> dict[str, bytes]:
    """Extended attributes from JSON."""
    return {name: bytes.fromhex(value) for name, value in json.loads(text).items()}
