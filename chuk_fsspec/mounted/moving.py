"""Moving between mounts: copy, verify, then delete.

What is moved is prepared under a hidden name beside its target, with all its attributes, and checked there; then a
rename shows it, whole. Object stores have no rename: there each file appears whole, one after another, and a marker
stands beside them until all is done. Only then the source is deleted. If a move stops before that, the source is as it
was, and the same move goes on with what has arrived.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.operations import POSIX
from chuk_fsspec.contract.paths import split
from chuk_fsspec.mounted import content
from chuk_fsspec.mounted.access import call
from chuk_fsspec.mounted.ends import End, fingerprint, settle
from chuk_fsspec.mounted.inside import move_inside
from chuk_fsspec.mounted.markers import Markers, make_empty
from chuk_fsspec.mounted.removing import remove
from chuk_fsspec.mounted.trees import TreeCopy


def move(source: End, target: End) -> None:
    """Move a file, link or directory to another mount.

    Args:
        source: what is moved; no mount lies inside.
        target: where to; what is there is replaced as by rename(2).

    Raises:
        OSError: ENOENT, EISDIR, ENOTDIR and ENOTEMPTY as rename(2); ENOTSUP for what the target cannot hold; EBUSY if
            the source changes meanwhile; EIO if what is read back is not what was sent; what either filesystem says.
    """
    settle(source.mount)
    settle(target.mount)
    info = source.info()
    if not source.mount.can.write:
        raise os_error(errno.EROFS, source.path, target.path, hint="the source cannot be deleted")
    if target.mount.fs._intrans and not target.can_stage:  # noqa: SLF001 - fsspec has no public name for it
        raise os_error(
            errno.ENOTSUP, source.path, target.path, hint="in a transaction, the target shows nothing to verify"
        )
    markers = Markers(source, target)
    is_tree = info["type"] == "directory"
    if is_tree and markers.is_arrived():
        _finish(source, target, markers)
        return
    _require_place(info, source, target, goes_on=is_tree and markers.is_unfinished())
    resumed = markers.aside.exists()
    markers.begin(is_tree=is_tree)
    if markers.show_one_directory():
        _move_inside_one_directory(source, target, markers)
    elif is_tree:
        _move_tree(source, target, markers, resumed=resumed)
    else:
        _move_entry(source, target, markers, info)


def _move_inside_one_directory(source: End, target: End, markers: Markers) -> None:
    """Two mounts show one directory: deleting the source of a copy might delete the copy."""
    markers.aside.remove()
    here = source.beside(split(target.path)[1])
    if here != source:
        move_inside(source, here)


def _move_entry(source: End, target: End, markers: Markers, info: dict[str, Any]) -> None:
    aside = markers.aside
    arriving = aside if target.can_stage else target
    replaces = arriving.exists()
    try:
        transfer(source, arriving, info)
        if fingerprint(source.info()) != fingerprint(info):
            raise os_error(errno.EBUSY, source.path, target.path, hint="it changed while it was copied; move it again")
        if arriving is aside:
            _show(aside, target)
    except BaseException:
        for end in [aside, arriving] if not replaces else [aside]:
            with suppress(OSError):
                end.remove()
        raise
    _delete(source, target)
    if arriving is target:
        aside.remove()


def _move_tree(source: End, target: End, markers: Markers, *, resumed: bool) -> None:
    aside = markers.aside
    copying = TreeCopy(source, aside if target.can_stage else target, resumed=resumed)
    if copying.meets(split(aside.path)[1]):
        aside.remove()
        raise os_error(errno.EINVAL, source.path, target.path, hint="the target lies inside the source")
    try:
        copying.run(lambda end, arriving: transfer(end, arriving, end.info()))
        make_empty(markers.done)
        if target.can_stage:
            _show(aside, target)
        else:
            aside.remove()
    except OSError as error:
        hint = f"{_reason(error)}; {copying.done} of {copying.total} entries have arrived and the source is whole: "
        hint += "move it again, and the move goes on from there"
        raise os_error(error.errno or errno.EIO, source.path, target.path, hint=hint) from error
    _finish(source, target, markers)


def _finish(source: End, target: End, markers: Markers) -> None:
    """Delete the source of a directory that has arrived."""
    _delete(source, target)
    markers.done.remove()


def transfer(source: End, arriving: End, info: dict[str, Any]) -> None:
    """Make a copy of one entry that is no directory, checked and with the attributes of its source.

    Args:
        source: the entry.
        arriving: where the copy is made; nobody looks there, or the filesystem shows files only when they are whole.
        info: what is known of the source.

    Raises:
        OSError: ENOTSUP for links and special files that the target cannot hold; EIO.
    """
    kind = info["type"]
    if kind == "file":
        content.verify(arriving, (content.write_aside if arriving.can_stage else content.publish)(source, arriving))
    else:
        with suppress(FileNotFoundError):
            arriving.ask("rm_file")
        if kind == "link":
            arriving.ask_posix("symlink", target=source.ask_posix("readlink"))
        else:
            found = source.ask_posix("lstat")
            arriving.ask_posix("mknod", mode=found.st_mode, rdev=found.st_rdev)
    content.keep_attributes(source, arriving, info)


def _require_place(info: dict[str, Any], source: End, target: End, *, goes_on: bool) -> None:
    """Refuse what rename(2) would refuse; a directory that a move goes on with may hold something."""
    if info["type"] == "link" and not source.keeps("symlinks", target):
        raise os_error(errno.ENOTSUP, source.path, target.path, hint="the target keeps no symbolic links")
    if info["type"] == "other" and not source.keeps("special_files", target):
        raise os_error(errno.ENOTSUP, source.path, target.path, hint="the target keeps no special files")
    try:
        there = target.info()["type"]
    except (FileNotFoundError, NotADirectoryError):
        if target.parent.path != target.mount.path:
            with suppress(NotImplementedError):
                target.parent.ask("makedirs", exist_ok=True)
        return
    if info["type"] != "directory" and there == "directory":
        raise os_error(errno.EISDIR, source.path, target.path)
    if info["type"] == "directory":
        if there != "directory":
            raise os_error(errno.ENOTDIR, source.path, target.path)
        if not goes_on and target.ask("ls", detail=False):
            raise os_error(errno.ENOTEMPTY, source.path, target.path)


def _show(aside: End, target: End) -> None:
    call(aside.mount, POSIX["rename"], (aside.inner, target.inner), (aside.path, target.path), flags=0)


def _delete(source: End, target: End) -> None:
    try:
        if source.mount.names.is_ours:
            source.ask("rm", recursive=True)
        else:
            remove(source.mount, source.path, recursive=True)
    except OSError as error:
        hint = f"{_reason(error)}; all of it is at {target.path}, but not all of the source could be deleted"
        raise os_error(error.errno or errno.EIO, source.path, target.path, hint=hint) from error


def _reason(error: OSError) -> str:
    """Where something failed, and what the filesystem said about it beyond the words of its errno."""
    said = (error.strerror or "").removeprefix(os.strerror(error.errno or 0)).lstrip(": ")
    return f"{error.filename}: {said}" if said else str(error.filename)
