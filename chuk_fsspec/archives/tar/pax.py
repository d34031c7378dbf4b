"""Extended headers: records of a length, a keyword and a value (POSIX.1-2017, pax, "pax Extended Header")."""

from __future__ import annotations

import re
from collections.abc import Iterable

from chuk_fsspec.archives.refusal import ArchiveRefused, damaged

XATTR = b"SCHILY.xattr."
"""Before the name of an extended attribute, whose value follows as it is (star, GNU tar, bsdtar)."""

Record = tuple[bytes, bytes]

_ESCAPED = ((b"%", b"%25"), (b"=", b"%3D"))  # as GNU tar does, for a keyword ends at the first =
_LENGTH = re.compile(rb"([0-9]{1,20}) ")
_TIME_MAX = (1 << 63) - 1
_TIME = re.compile(rb"(-?)([0-9]{1,12})(?:\.([0-9]{0,30}))?")


def write_records(records: Iterable[Record]) -> bytes:
    """Records one after the other; each begins with its own length."""
    return b"".join(map(_record, records))


def _record(record: Record) -> bytes:
    rest = b" " + record[0] + b"=" + record[1] + b"\n"
    length = len(rest) + 1
    while len(rest) + len(str(length)) != length:
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def read_records(data: bytes) -> list[Record]:
    """Take an extended header apart. ArchiveRefused where the lengths are wrong."""
    records, at = [], 0
    while at < len(data):
        match = _LENGTH.match(data, at)
        stop = at + int(match[1]) if match else 0
        if match is None or not match.end() < stop <= len(data) or data[stop - 1 : stop] != b"\n":
            raise _wrong()
        keyword, separator, value = data[match.end() : stop - 1].partition(b"=")
        if not separator or not keyword:
            raise _wrong()
        records.append((keyword, value))
        at = stop
    return records


def xattr_keyword(name: bytes) -> bytes:
    """The keyword for an extended attribute."""
    for plain, escaped in _ESCAPED:
        name = name.replace(plain, escaped)
    return XATTR + name


def xattr_name(keyword: bytes) -> bytes:
    """The extended attribute that a keyword is for."""
    name = keyword[len(XATTR) :]
    for plain, escaped in reversed(_ESCAPED):
        name = name.replace(escaped, plain)
    return name


def number(value: bytes) -> int:
    """A number that is not negative, in a record."""
    if not value.isdigit() or len(value) > 20:
        raise _wrong()
    return int(value)


def nanoseconds(value: bytes) -> int:
    """A time in a record, seconds with a fraction."""
    match = _TIME.fullmatch(value)
    if match is None:
        raise _wrong()
    sign, seconds, fraction = match.groups()
    total = int(seconds) * 10**9 + int((fraction or b"")[:9].ljust(9, b"0"))
    return in_range(-total if sign else total)


def in_range(time_ns: int) -> int:
    """The nearest time that filesystems can hold."""
    return min(max(time_ns, -_TIME_MAX), _TIME_MAX)


def decimal(time_ns: int) -> bytes:
    """A time for a record."""
    sign = "-" if time_ns < 0 else ""
    seconds, fraction = divmod(abs(time_ns), 10**9)
    return f"{sign}{seconds}.{fraction:09}".encode()


def _wrong() -> ArchiveRefused:
    return damaged("an extended header is malformed")
