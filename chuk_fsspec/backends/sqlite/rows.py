"""Rows of the table ``inode``, and what is in them."""

from __future__ import annotations

import json
from typing import Any

from chuk_fsspec.backends.sqlite import fields
from chuk_fsspec.backends.sqlite.inode import Row, SqliteDirectory, Stored
from chuk_fsspec.engine.inode import Inode

S_IFMT, S_IFLNK, S_IFDIR, S_IFREG = 0o170000, 0o120000, 0o040000, 0o100000

_ATTRIBUTES = "mode, nlink, uid, gid, size, space, version, atime_ns, mtime_ns, ctime_ns, parent, xattrs, cid"


def _column(name: str) -> str:
    """A column as it is read: a directory's times are in its entry ``.``."""
    if name not in ("mtime_ns", "ctime_ns"):
        return f"i.{name}"
    dot = f"SELECT s.{name} FROM dentry s WHERE s.parent = i.ino AND s.name = '.'"  # noqa: S608 - constants
    return f"CASE WHEN i.mode & {S_IFMT} = {S_IFDIR} THEN ({dot}) ELSE i.{name} END"


COLUMNS = ", ".join(_column(name.strip()) for name in ("ino", "btime_ns", *_ATTRIBUTES.split(",")))
WITH_DATA = f"{COLUMNS}, i.data"
# A listing needs what links say, and no file's content.
WITHOUT_CONTENT = f"{COLUMNS}, CASE WHEN i.mode & {S_IFMT} <> {S_IFREG} THEN i.data END"

INSERT = f"INSERT INTO inode (ino, btime_ns, {_ATTRIBUTES}, data) VALUES ({', '.join('?' * 16)})"  # noqa: S608 - constants
_SETS = ", ".join(f"{name.strip()} = ?" for name in _ATTRIBUTES.split(","))
UPDATE = f"UPDATE inode SET {_SETS} WHERE ino = ?"  # noqa: S608 - constants
UPDATE_STAMPS = "UPDATE inode SET version = ?, mtime_ns = ?, ctime_ns = ? WHERE ino = ?"
UPDATE_DIRECTORY_TIMES = "UPDATE dentry SET mtime_ns = ?, ctime_ns = ? WHERE parent = ? AND name = '.'"
INSERT_DIRECTORY_TIMES = "INSERT INTO dentry (mtime_ns, ctime_ns, parent, name, ino) VALUES (?, ?, ?, '.', ?)"
UPDATE_WITH_DATA = f"UPDATE inode SET {_SETS}, data = ? WHERE ino = ?"  # noqa: S608 - constants


def fill(inode: Row, row: tuple[Any, ...], generation: int) -> None:
    """Set an inode's fields from a row of ``WITH_DATA`` or ``WITHOUT_CONTENT``."""
    (
        *(_, inode.btime_ns, mode, nlink, uid, gid, size, space, version, atime, mtime, ctime, parent, xattrs, cid),
        data,
    ) = row
    fields.set_mode(inode, mode)
    fields.set_nlink(inode, nlink)
    fields.set_uid(inode, uid)
    fields.set_gid(inode, gid)
    fields.set_version(inode, version)
    fields.set_atime(inode, atime)
    fields.set_mtime(inode, mtime)
    fields.set_ctime(inode, ctime)
    fields.set_xattrs(inode, decode_xattrs(xattrs) if xattrs is not None else None)
    kind = mode & S_IFMT
    if kind == S_IFREG:
        fields.set_content(inode, data if data is not None else Stored(size, cid, space) if size or cid else b"")
    elif kind == S_IFDIR:
        fields.set_content(inode, None)
        assert isinstance(inode, SqliteDirectory)
        inode.parent_ino = parent
    else:
        fields.set_content(inode, decode_name(data) if kind == S_IFLNK else data)
    inode.seen = generation


def attributes(inode: Row) -> tuple[Any, ...]:
    """The values of ``UPDATE`` without the last one, and those in the middle of ``INSERT``."""
    mode = fields.get_mode(inode)
    content = fields.get_content(inode)
    kind = mode & S_IFMT
    size = len(content) if kind == S_IFREG else inode.size
    cid, space = (content.cid, content.space) if type(content) is Stored else (None, 0)
    xattrs = fields.get_xattrs(inode)
    return (
        mode,
        fields.get_nlink(inode),
        fields.get_uid(inode),
        fields.get_gid(inode),
        size,
        space,
        fields.get_version(inode),
        fields.get_atime(inode),
        fields.get_mtime(inode),
        fields.get_ctime(inode),
        inode.parent_ino if kind == S_IFDIR else None,  # type: ignore[union-attr]
        encode_xattrs(xattrs) if xattrs else None,
        cid,
    )


def times(inode: Row) -> tuple[int, int]:
    """Of modification and change."""
    return fields.get_mtime(inode), fields.get_ctime(inode)


def data_of(inode: Inode) -> Any:
    """What lies with the inode: a small file's content, a link's target, a device's number."""
    content = fields.get_content(inode)
    if type(content) is str:
        return encode_name(content)
    return content if type(content) is bytes or type(content) is int else None


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
