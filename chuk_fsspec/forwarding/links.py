"""Symbolic links above filesystems that follow none (``Posix.nofollow``): where a path really leads.

Such a filesystem stops at a link (``LinkInTheWay``). Here the link is read, replaced by where it points, and the
filesystem is asked again, until no link is left in the way. Whoever has rules about paths sees each path that is used.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any, TypeVar

from chuk_fsspec.contract.errors import LinkInTheWay, os_error
from chuk_fsspec.contract.paths import is_inside, join, normalise, split

LINKS_MAX = 40
"""path_resolution(7): so many links may be followed on the way to one file."""

Result = TypeVar("Result")
Readlink = Callable[[str], str]
IsDirectory = Callable[[str], bool]

_VANISHED = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EINVAL))


def through_links(
    operation: Callable[..., Result], *paths: str, readlink: Readlink, is_directory: IsDirectory
) -> Result:
    """Run an operation, again for each link that it meets, with the link replaced by where it points.

    A target may be relative to the link's directory, absolute in the whole tree, and climb with ``..``, which counts
    from where the links before it lead.

    Args:
        operation: called with the paths; it raises ``LinkInTheWay`` for the first link that it would have to follow.
        paths: absolute normal paths, as many as it takes.
        readlink: the target of a link, EINVAL for what is none. It is asked for each link that was met, and where a
            target climbs with ``..`` for each name on the way, with paths that have no link before the last name.
        is_directory: whether a path that is no link is a directory; asked in the same places.

    Returns:
        What the operation returned.

    Raises:
        OSError: of the operation, with the paths as they were given here; ELOOP past 40 links.
    """
    try:
        return operation(*paths)
    except LinkInTheWay as met:
        first = met
    result: Result = _Following(operation, paths, readlink, is_directory).go_on(first)
    return result


class _Following:
    """An operation that has met its first link."""

    def __init__(
        self, operation: Callable[..., Any], paths: tuple[str, ...], readlink: Readlink, is_directory: IsDirectory
    ) -> None:
        self._operation = operation
        self._asked = paths
        self._current = list(paths)
        self._ways = [_Way(path, readlink, is_directory) for path in paths]

    def go_on(self, met: LinkInTheWay) -> Any:
        """Replace the link and ask again, until none is left. ELOOP past 40."""
        while True:
            link = os.fspath(met.filename)
            which = _which(self._current, link)
            if which is None:
                raise met
            self._current[which] = self._ways[which].past(self._current[which], link)
            try:
                return self._operation(*self._current)
            except LinkInTheWay as another:
                met = another
            except OSError as error:
                _name_as_given(error, self._asked, self._current)
                raise


class _Way:
    """One path on the way to where it leads: each link takes one of the forty that it may lead through."""

    def __init__(self, asked: str, readlink: Readlink, is_directory: IsDirectory) -> None:
        self._asked = asked
        self._left = LINKS_MAX
        self._readlink = readlink
        self._is_directory = is_directory

    def past(self, path: str, link: str) -> str:
        """The path with its first link replaced. ENOENT, ENOTDIR, ELOOP."""
        target = self._target(link)
        if target is None:
            return path  # it was removed or replaced meanwhile: what is there now is for the operation to say
        pending = path[len(link) + 1 :].split("/")[::-1] if len(path) > len(link) else []
        directory = self._turn(split(link)[0], target, pending)
        while "." in pending or ".." in pending:
            name = pending.pop()
            if name == "..":
                directory = split(directory)[0]
            elif name != ".":
                directory = self._enter(directory, name, pending)
        if not pending:
            return directory
        try:
            return normalise(join(directory, "/".join(reversed(pending))))
        except OSError as error:
            raise os_error(error.errno or errno.EIO, self._asked, hint="a link leads to such a path") from None

    def _enter(self, directory: str, name: str, pending: list[str]) -> str:
        """Go into a directory by its name, which may be a link. ENOENT, ENOTDIR, ELOOP."""
        step = join(directory, name)
        try:
            target = self._readlink(step)
        except OSError as error:
            if error.errno == errno.EINVAL and self._is_directory(step):
                return step
            code = errno.ENOTDIR if error.errno == errno.EINVAL else error.errno or errno.EIO
            raise os_error(code, self._asked) from error
        self._spend()
        return self._turn(directory, target, pending)

    def _turn(self, directory: str, target: str, pending: list[str]) -> str:
        """Put a target before what is pending; returns the directory from which it counts."""
        pending += _components(target)
        return "/" if target.startswith("/") else directory

    def _spend(self) -> None:
        """Count one link. ELOOP."""
        if not self._left:
            raise os_error(errno.ELOOP, self._asked)
        self._left -= 1

    def _target(self, link: str) -> str | None:
        """Where a link points; None if it is there no more."""
        self._spend()
        try:
            return self._readlink(link)
        except OSError as error:
            if error.errno in _VANISHED:
                return None
            raise


def _components(target: str) -> list[str]:
    """The components of a target, last first; a slash at the end asks for a directory and becomes ``.``."""
    components = [part for part in reversed(target.split("/")) if part not in ("", ".")]
    if target.endswith(("/", "/.")) and components:
        components.insert(0, ".")
    return components


def _which(paths: list[str], link: str) -> int | None:
    """The path that a link is in the way of: one that goes on behind it, before one that ends there."""
    behind = [number for number, path in enumerate(paths) if path != link and is_inside(path, link)]
    if behind:
        return behind[0]
    return paths.index(link) if link in paths else None


def _name_as_given(error: OSError, paths: tuple[str, ...], current: list[str]) -> None:
    """Put the paths that the caller knows into an error."""
    if len(paths) > 1 and error.filename2 is not None:
        error.filename, error.filename2 = paths
    else:
        given = dict(zip(reversed(current), reversed(paths), strict=True))
        error.filename = given.get(error.filename, paths[0])
