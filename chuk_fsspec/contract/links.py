"""Filesystems as they are where no symbolic link is followed."""

from __future__ import annotations

import errno

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of


def without_links(fs: AbstractFileSystem) -> AbstractFileSystem:
    """The same filesystem, on which no symbolic link is followed, where it has such. ENOTSUP if that cannot be had."""
    return fs.posix.nofollow if capabilities_of(fs).symlinks else fs


def without_links_if_can(fs: AbstractFileSystem) -> AbstractFileSystem:
    """The same; a filesystem that has no such view follows its links by itself."""
    try:
        return without_links(fs)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        return fs
