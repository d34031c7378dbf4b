"""What a directory holds."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_DIRECTORY
from chuk_fsspec.backends.local.names import is_reserved


@dataclass(frozen=True, slots=True)
class Found:
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
    # Opened anew, for a descriptor has one position and others may be reading too.
    opened = Descriptor(os.open(".", os.O_RDONLY | O_DIRECTORY, dir_fd=directory.number))
    with os.scandir(opened.number) as entries:
        return [
            Found(entry.name, entry.inode(), _kind(entry)) for entry in entries if is_reserved(entry.name) == reserved
        ]


def _kind(entry: os.DirEntry[str]) -> int:
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    return stat.S_IFLNK if entry.is_symlink() else 0
