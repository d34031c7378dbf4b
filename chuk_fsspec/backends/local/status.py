"""What is known of an inode, its time of birth included."""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.backends.local.support import has_statx
from chuk_fsspec.backends.local.syscalls import last_error, libc
from chuk_fsspec.contract.errors import os_error

_AT_SYMLINK_NOFOLLOW = 0x100
_AT_EMPTY_PATH = 0x1000
_BASIC_STATS = 0x7FF
_BTIME = 0x800
# struct statx of linux/stat.h: mask, block size, attributes, nlink, uid, gid, mode, ino, size, blocks, mask of
# attributes, then atime, btime, ctime and mtime as seconds and nanoseconds, then the numbers of two devices.
_STATX = struct.Struct("=IIQIIIHxxQQQQqIxxxxqIxxxxqIxxxxqIxxxxIIII")
_STATX_SIZE = 256
_SECOND = 10**9


@dataclass(frozen=True, slots=True)
class Status:
    """stat(2) of one inode. Times are integer nanoseconds since the epoch."""

    device: int
    ino: int
    mode: int
    nlink: int
    uid: int
    gid: int
    size: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int
    btime_ns: int

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)

    @property
    def identity(self) -> tuple[int, int, int]:
        """What no other inode has, before or after: numbers are given again, but not with the same time of birth."""
        return self.device, self.ino, self.btime_ns

    @property
    def etag(self) -> str:
        """A string that changes with the content."""
        return f"{self.ino:x}-{self.size:x}-{self.mtime_ns:x}"


def status_of(fd: int) -> Status:
    """The status of what a descriptor is open on."""
    return _status(fd, "") if has_statx() else _from_stat(os.fstat(fd))


def status_at(directory: int, name: str) -> Status:
    """The status of a directory's entry, a link not followed. ENOENT."""
    if has_statx():
        return _status(directory, name)
    return _from_stat(os.stat(name, dir_fd=directory, follow_symlinks=False))


def _status(directory: int, name: str) -> Status:
    buffer = _new_buffer(_STATX_SIZE)
    flags = _AT_SYMLINK_NOFOLLOW if name else _AT_EMPTY_PATH
    if libc().statx(directory, os.fsencode(name), flags, _BASIC_STATS | _BTIME, buffer):
        raise os_error(last_error(), name)
    mask, _, _, nlink, uid, gid, mode, ino, size, _, _, *rest = _STATX.unpack_from(buffer)
    atime, atime_ns, btime, btime_ns, ctime, ctime_ns, mtime, mtime_ns, _, _, major, minor = rest
    change = ctime * _SECOND + ctime_ns
    modified = mtime * _SECOND + mtime_ns
    birth = btime * _SECOND + btime_ns if mask & _BTIME else min(change, modified)
    device = os.makedev(major, minor)
    access = atime * _SECOND + atime_ns
    return Status(device, ino, mode, nlink, uid, gid, size, access, modified, change, birth)


def _from_stat(found: os.stat_result) -> Status:
    birth = getattr(found, "st_birthtime", None)
    return Status(
        found.st_dev,
        found.st_ino,
        found.st_mode,
        found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_size,
        found.st_atime_ns,
        found.st_mtime_ns,
        found.st_ctime_ns,
        min(found.st_ctime_ns, found.st_mtime_ns) if birth is None else int(birth * _SECOND),
    )


def _new_buffer(size: int) -> Any:
    import ctypes

    return ctypes.create_string_buffer(size)
