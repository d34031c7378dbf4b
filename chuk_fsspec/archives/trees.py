"""The files of any filesystem, in one order, with all that an archive keeps of them."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from dataclasses import replace

from fsspec import AbstractFileSystem

from chuk_fsspec.archives.members import Kind, kind_of_mode
from chuk_fsspec.contract.attributes import attributes_of
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.links import without_links
from chuk_fsspec.trees.walking import Found, walk

BLOCK = 1 << 20
"""Bytes of a file that are read at once."""


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
        if stat.S_ISLNK(attributes_of(self._fs.info(self._top)).mode):
            raise os_error(errno.ELOOP, self._top, hint="it is a link; give what it leads to")

    def __iter__(self) -> Iterator[Found]:
        """All entries below the top, as ``walk`` gives them; the file itself, if it is one."""
        for found in walk(self._fs, self._top):
            if found.depth:
                yield found
            elif not found.attributes.is_directory:
                yield replace(found, path=found.name)

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
        if not self._can.xattrs or kind_of(found) not in {Kind.FILE, Kind.DIRECTORY}:
            return {}
        posix = self._fs.posix
        return {name: posix.getxattr(found.place, name) for name in posix.listxattr(found.place)}

    def rdev(self, found: Found) -> int:
        """The number of a device."""
        return int(self._fs.posix.lstat(found.place).st_rdev)


def kind_of(found: Found) -> Kind | None:
    """What an entry is; None for what no archive knows."""
    return kind_of_mode(found.attributes.mode)


def _changed(found: Found) -> OSError:
    hint = "it changed while it was read; try again, or export a snapshot"
    return os_error(errno.EBUSY, found.place, hint=hint)
