"""System calls of Linux that Python 3.10 has no function for. Only calling one needs ctypes and a Linux kernel."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from chuk_fsspec.contract.errors import not_supported, os_error

RESOLVE_NO_MAGICLINKS = 0x02
"""openat2(2): the links of /proc, which jump anywhere, are not followed."""
RESOLVE_NO_SYMLINKS = 0x04
"""openat2(2): a symbolic link in the way is ELOOP."""
RESOLVE_BENEATH = 0x08
"""openat2(2): whatever leads out of the directory is EXDEV."""
RESOLVE_IN_ROOT = 0x10
"""openat2(2): the directory is the root, for absolute links and for ``..`` too."""

_OPENAT2 = 437  # the same on every architecture: it is younger than the common table of numbers
_OPEN_HOW = struct.Struct("=QQQ")
_O_CLOEXEC = getattr(os, "O_CLOEXEC", 0)


def openat2(directory: int, path: str, flags: int, resolve: int) -> int:
    """openat2(2): open what a path leads to below a directory.

    Args:
        directory: its descriptor.
        path: relative to it.
        flags: ``os.O_*``; the descriptor is always closed on exec.
        resolve: ``RESOLVE_*``.

    Returns:
        The new descriptor.

    Raises:
        OSError: as open(2); EAGAIN if a rename came in between, EXDEV and ELOOP as ``resolve`` says; ENOSYS or EPERM
        where there is no such system call.
    """
    call = _openat2_call()
    raw, how = os.fsencode(path), _open_how(flags | _O_CLOEXEC, resolve)
    while True:
        fd = call(_OPENAT2, directory, raw, how, _OPEN_HOW.size)
        if fd >= 0:
            return int(fd)
        code = last_error()
        if code != errno.EINTR:
            raise os_error(code)


def renameat2(source_directory: int, source: str, directory: int, name: str, flags: int) -> None:
    """renameat2(2). ENOTSUP where the C library does not have it."""
    call = getattr(libc(), "renameat2", None)
    if call is None:
        raise not_supported("renaming with flags")
    _check(call(source_directory, os.fsencode(source), directory, os.fsencode(name), flags))


def fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    """fallocate(2), which is Linux's own. ENOTSUP elsewhere, and for modes that the filesystem does not know."""
    call = _fallocate_call()
    if call is None:
        raise not_supported("fallocate")
    _check(call(fd, mode, offset, length))


def syncfs(fd: int) -> None:
    """syncfs(2) of the filesystem that a descriptor is open on; all filesystems where there is no such call."""
    call = getattr(libc(), "syncfs", None)
    if call is None:
        os.sync()
    else:
        _check(call(fd))


@cache
def libc() -> Any:
    """The C library of this process."""
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def last_error() -> int:
    """The errno of the last call of this thread."""
    import ctypes

    return ctypes.get_errno()


@cache
def _openat2_call() -> Callable[..., int]:
    import ctypes

    prototype = ctypes.CFUNCTYPE(
        ctypes.c_long,
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        use_errno=True,
    )
    return prototype(("syscall", libc()))


@cache
def _fallocate_call() -> Callable[..., int] | None:
    import ctypes

    # With 32 bits, the plain name takes 32-bit offsets.
    call = getattr(libc(), "fallocate64", None) or getattr(libc(), "fallocate", None)
    if call is not None:
        call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    return call


@lru_cache(maxsize=64)
def _open_how(flags: int, resolve: int) -> bytes:
    return _OPEN_HOW.pack(flags, 0, resolve)


def _check(result: int) -> None:
    if result:
        raise os_error(last_error())
