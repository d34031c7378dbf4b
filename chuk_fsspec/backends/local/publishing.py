"""Content that appears under a path whole and in one step, or not at all."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass

from chuk_fsspec.backends.local.appending import append_content
from chuk_fsspec.backends.local.attributes import carry_over
from chuk_fsspec.backends.local.beneath import Beneath, Place, entry_or_none
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.inode import require_file
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.owning import Owner
from chuk_fsspec.backends.local.parents import make_parents
from chuk_fsspec.backends.local.shared import SharedRoot
from chuk_fsspec.backends.local.temporary import Temporary
from chuk_fsspec.backends.local.volume import sync_directory
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import split


@dataclass(frozen=True)
class Publisher:
    """Puts temporary files in their places.

    Attributes:
        shared: the root.
        beneath: its paths, as this filesystem resolves them.
        owner: tells which files may be added to in place.
        durable: wait until content and name are on the disk (fsync(2)).
        auto_mkdir: make the missing directories above a path.
    """

    shared: SharedRoot
    beneath: Beneath
    owner: Owner
    durable: bool
    auto_mkdir: bool

    def begin(self, path: str, *, follow: bool = True) -> Temporary:
        """A file to be published under a path, whose directory may be missing as yet. ENOTDIR, EACCES, ENOSPC."""
        directory = self._nearest(path, follow=follow)
        with named(path):
            return Temporary(self.shared.directory, directory)

    def _nearest(self, path: str, *, follow: bool) -> Descriptor:
        """The directory of a path, or of the nearest one above it that has one."""
        while True:
            with suppress(FileNotFoundError):
                return self.beneath.place(path, follow=follow).directory
            path = split(path)[0]

    def put(
        self, temporary: Temporary, path: str, *, follow: bool = True, only_new: bool = False, mode: int | None = None
    ) -> None:
        """Give a file its path, in place of what is there.

        Args:
            temporary: the file, written. After an error it is still there, for the caller to drop.
            path: an absolute normal path.
            follow: whether a link as the last component is followed.
            only_new: fail if there is something.
            mode: permission bits; None for those of the file that is replaced, or of a new one.

        Raises:
            OSError: EEXIST, EISDIR, EINVAL for a special file, ENOENT without a directory, ENOSPC; LinkInTheWay.
        """
        with named(path):
            # To the nanosecond, so that no two versions of a file have one time.
            now = time.time_ns()
            os.utime(temporary.fd, ns=(now, now))
            while not self._put(temporary, self._place(path, follow=follow), only_new, mode):
                pass

    def add_to_end(self, temporary: Temporary, path: str) -> None:
        """Add what a file holds to the end of the one at a path, or give it the path if there is none.

        Args:
            temporary: the file, written; it is there afterwards, for the caller to drop.
            path: an absolute normal path; a link as the last component is followed.

        Raises:
            OSError: EISDIR, EINVAL for a special file, ENOENT without a directory, ENOSPC; LinkInTheWay.
        """
        inode = self.beneath.inode_or_none(path)
        while inode is None:
            with suppress(FileExistsError):
                self.put(temporary, path, only_new=True)
                return
            inode = self.beneath.inode_or_none(path)  # somebody was faster
        with named(path):
            require_file(inode)
            inode = self.owner.own(inode, path)
            opened = inode.open(os.O_WRONLY | os.O_APPEND)
            append_content(temporary.fd, opened.number)
            if self.durable:
                os.fsync(opened.number)
        self.shared.content_changed(inode)

    def _place(self, path: str, *, follow: bool) -> Place:
        """The place of a path, after making the directories above it if they are missing."""
        while True:
            try:
                return self.beneath.place(path, follow=follow)
            except FileNotFoundError:
                if not self.auto_mkdir or self.beneath.inode_or_none(split(path)[0]) is not None:
                    raise os_error(errno.ENOENT, path, hint="its directory does not exist") from None
            make_parents(self.shared, self.beneath, path)

    def _put(self, temporary: Temporary, place: Place, only_new: bool, mode: int | None) -> bool:
        """Put it there; False if somebody was faster, or a disk is in the way, and it has to be tried again."""
        old = entry_or_none(place)
        if old is not None and only_new:
            raise os_error(errno.EEXIST)
        if old is not None:
            if stat.S_ISLNK(old.stat().st_mode):
                return False
            require_file(old)
            carry_over(old, temporary.fd, mode=mode)
        elif mode is not None:
            os.fchmod(temporary.fd, mode & 0o7777)
        if self.durable:
            os.fsync(temporary.fd)
        try:
            if old is None:
                temporary.add_to(place)
            else:
                self.shared.keep(place.directory, place.name)
                temporary.replace(place)
        except FileExistsError:
            return False
        except OSError as error:
            # The nearest directory that there was lay on another disk than the one made since.
            if error.errno != errno.EXDEV or not temporary.move_to(place.directory):
                raise
            return False
        if self.durable:
            sync_directory(place.directory)
        self.shared.entry_changed(place.directory, place.name)
        return True
