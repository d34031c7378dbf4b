"""The directories above a path, made where they are missing."""

from __future__ import annotations

import errno

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.resolve import Resolver
from chuk_fsspec.engine.tree import Tree

DIRECTORY_PERMISSIONS = 0o755


def make_parents(tree: Tree, resolver: Resolver, path: str, uid: int, gid: int) -> None:
    """Make the missing directories above a normal path.

    Raises:
        OSError: ENOTDIR if something else is in the way; LinkInTheWay where links are not followed.
    """
    missing: list[str] = []
    parent, _ = split(path)
    while (directory := resolver.find_or_none(parent)) is None:
        missing.append(parent)
        parent, _ = split(parent)
    while missing and isinstance(directory, Directory):
        directory = _make(tree, resolver, directory, missing.pop(), uid, gid)
    if not isinstance(directory, Directory):
        raise os_error(errno.ENOTDIR, path)


def _make(tree: Tree, resolver: Resolver, parent: Directory, path: str, uid: int, gid: int) -> Inode | None:
    """Make a directory that was missing, or find what somebody put there meanwhile."""
    try:
        return tree.mkdir(parent, split(path)[1], DIRECTORY_PERMISSIONS, uid, gid)
    except FileExistsError:
        return resolver.find_or_none(path)
    except OSError as error:
        error.filename = path
        raise
