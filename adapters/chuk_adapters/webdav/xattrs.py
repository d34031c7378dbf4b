"""Extended attributes that the door keeps things in, for stacks that have them."""

from __future__ import annotations

import errno

from fsspec import AbstractFileSystem

_ABSENT = frozenset((errno.ENODATA, getattr(errno, "ENOATTR", errno.ENODATA)))
_GONE = frozenset((errno.ENOENT, errno.ENOTDIR))
_UNFIT = frozenset((errno.ENOTSUP, errno.EACCES, errno.EPERM, errno.EROFS))


def get(fs: AbstractFileSystem, path: str, name: str) -> bytes | None:
    """The value of an attribute; None where there is none, where there can be none, and where nothing is. OSError."""
    try:
        value: bytes = fs.posix.getxattr(path, name)
    except OSError as error:
        if error.errno in _ABSENT | _GONE | _UNFIT:
            return None
        raise
    return value


def remove(fs: AbstractFileSystem, path: str, name: str) -> None:
    """Remove an attribute, if there is one. OSError."""
    try:
        fs.posix.removexattr(path, name)
    except OSError as error:
        if error.errno not in _ABSENT:
            raise


def names(fs: AbstractFileSystem, path: str, prefix: str) -> frozenset[str]:
    """The names of a path's attributes that begin with a prefix; none where there can be none. OSError."""
    try:
        return frozenset(name for name in fs.posix.listxattr(path) if name.startswith(prefix))
    except OSError as error:
        if error.errno in _UNFIT:
            return frozenset()
        raise
