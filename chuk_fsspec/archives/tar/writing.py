"""Tar archives as they are written: POSIX.1-2001, with extended headers only where they are needed."""

from __future__ import annotations

import os
from collections.abc import Iterable

from chuk_fsspec.archives.compression import Sink
from chuk_fsspec.archives.members import Kind, Member
from chuk_fsspec.archives.tar.headers import BLOCK, Header, padding, write_header
from chuk_fsspec.archives.tar.pax import Record, decimal, write_records, xattr_keyword
from chuk_fsspec.contract.posix import Buffer

_RECORD = 20 * BLOCK
_TYPES = {
    Kind.FILE: b"0",
    Kind.HARD_LINK: b"1",
    Kind.SYMLINK: b"2",
    Kind.CHARACTER: b"3",
    Kind.BLOCK: b"4",
    Kind.DIRECTORY: b"5",
    Kind.FIFO: b"6",
}
_EXTENDED = b"././@PaxHeader"
_ID_MAX = 0o7777777
_SIZE_MAX = 0o77777777777
_NAME_MAX = 100


class TarWriter:
    """Writes members one after the other."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._written = 0

    def add(self, member: Member, content: Iterable[Buffer]) -> None:
        """Write a member, whose content has exactly ``member.size`` bytes."""
        header, records = _described(member)
        if records:
            data = write_records(records)
            self._write(write_header(Header(_EXTENDED, 0o644, 0, 0, len(data), 0, b"x", b"", 0, 0)))
            self._write(data + bytes(padding(len(data))))
        self._write(write_header(header))
        for piece in content:
            self._write(piece)
        self._write(bytes(padding(member.size or 0)))

    def finish(self) -> None:
        """Write the end: two blocks of zeros, and more to a round size."""
        self._write(bytes(2 * BLOCK))
        self._write(bytes(-self._written % _RECORD))
        self._sink.finish()

    def abandon(self) -> None:
        """Write nothing more."""

    def _write(self, data: Buffer) -> None:
        self._sink.write(data)
        self._written += memoryview(data).nbytes


def _described(member: Member) -> tuple[Header, list[Record]]:
    """The header of a member, and the records for what has no room in it."""
    records: list[Record] = []
    name = _bytes(member.path) + (b"/" if member.kind is Kind.DIRECTORY else b"")
    target = _bytes(member.target)
    size, time_ns = member.size or 0, member.mtime_ns or 0
    if not (_is_utf8(name) and _is_utf8(target)):
        records.append((b"hdrcharset", b"BINARY"))
    short_name, short_target = _short(b"path", name, records), _short(b"linkpath", target, records)
    numbers = ((b"uid", member.uid, _ID_MAX), (b"gid", member.gid, _ID_MAX), (b"size", size, _SIZE_MAX))
    records += [(keyword, str(value).encode()) for keyword, value, most in numbers if value > most]
    seconds = time_ns // 10**9
    if time_ns % 10**9 or not 0 <= seconds <= _SIZE_MAX:
        records.append((b"mtime", decimal(time_ns)))
    records += [(xattr_keyword(_bytes(key)), value) for key, value in sorted(member.xattrs.items())]
    header = Header(
        name=short_name,
        mode=member.mode,
        uid=member.uid if member.uid <= _ID_MAX else 0,
        gid=member.gid if member.gid <= _ID_MAX else 0,
        size=size if size <= _SIZE_MAX else 0,
        mtime=min(max(seconds, 0), _SIZE_MAX),
        type=_TYPES[member.kind],
        target=short_target,
        rdev_major=os.major(member.rdev) if member.rdev else 0,
        rdev_minor=os.minor(member.rdev) if member.rdev else 0,
    )
    return header, records


def _short(keyword: bytes, text: bytes, records: list[Record]) -> bytes:
    """What stands in the header for a name or target; the whole of it becomes a record if that is something else."""
    if len(text) <= _NAME_MAX and text.isascii():
        return text
    records.append((keyword, text))
    return text.decode("ascii", "replace").replace("\ufffd", "?").encode()[:_NAME_MAX]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
