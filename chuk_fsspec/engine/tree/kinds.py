"""Inodes of the kind that an operation needs."""

from __future__ import annotations

import errno

from chuk_fsspec.contract.errors import not_a_file, os_error
from chuk_fsspec.engine.inode import S_IFMT, S_IFREG, Directory, Inode


def directory_of(inode: Inode) -> Directory:
    """The inode, as a directory. ENOTDIR."""
    if not isinstance(inode, Directory):
        raise os_error(errno.ENOTDIR)
    return inode


def regular(inode: Inode) -> Inode:
    """The inode, as a regular file. EISDIR, EINVAL."""
    if inode.mode & S_IFMT != S_IFREG:
        raise not_a_file(is_directory=isinstance(inode, Directory))
    return inode
