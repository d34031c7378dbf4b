"""The central directory, at the end of a zip file: where it is, that it is the only one, and what it says."""

from __future__ import annotations

import errno
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.archives.limits import Meter
from chuk_fsspec.archives.refusal import ArchiveRefused, damaged, refused
from chuk_fsspec.archives.zip.extras import LARGE, large_numbers, mtime_ns, read_extras, unicode_name

_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_MAGIC = b"PK\x06\x07"
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_MAGIC = b"PK\x06\x06"
_ENTRY = struct.Struct("<4s6H3L5H2L")
_ENTRY_MAGIC = b"PK\x01\x02"
_COMMENT_MAX = 0xFFFF
_LOCAL_SIZE = 30
_ENTRY_MAX = _ENTRY.size + 3 * 0xFFFF


@dataclass(frozen=True)
class ZipEntry:
    """One entry of the central directory. Sizes and offsets are in bytes."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    system: int
    attributes: int
    mtime_ns: int | None


@dataclass(frozen=True)
class _Place:
    start: int
    stop: int
    count: int


class Directory:
    """The entries of a zip file, each in a place of its own."""

    def __init__(self, file: Any, meter: Meter) -> None:
        """Look at all entries once, keeping eight bytes of each.

        Args:
            file: can be read and can seek.
            meter: for the limits.

        Raises:
            ArchiveRefused: for too many entries, entries that share content, and all damage.
        """
        self._file, self._meter = file, meter
        self._place = _find(file)
        meter.require_members(self._place.count)
        if self._place.count * _ENTRY.size > self._place.stop - self._place.start:
            raise _miscounted()
        self._offsets = array("Q", sorted(entry.offset for entry in self))
        for one, other in zip(self._offsets, self._offsets[1:], strict=False):
            if other < one + _LOCAL_SIZE:
                raise damaged("entries share their content")

    def __iter__(self) -> Iterator[ZipEntry]:
        place, data, begins, at = self._place, b"", self._place.start, 0
        for _ in range(place.count):
            if len(data) - at < _ENTRY_MAX and begins + len(data) < place.stop:
                begins, at = begins + at, 0
                self._file.seek(begins)
                data = _read(self._file, min(2 * _ENTRY_MAX, place.stop - begins))
            entry, length = _entry(data[at : at + _ENTRY_MAX], self._meter)
            at += length
            yield entry
        if begins + at != place.stop:
            raise _miscounted()

    def end_of(self, entry: ZipEntry) -> int:
        """Where the next entry, or the directory, begins."""
        following = bisect_right(self._offsets, entry.offset)
        return self._offsets[following] if following < len(self._offsets) else self._place.start


def _entry(data: bytes, meter: Meter) -> tuple[ZipEntry, int]:
    if len(data) < _ENTRY.size or not data.startswith(_ENTRY_MAGIC):
        raise _miscounted()
    (_, made_by, _, flags, method, time, date, crc, packed, size, *lengths, disk, _, attributes, offset) = (
        _ENTRY.unpack(data[: _ENTRY.size])
    )
    length = _ENTRY.size + sum(lengths)
    if len(data) < length or disk:
        raise damaged("an entry of its directory is cut off, or on another disk")
    name_end = _ENTRY.size + lengths[0]
    raw_name = data[_ENTRY.size : name_end]
    meter.require_header(sum(lengths))
    extras = read_extras(data[name_end : name_end + lengths[1]])
    size, packed, offset = large_numbers(extras, (size, packed, offset))
    in_unicode = raw_name if flags & 1 << 11 else unicode_name(extras, raw_name)
    return ZipEntry(
        raw_name=raw_name,
        name=_decoded(raw_name) if in_unicode is None else in_unicode.decode("utf-8", "surrogateescape"),
        flags=flags,
        method=method,
        crc=crc,
        packed=packed,
        size=size,
        offset=offset,
        system=made_by >> 8,
        attributes=attributes,
        mtime_ns=mtime_ns(extras, date, time),
    ), length


def _decoded(name: bytes) -> str:
    """A name without a word about its encoding: UTF-8 if it can be that, as Unix programs write, else that of DOS."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp437")


def _find(file: Any) -> _Place:
    """The central directory, which has to end where the record of the end begins, and that at the end of the file."""
    length = file.seek(0, 2)
    tail_start = max(length - _END.size - _COMMENT_MAX, 0)
    file.seek(tail_start)
    tail = _read(file, length - tail_start)
    at = tail.rfind(_END_MAGIC)
    if at < 0 or len(tail) - at < _END.size:
        raise damaged("it is cut off, or is no zip file: its end is missing")
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(tail, at)
    if len(tail) - at != _END.size + comment:
        raise damaged("something follows the end of the archive")
    end = tail_start + at
    if any((disk, first_disk)) or here != count:
        raise refused("format", "a zip file in several parts is not read: join them", code=errno.ENOTSUP)
    if at >= _LOCATOR.size and tail[at - _LOCATOR.size :].startswith(_LOCATOR_MAGIC):
        return _find64(file, end - _LOCATOR.size, (count, size, start))
    return _checked(start, size, count, end)


def _find64(file: Any, locator: int, small: tuple[int, int, int]) -> _Place:
    file.seek(locator)
    _, disk, at, disks = _LOCATOR.unpack(_read(file, _LOCATOR.size))
    if disk or disks > 1 or at + _END64.size != locator:
        raise damaged("its ZIP64 record is somewhere else")
    file.seek(at)
    magic, record, _, _, disk, first_disk, here, count, size, start = _END64.unpack(_read(file, _END64.size))
    if magic != _END64_MAGIC or record != _END64.size - 12 or disk or first_disk or here != count:
        raise damaged("its ZIP64 record is malformed")
    for told, exact, large in zip(small, (count, size, start), (0xFFFF, LARGE, LARGE), strict=True):
        if told not in {large, exact}:
            raise damaged("its ZIP64 record says something else than the record of its end")
    return _checked(start, size, count, at)


def _checked(start: int, size: int, count: int, end: int) -> _Place:
    if start + size != end:
        raise damaged("its directory is somewhere else than it says (a program before the archive?)")
    return _Place(start, end, count)


def _miscounted() -> ArchiveRefused:
    return damaged("its directory has another number of entries than it says")


def _read(file: Any, count: int) -> bytes:
    """Exactly so many bytes."""
    pieces = []
    while count:
        data = file.read(count)
        if not data:
            raise damaged("it is cut off")
        pieces.append(data)
        count -= len(data)
    return b"".join(pieces)
