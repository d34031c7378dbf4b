"""Conditions of a change, checked in the step that makes it, where nobody comes in between."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from chuk_fsspec.contract.conditions import Condition, refuse_etags
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import strip_protocol
from chuk_fsspec.engine.inode import Directory

if TYPE_CHECKING:
    from chuk_fsspec.engine.resolve import Resolver
    from chuk_fsspec.engine.tree import Tree

Check = Callable[[], None]
"""Raises ``PreconditionFailed`` unless what is at a path at that moment meets a condition."""


def check_of_file(tree: Tree, resolver: Resolver, path: str, condition: Condition | None) -> Check | None:
    """What checks a file that is about to be written, links followed unless nothing may be there; None for nothing."""
    if condition is None:
        return None
    find = resolver.find_entry_or_none if condition.is_new else resolver.find_or_none

    def check() -> None:
        inode = find(path)
        condition.require(strip_protocol(path, resolver.protocols), None if inode is None else tree.getattr(inode).etag)

    return check


def check_of_name(tree: Tree, resolver: Resolver, path: str, condition: Condition | None) -> Check | None:
    """What checks a name that is about to be removed, moved or replaced; a link itself is meant, which has no etag."""
    if condition is None:
        return None

    def check() -> None:
        inode = resolver.find_entry_or_none(path)
        normal = strip_protocol(path, resolver.protocols)
        if isinstance(inode, Directory):
            refuse_etags(normal, condition)
        elif inode is not None and condition.compares and not inode.is_file:
            raise os_error(errno.EINVAL, normal, hint="only a regular file has an etag to compare; '*' takes anything")
        condition.require(normal, None if inode is None else tree.getattr(inode).etag)

    return check


def check_all(*checks: Check | None) -> Check | None:
    """One check for several; None if there is none."""
    given = [check for check in checks if check is not None]
    if not given:
        return None

    def check() -> None:
        for one in given:
            one()

    return check
