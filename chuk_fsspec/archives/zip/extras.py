"""Extra fields of zip entries: large sizes (APPNOTE 4.5.3), times and names of Info-ZIP (its proginfo/extrafld.txt)."""

from __future__ import annotations

import struct
import zlib
from datetime import datetime, timezone

from chuk_fsspec.archives.refusal import damaged

LARGE = 0xFFFFFFFF
"""A size or offset that is told in the ZIP64 field."""

_ZIP64, _TIMES, _UNICODE_PATH = 0x0001, 0x5455, 0x7075
_HAS_MTIME = 1

Extras = dict[int, bytes]


def read_extras(data: bytes) -> Extras:
    """Take extra fields apart: an identifier, a length, the content. ArchiveRefused where the lengths are wrong."""
    found, at = {}, 0
    while at + 4 <= len(data):
        identifier, length = struct.unpack_from("<HH", data, at)
        at += 4 + length
        if at > len(data):
            raise damaged("an extra field is longer than there is room")
        found[identifier] = data[at - length : at]
    return found


def large_numbers(extras: Extras, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes and the offset, with those that the ZIP64 field tells. ArchiveRefused if it lacks one."""
    field, at, result = extras.get(_ZIP64, b""), 0, []
    for value in numbers:
        if value != LARGE:
            result.append(value)
            continue
        if at + 8 > len(field):
            raise damaged("a ZIP64 size is missing")
        result.append(int.from_bytes(field[at : at + 8], "little"))
        at += 8
    return tuple(result)


def unicode_name(extras: Extras, name: bytes) -> bytes | None:
    """The name in UTF-8, where a program wrote it beside another one; not if that was changed since."""
    field = extras.get(_UNICODE_PATH, b"")
    if len(field) < 5 or field[0] != 1 or int.from_bytes(field[1:5], "little") != zlib.crc32(name):
        return None
    return field[5:]


def mtime_ns(extras: Extras, dos_date: int, dos_time: int) -> int | None:
    """When a member was changed: the Unix time if there is one, else that of DOS, taken for UTC; None for nonsense."""
    field = extras.get(_TIMES, b"")
    if len(field) >= 5 and field[0] & _HAS_MTIME:
        return int.from_bytes(field[1:5], "little", signed=True) * 10**9
    try:
        moment = datetime(
            (dos_date >> 9) + 1980,
            dos_date >> 5 & 15,
            dos_date & 31,
            dos_time >> 11,
            dos_time >> 5 & 63,
            (dos_time & 31) * 2,
            tzinfo=timezone.utc,
        )
    except ValueError:
        return None
    return int(moment.timestamp()) * 10**9


def times_field(time_ns: int) -> bytes:
    """The Unix time as an extra field; none for what has no room in 32 bits."""
    seconds = time_ns // 10**9
    if not -(1 << 31) <= seconds < 1 << 31:
        return b""
    return struct.pack("<HHBi", _TIMES, 5, _HAS_MTIME, seconds)
