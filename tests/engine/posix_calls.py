"""What the POSIX machine drives and what it sees there, behind one interface: an engine, or a directory of the host."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.contract.posix import Buffer, Handle, Posix
from chuk_fsspec.engine.filesystem import InodeFileSystem

EXPLICIT_BEFORE_NS = 10**18
"""Times before September 2001 were set by a step; later ones are stamps of the moment, which nobody can compare."""


# ---- what is driven


@dataclass(frozen=True)
class PosixCalls:
    """``contract.Posix``, and what that has only for doors."""

    posix: Posix
    listdir: Callable[[str], list[str]]
    allocate: Callable[[Any, int, int, int], None]
    seek: Callable[[Any, int, int], int]


def engine_calls(fs: InodeFileSystem) -> PosixCalls:
    """An engine through ``fs.posix``; ranges of a file are reserved and searched through ``fs.posix.nodes``."""
    posix = fs.posix
    nodes = posix.nodes

    def listdir(path: str) -> list[str]:
        if not stat.S_ISDIR(posix.stat(path).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return [below.rpartition("/")[2] for below in fs.ls(path, detail=False)]

    def allocate(handle: Any, mode: int, offset: int, length: int) -> None:
        handle.pwrite(b"", 0)  # whether it is open for writing is for whoever calls ``nodes`` to know
        nodes.allocate(handle._inode, offset, length, mode)

    def seek(handle: Any, offset: int, whence: int) -> int:
        return nodes.seek(handle._inode, offset, whence)

    return PosixCalls(posix, listdir, allocate, seek)


def host_calls(root: str) -> PosixCalls:
    """System calls below a directory of this machine."""
    posix = HostPosix(root)
    return PosixCalls(posix, posix.listdir, _fallocate, lambda handle, *where: os.lseek(handle.fd, *where))


class HostHandle(Handle):
    """A file descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def pread(self, size: int, offset: int) -> bytes:
        return os.pread(self.fd, size, offset)

    def pwrite(self, data: Buffer, offset: int) -> int:
        return os.pwrite(self.fd, data, offset)

    def truncate(self, size: int) -> None:
        os.ftruncate(self.fd, size)

    def flush(self) -> None:
        """A system call has nothing left to hand over."""

    def fsync(self) -> None:
        os.fsync(self.fd)

    def stat(self) -> os.stat_result:
        return os.fstat(self.fd)

    def close(self) -> None:
        os.close(self.fd)


class HostPosix(Posix):
    """``contract.Posix`` by system calls, with paths that count from a directory.

    Nothing here waits or leaves traces: FIFOs are opened without blocking, and reading leaves access times alone where
    that may be asked for.
    """

    def __init__(self, root: str) -> None:
        self._root = root

    def _at(self, path: str) -> str:
        return self._root + path

    def stat(self, path: str) -> os.stat_result:
        return os.stat(self._at(path))

    def lstat(self, path: str) -> os.stat_result:
        return os.lstat(self._at(path))

    def symlink(self, target: str, path: str) -> None:
        os.symlink(target, self._at(path))

    def readlink(self, path: str) -> str:
        return os.readlink(self._at(path))

    def link(self, source: str, path: str) -> None:
        os.link(self._at(source), self._at(path), follow_symlinks=False)

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        os.mkdir(self._at(path), mode)

    def rename(self, source: str, path: str, flags: int = 0) -> None:
        here = -100  # AT_FDCWD
        _checked(_libc.renameat2(here, os.fsencode(self._at(source)), here, os.fsencode(self._at(path)), flags))

    def unlink(self, path: str) -> None:
        os.unlink(self._at(path))

    def rmdir(self, path: str) -> None:
        os.rmdir(self._at(path))

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self._at(path), mode)

    def chown(self, path: str, uid: int, gid: int, follow_symlinks: bool = True) -> None:
        os.chown(self._at(path), uid, gid, follow_symlinks=follow_symlinks)

    def utime(self, path: str, *, ns: tuple[int, int] | None = None, follow_symlinks: bool = True) -> None:
        if ns is None:
            os.utime(self._at(path), follow_symlinks=follow_symlinks)
        else:
            os.utime(self._at(path), ns=ns, follow_symlinks=follow_symlinks)

    def truncate(self, path: str, size: int) -> None:
        os.truncate(self._at(path), size)

    def mknod(self, path: str, mode: int, rdev: int = 0) -> None:
        os.mknod(self._at(path), mode, rdev)

    def setxattr(self, path: str, name: str, value: bytes, flags: int = 0) -> None:
        os.setxattr(self._at(path), name, value, flags)

    def getxattr(self, path: str, name: str) -> bytes:
        return os.getxattr(self._at(path), name)

    def listxattr(self, path: str) -> list[str]:
        return os.listxattr(self._at(path))

    def removexattr(self, path: str, name: str) -> None:
        os.removexattr(self._at(path), name)

    def open_handle(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> HostHandle:
        return HostHandle(os.open(self._at(path), flags | os.O_NONBLOCK, mode))

    def listdir(self, path: str) -> list[str]:
        return os.listdir(self._at(path))


_libc = ctypes.CDLL(None, use_errno=True)


def _fallocate(handle: HostHandle, mode: int, offset: int, length: int) -> None:
    _checked(_libc.fallocate(handle.fd, mode, ctypes.c_int64(offset), ctypes.c_int64(length)))


def _checked(result: int) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


# ---- what is seen


@dataclass
class Entry:
    """All that can be compared of one file, under one of its names or through a handle."""

    mode: int
    nlink: int
    uid: int
    gid: int
    size: int
    mtime_ns: int | None
    atime_ns: int | None
    first_name: str = ""
    holds: bytes | str | None = None
    xattrs: dict[str, bytes] | None = None


def describe(status: os.stat_result) -> Entry:
    """The attributes that can be compared."""
    return Entry(
        mode=status.st_mode,
        nlink=status.st_nlink,
        uid=status.st_uid,
        gid=status.st_gid,
        size=0 if stat.S_ISDIR(status.st_mode) else status.st_size,
        mtime_ns=explicit(status.st_mtime_ns),
        atime_ns=explicit(status.st_atime_ns),
    )


def explicit(time_ns: int) -> int | None:
    """A time that a step has set; None for a stamp of the moment."""
    return time_ns if time_ns < EXPLICIT_BEFORE_NS else None


def snapshot(calls: PosixCalls) -> dict[str, Entry]:
    """The whole tree by path. Names of one file have the same ``first_name``."""
    entries: dict[str, Entry] = {}
    first_names: dict[int, str] = {}
    pending = ["/"]
    while pending:
        directory = pending.pop()
        for name in sorted(calls.listdir(directory)):
            path = directory + name
            status = calls.posix.lstat(path)
            entry = entries[path] = describe(status)
            entry.first_name = first_names.setdefault(status.st_ino, path)
            if stat.S_ISDIR(status.st_mode):
                pending.append(path + "/")
            if stat.S_ISLNK(status.st_mode):
                entry.holds = calls.posix.readlink(path)
                continue
            if stat.S_ISREG(status.st_mode):
                entry.holds = content(calls, path, status.st_size)
            names = calls.posix.listxattr(path)
            entry.xattrs = {name: calls.posix.getxattr(path, name) for name in names if name.startswith("user.")}
    return entries


def content(calls: PosixCalls, path: str, size: int) -> bytes:
    """A file's content, its access time left alone."""
    handle = calls.posix.open_handle(path, os.O_RDONLY | os.O_NOATIME)
    try:
        return handle.pread(size + 1, 0)
    finally:
        handle.close()


def differences(expected: dict[str, Entry], actual: dict[str, Entry]) -> Iterator[str]:
    """What is not alike in two snapshots, one line each."""
    for path in sorted(expected.keys() - actual.keys()):
        yield f"{path}: missing"
    for path in sorted(actual.keys() - expected.keys()):
        yield f"{path}: should not be there"
    for path in sorted(expected.keys() & actual.keys()):
        for field, wanted in vars(expected[path]).items():
            found = getattr(actual[path], field)
            if found != wanted and not (field == "atime_ns" and wanted is None):
                yield f"{path}: {field} is {shown(found)}, not {shown(wanted)}"


def shown(value: Any) -> str:
    """A value in a message: numbers in octal too, for modes and flags; what is long by its length and its start."""
    if isinstance(value, (bytes, str)) and len(value) > 60:
        return f"{value[:30]!r}… (length {len(value)}, hash {hash(value):x})"
    return f"{value} (0o{value:o})" if isinstance(value, int) and value > 7 else repr(value)
