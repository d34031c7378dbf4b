"""libfuse through mfusepy. Importing this loads libfuse, and raises ``OSError`` where there is none."""

# ruff: noqa: D102 - the methods are mfusepy's

from __future__ import annotations

import ctypes
import sys
import time
from typing import Any

import mfusepy

VERSION: tuple[int, int] = (mfusepy.fuse_version_major, mfusepy.fuse_version_minor)

# <sys/stat.h>: nanoseconds that stand for "now" and "as it is".
_UTIME_NOW, _UTIME_OMIT = (-1, -2) if sys.platform == "darwin" else ((1 << 30) - 1, (1 << 30) - 2)


def caller() -> tuple[int, int, int]:
    """uid, gid and pid of whoever made the request that this thread is answering."""
    uid, gid, pid = mfusepy.fuse_get_context()
    return uid, gid, pid


class Loop(mfusepy.FUSE):
    """mfusepy's main loop, which runs while it is constructed, with what libfuse says and mfusepy does not hand on.

    That is: the flags of rename, the open file behind ftruncate, times left as they are, and lseek. Attributes, which
    most requests ask for, are filled in without a detour through a dict.
    """

    def fgetattr(self, path: bytes | None, stat: Any, fi: Any) -> None:
        node = self.operations.getattr(self._text(path), fi.contents if fi else None)
        ctypes.memset(stat, 0, ctypes.sizeof(mfusepy.c_stat))
        found = stat.contents
        found.st_ino = node.ino
        found.st_mode = node.mode
        found.st_nlink = node.nlink
        found.st_uid = node.uid
        found.st_gid = node.gid
        found.st_rdev = node.rdev
        found.st_size = node.size
        found.st_blocks = -(-node.allocated // 512)
        found.st_blksize = 4096
        found.st_atimespec = mfusepy.c_timespec(*divmod(node.atime_ns, 10**9))
        found.st_mtimespec = mfusepy.c_timespec(*divmod(node.mtime_ns, 10**9))
        found.st_ctimespec = mfusepy.c_timespec(*divmod(node.ctime_ns, 10**9))

    def rename_fuse_3(self, old: bytes, new: bytes, flags: int) -> None:
        self.operations.rename(self._text(old), self._text(new), flags)

    def truncate_fuse_3(self, path: bytes | None, size: int, fi: Any) -> None:
        self.operations.truncate(self._text(path), size, fi.contents if fi else None)

    def utimens_fuse_2(self, path: bytes, times: Any) -> None:
        wanted = (_nanoseconds(times.contents.actime), _nanoseconds(times.contents.modtime)) if times else _now()
        self.operations.utimens(self._text(path), wanted)

    def lseek(self, path: bytes | None, offset: int, whence: int, fi: Any) -> int:
        found: int = self.operations.lseek(self._text(path), offset, whence, fi.contents)
        return found

    def _text(self, path: bytes | None) -> str | None:
        return None if path is None else path.decode(self.encoding, self.errors)


def _nanoseconds(time_spec: Any) -> int | None:
    if time_spec.tv_nsec == _UTIME_OMIT:
        return None
    if time_spec.tv_nsec == _UTIME_NOW:
        return time.time_ns()
    seconds: int = time_spec.tv_sec
    return seconds * 10**9 + int(time_spec.tv_nsec)


def _now() -> tuple[int, int]:
    return (time.time_ns(),) * 2
