"""Info dicts of what a store knows."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Any

from chuk_fsspec.contract.info import FileType
from chuk_fsspec.remote.store import Entry

_TYPE_BITS: dict[FileType, int] = {"file": stat.S_IFREG, "directory": stat.S_IFDIR, "link": stat.S_IFLNK, "other": 0}
_USUAL: dict[FileType, int] = {"file": 0o644, "directory": 0o755, "link": 0o777, "other": 0o644}


def info_of(entry: Entry, path: str, *, target: Entry | None = None, has_etags: bool = False) -> dict[str, Any]:
    """What is known of a path (``contract.Info``).

    Args:
        entry: what is there.
        path: under which it is shown.
        target: the file that a link leads to, whose type and size are shown.
        has_etags: whether everything has one, directories too, though theirs says nothing of what they hold.
    """
    shown = target or entry
    info: dict[str, Any] = {
        **entry.details,
        "name": path,
        "size": len(os.fsencode(shown.destination)) if shown.kind == "link" else shown.size,
        "type": shown.kind,
        "islink": entry.kind == "link",
    }
    if entry.mtime is not None:
        info["mtime"] = entry.mtime
        info["mtime_ns"] = round(entry.mtime * 1e9)
        info["created"] = entry.mtime if entry.created is None else entry.created
    if entry.mode is not None:
        info["mode"] = mode_of(entry)
    if entry.uid is not None:
        info["uid"] = entry.uid
    if entry.gid is not None:
        info["gid"] = entry.gid
    if shown.etag or has_etags:
        info["etag"] = etag_of(shown)
    if entry.content_type:
        info["content_type"] = entry.content_type
    if entry.metadata is not None:
        info["metadata"] = dict(entry.metadata)
    if entry.kind == "link":
        info["destination"] = entry.destination
    return info


def mode_of(entry: Entry) -> int:
    """Type and permission bits, usual ones where the service keeps none."""
    return _TYPE_BITS[entry.kind] | (_USUAL[entry.kind] if entry.mode is None else entry.mode)


def etag_of(entry: Entry) -> str:
    """The etag that is shown: what has no content has one too, that says only what it is."""
    return entry.etag or entry.kind


def version_of(entry: Entry) -> tuple[object, ...]:
    """Differs if the content does, as far as the service tells."""
    return (entry.etag,) if entry.etag else (entry.size, entry.mtime)


def fingerprint(*parts: object) -> int:
    """A number that stands for some values, the same in every process."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:16], "big")
