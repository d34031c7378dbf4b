"""What an info dict, of whatever filesystem, says about a node."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from chuk_fsspec.contract.info import mode_of
from chuk_fsspec.contract.paths import encoded_length

OWN_UID = getattr(os, "getuid", int)()
OWN_GID = getattr(os, "getgid", int)()

_MODIFIED = ("mtime", "LastModified", "last_modified", "modified", "updated", "created")
"""Where filesystems put the time of the last change, the most exact first."""


@dataclass(frozen=True)
class Attributes:
    """A node as its filesystem describes it; a time that it does not tell is None.

    Attributes:
        mode: type and permission bits.
        size: bytes; 0 if it is not known.
        sized: whether ``size`` is known.
        keeps_mode: whether the filesystem told the mode, which replacing the file would lose.
        target: where a symbolic link points, if the info tells.
        etag: changes with the content, where the filesystem has such a thing.
        file_id: the filesystem's own number of the file, the same under all its names.
    """

    mode: int
    size: int = 0
    sized: bool = True
    keeps_mode: bool = False
    nlink: int = 1
    uid: int = OWN_UID
    gid: int = OWN_GID
    atime_ns: int | None = None
    mtime_ns: int | None = None
    ctime_ns: int | None = None
    target: str | None = None
    etag: str | None = None
    file_id: int | None = None

    @property
    def is_directory(self) -> bool:
        """Whether this is a directory."""
        return stat.S_ISDIR(self.mode)

    @property
    def version(self) -> tuple[object, ...]:
        """Differs if the content does, as far as that can be told from outside."""
        return self.size, self.mtime_ns, self.etag


def attributes_of(info: Mapping[str, Any]) -> Attributes:
    """Read an info dict.

    Args:
        info: from ``info`` or ``ls`` of any fsspec filesystem.

    Returns:
        Its attributes. A link whose target is told is a link here, though fsspec describes what it leads to.
    """
    target = info.get("destination")
    is_link = bool(info.get("islink")) or info["type"] == "link"
    target = os.fsdecode(target) if is_link and isinstance(target, (str, bytes)) else None
    mode = mode_of(info)
    size = info.get("size")
    if target is not None:
        mode, size = stat.S_IFLNK | 0o777, encoded_length(target)
    if stat.S_ISDIR(mode):
        size = 0
    mtime_ns = _modified_ns(info)
    etag = info.get("etag", info.get("ETag"))
    return Attributes(
        mode=mode,
        size=size if isinstance(size, int) else 0,
        sized=isinstance(size, int),
        keeps_mode=isinstance(info.get("mode"), int),
        nlink=_number(info.get("nlink"), 1),
        uid=_number(info.get("uid"), OWN_UID),
        gid=_number(info.get("gid"), OWN_GID),
        atime_ns=_nanoseconds(info.get("atime")),
        mtime_ns=mtime_ns,
        ctime_ns=_nanoseconds(info.get("ctime")),
        target=target,
        etag=etag if isinstance(etag, str) else None,
        file_id=info.get("ino"),
    )


def _modified_ns(info: Mapping[str, Any]) -> int | None:
    exact = info.get("mtime_ns")
    if isinstance(exact, int):
        return exact
    times = (_nanoseconds(info.get(key)) for key in _MODIFIED)
    return next((time for time in times if time is not None), None)


def _nanoseconds(time: object) -> int | None:
    """A time as fsspec filesystems tell it, seconds or ``datetime`` (without a zone: UTC), in nanoseconds."""
    if isinstance(time, datetime):
        time = (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
    return round(time * 1e9) if isinstance(time, (int, float)) else None


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
