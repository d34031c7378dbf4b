"""Asking the mounts of a tree: each path is routed, each link followed in the tree as a whole, or none."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, TypeVar

from chuk_fsspec.contract.errors import LinkInTheWay, not_found, not_supported, os_error
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Effect, Operation
from chuk_fsspec.contract.whereabouts import Way, ways_of
from chuk_fsspec.forwarding.conditions import NAMES, refuse, taken_from
from chuk_fsspec.forwarding.links import through_links
from chuk_fsspec.mounted.table import Mount, Point
from chuk_fsspec.mounted.tree import Tree

Result = TypeVar("Result")

_CHANGES = frozenset({Effect.WRITE, Effect.DELETE, Effect.RENAME})
_OF_A_DIRECTORY = {
    **dict.fromkeys(("cat_file", "open", "sign", "pipe_file", "touch", "truncate", "rm_file", "unlink"), errno.EISDIR),
    **dict.fromkeys(("mkdir", "symlink", "mknod"), errno.EEXIST),
    "rmdir": errno.EBUSY,
    "readlink": errno.EINVAL,
}
"""What an operation says of a directory that a mount makes, without asking any filesystem."""
_MAKING = frozenset(("pipe_file", "open", "open_handle", "touch", "mkdir", "makedirs", "symlink", "mknod"))
"""What can make a new entry."""


class Access:
    """One way to see a tree.

    Args:
        tree: the mounts.
        follows: whether symbolic links are followed; if not, one in the way raises ``LinkInTheWay``.
    """

    def __init__(self, tree: Tree, *, follows: bool) -> None:
        self.tree = tree
        self.follows = follows

    def ask(self, operation: Operation, path: str, /, *arguments: Any, **options: Any) -> Any:
        """Have an operation on one path done where it belongs.

        Args:
            operation: a row of ``contract.operations`` with one path.
            path: a normal path.
            arguments: what follows the path.
            options: the rest.

        Returns:
            What the filesystem returned, in its own names.
        """

        def attempt(real: str) -> Any:
            mount, inner = self.place(operation, real, options)
            return call(mount, operation, (inner,), (real,), *arguments, **options)

        return self.through(attempt, path)

    def through(self, attempt: Callable[..., Result], *paths: str) -> Result:
        """Run something on paths as often as there are links to follow."""
        try:
            return attempt(*paths)
        except LinkInTheWay:
            if not self.follows:
                raise
        return through_links(attempt, *paths, readlink=self._readlink, is_directory=self._is_directory)

    def place(self, operation: Operation, path: str, options: dict[str, Any]) -> tuple[Mount, str]:
        """Which filesystem an operation on a path is for, and the path in it.

        A directory that only mounts make is made there first if something is to be made in it.

        Raises:
            OSError: what the operation says of a directory that a mount makes; ENOENT or EROFS where none is mounted.
        """
        route = self.tree.table.route(path)
        mount, inner, point, directory = route
        if point is None and directory is None and mount is not None:
            return mount, inner
        if point is not None:
            code = _OF_A_DIRECTORY.get(operation.name)
            if code is not None:
                raise os_error(code, path, hint=why(point))
        changes = operation.effect_in(options) in _CHANGES
        if mount is None:
            if changes and (point is not None or operation.name in _MAKING):
                raise os_error(errno.EROFS, path, hint="nothing is mounted here that could take it")
            raise not_found(path)
        if changes:
            self.make_real(point or directory)
        return mount, inner

    def make_real(self, point: Point | None) -> None:
        """Make a directory on the way to a mount point in the filesystem in which it lies."""
        if point is None or point.mount is not None or point.holder is None:
            return
        holder = point.holder
        if holder.can.directories:
            call(holder, FSSPEC["makedirs"], (holder.names.inward(point.path),), (point.path,), exist_ok=True)

    def _readlink(self, path: str) -> str:
        route = self.tree.table.route(path)
        mount = route.mount
        if route.point is not None:
            raise os_error(errno.EINVAL, path, hint="not a symbolic link")
        if mount is None:
            raise not_found(path)
        if not mount.can.symlinks:
            call(mount, FSSPEC["info"], (route.inner,), (path,))
            raise os_error(errno.EINVAL, path, hint="not a symbolic link")
        return str(call(mount, POSIX["readlink"], (route.inner,), (path,)))

    def _is_directory(self, path: str) -> bool:
        route = self.tree.table.route(path)
        if route.point is not None:
            return True
        return route.mount is not None and bool(call(route.mount, FSSPEC["isdir"], (route.inner,), (path,)))


def call(
    mount: Mount,
    operation: Operation,
    inner: tuple[str, ...],
    paths: tuple[str, ...],
    /,
    *arguments: Any,
    **options: Any,
) -> Any:
    """Ask one filesystem.

    Args:
        mount: it.
        operation: what for.
        inner: its own paths.
        paths: the same, as the tree names them, for errors.
        arguments: what follows the paths.
        options: the rest.

    Raises:
        OSError: of the filesystem, with the paths of the tree; ENOTSUP for what it has not, conditions included.
    """
    if not (mount.can.conditional_write or NAMES.isdisjoint(options)):
        refuse(taken_from(options), *paths[-1:])
    posix = getattr(mount.fs, "posix", None) if operation.posix else None
    if operation.posix and posix is None:
        raise not_supported(operation.name, *paths[:1])
    try:
        if posix is None:
            return getattr(mount.fs, operation.name)(*inner, *arguments, **options)
        return getattr(posix, operation.name)(**dict(zip(operation.paths, inner, strict=True)), **options)
    except Exception as error:
        found = mount.names.error(error, *paths)
        if found is error:
            raise
        raise found from error


def ways_in(mount: Mount, inner: str, path: str) -> list[Way]:
    """Where a directory of one filesystem is (``contract.whereabouts``); errors name its path in the tree."""
    try:
        return ways_of(mount.fs, inner)
    except OSError as error:
        found = mount.names.error(error, path)
        if found is error:
            raise
        raise found from error


def why(point: Point) -> str:
    """Why a directory cannot be replaced or removed, in words."""
    return "something is mounted here" if point.mount is not None else "something is mounted inside"
