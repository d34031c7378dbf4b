"""What a new file takes over from the one that it replaces."""

from __future__ import annotations

import errno
import os
import stat

from chuk_fsspec.backends.local.inode import Inode
from chuk_fsspec.contract.posix import without_set_id

_UNWILLING = frozenset((errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.EINVAL))
"""What answers to a copy of owner or extended attributes that this user, or this filesystem, does not get."""


_OF_THE_CONTENT = frozenset(("security.capability", "security.ima", "security.evm"))
"""Extended attributes that belong to the very bytes of a program, and not to its file."""


def carry_over(
    old: Inode,
    was: os.stat_result,
    new: int,
    now: os.stat_result,
    *,
    mode: int | None = None,
    same_content: bool = False,
) -> None:
    """Give a new file the owner, permissions and extended attributes of the one that it replaces.

    Owners and attributes that this user may not give, or this filesystem does not take, are left out; whoever becomes
    the owner by that gets no set-user-ID bits. With other content, privileges go as they do when a file is written to
    (write(2)): capabilities, and the set-ID bits unless root writes.

    Args:
        old: the file to be replaced.
        was: its attributes.
        new: descriptor of the new one.
        now: its attributes as it was made.
        mode: permission bits to set instead.
        same_content: it is a copy.
    """
    permissions = stat.S_IMODE(was.st_mode) if mode is None else mode & 0o7777
    if mode is None and not same_content and os.geteuid():
        permissions = without_set_id(permissions)
    is_as_made = (was.st_uid, was.st_gid) == (now.st_uid, now.st_gid)
    if not is_as_made:
        try:
            os.fchown(new, was.st_uid, was.st_gid)
        except OSError as error:
            if error.errno not in _UNWILLING:
                raise
            permissions = without_set_id(permissions)
    has_xattrs = _carry_xattrs(old, new, frozenset() if same_content else _OF_THE_CONTENT)
    if has_xattrs or not is_as_made or permissions != stat.S_IMODE(now.st_mode):  # either may have changed them
        os.fchmod(new, permissions)


def _carry_xattrs(old: Inode, new: int, left_out: frozenset[str]) -> bool:
    """Whether there are any."""
    if not hasattr(os, "setxattr"):
        return False
    try:
        values = {name: old.getxattr(name) for name in old.listxattr()}
    except OSError as error:
        if error.errno not in _UNWILLING | {errno.ENODATA}:
            raise
        return False
    for name, value in values.items():
        if name not in left_out:
            _set_if_allowed(new, name, value)
    return bool(values)


def _set_if_allowed(new: int, name: str, value: bytes) -> None:
    try:
        os.setxattr(new, name, value)
    except OSError as error:
        if error.errno not in _UNWILLING:
            raise
