"""Entries of directories: made, moved and removed, with everybody told who works on the same root."""

from __future__ import annotations

import errno
import os
import stat

from chuk_fsspec.backends.local.beneath import Place
from chuk_fsspec.backends.local.inode import Inode
from chuk_fsspec.backends.local.shared import SharedRoot, View
from chuk_fsspec.backends.local.status import Status, status_at
from chuk_fsspec.backends.local.syscalls import renameat2
from chuk_fsspec.backends.local.temporary import remove_leftovers
from chuk_fsspec.backends.local.walk import open_directory
from chuk_fsspec.contract.errors import os_error

_NOT_EMPTY = frozenset((errno.ENOTEMPTY, errno.EEXIST))


def link(shared: SharedRoot, source: Inode, place: Place, by: View | None = None) -> None:
    """Give an inode one more name (linkat(2)). EEXIST, ENOENT, EPERM for a directory."""
    before = source.status()
    source.link(place.directory, place.name)
    shared.links.linked(before)
    shared.entry_changed(place.directory, place.name, by)


def unlink(shared: SharedRoot, place: Place, by: View | None = None) -> None:
    """Remove a name (unlinkat(2)). ENOENT, EISDIR."""
    before = _linked_file(shared, place)
    shared.keep(place.directory, place.name, by)
    try:
        os.unlink(place.name, dir_fd=place.directory.number)
    except PermissionError:
        # What POSIX has for a directory, and Linux has not.
        if stat.S_ISDIR(status_at(place.directory.number, place.name).mode):
            raise os_error(errno.EISDIR) from None
        raise
    if before is not None:
        shared.links.unlinked(before)
    shared.entry_changed(place.directory, place.name, by)


def rmdir(shared: SharedRoot, place: Place, by: View | None = None) -> None:
    """Remove an empty directory (unlinkat(2)). ENOENT, ENOTDIR, ENOTEMPTY."""
    shared.keep(place.directory, place.name, by)
    try:
        os.rmdir(place.name, dir_fd=place.directory.number)
    except OSError as error:
        if error.errno not in _NOT_EMPTY:
            raise
        # Nobody sees what a killed process may have left in it.
        remove_leftovers(open_directory(place.directory, place.name))
        os.rmdir(place.name, dir_fd=place.directory.number)
    shared.entry_changed(place.directory, place.name, by)


def rename(shared: SharedRoot, source: Place, place: Place, flags: int = 0, by: View | None = None) -> None:
    """Move an entry (renameat2(2)). ENOENT, EEXIST, EISDIR, ENOTDIR, ENOTEMPTY, EINVAL; EXDEV between mounts."""
    before = None if flags else _linked_file(shared, place)
    if before is not None and _linked_file(shared, source) == before:
        before = None  # two names of one file both stay
    shared.keep(source.directory, source.name, by)
    shared.keep(place.directory, place.name, by)
    if flags:
        renameat2(source.directory.number, source.name, place.directory.number, place.name, flags)
    else:
        os.rename(source.name, place.name, src_dir_fd=source.directory.number, dst_dir_fd=place.directory.number)
    if before is not None:
        shared.links.unlinked(before)
    shared.entry_changed(source.directory, source.name, by)
    shared.entry_changed(place.directory, place.name, by)


def _linked_file(shared: SharedRoot, place: Place) -> Status | None:
    """What is at a place if it was given several names here, which are counted."""
    if not shared.links:
        return None
    try:
        status = status_at(place.directory.number, place.name)
    except OSError:
        return None  # the operation itself says what is wrong
    return status if status.nlink > 1 and not status.is_directory else None
