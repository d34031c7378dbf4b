"""What is known of an inode, its time of birth included."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

from chuk_fsspec.backends.local.support import has_statx
from chuk_fsspec.backends.local.syscalls import last_error, libc
from chuk_fsspec.contract.errors import os_error

_AT_SYMLINK_NOFOLLOW = 0x100
_AT_EMPTY_PATH = 0x1000
_BASIC_STATS = 0x7FF
_BTIME = 0x800
_ASKED = _BASIC_STATS | _BTIME
# Of struct statx of linux/stat.h: mask, nlink, uid, gid, mode, ino, size, then atime, btime, ctime and mtime as seconds
# and nanoseconds, then the two numbers of the device.
_STATX = struct.Struct("=I12xIIIHxxQQ16xqI4xqI4xqI4xqI4x8xII")
_STATX_SIZE = 256
_SECOND = 10**9


class Status(NamedTuple):
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
        return _etag(self.ino, self.size, self.mtime_ns)


def status_of(fd: int) -> Status:
    """The status of what a descriptor is open on."""
    return _status(fd, "") if has_statx() else _from_stat(os.fstat(fd))


def status_at(directory: int, name: str) -> Status:
    """The status of a directory's entry, a link not followed. ENOENT."""
    if has_statx():
        return _status(directory, name)
    return _from_stat(os.stat(name, dir_fd=directory, follow_symlinks=False))


def statuses_at(directory: int, names: Iterable[str]) -> Iterator[tuple[str, Status]]:
    """The status of each of a directory's entries, as ``status_at``; those that are gone by now are left out."""
    if not has_statx():
        for name in names:
            with suppress(FileNotFoundError):
                yield name, status_at(directory, name)
        return
    statx, buffer = _statx(), _new_buffer()
    for name in names:
        if not statx(directory, os.fsencode(name), _AT_SYMLINK_NOFOLLOW, _ASKED, buffer):
            yield name, _decoded(buffer)
        elif last_error() != errno.ENOENT:
            raise os_error(last_error(), name)


def etag_of(found: os.stat_result) -> str:
    """``Status.etag``, for which no time of birth need be asked."""
    return _etag(found.st_ino, found.st_size, found.st_mtime_ns)


def _etag(ino: int, size: int, mtime_ns: int) -> str:
    return "%x-%x-%x" % (ino, size, mtime_ns)  # noqa: UP031 - twice as fast, and each entry of a listing has one


def _status(directory: int, name: str) -> Status:
    buffer = _new_buffer()
    flags = _AT_SYMLINK_NOFOLLOW if name else _AT_EMPTY_PATH
    if _statx()(directory, os.fsencode(name), flags, _ASKED, buffer):
        raise os_error(last_error(), name)
    return _decoded(buffer)


def _decoded(buffer: Any) -> Status:
    fields = _STATX.unpack_from(buffer)
    mask, nlink, uid, gid, mode, ino, size, a, a_ns, b, b_ns, c, c_ns, m, m_ns, major, minor = fields
    accessed, changed, modified = a * _SECOND + a_ns, c * _SECOND + c_ns, m * _SECOND + m_ns
    born = b * _SECOND + b_ns if mask & _BTIME else min(changed, modified)
    return Status(os.makedev(major, minor), ino, mode, nlink, uid, gid, size, accessed, modified, changed, born)


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


@cache
def _statx() -> Any:
    """statx(2): ctypes would look for it anew in each call, and ask who audits."""
    return libc().statx


def _new_buffer() -> Any:
    """What calls of statx(2) fill, one after the other."""
    return _buffer_type()()


@cache
def _buffer_type() -> Any:
    import ctypes

    return ctypes.c_char * _STATX_SIZE
