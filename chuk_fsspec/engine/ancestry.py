"""Which directories lie inside which."""

from __future__ import annotations

from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.store import Store


def is_above(store: Store, inode: Inode | None, directory: Directory) -> bool:
    """Whether a directory is an inode of the store, or lies somewhere below it."""
    if not isinstance(inode, Directory):
        return False
    store.settle(directory)
    while directory is not inode and directory is not directory.parent:
        directory = directory.parent
        store.settle(directory)
    return directory is inode
