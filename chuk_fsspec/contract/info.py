"""The one shape of ``info``: the same dict from ``info``, ``ls``, ``find`` and ``walk``."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

FileType = Literal["file", "directory", "link", "other"]


class _Required(TypedDict):
    name: str
    size: int
    type: FileType


class Info(_Required, total=False):
    """What is known of a path. Times are float seconds since the epoch, ``_ns`` ones integer nanoseconds.

    ``name`` is the absolute normal path without a protocol, ``size`` is in bytes (0 for a directory). A symbolic link
    has ``islink`` and ``destination`` set. If it leads to a file it has that file's type and size; else it is of type
    ``link``, so that nobody walks in circles or deletes through it. In the view of ``Posix.nofollow`` every link is of
    type ``link``, with the bytes of its text for a size.
    """

    mtime: float
    created: float
    mode: int
    ino: int
    nlink: int
    uid: int
    gid: int
    atime: float
    ctime: float
    mtime_ns: int
    islink: bool
    destination: str
    etag: str


def type_of_mode(mode: int) -> FileType:
    """fsspec's type name for the file type bits of ``st_mode``."""
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFREG:
        return "file"
    if kind == stat.S_IFDIR:
        return "directory"
    return "link" if kind == stat.S_IFLNK else "other"


def mode_of(info: Mapping[str, Any]) -> int:
    """``st_mode`` of an info dict, with usual permissions where the filesystem keeps none.

    Args:
        info: an info dict of any fsspec filesystem.

    Returns:
        File type and permission bits: 0o755 for directories and 0o644 for files unless ``mode`` says otherwise.
    """
    kind = stat.S_IFDIR if info["type"] == "directory" else stat.S_IFREG
    mode = info.get("mode")
    if isinstance(mode, int):
        return mode if stat.S_IFMT(mode) else kind | mode
    return kind | (0o755 if kind == stat.S_IFDIR else 0o644)
