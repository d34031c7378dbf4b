"""Where a directory really is, whichever filesystem shows it; so that two are known to overlap."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from typing import Protocol, runtime_checkable

from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem

from chuk_fsspec.contract.paths import split

Way = tuple[Hashable, ...]
"""A directory and those above it, the nearest first, each by what no other directory has."""

_LOOKING = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)


@runtime_checkable
class ShowsOthers(Protocol):
    """A filesystem that shows directories which others may show too."""

    def ways(self, path: str) -> list[Way]:
        """The way to a directory that is there; then those to what is mounted below it. ENOENT, ENOTDIR, LinkInTheWay.

        Args:
            path: absolute and normal.
        """


def overlap(one: Iterable[Way], other: Iterable[Way]) -> bool:
    """Whether some directory is, or lies in, one of the others, or the other way round."""
    others = list(other)
    return any(way[0] in another or another[0] in way for way in one for another in others)


def ways_of(fs: AbstractFileSystem, path: str) -> list[Way]:
    """The ways to a directory of any filesystem, as ``ShowsOthers`` has them.

    Args:
        fs: the filesystem.
        path: of a directory. One that is missing lies, by its name, in the last one on the way to it that is not.

    Raises:
        OSError: of the filesystem.
    """
    if isinstance(fs, DirFileSystem):
        return ways_of(fs.fs, fs._join(path))  # noqa: SLF001 - it has no other name for what it adds
    is_local = isinstance(fs, LocalFileSystem) and os.name == "posix"
    if not (is_local or isinstance(fs, ShowsOthers)):
        return [way_by_name(fs, path)]
    normal = fs._strip_protocol(path) or "/"
    parent, name = split(normal)
    if name and not fs.isdir(normal):
        above = ways_of(fs, parent)[0]
        return [((above[0], name), *above)]
    return [_way_on_this_machine(normal)] if is_local else fs.ways(normal)


def way_by_name(fs: AbstractFileSystem, path: str) -> Way:
    """A way that nobody else shows: by the filesystem and the names in it."""
    try:
        store: Hashable = fs.fsid
    except NotImplementedError:
        store = hash(fs)
    names = [name for name in fs._strip_protocol(path).split("/") if name]
    return tuple((store, *names[:count]) for count in range(len(names), -1, -1))


def way_up(directory: int) -> Way:
    """The way to an open directory of this machine. What lies above one that may not be searched is left out.

    Args:
        directory: its descriptor.
    """
    way = [_identity(os.stat(directory))]
    above = ".."
    while True:
        try:
            found = _identity(os.stat(above, dir_fd=directory))
        except PermissionError:
            return tuple(way)
        if found == way[-1]:  # only the root is its own parent
            return tuple(way)
        way.append(found)
        above += "/.."


def _way_on_this_machine(path: str) -> Way:
    directory = os.open(path, _LOOKING)
    try:
        return way_up(directory)
    finally:
        os.close(directory)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
