"""Zip archives as they are written: deflate, names in UTF-8, Unix modes and links, ZIP64 where it is needed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from chuk_fsspec.archives.members import FORMAT_BITS, Kind, Member
from chuk_fsspec.archives.zip.extras import times_field
from chuk_fsspec.contract.posix import Buffer

_UNIX = 3
_DOS_DIRECTORY = 0x10
_FIRST = datetime(1980, 1, 1, tzinfo=timezone.utc)
_LAST = datetime(2107, 12, 31, 23, 59, 58, tzinfo=timezone.utc)


class ZipWriter:
    """Writes members one after the other."""

    def __init__(self, file: Any) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)

    def add(self, member: Member, content: Iterable[Buffer]) -> None:
        """Write a member; a link is a file that holds its text."""
        is_directory = member.kind is Kind.DIRECTORY
        info = zipfile.ZipInfo(member.path + "/" * is_directory, _dos_time(member.mtime_ns or 0))
        info.create_system = _UNIX
        info.external_attr = (FORMAT_BITS[member.kind] | member.mode) << 16 | is_directory * _DOS_DIRECTORY
        info.compress_type = zipfile.ZIP_DEFLATED if member.kind is Kind.FILE else zipfile.ZIP_STORED
        info.file_size = member.size or 0
        info.extra = times_field(member.mtime_ns or 0)
        with self._zip.open(info, "w") as entry:
            if member.kind is Kind.SYMLINK:
                entry.write(member.target.encode())
            for piece in content:
                entry.write(piece)

    def finish(self) -> None:
        """Write the directory."""
        self._zip.close()

    def abandon(self) -> None:
        """Write nothing more, not even when this object goes."""
        self._zip.fp = None


def _dos_time(time_ns: int) -> tuple[int, int, int, int, int, int]:
    """Year to second in UTC, as near as DOS can tell it."""
    seconds = min(max(time_ns // 10**9, int(_FIRST.timestamp())), int(_LAST.timestamp()))
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second
