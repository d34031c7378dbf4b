"""Files that nobody sees before they are given their name, whole and in one step.

Where the system can, they have no name at all until then (O_TMPFILE of open(2)), and go with the process that writes
them. To take the place of another file, one needs a name to be renamed from: it has a reserved one in the root for that
moment, or from the beginning where there are no files without names. Whoever writes a file holds a lock on it that ends
with the process (flock(2)): a file of a reserved name that can be locked belongs to nobody any more.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

from chuk_fsspec.backends.local import support
from chuk_fsspec.backends.local.beneath import Place, open_beneath
from chuk_fsspec.backends.local.content import copy_content
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_DIRECTORY, O_TMPFILE
from chuk_fsspec.backends.local.names import new_name
from chuk_fsspec.backends.local.scan import scan
from chuk_fsspec.backends.local.status import Status, status_at
from chuk_fsspec.backends.local.support import way_to
from chuk_fsspec.backends.local.syscalls import renameat2
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.posix import RENAME_EXCHANGE, RENAME_NOREPLACE

_NO_TMPFILE = frozenset((errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL))
NOT_HERE = frozenset((errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT))
"""Why the root may be no place for a temporary file though another directory is."""
NO_FLAGS = frozenset((errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP))
_PERMISSIONS = 0o666


class Temporary:
    """A regular file that is being written.

    Args:
        root: where it has its reserved name while it needs one, if it can.
        directory: where it is meant for. It has the group and the access rules that a file made there gets.

    Raises:
        OSError: ENOENT if that directory was removed; EACCES, ENOSPC.
    """

    def __init__(self, root: Descriptor, directory: Descriptor) -> None:
        self._root = root
        self._directory = directory
        self._named: Place | None = None
        self._opened = _without_name(directory)
        if self._opened is None:
            self._named, self._opened = _with_name(root, directory)
            _inherit_group(self._opened, directory)

    @property
    def fd(self) -> int:
        """Its descriptor, open for reading and writing. ValueError once it was given its name or dropped."""
        if self._opened is None:
            raise ValueError("the file is closed")
        return self._opened.number

    def add_to(self, place: Place) -> None:
        """Give it the name of a place that is free. FileExistsError, ENOENT; EXDEV from another filesystem."""
        if self._named is None:
            os.link(way_to(self.fd), place.name, dst_dir_fd=place.directory.number)
        else:
            _move_to_free_name(self._named, place)
            self._named = None
        self._opened = None

    def replace(self, place: Place) -> None:
        """Give it the name of a place, whatever is there. EISDIR, ENOENT; EXDEV from another filesystem."""
        if self._named is None:
            self._named = self._give_reserved_name(place)
        source = self._named
        os.rename(source.name, place.name, src_dir_fd=source.directory.number, dst_dir_fd=place.directory.number)
        self._named = self._opened = None

    def exchange(self, place: Place) -> Status:
        """Change places with the file that is at a place: that one has the reserved name until this is closed.

        Returns:
            What was there.

        Raises:
            OSError: ENOENT, EXDEV from another filesystem, ENOTSUP from one that cannot exchange names.
        """
        if self._named is None:
            self._named = self._give_reserved_name(place)
        self._swap(self._named, place)
        return status_at(self._named.directory.number, self._named.name)

    def put_back(self, place: Place) -> None:
        """Undo ``exchange``; somebody who has replaced or removed the file since has had the last word."""
        assert self._named is not None
        with suppress(FileNotFoundError):
            self._swap(self._named, place)
            if status_at(self._named.directory.number, self._named.name).ino != os.fstat(self.fd).st_ino:
                self._swap(self._named, place)

    def _swap(self, reserved: Place, place: Place) -> None:
        try:
            renameat2(reserved.directory.number, reserved.name, place.directory.number, place.name, RENAME_EXCHANGE)
        except OSError as error:
            if error.errno in NO_FLAGS:
                raise not_supported("conditions: this disk cannot exchange two names (renameat2)") from error
            raise

    def move_to(self, directory: Descriptor) -> bool:
        """Be meant for another directory, which lies on another filesystem; False if it does not. ENOSPC."""
        if _same_device(self._directory, directory):
            return False
        other = Temporary(self._root, directory)
        try:
            copy_content(self.fd, other.fd)
        except OSError:
            other.close()
            raise
        os.fchmod(other.fd, stat.S_IMODE(os.fstat(self.fd).st_mode))
        self.close()
        self._directory, self._named, self._opened = directory, other._named, other._opened
        return True

    def close(self) -> None:
        """Drop it; what was given its name stays."""
        named, self._named, self._opened = self._named, None, None
        if named is not None:
            with suppress(FileNotFoundError):
                os.unlink(named.name, dir_fd=named.directory.number)

    def _give_reserved_name(self, place: Place) -> Place:
        _lock(self.fd)
        reserved = Place(home_of(self._root, place.directory), new_name())
        try:
            os.link(way_to(self.fd), reserved.name, dst_dir_fd=reserved.directory.number)
        except OSError as error:
            if reserved.directory is place.directory or error.errno not in NOT_HERE:
                raise
            reserved = Place(place.directory, reserved.name)
            os.link(way_to(self.fd), reserved.name, dst_dir_fd=reserved.directory.number)
        return reserved


def remove_leftovers(directory: Descriptor) -> None:
    """Remove the temporary files in a directory that nobody writes any more, for their process was killed.

    What cannot be locked or removed by this user stays, and hurts nobody. So does all of it while somebody exchanges
    files (``conditions.turn``): what was there before has a reserved name then, and may have to be put back.
    """
    try:
        left = scan(directory, reserved=True)
        if not left:
            return
        locked = open_beneath(Place(directory, "."), os.O_RDONLY | O_DIRECTORY)
    except PermissionError:
        return
    if not _may_clean(locked):
        return
    for found in left:
        place = Place(directory, found.name)
        with suppress(OSError):
            opened = open_beneath(place, os.O_RDWR)
            if stat.S_ISREG(os.fstat(opened.number).st_mode) and _try_lock(opened.number):
                os.unlink(place.name, dir_fd=directory.number)


def replace_by_link(root: Descriptor, source: Place, place: Place) -> None:
    """Make a name, whatever it stands for, another name of a file. ENOENT, EXDEV."""
    home = home_of(root, place.directory)
    reserved = Place(home, new_name())
    os.link(
        source.name,
        reserved.name,
        src_dir_fd=source.directory.number,
        dst_dir_fd=home.number,
        follow_symlinks=False,
    )
    os.rename(reserved.name, place.name, src_dir_fd=home.number, dst_dir_fd=place.directory.number)


def _without_name(directory: Descriptor) -> Descriptor | None:
    """A new file without a name; None where there is no such thing, or none that could be given one later. ENOENT."""
    if not (O_TMPFILE and support.can_hold()):
        return None
    try:
        return open_beneath(Place(directory, "."), O_TMPFILE | os.O_RDWR, _PERMISSIONS)
    except OSError as error:
        if not os.fstat(directory.number).st_nlink:  # it was removed since, which ext4 calls EPERM
            raise os_error(errno.ENOENT) from error
        if error.errno in _NO_TMPFILE:
            return None
        raise


def _with_name(root: Descriptor, directory: Descriptor) -> tuple[Place, Descriptor]:
    """A new file with a reserved name, locked."""
    home = home_of(root, directory)
    try:
        return _with_name_in(home)
    except OSError as error:
        if home is directory or error.errno not in NOT_HERE:
            raise
    return _with_name_in(directory)


def _with_name_in(directory: Descriptor) -> tuple[Place, Descriptor]:
    while True:
        place = Place(directory, new_name())
        opened = open_beneath(place, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PERMISSIONS)
        _lock(opened.number)
        if os.fstat(opened.number).st_nlink:  # before it was locked, it may have been taken for a leftover
            return place, opened


def _inherit_group(opened: Descriptor, directory: Descriptor) -> None:
    """The group that a file made in a directory gets, for one that was made elsewhere."""
    above = os.fstat(directory.number)
    if above.st_mode & stat.S_ISGID:
        os.fchown(opened.number, -1, above.st_gid)


def home_of(root: Descriptor, directory: Descriptor) -> Descriptor:
    """Where a reserved name should be: in the root, where leftovers are looked for, unless that is another disk."""
    return root if _same_device(root, directory) else directory


def _same_device(one: Descriptor, other: Descriptor) -> bool:
    return os.fstat(one.number).st_dev == os.fstat(other.number).st_dev


def _may_clean(directory: Descriptor) -> bool:
    """Whether nobody exchanges files by reserved names in a directory, for as long as its descriptor is open."""
    with suppress(OSError):
        return _try_lock(directory.number)
    return True  # where there are no locks, nothing is exchanged


def _lock(fd: int) -> None:
    """Take the lock of whoever writes a file, for as long as it is open.

    Where there are no locks, a leftover stays where it is; who takes it for one meanwhile is about to remove it.
    """
    with suppress(OSError):
        _try_lock(fd)


def _try_lock(fd: int) -> bool:
    """As ``_lock``; False if somebody else has it. ENOLCK and others where there are no locks."""
    from fcntl import LOCK_EX, LOCK_NB, flock

    try:
        flock(fd, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _move_to_free_name(source: Place, place: Place) -> None:
    """Rename a file, unless the new name exists. FileExistsError."""
    try:
        renameat2(source.directory.number, source.name, place.directory.number, place.name, RENAME_NOREPLACE)
    except OSError as error:
        if error.errno not in NO_FLAGS:
            raise
        directories = {"src_dir_fd": source.directory.number, "dst_dir_fd": place.directory.number}
        os.link(source.name, place.name, follow_symlinks=False, **directories)
        os.unlink(source.name, dir_fd=source.directory.number)
