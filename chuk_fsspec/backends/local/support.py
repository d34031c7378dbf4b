"""What this system has, found by trying."""

from __future__ import annotations

import errno
import os
import sys
from functools import cache

from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_PATH, QUIETLY
from chuk_fsspec.backends.local.syscalls import RESOLVE_NO_MAGICLINKS, libc, openat2
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import os_error

_LINUX = sys.platform == "linux"
_HERE = -100  # AT_FDCWD


@cache
def has_openat2() -> bool:
    """Whether the kernel resolves paths below a directory, and lets this process ask it to (openat2(2))."""
    try:
        os.close(openat2(_HERE, "/", O_PATH, RESOLVE_NO_MAGICLINKS))
    except (OSError, AttributeError):
        return False
    return True


@cache
def can_hold() -> bool:
    """Whether inodes can be held without opening them (O_PATH of open(2)), and reached through /proc."""
    if not (_LINUX and O_PATH):
        return False
    held = Descriptor(os.open("/", O_PATH | QUIETLY))
    try:
        return os.path.samestat(os.stat(way_to(held.number)), os.fstat(held.number))
    except OSError:
        return False


@cache
def has_statx() -> bool:
    """Whether the time of birth of an inode is to be had by statx(2), and this process may ask for it."""
    if not (_LINUX and hasattr(libc(), "statx")):
        return False
    from ctypes import create_string_buffer

    return bool(libc().statx(_HERE, b"/", 0, 0, create_string_buffer(256)) == 0)


def way_to(fd: int) -> str:
    """The path in /proc that leads to what a descriptor of this process is open on."""
    return f"/proc/self/fd/{fd}"


def capabilities() -> Capabilities:
    """The capabilities of a directory on this system; a filesystem of the host may lack extended attributes."""
    return Capabilities(
        write=True,
        directories=True,
        rename=True,
        replace=True,
        atomic_write=True,
        append=True,
        exclusive_create=True,
        random_write=True,
        modified_times=True,
        etags=True,
        symlinks=True,
        hardlinks=True,
        attributes=True,
        xattrs=hasattr(os, "setxattr"),
        special_files=True,
        sparse=_LINUX,
        rename_flags=_LINUX,
        conditional_write=_LINUX,
        statvfs=True,
        nodes=can_hold(),
        shared_between_threads=True,
        shared_between_processes=True,
    )


def require() -> None:
    """ENOTSUP on systems that cannot open a file in an open directory (openat(2)), without which nothing is safe."""
    if os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
        hint = "chuklocal needs openat(2), which this system does not have; use Linux or macOS"
        raise os_error(errno.ENOTSUP, hint=hint)
