"""Attributes of what was made, as far as the filesystem keeps them and a stranger may set them."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from fsspec import AbstractFileSystem

from chuk_fsspec.archives.members import Kind, Member
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.reports import Tally

_SET_ID = 0o6000
_USER_XATTR = "user."
_CANNOT = frozenset((errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP))


@dataclass
class ImportTally(Tally):
    """What was imported so far."""

    copied_links: int = 0
    without_attributes: int = 0
    without_owners: int = 0
    without_xattrs: int = 0


class Describer:
    """Sets the attributes of members."""

    def __init__(self, fs: AbstractFileSystem, tally: ImportTally, *, owners: bool) -> None:
        """Begin.

        Args:
            fs: the filesystem, in the view that follows no links.
            tally: counts what could not be set.
            owners: whether owners, set-ID bits and attributes outside of ``user.`` are set.
        """
        self._fs, self._tally, self._owners = fs, tally, owners
        self._can = capabilities_of(fs)

    def describe(self, at: str, member: Member) -> None:
        """Give what is at a path the attributes of a member."""
        if not self._can.attributes:
            self._tally.without_attributes += 1
            return
        posix = self._fs.posix
        if member.kind in {Kind.FILE, Kind.DIRECTORY}:
            self._set_xattrs(at, member)
        if self._owners:
            self._set_owner(at, member)
        if member.kind is not Kind.SYMLINK:
            posix.chmod(at, member.mode if self._owners else member.mode & ~_SET_ID)
        if member.mtime_ns is not None:
            posix.utime(at, ns=(member.mtime_ns, member.mtime_ns), follow_symlinks=False)

    def _set_xattrs(self, at: str, member: Member) -> None:
        for name, value in member.xattrs.items():
            may_set = self._can.xattrs and (self._owners or name.startswith(_USER_XATTR))
            self._tally.without_xattrs += not (may_set and self._set_xattr(at, name, value))

    def _set_xattr(self, at: str, name: str, value: bytes) -> bool:
        """False where the filesystem does not let its user do that."""
        try:
            self._fs.posix.setxattr(at, name, value)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            return False
        return True

    def _set_owner(self, at: str, member: Member) -> None:
        try:
            self._fs.posix.chown(at, member.uid, member.gid, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            self._tally.without_owners += 1
