"""Files copied from one filesystem to another, each of them whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.attributes import Attributes
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.posix import RENAME_NOREPLACE, without_set_id
from chuk_fsspec.forwarding.publishing import open_steady, open_whole
from chuk_fsspec.forwarding.publishing.attributes import copy_as_declared, tried
from chuk_fsspec.forwarding.publishing.places import DeclaredPlace
from chuk_fsspec.transfer.nodes import BLOCK

_PRIVATE = 0o600
_PRIVATE_DIRECTORY = 0o700

Fill = Callable[[str], None]
"""Makes the file of a name that it is given."""


@dataclass(frozen=True)
class Ends:
    """Where files come from, and where they go.

    Attributes:
        source: one filesystem.
        target: the other one.
        same: whether it is the same one, which copies without our help.
    """

    source: AbstractFileSystem
    target: AbstractFileSystem
    same: bool = False


class Copier:
    """Copies entries of one filesystem to another.

    Where the target can rename, a file gets its content, mode and all else under a temporary name, so that nobody sees
    it half, or more of it than its mode allows. Elsewhere it appears whole and gets the rest afterwards.
    """

    def __init__(
        self,
        ends: Ends,
        *,
        preserve: bool = False,
        follow_links: bool = True,
        umask: int | None = None,
        callback: Callback = DEFAULT_CALLBACK,
    ) -> None:
        """Begin.

        Args:
            ends: where files come from, and where they go.
            preserve: keep owners, times, extended attributes and hard links, and all mode bits.
            follow_links: where the target is a link, write the file that it leads to; otherwise take the link's place.
            umask: mode bits that new files do not get unless they are preserved; None for that of the process.
            callback: told of each byte of content (``relative_update``).
        """
        self.callback = callback
        self._ends, self._preserve, self._follows = ends, preserve, follow_links
        self._from, self._to = capabilities_of(ends.source), capabilities_of(ends.target)
        self._umask = _umask() if umask is None else umask
        self._asides = self._to.rename and self._to.replace and self._to.attributes
        self._first_names: dict[int, str] = {}

    def file(self, source: str, found: Attributes, target: str, *, exclusive: bool = False) -> bool:
        """Copy a regular file.

        Args:
            source: path of the file.
            found: what is known of it.
            target: path of the copy; a file there is replaced, and keeps its mode unless modes are preserved.
            exclusive: fail if something is there.

        Returns:
            Whether it was copied: False if it became another name of a file that was.

        Raises:
            OSError: EEXIST; EISDIR; EINVAL for a special file as the target; EBUSY if the file changes its size while
                it is read; whatever the filesystems say. The target is as it was then.
        """
        if self._linked(found, target, exclusive):
            return False
        self._publish(target, exclusive, lambda at: self._fill(source, found, at), source, found)
        self.note_name(found, target)
        return True

    def note_name(self, found: Attributes, target: str) -> None:
        """Say that a file is there already: what has other names becomes other names of it."""
        if self._preserve and found.nlink > 1 and found.file_id is not None:
            self._first_names.setdefault(found.file_id, target)

    def symlink(self, source: str, found: Attributes, target: str, *, exclusive: bool = False) -> None:
        """Make a symbolic link of the same text. ENOTSUP where the target has none; EEXIST."""
        if not self._to.symlinks:
            raise not_supported("the target has no symbolic links", target)
        text = found.target if found.target is not None else self._ends.source.posix.readlink(source)
        self._make_aside(target, exclusive, lambda at: self._ends.target.posix.symlink(text, at), source, found)

    def special(self, source: str, found: Attributes, target: str, *, exclusive: bool = False) -> None:
        """Make a FIFO, socket or device node. ENOTSUP where the target has none; EEXIST, EPERM."""
        if not (self._to.special_files and self._from.attributes):
            raise not_supported("the target has no special files", target)
        rdev = int(self._ends.source.posix.lstat(source).st_rdev)
        mode = stat.S_IFMT(found.mode) | _PRIVATE
        self._make_aside(target, exclusive, lambda at: self._ends.target.posix.mknod(at, mode, rdev), source, found)

    def directory(self, target: str) -> bool:
        """Make a directory, closed to others until ``dress`` opens it; whether it is new. ENOTDIR, ENOENT."""
        fs = self._ends.target
        if fs.isdir(target):
            return False
        if fs.lexists(target):
            raise os_error(errno.ENOTDIR, target, hint="a file is in the place of a directory")
        if self._to.attributes:
            fs.posix.mkdir(target, _PRIVATE_DIRECTORY)
        else:
            fs.mkdir(target, create_parents=False)
        return True

    def dress(self, source: str, found: Attributes, target: str) -> None:
        """Give a copy the mode of its original and, to preserve it, all else that both filesystems know."""
        if self._preserve:
            self.copy_xattrs(source, found, target)
        if not self._to.attributes:
            return
        posix = self._ends.target.posix
        mode = stat.S_IMODE(found.mode)
        if self._preserve:
            owned = not self._from.attributes or tried(posix.chown, target, found.uid, found.gid, False)
            mode = mode if owned else without_set_id(mode)
        else:
            mode &= 0o777 & ~self._umask
        if not stat.S_ISLNK(found.mode):
            posix.chmod(target, mode)
        if self._preserve and found.mtime_ns is not None:
            atime_ns = found.mtime_ns if found.atime_ns is None else found.atime_ns
            posix.utime(target, ns=(atime_ns, found.mtime_ns), follow_symlinks=False)

    # ---- content

    def _fill(self, source: str, found: Attributes, at: str) -> None:
        if self._ends.same:
            self._ends.target.cp_file(source, at)
            self.callback.relative_update(found.size)
            return
        if self._asides and self._to.random_write:
            # A handle writes at once; what ``open`` writes may wait for the end of a transaction.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with self._ends.target.posix.open_handle(at, flags, _PRIVATE) as handle:
                position = 0
                for data in self._blocks(source, found):
                    position += handle.pwrite(data, position)
            return
        with open_whole(self._ends.target, at, "wb") as file:
            for data in self._blocks(source, found):
                file.write(data)

    def _blocks(self, source: str, found: Attributes) -> Iterator[bytes]:
        count = 0
        for data in blocks_of(self._ends.source, source, found):
            yield data
            count += len(data)
            self.callback.relative_update(len(data))
        if found.sized and found.size and count != found.size:
            raise changed_meanwhile(source)

    # ---- publishing

    def _publish(self, target: str, exclusive: bool, fill: Fill, source: str, found: Attributes) -> None:
        fs = self._ends.target
        if not self._asides:
            if exclusive and fs.lexists(target):
                raise os_error(errno.EEXIST, target)
            fill(target)
            self.dress(source, found, target)
            return
        place = DeclaredPlace(fs)
        end = place.resolve(target) if self._follows and not exclusive else target
        at = place.beside(end)
        try:
            fill(at)
            if self._preserve or not fs.lexists(end):
                self.dress(source, found, at)
            else:
                copy_as_declared(fs, end, at)
            self._rename(at, end, exclusive)
        except BaseException as error:
            _name(error, at, target)
            with suppress(OSError):
                place.remove(at)
            raise

    def _make_aside(self, target: str, exclusive: bool, make: Fill, source: str, found: Attributes) -> None:
        """Make what has no content under a temporary name, and put it in the place of what is there."""
        place = DeclaredPlace(self._ends.target)
        at = place.beside(target)
        try:
            make(at)
            if not stat.S_ISLNK(found.mode) or self._preserve:
                self.dress(source, found, at)
            self._rename(at, target, exclusive)
        except BaseException as error:
            _name(error, at, target)
            with suppress(OSError):
                place.remove(at)
            raise

    def _rename(self, at: str, target: str, exclusive: bool) -> None:
        fs = self._ends.target
        if exclusive and not self._to.rename_flags and fs.lexists(target):
            raise os_error(errno.EEXIST, target)
        fs.posix.rename(at, target, RENAME_NOREPLACE if exclusive and self._to.rename_flags else 0)

    def _linked(self, found: Attributes, target: str, exclusive: bool) -> bool:
        """Whether the file was copied under another name, of which the target is one more by now."""
        first = self._first_names.get(found.file_id) if found.file_id is not None else None
        if first is None or not self._to.hardlinks:
            return False
        link = self._ends.target.posix.link
        place = DeclaredPlace(self._ends.target)
        at = place.beside(target)
        link(first, at)
        try:
            self._rename(at, target, exclusive)
        finally:
            place.remove(at)  # two names of one file stay as they are when one is renamed to the other
        return True

    # ---- attributes

    def copy_xattrs(self, source: str, found: Attributes, target: str) -> None:
        """Give a copy the extended attributes of its original, as far as it takes them."""
        if not (self._from.xattrs and self._to.xattrs) or stat.S_IFMT(found.mode) not in (stat.S_IFREG, stat.S_IFDIR):
            return
        old, new = self._ends.source.posix, self._ends.target.posix
        for name in old.listxattr(source):
            tried(new.setxattr, target, name, old.getxattr(source, name))


def _name(error: BaseException, temporary: str, target: str) -> None:
    """Put the path that the user knows into an error, in place of a temporary name."""
    if isinstance(error, OSError) and temporary in (error.filename, error.filename2):
        error.filename, error.filename2 = target, None


def changed_meanwhile(path: str) -> OSError:
    """EBUSY for a file that is not the one that was found."""
    return os_error(errno.EBUSY, path, hint="it changed while it was read; try again")


def blocks_of(fs: AbstractFileSystem, path: str, found: Attributes) -> Iterator[bytes]:
    """The bytes of a file, in blocks of at most 1 MiB.

    Args:
        fs: any filesystem.
        path: of a regular file in it.
        found: what is known of it.
    """
    if found.sized and 0 < found.size <= BLOCK:
        yield fs.cat_file(path)
        return
    with open_steady(fs, path) as file:
        while data := file.read(BLOCK):
            yield data


def write_stream(source: Any, fs: AbstractFileSystem, path: str, callback: Callback = DEFAULT_CALLBACK) -> int:
    """Write what a stream gives to a file, which appears whole when the stream has ended.

    Args:
        source: something with ``read``.
        fs: any filesystem.
        path: of the file.
        callback: told of each byte.

    Returns:
        How many bytes there were.
    """
    count = 0
    with open_whole(fs, path, "wb") as file:
        while data := source.read(BLOCK):
            file.write(data)
            count += len(data)
            callback.relative_update(len(data))
    return count


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
