"""Directories of any filesystem moved and removed, where names are just names and never patterns."""

from __future__ import annotations

import errno
import secrets
import stat
from contextlib import suppress

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.trees.walking import below

_PRIVATE = 0o700


def entries_of(fs: AbstractFileSystem, target: str) -> list[str]:
    """The filesystem's own paths of what is in a directory. ENOTDIR."""
    if fs.info(target)["type"] != "directory":
        raise os_error(errno.ENOTDIR, target, hint="a directory is needed")
    return [path for path in fs.ls(target, detail=False) if path.strip("/") != target.strip("/")]


def new_name(what: str) -> str:
    """A name that nobody has, and that no rule against hidden files refuses."""
    return f"{what}-{secrets.token_hex(8)}"


def name_of(path: str) -> str:
    """The last name of a path."""
    return path.rstrip("/").rpartition("/")[2]


def missing_parents(fs: AbstractFileSystem, target: str) -> list[str]:
    """Directories above a path that are still to be made, the lowest first."""
    missing, parent = [], fs._parent(target)
    while parent.strip("/") and not fs.lexists(parent):
        missing.append(parent)
        parent = fs._parent(parent)
    return missing


def make_private(fs: AbstractFileSystem, path: str) -> int | None:
    """Make a directory that nobody else looks into; returns the mode that it would have, where there are modes."""
    fs.makedirs(path, exist_ok=False)
    if not capabilities_of(fs).attributes:
        return None
    mode = stat.S_IMODE(fs.posix.lstat(path).st_mode)
    fs.posix.chmod(path, _PRIVATE)
    return mode


def renames(fs: AbstractFileSystem) -> bool:
    """Whether ``move`` is one step; otherwise it may end halfway."""
    return capabilities_of(fs).rename or isinstance(fs, LocalFileSystem)


def move(fs: AbstractFileSystem, source: str, target: str) -> None:
    """Rename a file or directory to a free name; where there is no rename, copy it and remove the original."""
    if renames(fs):
        fs.mv(source, target)
        return
    if fs.info(source)["type"] != "directory":
        fs.cp_file(source, target)
        fs.rm_file(source)
        return
    fs.makedirs(target, exist_ok=True)
    for path in entries_of(fs, source):
        move(fs, path, below(target, name_of(path)))
    _remove_directory(fs, source)


def remove_if_possible(fs: AbstractFileSystem, path: str) -> None:
    """Remove what is there, if anything; what cannot be removed stays, for the error itself matters more."""
    with suppress(OSError):
        if fs.lexists(path):
            remove_tree(fs, path)


def remove_tree(fs: AbstractFileSystem, path: str) -> None:
    """Remove a file or directory, whose name may hold what ``rm`` takes for a pattern."""
    pending, directories = [path], []
    while pending:
        at = pending.pop()
        if fs.info(at)["type"] != "directory":
            fs.rm_file(at)
            continue
        directories.append(at)
        pending += entries_of(fs, at)
    for directory in reversed(directories):
        _remove_directory(fs, directory)


def _remove_directory(fs: AbstractFileSystem, path: str) -> None:
    """Remove an empty directory; one that was only a part of names went with the last of them."""
    with suppress(FileNotFoundError):
        fs.rmdir(path)
