"""Putting one thing in the place of another of any kind, so that the old is there until the new is."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Callable

from chuk_adapters.webdav.files.facts import is_directory
from chuk_adapters.webdav.files.tree import Tree
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.contract.posix import RENAME_EXCHANGE

_CANNOT_EXCHANGE = frozenset((errno.EXDEV, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS))


def replace(tree: Tree, source: str, target: str, *, was_directory: bool) -> None:
    """Give what is at one path the path of something else, which is removed with all that is in it.

    Args:
        tree: where.
        source: the path of what stays.
        target: the path of what goes.
        was_directory: whether that is a directory.

    Raises:
        OSError: with both still where they were.
    """
    aside = _swapped(tree, source, target)
    try:
        tree.remove(aside, is_directory=was_directory)
    except BaseException:
        if aside == source:
            tree.fs.posix.rename(source, target, RENAME_EXCHANGE)
        else:
            tree.rename(target, source)
            tree.rename(aside, target)
        raise


def build(tree: Tree, path: str, make: Callable[[str], None], *, old: bool | None, may_replace: bool) -> None:
    """Make something under another name, and give it its own when it is whole.

    Args:
        tree: where.
        path: its own name.
        make: makes it at the path that it is called with.
        old: whether what is at the path is a directory; None if nothing is.
        may_replace: whether what came there meanwhile may go.

    Raises:
        OSError: with what was at the path still there, and nothing else left behind.
    """
    beside = _name_beside(path)
    try:
        make(beside)
        if old is None:
            tree.rename(beside, path, may_replace=may_replace)
        else:
            replace(tree, beside, path, was_directory=old)
    except BaseException:
        left = tree.find(beside)
        if left is not None:
            tree.remove(beside, is_directory=is_directory(left))
        raise


def _swapped(tree: Tree, source: str, target: str) -> str:
    """Put the one in the place of the other, which has the path that is returned: in one step, where that is known."""
    if tree.can.rename_flags:
        try:
            tree.fs.posix.rename(source, target, RENAME_EXCHANGE)
        except OSError as error:
            if error.errno not in _CANNOT_EXCHANGE:
                raise
        else:
            return source
    aside = _name_beside(target)
    tree.rename(target, aside)
    try:
        tree.rename(source, target)
    except BaseException:
        tree.rename(aside, target)
        raise
    return aside


def _name_beside(path: str) -> str:
    """A path that nobody uses, in the same directory."""
    return join(split(path)[0], f".{uuid.uuid4().hex}.webdav")
