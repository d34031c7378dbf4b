"""Copying, moving and removing one path. A path is a name here, never a pattern: ``*`` is a letter like any other."""

from __future__ import annotations

import errno
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import not_found, os_error
from chuk_fsspec.contract.paths import is_inside, join, split


def copy(fs: AbstractFileSystem, source: str, target: str, *, inside: bool) -> None:
    """Copy a file, or a directory with all that it holds; symbolic links in it are copied as links.

    Args:
        fs: where.
        source: absolute normal path.
        target: absolute normal path. If it is a directory, the copy is made in it.
        inside: whether it has to be a directory, and is made if it is missing.

    Raises:
        OSError: ENOENT; EINVAL for a directory into itself and a file onto itself; EISDIR, ENOTDIR, ENOSPC.
    """
    if not fs.exists(source):
        raise not_found(source)
    if inside or fs.isdir(target):
        target = join(target, split(source)[1])
    is_directory = fs.isdir(source)
    if source == target or (is_directory and is_inside(target, source)):
        raise os_error(errno.EINVAL, source, target, hint="it cannot be copied to itself or into itself")
    if is_directory:
        _copy_tree(fs, source, target)
    elif fs.isdir(target):
        raise os_error(errno.EISDIR, target)
    else:
        fs.cp_file(source, target)


def _copy_tree(fs: AbstractFileSystem, source: str, target: str) -> None:
    if fs.lexists(target) and not fs.isdir(target):
        raise os_error(errno.ENOTDIR, target)
    can_link = capabilities_of(fs).symlinks
    found: dict[str, Any] = fs.find(source, withdirs=True, detail=True)
    places = {path: target + path[len(source) :] if source != "/" else join(target, path[1:]) for path in found}
    files: list[str] = []
    fs.makedirs(target, exist_ok=True)
    for path, info in found.items():
        if info.get("islink") and can_link:
            fs.posix.symlink(info["destination"], places[path])
        elif info["type"] == "directory":
            fs.makedirs(places[path], exist_ok=True)
        else:
            files.append(path)
    if files:
        fs.copy(files, [places[path] for path in files], on_error="raise")


def move(fs: AbstractFileSystem, source: str, target: str, *, inside: bool) -> None:
    """Move a file or directory; a file that is in the way is replaced.

    Args:
        fs: where.
        source: absolute normal path.
        target: absolute normal path. If it is a directory, the source goes into it.
        inside: whether it has to be one.

    Raises:
        OSError: ENOENT; EINVAL for a directory into itself; ENOTEMPTY, EISDIR, ENOTDIR.
    """
    if not fs.lexists(source):
        raise not_found(source)
    is_there = source == target or (fs.isdir(target) and join(target, split(source)[1]) == source)
    if is_there:
        return
    fs.mv(source, f"{target}/" if inside and target != "/" else target, recursive=True)


def remove(fs: AbstractFileSystem, path: str, *, recursive: bool) -> None:
    """Remove a file or link, an empty directory, or one with all that it holds.

    Args:
        fs: where.
        path: absolute normal path.
        recursive: allow directories that are not empty.

    Raises:
        OSError: ENOENT, ENOTEMPTY; EBUSY for the root.
    """
    info = fs.info(path)
    if info["type"] != "directory" or info.get("islink"):
        fs.rm_file(path)
    elif path == "/":
        raise os_error(errno.EBUSY, path, hint="the root stays; remove what is in it")
    elif recursive:
        fs.rm(path, recursive=True)
    else:
        remove_directory(fs, path)


def remove_directory(fs: AbstractFileSystem, path: str) -> None:
    """Remove an empty directory. ENOENT, ENOTDIR, ENOTEMPTY, also where fsspec would do nothing and say nothing."""
    if not capabilities_of(fs).directories:
        if not fs.isdir(path):
            fs.info(path)
            raise os_error(errno.ENOTDIR, path)
        if fs.ls(path, detail=False):
            raise os_error(errno.ENOTEMPTY, path)
    fs.rmdir(path)


def clear(fs: AbstractFileSystem, directory: str) -> tuple[int, int]:
    """Remove all that a directory holds, if there is one. Returns how many files and bytes these were."""
    if not fs.isdir(directory):
        return 0, 0
    infos = fs.find(directory, detail=True).values()
    files, size = len(infos), sum(int(info["size"] or 0) for info in infos)
    for path in fs.ls(directory, detail=False):
        remove(fs, path, recursive=True)
    return files, size
