"""Conditions of a change on the host, which has none of its own.

Whoever changes an entry on a condition takes turns with all others who do, in any process, by a lock on its directory
(flock(2)) that ends with the process. Those who ask for no condition, and other programs, take no turns: so what was
replaced or removed is looked at once more when nobody can reach it any longer, and is put back if it is not what was
to go.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from chuk_fsspec.backends.local import entries
from chuk_fsspec.backends.local.beneath import Beneath, Place, open_beneath
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_DIRECTORY
from chuk_fsspec.backends.local.names import new_name
from chuk_fsspec.backends.local.shared import SharedRoot
from chuk_fsspec.backends.local.status import Status, status_at
from chuk_fsspec.backends.local.syscalls import renameat2
from chuk_fsspec.backends.local.temporary import NO_FLAGS, NOT_HERE, home_of
from chuk_fsspec.contract.conditions import Condition, refuse_etags
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.posix import RENAME_NOREPLACE

_REALTIME_COARSE = 5
"""CLOCK_REALTIME_COARSE of clock_gettime(2): the clock that Linux stamps files with."""
_TICK = 0.001


@contextmanager
def turn(shared: SharedRoot, *directories: Descriptor) -> Iterator[None]:
    """Keep out whoever else changes entries of these directories on a condition, and who removes leftovers.

    Args:
        shared: the root, where what is exchanged has a reserved name for a moment.
        directories: held by an open descriptor each.

    Raises:
        OSError: ENOTSUP where there are no locks, EACCES for a directory that may not be read.
    """
    from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock

    kinds = [(shared.directory, LOCK_SH), *[(directory, LOCK_EX) for directory in directories]]
    wanted = {_identity(directory): (directory, kind) for directory, kind in kinds}
    locked: list[Descriptor] = []
    try:
        for _, (directory, kind) in sorted(wanted.items()):  # all in one order, so that nobody waits in a ring
            opened = open_beneath(Place(directory, "."), os.O_RDONLY | O_DIRECTORY)
            try:
                flock(opened.number, kind)
            except OSError as error:
                raise not_supported(f"conditions: directories cannot be locked here ({error.strerror})") from error
            locked.append(opened)
        yield
    finally:
        for opened in locked:
            flock(opened.number, LOCK_UN)  # a child of a fork may have a copy of it


def _identity(directory: Descriptor) -> tuple[int, int]:
    found = directory.stat()
    return found.st_dev, found.st_ino


def require_file(beneath: Beneath, path: str, condition: Condition) -> None:
    """Check a file that is about to be written, links followed unless nothing may be there.

    Args:
        beneath: the paths of the root.
        path: an absolute normal path.
        condition: what has to be there.

    Raises:
        PreconditionFailed: if it is not; LinkInTheWay.
    """
    found = status_or_none(beneath, path, follow=not condition.is_new)
    condition.require(path, None if found is None else found.etag)


def status_or_none(beneath: Beneath, path: str, *, follow: bool) -> Status | None:
    """What is at an absolute normal path; None for nothing. ELOOP, EINVAL; LinkInTheWay."""
    inode = beneath.inode_or_none(path, follow=follow)
    try:
        return None if inode is None else inode.status()
    except FileNotFoundError:  # it was removed since
        return None


@contextmanager
def stamping(shared: SharedRoot, beneath: Beneath, path: str, condition: Condition | None) -> Iterator[Status]:
    """A block that stamps the file at an absolute normal path, which it is given, on a condition. ENOENT."""
    if condition is None:
        yield beneath.inode(path).status()
        return
    place = beneath.place(path, follow=not condition.is_new)
    with turn(shared, place.directory):
        require_file(beneath, path, condition)
        yield beneath.inode(path).status()


def require_name(beneath: Beneath, path: str, condition: Condition | None) -> Status | None:
    """Check a name that is about to be removed, moved or replaced; a link itself is meant, which has no etag.

    Returns:
        What is there.

    Raises:
        OSError: EISDIR and EINVAL for an etag of something else than a regular file.
        PreconditionFailed: if the condition is not met.
    """
    found = status_or_none(beneath, path, follow=False)
    if condition is not None:
        if found is not None and condition.compares and not found.is_file:
            refuse_etags(path, condition if found.is_directory else None)
            raise os_error(errno.EINVAL, path, hint="only a regular file has an etag to compare; '*' takes anything")
        condition.require(path, None if found is None else found.etag)
    return found


def unlink(shared: SharedRoot, beneath: Beneath, path: str, condition: Condition) -> None:
    """Remove the name at an absolute normal path on a condition. EISDIR; PreconditionFailed, with nothing done."""
    require_name(beneath, path, condition)
    place = beneath.place(path)
    with turn(shared, place.directory):
        while True:
            found = require_name(beneath, path, condition)
            if not condition.compares:
                with suppress(FileNotFoundError):  # then the condition is not met any more
                    entries.unlink(shared, place)
                    return
            elif found is not None and _take_away(shared, place, found):
                return


def rename(
    shared: SharedRoot,
    beneath: Beneath,
    source: str,
    target: str,
    wanted: Condition | None,
    replaced: Condition | None,
) -> None:
    """Move an entry on conditions of what is moved and of what is there.

    Args:
        shared: the root.
        beneath: its paths.
        source: absolute normal path of the entry.
        target: that of where to, in a directory that exists.
        wanted: what has to be at the source.
        replaced: what has to be at the target.

    Raises:
        OSError: of renameat2(2).
        PreconditionFailed: with nothing done.
    """
    old, new = beneath.place(source), beneath.place(target)
    with turn(shared, old.directory, new.directory):
        found = require_name(beneath, source, wanted)
        require_name(beneath, target, replaced)
        is_new = replaced is not None and replaced.is_new
        try:
            entries.rename(shared, old, new, RENAME_NOREPLACE if is_new else 0)
        except FileExistsError:
            require_name(beneath, target, replaced)  # somebody was faster
            raise
        if wanted is not None and wanted.compares and found is not None:
            with suppress(FileNotFoundError):  # it was removed since, by its new name
                moved = status_at(new.directory.number, new.name)
                if moved.etag != found.etag:
                    with suppress(FileExistsError):
                        entries.rename(shared, new, old, RENAME_NOREPLACE)
                    raise wanted.failure(source, moved.etag)


def settle(*seen: Status) -> None:
    """Return when a change of any of these regular files would get another time of modification.

    The clock that a kernel stamps with stands still for some milliseconds: a file that was changed in the present tick
    might be changed once more without that being seen in its etag.
    """
    if hasattr(time, "clock_gettime_ns"):
        with suppress(OSError):  # a system without this clock
            while _changed_at(time.clock_gettime_ns(_REALTIME_COARSE), seen):
                time.sleep(_TICK)


def _changed_at(now: int, seen: tuple[Status, ...]) -> bool:
    return any(status.mtime_ns == now and status.is_file for status in seen)


def _take_away(shared: SharedRoot, place: Place, expected: Status) -> bool:
    """Remove a file if it is the expected one; False, with nothing done, if it is another one by now."""
    shared.keep(place.directory, place.name)
    try:
        aside = _set_aside(shared, place)
    except FileNotFoundError:
        return False
    if status_at(aside.directory.number, aside.name).etag != expected.etag:
        try:
            _move(aside, place)
        except FileExistsError:  # it was replaced meanwhile
            entries.unlink(shared, aside)
        return False
    entries.unlink(shared, aside)
    shared.entry_changed(place.directory, place.name)
    return True


def _set_aside(shared: SharedRoot, place: Place) -> Place:
    """Give a file a reserved name in place of its own. ENOENT."""
    aside = Place(home_of(shared.directory, place.directory), new_name())
    try:
        _move(place, aside)
    except OSError as error:
        if aside.directory is place.directory or error.errno not in NOT_HERE:
            raise
        aside = Place(place.directory, aside.name)
        _move(place, aside)
    return aside


def _move(source: Place, place: Place) -> None:
    try:
        renameat2(source.directory.number, source.name, place.directory.number, place.name, RENAME_NOREPLACE)
    except OSError as error:
        if error.errno in NO_FLAGS:
            raise not_supported("conditions: this disk cannot rename without replacing (renameat2)") from error
        raise
