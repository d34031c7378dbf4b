"""The files of any filesystem, in one order, with all that an archive keeps of them."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from fsspec import AbstractFileSystem

from chuk_fsspec.archives.members import Kind, kind_of_mode
from chuk_fsspec.contract.attributes import Attributes, attributes_of
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import SPECIAL_NAMES
from chuk_fsspec.forwarding.publishing.leftovers import is_temporary

BLOCK = 1 << 20
"""Bytes of a file that are read at once."""


def without_links(fs: AbstractFileSystem) -> AbstractFileSystem:
    """The same filesystem, on which no symbolic link is followed, where it has such."""
    return fs.posix.nofollow if capabilities_of(fs).symlinks else fs


def below(directory: str, path: str) -> str:
    """A path in a directory of any filesystem; the directory itself for an empty one."""
    return f"{directory.rstrip('/')}/{path}" if path else directory


@dataclass(frozen=True)
class Found:
    """One entry of a tree.

    Attributes:
        path: names with ``/`` between them, from the top of the tree.
        place: the filesystem's own path.
        attributes: what the filesystem says of it.
    """

    path: str
    place: str
    attributes: Attributes

    @property
    def kind(self) -> Kind | None:
        """What it is; None for what no archive knows."""
        return kind_of_mode(self.attributes.mode)


class Tree:
    """A directory of a filesystem, or one file."""

    def __init__(self, fs: AbstractFileSystem, path: str) -> None:
        """Begin.

        Args:
            fs: any filesystem.
            path: a directory in it, or a file; no link.

        Raises:
            OSError: ENOENT; ELOOP for a link.
        """
        self._fs = without_links(fs)
        self._can = capabilities_of(fs)
        self._top = fs._strip_protocol(path)
        self._fs.invalidate_cache(self._top)
        self._found = attributes_of(self._fs.info(self._top))
        if stat.S_ISLNK(self._found.mode):
            raise os_error(errno.ELOOP, self._top, hint="it is a link; give what it leads to")

    def __iter__(self) -> Iterator[Found]:
        """All entries below the top, a directory before what it holds, names in the order of their bytes."""
        if not self._found.is_directory:
            yield Found(self._top.rstrip("/").rpartition("/")[2], self._top, self._found)
            return
        pending = [self._entries("", self._top)]
        while pending:
            found = next(pending[-1], None)
            if found is None:
                pending.pop()
                continue
            yield found
            if found.attributes.is_directory:
                pending.append(self._entries(f"{found.path}/", found.place))

    def _entries(self, prefix: str, directory: str) -> Iterator[Found]:
        entries: dict[str, Found] = {}
        for info in self._fs.ls(directory, detail=True):
            place = info["name"].rstrip("/")
            name = place.rpartition("/")[2]
            if name in SPECIAL_NAMES or is_temporary(name) or place.strip("/") == directory.strip("/"):
                continue
            # An object store may have an object and a directory of one name; the directory holds more.
            if name not in entries or info["type"] == "directory":
                entries[name] = Found(prefix + name, place, attributes_of(info))
        for name in sorted(entries, key=lambda name: name.encode("utf-8", "surrogateescape")):
            yield entries[name]

    def content(self, found: Found) -> Iterator[bytes]:
        """The bytes of a file, exactly as many as its size says. EBUSY if it is another one by now."""
        size = found.attributes.size
        if not found.attributes.sized:
            raise os_error(errno.ENOTSUP, found.place, hint="the filesystem does not tell the size of this file")
        if size <= BLOCK:
            data: bytes = self._fs.cat_file(found.place)
            if len(data) != size:
                raise _changed(found)
            yield data
            return
        with self._fs.open(found.place, "rb") as file:
            while size:
                data = file.read(min(size, BLOCK))
                if not data:
                    raise _changed(found)
                size -= len(data)
                yield data

    def xattrs(self, found: Found) -> dict[str, bytes]:
        """Extended attributes of a file or directory."""
        if not self._can.xattrs or found.kind not in {Kind.FILE, Kind.DIRECTORY}:
            return {}
        posix = self._fs.posix
        return {name: posix.getxattr(found.place, name) for name in posix.listxattr(found.place)}

    def rdev(self, found: Found) -> int:
        """The number of a device."""
        return int(self._fs.posix.lstat(found.place).st_rdev)


def _changed(found: Found) -> OSError:
    hint = "it changed while it was read; try again, or export a snapshot"
    return os_error(errno.EBUSY, found.place, hint=hint)
