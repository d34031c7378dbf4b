"""open(2) below a root: handles on regular files, which nothing else is opened for."""

from __future__ import annotations

import errno
import os
import stat

from chuk_fsspec.backends.local.beneath import Place, entry_or_none, open_beneath
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_DIRECTORY, O_NOFOLLOW, O_TMPFILE
from chuk_fsspec.backends.local.inode import Inode, require_file
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.owning import Owner
from chuk_fsspec.contract.errors import os_error

KEPT_FLAGS = (
    os.O_ACCMODE
    | os.O_APPEND
    | os.O_TRUNC
    | getattr(os, "O_SYNC", 0)
    | getattr(os, "O_DSYNC", 0)
    | getattr(os, "O_NOATIME", 0)
)
_SOMEBODY_WAS_FASTER = frozenset((errno.EEXIST, errno.ESTALE))
_TRIES = 1000
"""So often somebody may be faster before it is an error; one who exchanges two names all the time may always be."""


def changes(flags: int) -> bool:
    """Whether opening with these flags allows or makes changes to a file that is there."""
    return flags & os.O_ACCMODE != os.O_RDONLY or bool(flags & os.O_TRUNC)


def is_nameless(flags: int) -> bool:
    """Whether a file without a name is asked for."""
    return bool(O_TMPFILE) and flags & O_TMPFILE == O_TMPFILE


def open_file(owner: Owner, path: str, flags: int, mode: int) -> Descriptor:
    """Open or make a regular file.

    Args:
        owner: of the root.
        path: an absolute normal path.
        flags: ``os.O_*``.
        mode: permission bits of a file that is made, less the process's umask.

    Returns:
        The open file.

    Raises:
        OSError: of open(2); EISDIR, and EINVAL for all else that is no regular file; LinkInTheWay.
    """
    exclusive = bool(flags & os.O_CREAT and flags & os.O_EXCL)
    follow = not (exclusive or flags & O_NOFOLLOW)
    tries = 0
    with named(path):
        while True:
            tries += 1
            place = owner.beneath.place(path, follow=follow)
            inode = entry_or_none(place)
            try:
                if inode is not None:
                    return _open_existing(owner, inode, path, flags, follow=follow, exclusive=exclusive)
                if not flags & os.O_CREAT:
                    raise os_error(errno.ENOENT)
                return _make(owner, place, flags, mode)
            except OSError as error:
                if exclusive or error.errno not in _SOMEBODY_WAS_FASTER or tries == _TRIES:
                    raise


def open_nameless(owner: Owner, path: str, flags: int, mode: int) -> Descriptor:
    """Make a file without a name on the terms of a directory (O_TMPFILE). ENOTDIR, EINVAL, EOPNOTSUPP."""
    inode = owner.beneath.inode(path, follow=not flags & O_NOFOLLOW)
    with named(path):
        if not stat.S_ISDIR(inode.stat().st_mode):
            raise os_error(errno.ENOTDIR, hint="O_TMPFILE takes a directory")
        if flags & os.O_ACCMODE == os.O_RDONLY:
            raise os_error(errno.EINVAL, hint="O_TMPFILE needs O_WRONLY or O_RDWR")
        directory = inode.open(os.O_RDONLY | O_DIRECTORY)
        asked = flags & (KEPT_FLAGS | O_TMPFILE | os.O_EXCL) & ~os.O_TRUNC
        return open_beneath(Place(directory, "."), asked, mode & 0o7777)


def _open_existing(owner: Owner, inode: Inode, path: str, flags: int, *, follow: bool, exclusive: bool) -> Descriptor:
    kind = stat.S_IFMT(inode.stat().st_mode)
    if exclusive:
        raise os_error(errno.EEXIST)
    if flags & O_DIRECTORY and kind != stat.S_IFDIR:
        raise os_error(errno.ENOTDIR)
    if kind == stat.S_IFLNK:
        raise os_error(errno.ELOOP, hint="O_NOFOLLOW on a symbolic link")
    require_file(inode)
    if changes(flags):
        inode = owner.own(inode, path, follow=follow)
    return inode.open(flags & KEPT_FLAGS)


def _make(owner: Owner, place: Place, flags: int, mode: int) -> Descriptor:
    asked = flags & KEPT_FLAGS & ~os.O_TRUNC | os.O_CREAT | os.O_EXCL
    opened = open_beneath(place, asked, mode & 0o7777)
    owner.shared.entry_changed(place.directory, place.name)
    return opened
