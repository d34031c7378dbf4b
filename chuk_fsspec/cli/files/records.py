"""Files as ``--json`` shows them, and as a line of ``ls -l``."""

from __future__ import annotations

import stat
import time
from datetime import datetime, timezone
from typing import Any

from chuk_fsspec.contract.attributes import Attributes
from chuk_fsspec.contract.info import type_of_mode

_HALF_YEAR = 182 * 86400


def record(text: str, attributes: Attributes) -> dict[str, Any]:
    """A file for programs.

    Args:
        text: how it is named on a command line.
        attributes: what is known of it.

    Returns:
        ``path``, ``type`` and ``size`` in bytes; ``mode`` in octal digits, ``mtime`` in ISO 8601 and UTC, ``mtime_ns``
        since 1970, ``etag`` and ``target`` (of a link) where they are known.
    """
    found: dict[str, Any] = {"path": text, "type": type_of_mode(attributes.mode), "size": attributes.size}
    if attributes.keeps_mode or attributes.target is not None:
        found["mode"] = f"{stat.S_IMODE(attributes.mode):04o}"
    if attributes.mtime_ns is not None:
        found["mtime"] = moment(attributes.mtime_ns).isoformat().replace("+00:00", "Z")
        found["mtime_ns"] = attributes.mtime_ns
    for name in ("etag", "target"):
        value = getattr(attributes, name)
        if value is not None:
            found[name] = value
    return found


def moment(time_ns: int) -> datetime:
    """A time since 1970, in nanoseconds, in UTC."""
    return datetime.fromtimestamp(time_ns / 1e9, timezone.utc)


def time_column(time_ns: int | None) -> str:
    """A time as ``ls -l`` shows it: of the last half year with the hour, others with the year; in local time."""
    if time_ns is None:
        return "?"
    local = moment(time_ns).astimezone()
    is_recent = 0 <= time.time() - time_ns / 1e9 < _HALF_YEAR
    return f"{local:%b} {local.day:>2} {f'{local:%H:%M}' if is_recent else f'{local.year:>5}'}"


def mode_column(attributes: Attributes) -> str:
    """Type and permission bits as ``ls -l`` shows them; question marks where the filesystem keeps none."""
    text = stat.filemode(attributes.mode)
    return text if attributes.keeps_mode or attributes.target is not None else f"{text[0]}?????????"


def owner_name(uid: int) -> str:
    """The name of a user of this machine, or the number."""
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)


def group_name(gid: int) -> str:
    """The name of a group of this machine, or the number."""
    try:
        import grp

        return grp.getgrgid(gid).gr_name
    except (ImportError, KeyError):
        return str(gid)
