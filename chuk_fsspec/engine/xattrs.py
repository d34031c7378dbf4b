"""Extended attributes of an inode (xattr(7)): what may be kept, and what a change leaves."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import encoded_length
from chuk_fsspec.engine.inode import Directory, Inode

NAME_MAX = 255
SIZE_MAX = 64 * 1024

_CREATE, _REPLACE = 1, 2


def check_name(name: str) -> None:
    """ERANGE for a name that no attribute can have."""
    if not name or encoded_length(name) > NAME_MAX:
        raise os_error(errno.ERANGE, name, hint="the name of an extended attribute has 1 to 255 bytes")


def with_value(inode: Inode, name: str, value: bytes, flags: int) -> dict[str, bytes]:
    """All attributes after one is set; flags as setxattr(2) has them. EEXIST, ENODATA, ERANGE, E2BIG, EPERM."""
    _check(name, value)
    xattrs = _copy(inode, name)
    if flags & _CREATE and name in xattrs:
        raise os_error(errno.EEXIST, name)
    if flags & _REPLACE and name not in xattrs:
        raise os_error(errno.ENODATA, name)
    xattrs[name] = bytes(value)
    return xattrs


def of_new_file(values: Mapping[str, bytes]) -> dict[str, bytes] | None:
    """What a file that is made with attributes keeps of them; None for none. ERANGE, E2BIG."""
    for name, value in values.items():
        _check(name, value)
    return {name: bytes(value) for name, value in values.items()} or None


def without(inode: Inode, name: str) -> dict[str, bytes] | None:
    """All attributes after one is removed; None if that was the last. ENODATA, ERANGE, EPERM."""
    check_name(name)
    xattrs = _copy(inode, name)
    if xattrs.pop(name, None) is None:
        raise os_error(errno.ENODATA, name)
    return xattrs or None


def _check(name: str, value: bytes) -> None:
    check_name(name)
    if len(value) > SIZE_MAX:
        raise os_error(errno.E2BIG, name, hint=f"an extended attribute may have {SIZE_MAX} bytes")


def _copy(inode: Inode, name: str) -> dict[str, bytes]:
    if name.startswith("user.") and not (inode.is_file or isinstance(inode, Directory)):
        raise os_error(errno.EPERM, name, hint="user attributes are for files and directories")
    return dict(inode.xattrs or {})
