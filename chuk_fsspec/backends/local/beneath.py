"""Paths below a root directory, none of which leads out of it.

The kernel resolves them where it can: openat2(2) with RESOLVE_IN_ROOT, in which an absolute link counts from the root
and ``..`` stops there, or with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS where no link is followed. Elsewhere, ``walk``
does. Either way a link that points out of the root leads to the same place counted from the root, or to nothing.
"""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

from chuk_fsspec.backends.local import support
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_DIRECTORY, O_NOFOLLOW, O_PATH, QUIETLY
from chuk_fsspec.backends.local.inode import HeldInode, Inode, inode_at
from chuk_fsspec.backends.local.names import named, refuse_reserved
from chuk_fsspec.backends.local.shared import SharedRoot
from chuk_fsspec.backends.local.syscalls import (
    RESOLVE_BENEATH,
    RESOLVE_IN_ROOT,
    RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS,
    openat2,
)
from chuk_fsspec.backends.local.walk import walk
from chuk_fsspec.contract.errors import not_found
from chuk_fsspec.contract.paths import split

_FOLLOWING = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
_NOT_FOLLOWING = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS
_ATTEMPTS = 16
"""How often the kernel is asked again after a rename came in between; then ``walk`` decides."""


class Place(NamedTuple):
    """An entry of a directory, which may be missing; ``.`` is the directory itself."""

    directory: Descriptor
    name: str


class Beneath:
    """The paths of one root.

    Args:
        shared: the root directory.
        follow_links: follow symbolic links, or raise ``LinkInTheWay`` for one that would have to be followed.
    """

    def __init__(self, shared: SharedRoot, *, follow_links: bool) -> None:
        self._shared = shared
        self.follow_links = follow_links
        self._resolve = _FOLLOWING if follow_links else _NOT_FOLLOWING

    def place(self, path: str, *, follow: bool = False) -> Place:
        """Where a path's entry is, or would be.

        Args:
            path: an absolute normal path.
            follow: whether a link as the last component is followed, also one that leads to nothing.

        Raises:
            OSError: ENOENT for a missing directory, ENOTDIR, ELOOP, EINVAL for reserved names; LinkInTheWay.
        """
        refuse_reserved(path)
        if path == "/":
            return Place(self._root(), ".")
        with named(path):
            parent, name = split(path)
            if support.has_openat2():
                directory = self._open(parent, O_PATH | O_DIRECTORY)
                if directory is not None and not (follow and _is_link(directory, name)):
                    return Place(directory, name)
            return self._walk(path, follow=follow)

    def inode(self, path: str, *, follow: bool = True) -> Inode:
        """What is at a path; ``follow`` as in ``place``. ENOENT, ENOTDIR, ELOOP, EINVAL; LinkInTheWay."""
        refuse_reserved(path)
        with named(path):
            if path == "/" and support.can_hold():
                return HeldInode(self._root())
            if support.has_openat2() and support.can_hold():
                held = self._open(path, O_PATH if follow else O_PATH | O_NOFOLLOW)
                if held is not None:
                    return HeldInode(held)
            place = self.place(path, follow=follow)
            return inode_at(place.directory, place.name)

    def inode_or_none(self, path: str, *, follow: bool = True) -> Inode | None:
        """As ``inode``; None if there is nothing, or no directory where one should be. ELOOP, EINVAL; LinkInTheWay."""
        try:
            return self.inode(path, follow=follow)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def directory(self, path: str) -> Descriptor:
        """Hold a directory, links followed. ENOENT, ENOTDIR, ELOOP; LinkInTheWay."""
        refuse_reserved(path)
        if path == "/":
            return self._root()
        with named(path):
            if support.has_openat2():
                held = self._open(path, O_PATH | O_DIRECTORY)
                if held is not None:
                    return held
            place = self.place(path, follow=True)
            return open_beneath(place, O_PATH | O_DIRECTORY)

    def _root(self) -> Descriptor:
        self._shared.renew()
        return self._shared.directory

    def _open(self, path: str, flags: int) -> Descriptor | None:
        """Open by openat2(2); None where that cannot tell what to do, because of a race or of a link in the way."""
        for _ in range(_ATTEMPTS):
            try:
                return Descriptor(openat2(self._shared.directory.number, path[1:] or ".", flags, self._resolve))
            except OSError as error:  # noqa: PERF203 - the first time is almost always the last
                if error.errno == errno.ELOOP and not self.follow_links:
                    return None
                if error.errno != errno.EAGAIN and not (error.errno == errno.ENOENT and self._shared.renew()):
                    raise
        return None

    def _walk(self, path: str, *, follow: bool) -> Place:
        try:
            return Place(*walk(self._shared.directory, path, follow=follow, links=self.follow_links))
        except FileNotFoundError:
            if not self._shared.renew():
                raise
            return self._walk(path, follow=follow)


def open_beneath(place: Place, flags: int, mode: int = 0o666) -> Descriptor:
    """Open or make a directory's entry itself. ELOOP for a link, ENOTDIR for one with O_DIRECTORY."""
    asked = flags | O_NOFOLLOW | QUIETLY
    return Descriptor(os.open(place.name, asked, mode, dir_fd=place.directory.number))


def entry_or_none(place: Place) -> Inode | None:
    """What is at a place, a link not followed; None if there is nothing."""
    try:
        return inode_at(place.directory, place.name)
    except FileNotFoundError:
        return None


def entry(place: Place, path: str) -> Inode:
    """What is at a place, a link not followed. ENOENT."""
    found = entry_or_none(place)
    if found is None:
        raise not_found(path)
    return found


def _is_link(directory: Descriptor, name: str) -> bool:
    try:
        os.readlink(name, dir_fd=directory.number)
    except OSError:
        return False
    return True
