"""Content that appears under a path whole and in one step, or not at all."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import closing, suppress
from dataclasses import dataclass

from chuk_fsspec.backends.local.appending import append_content
from chuk_fsspec.backends.local.attributes import carry_over
from chuk_fsspec.backends.local.beneath import Beneath, Place, entry_or_none
from chuk_fsspec.backends.local.conditions import require_file as require_condition
from chuk_fsspec.backends.local.conditions import turn
from chuk_fsspec.backends.local.content import copy_content, write_all
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.inode import require_file, require_regular
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.owning import Owner
from chuk_fsspec.backends.local.parents import make_parents
from chuk_fsspec.backends.local.shared import SharedRoot
from chuk_fsspec.backends.local.status import etag_of
from chuk_fsspec.backends.local.temporary import Temporary
from chuk_fsspec.backends.local.volume import sync_directory
from chuk_fsspec.contract.conditions import ANY, Condition
from chuk_fsspec.contract.errors import PreconditionFailed, os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.contract.posix import Buffer


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
        while (place := self._place_or_none(path, follow=follow)) is None:
            path = split(path)[0]
        return place.directory

    def _place_or_none(self, path: str, *, follow: bool) -> Place | None:
        """The place of a path; None while its directory is missing."""
        try:
            return self.beneath.place(path, follow=follow)
        except FileNotFoundError:
            return None

    def write(
        self,
        path: str,
        data: Buffer,
        *,
        follow: bool = True,
        only_new: bool = False,
        condition: Condition | None = None,
    ) -> str:
        """Give a path content that is at hand. Arguments, result and errors are those of ``put``."""
        place = self._place_or_none(path, follow=follow)
        directory = self._nearest(path, follow=follow) if place is None else place.directory
        with named(path), closing(Temporary(self.shared.directory, directory)) as temporary:
            write_all(temporary.fd, data, 0)
            return self.put(temporary, path, place=place, follow=follow, only_new=only_new, condition=condition)

    def put(
        self,
        temporary: Temporary,
        path: str,
        *,
        place: Place | None = None,
        follow: bool = True,
        only_new: bool = False,
        mode: int | None = None,
        condition: Condition | None = None,
    ) -> str:
        """Give a file its path, in place of what is there.

        Args:
            temporary: the file, written. After an error it is still there, for the caller to drop.
            path: an absolute normal path.
            place: where that is, if it was looked up a moment ago. On a condition it is looked up again.
            follow: whether a link as the last component is followed.
            only_new: fail if there is something.
            mode: permission bits; None for those of the file that is replaced, or of a new one.
            condition: what has to be there.

        Returns:
            The etag of what was put there.

        Raises:
            OSError: EEXIST, EISDIR, EINVAL for a special file, ENOENT without a directory, ENOSPC; LinkInTheWay.
            PreconditionFailed: with nothing done.
        """
        etag: str | None = None
        with named(path):
            if place is not None and condition is None:
                with suppress(FileNotFoundError):  # its directory was removed since
                    etag = self._put(temporary, place, mode, only_new=only_new)
            while etag is None:
                if condition is None:
                    etag = self._put(temporary, self._place(path, follow=follow), mode, only_new=only_new)
                    continue
                require_condition(self.beneath, path, condition)  # before a directory is made for it
                place = self._place(path, follow=follow and not condition.is_new)
                with turn(self.shared, place.directory):
                    require_condition(self.beneath, path, condition)
                    etag = self._put(temporary, place, mode, only_new=only_new, condition=condition)
        return etag

    def add_to_end(self, temporary: Temporary, path: str, condition: Condition | None = None) -> str | None:
        """Add what a file holds to the end of the one at a path, or give it the path if there is none.

        Args:
            temporary: the file, written; it is there afterwards, for the caller to drop.
            path: an absolute normal path; a link as the last component is followed.
            condition: what has to be there.

        Returns:
            The etag; None where others may have added something as well.

        Raises:
            OSError: EISDIR, EINVAL for a special file, ENOENT without a directory, ENOSPC; LinkInTheWay.
            PreconditionFailed: with nothing done.
        """
        if condition is not None:
            return self._add_if(temporary, path, condition)
        inode = self.beneath.inode_or_none(path)
        while inode is None:
            with suppress(FileExistsError):
                return self.put(temporary, path, only_new=True)
            inode = self.beneath.inode_or_none(path)  # somebody was faster
        with named(path):
            require_file(inode)
            inode = self.owner.own(inode, path)
            opened = inode.open(os.O_WRONLY | os.O_APPEND)
            append_content(temporary.fd, opened.number)
            if self.durable:
                os.fsync(opened.number)
        self.shared.content_changed(inode)
        return None

    def _add_if(self, temporary: Temporary, path: str, condition: Condition) -> str:
        """Put a longer copy in the place of a file: what is added in place could not be taken back."""
        if condition.is_new:
            return self.put(temporary, path, condition=condition)
        while True:
            opened = self._open_or_none(path)
            found = None if opened is None else etag_of(os.fstat(opened.number))
            condition.require(path, found)
            with suppress(PreconditionFailed):  # somebody was faster
                if opened is None:
                    return self.put(temporary, path, condition=Condition(if_none_match=ANY))
                return self._put_longer(opened, temporary, path, Condition(if_match=found))

    def _put_longer(self, opened: Descriptor, temporary: Temporary, path: str, condition: Condition) -> str:
        with closing(self.begin(path)) as longer, named(path):
            copy_content(opened.number, longer.fd)
            os.lseek(longer.fd, 0, os.SEEK_END)
            append_content(temporary.fd, longer.fd)
            return self.put(longer, path, condition=condition)

    def _open_or_none(self, path: str) -> Descriptor | None:
        """The regular file at a path, open for reading; None if there is nothing. EISDIR, EINVAL; LinkInTheWay."""
        inode = self.beneath.inode_or_none(path)
        if inode is None:
            return None
        with named(path):
            try:
                require_file(inode)
                return inode.open(os.O_RDONLY)
            except FileNotFoundError:  # it was removed since
                return None

    def _place(self, path: str, *, follow: bool) -> Place:
        """The place of a path, after making the directories above it if they are missing."""
        has_parent = False
        while True:
            try:
                return self.beneath.place(path, follow=follow)
            except FileNotFoundError:
                if not self.auto_mkdir or has_parent:
                    raise os_error(errno.ENOENT, path, hint="its directory does not exist") from None
            has_parent = self.beneath.inode_or_none(split(path)[0]) is not None  # somebody may have made it just now
            if not has_parent:
                make_parents(self.shared, self.beneath, path)

    def _put(
        self,
        temporary: Temporary,
        place: Place,
        mode: int | None,
        *,
        only_new: bool,
        condition: Condition | None = None,
    ) -> str | None:
        """Put it there; None if somebody was faster, or a disk is in the way, and it has to be tried again."""
        # To the nanosecond, so that no two versions of a file have one time.
        now = time.time_ns()
        os.utime(temporary.fd, ns=(now, now))
        made = os.fstat(temporary.fd)
        old = entry_or_none(place)
        if old is not None and only_new:
            raise os_error(errno.EEXIST)
        if old is not None:
            was = old.stat()
            if stat.S_ISLNK(was.st_mode):
                return None
            require_regular(was)
            carry_over(old, was, temporary.fd, made, mode=mode)
        elif mode is not None:
            os.fchmod(temporary.fd, mode & 0o7777)
        if self.durable:
            os.fsync(temporary.fd)
        try:
            if old is None:
                temporary.add_to(place)
            elif not self._replace(temporary, place, condition):
                return None
        except FileExistsError:
            return None
        except OSError as error:
            # The nearest directory that there was lay on another disk than the one made since.
            if error.errno != errno.EXDEV or not temporary.move_to(place.directory):
                raise
            return None
        if self.durable:
            sync_directory(place.directory)
        self.shared.entry_changed(place.directory, place.name)
        return etag_of(made)

    def _replace(self, temporary: Temporary, place: Place, condition: Condition | None) -> bool:
        """Take the place of what is there; False, with nothing done, if that does not meet the condition by now."""
        self.shared.keep(place.directory, place.name)
        if condition is None:
            temporary.replace(place)
            return True
        try:
            found = temporary.exchange(place)
        except FileNotFoundError:
            return False
        if found.is_file and condition.holds(found.etag):
            return True
        temporary.put_back(place)
        return False
