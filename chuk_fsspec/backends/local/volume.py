"""The host's filesystem as a whole."""

from __future__ import annotations

import os

from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.syscalls import syncfs
from chuk_fsspec.contract.paths import NAME_MAX
from chuk_fsspec.contract.posix import StatVfs


def statvfs_of(directory: Descriptor) -> StatVfs:
    """The figures of the filesystem that a directory lies on; free space is what ordinary users get."""
    found = os.fstatvfs(directory.number)
    return StatVfs(
        block_size=found.f_frsize,
        blocks=found.f_blocks,
        blocks_free=found.f_bavail,
        files=found.f_files,
        files_free=found.f_ffree,
        name_max=min(found.f_namemax, NAME_MAX),
    )


def sync_directory(directory: Descriptor) -> None:
    """Make the entries of a directory durable (fsync(2)). EIO."""
    opened = Descriptor(os.open(".", os.O_RDONLY, dir_fd=directory.number))
    os.fsync(opened.number)


def sync_filesystem(directory: Descriptor) -> None:
    """Make everything durable that was written to the filesystem of a directory (syncfs(2)). EIO."""
    opened = Descriptor(os.open(".", os.O_RDONLY, dir_fd=directory.number))
    syncfs(opened.number)
