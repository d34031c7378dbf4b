"""Inodes of files that are made with content and attributes at once."""

from __future__ import annotations

import errno
import stat
from collections.abc import Sequence

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import WholeFile
from chuk_fsspec.engine import xattrs
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.inode import S_IFREG, Directory, Inode
from chuk_fsspec.engine.store import Store


def new_files(store: Store, parent: Directory, files: Sequence[WholeFile]) -> list[Inode]:
    """Make the inodes, which get their names afterwards: all of them or none.

    Args:
        store: where.
        parent: the directory that will hold them.
        files: what they are to be.

    Raises:
        OSError: EEXIST for a name that is given twice, E2BIG, ERANGE, ENOSPC.
    """
    if len({file.name for file in files}) < len(files):
        raise os_error(errno.EEXIST, hint="two files of one name")
    kept = [xattrs.of_new_file(file.xattrs) for file in files]
    made: list[Inode] = []
    try:
        for file, attributes in zip(files, kept, strict=True):
            made.append(_new_file(store, parent, file, attributes))
    except OSError:
        for inode in made:
            store.free(inode)
        raise
    return made


def _new_file(store: Store, parent: Directory, file: WholeFile, attributes: dict[str, bytes] | None) -> Inode:
    gid = parent.gid if parent.mode & stat.S_ISGID else file.gid
    inode = store.new(S_IFREG | file.mode & 0o7777, file.uid, gid, file.data, now_ns())
    inode.nlink = 1
    if file.atime_ns is not None:
        inode.atime_ns = file.atime_ns
    if file.mtime_ns is not None:
        inode.mtime_ns = file.mtime_ns
    if attributes is not None:
        inode.xattrs = attributes
    return inode
