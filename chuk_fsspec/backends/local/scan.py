"""What a directory holds."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_DIRECTORY
from chuk_fsspec.backends.local.names import is_reserved


class Found(NamedTuple):
    """One entry, as getdents(2) tells it.

    Attributes:
        name: one component.
        ino: number of the inode.
        kind: the type bits of its mode; 0 for what is neither file nor directory nor link.
    """

    name: str
    ino: int
    kind: int

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory, a link to one not included."""
        return self.kind == stat.S_IFDIR

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.kind == stat.S_IFLNK


def scan(directory: Descriptor, *, reserved: bool = False) -> list[Found]:
    """The entries of a directory at one moment, in no order, temporary files left out.

    Args:
        directory: which; it need not be open for reading.
        reserved: list the temporary files instead.

    Raises:
        OSError: EACCES, EIO.
    """
    opened = open_to_scan(directory)
    with os.scandir(opened.number) as entries:
        return [
            Found(entry.name, entry.inode(), _kind(entry)) for entry in entries if is_reserved(entry.name) == reserved
        ]


def names_in(opened: Descriptor) -> list[str]:
    """The names of a directory's entries at one moment, in no order, temporary files left out. EACCES, EIO.

    Args:
        opened: the directory, opened to be read, for this alone: a descriptor has one position.
    """
    return [name for name in os.listdir(opened.number) if not is_reserved(name)]


def open_to_scan(directory: Descriptor) -> Descriptor:
    """Open a directory anew, to be read by one. EACCES."""
    return Descriptor(os.open(".", os.O_RDONLY | O_DIRECTORY, dir_fd=directory.number))


def _kind(entry: os.DirEntry[str]) -> int:
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    return stat.S_IFLNK if entry.is_symlink() else 0
