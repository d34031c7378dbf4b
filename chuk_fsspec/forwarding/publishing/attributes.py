"""What a file that takes the place of another one keeps of it: mode, owner and extended attributes."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.posix import without_set_id

_UNWILLING = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})
"""Why an owner or an attribute cannot be given to a file, by this user or on this filesystem. Then it goes without."""


def copy_on_host(source: str, target: str) -> None:
    """Copy them between files of this machine, as far as this user may. ENOENT."""
    if sys.platform == "linux":
        for name in os.listxattr(source):
            tried(os.setxattr, target, name, os.getxattr(source, name))
    old, new = os.stat(source), os.stat(target)
    os.chmod(target, _mode_after(os.chown, target, old, new))


def copy_as_declared(fs: AbstractFileSystem, source: str, target: str) -> None:
    """Copy them between files of a filesystem, as far as it has them and this user may. ENOENT."""
    can = capabilities_of(fs)
    posix: Any = fs.posix if can.xattrs or can.attributes else None
    if can.xattrs:
        for name in posix.listxattr(source):
            tried(posix.setxattr, target, name, posix.getxattr(source, name))
    if can.attributes:
        old, new = posix.stat(source), posix.stat(target)
        posix.chmod(target, _mode_after(posix.chown, target, old, new))


def _mode_after(chown: Callable[[str, int, int], None], path: str, old: os.stat_result, new: os.stat_result) -> int:
    """Give a file its old owner; returns the mode to set then, without privileges if it has another owner now."""
    mode = stat.S_IMODE(old.st_mode)
    is_same = (old.st_uid, old.st_gid) == (new.st_uid, new.st_gid)
    return mode if is_same or tried(chown, path, old.st_uid, old.st_gid) else without_set_id(mode)


def tried(give: Callable[..., None], *arguments: Any) -> bool:
    """Give something to a file if that can be; returns whether it could."""
    try:
        give(*arguments)
    except OSError as error:
        if error.errno not in _UNWILLING:
            raise
        return False
    return True
