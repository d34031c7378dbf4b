"""From what an archive calls a member to where it goes, and whether a link stays inside."""

from __future__ import annotations

import errno
import re
from typing import Literal

from chuk_fsspec.archives.limits import ArchiveLimits
from chuk_fsspec.archives.refusal import ArchiveRefused, refused
from chuk_fsspec.contract.paths import PATH_MAX, SPECIAL_NAMES, encoded_length

Names = Literal["portable", "any"]
"""``portable`` refuses names that lead elsewhere on some system; ``any`` takes what our filesystems can hold."""

_DRIVE = re.compile(r"[A-Za-z]:")


def place_of(name: str, limits: ArchiveLimits, rule: Names) -> str:
    """Where a member goes: its names with ``/`` between them, nothing for the top itself.

    Args:
        name: what the archive calls it; ``.`` and ``//`` in it and a slash at its end mean nothing.
        limits: for its depth and the length of its names.
        rule: which names are taken.

    Raises:
        ArchiveRefused: EINVAL for ``..``, an absolute path, NUL, and with ``portable`` for a backslash or a drive
            letter; ENAMETOOLONG.
    """
    if not name or "\0" in name:
        raise _refused("a name is empty or holds NUL", name)
    if name.startswith("/"):
        raise _refused("the path is absolute", name)
    if rule == "portable" and "\\" in name:
        raise _refused("a backslash leads elsewhere on some systems (names=any takes it)", name)
    if rule == "portable" and _DRIVE.match(name):
        raise _refused("a drive letter leads elsewhere on some systems (names=any takes it)", name)
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise _refused("'..' leads out of the target", name)
    _require_lengths(parts, name, limits)
    return "/".join(parts)


def _require_lengths(parts: list[str], name: str, limits: ArchiveLimits) -> None:
    limits.require(name[:PATH_MAX], path_depth=len(parts))
    try:
        longest = max(map(encoded_length, parts), default=0)
        whole = encoded_length(name)
    except OSError:
        raise _refused("half a surrogate pair is no character", ascii(name)) from None
    if 0 < limits.name_bytes < longest:
        why = f"a name has more than {limits.name_bytes} bytes"
        raise refused("name_bytes", why, name[:PATH_MAX], errno.ENAMETOOLONG)
    if whole > PATH_MAX:
        why = f"the path has more than {PATH_MAX} bytes"
        raise refused("name_bytes", why, name[:PATH_MAX], errno.ENAMETOOLONG)


def leads_outside(place: str, target: str) -> bool:
    """Whether a symbolic link may lead out of the directory that the archive is put into.

    One stays inside for certain if ``..`` stands only at its beginning, and not more often than there are directories
    above it. Those are directories of the archive, and what comes after them is inside or a link that stays inside.

    Args:
        place: of the link, as from ``place_of``.
        target: its text.
    """
    if not target or target.startswith(("/", "\\")) or _DRIVE.match(target):
        return True
    parts = [part for part in target.replace("\\", "/").split("/") if part not in SPECIAL_NAMES - {".."}]
    climbs = next((count for count, part in enumerate(parts) if part != ".."), len(parts))
    return ".." in parts[climbs:] or climbs > place.count("/")


def _refused(why: str, name: str) -> ArchiveRefused:
    return refused("names", why, name[:PATH_MAX].replace("\0", "\\0"))
