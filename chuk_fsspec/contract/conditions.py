"""Preconditions of a change: what has to be at a path for it to be made (RFC 9110, 13.1.1 and 13.1.2).

An etag is what ``info`` shows. One that was seen once never comes back with other content, so a change that asks for it
is made to what the caller has seen, or not at all.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.errors import PreconditionFailed, os_error, precondition_failed

ANY = "*"
"""In place of an etag: anything that is there."""

Etags = str | Mapping[str, str | None] | None
"""What bulk operations take: one etag for all their paths, or one for each."""


@dataclass(frozen=True)
class Condition:
    """What has to be at one path.

    Attributes:
        if_match: the etag that the file has to have; ``*`` for any file; None for no such condition.
        if_none_match: the etag that it must not have; ``*`` if nothing may be there; None for no such condition.
    """

    if_match: str | None = None
    if_none_match: str | None = None

    @property
    def is_new(self) -> bool:
        """Whether nothing may be there, not even a link that leads to nothing."""
        return self.if_none_match == ANY

    @property
    def compares(self) -> bool:
        """Whether it is about the content of a regular file, and not only about whether something is there."""
        return self.if_match not in (None, ANY) or self.if_none_match not in (None, ANY)

    def holds(self, found: str | None) -> bool:
        """Whether it is met by what is there: an etag, or None for nothing."""
        is_other = self.if_none_match is None or found is None or self.if_none_match not in (ANY, found)
        return self._matches(found) and is_other

    def _matches(self, found: str | None) -> bool:
        return self.if_match is None or (found is not None and self.if_match in (ANY, found))

    def require(self, path: str, found: str | None) -> None:
        """Raise ``PreconditionFailed`` for an absolute path unless the condition is met by what is there."""
        if not self.holds(found):
            raise self.failure(path, found)

    def failure(self, path: str, found: str | None) -> PreconditionFailed:
        """The error for an absolute path at which something else is: an etag, or None for nothing."""
        expected = None if self._matches(found) else self.if_match
        return precondition_failed(path, expected, found, exists=self.is_new)


def condition_of(if_match: str | None = None, if_none_match: str | None = None) -> Condition | None:
    """The condition that two arguments of a call state; None if they state none.

    Raises:
        TypeError: for an etag that is no string.
        ValueError: for an empty one, and for two that no file can meet.
    """
    if if_match is None and if_none_match is None:
        return None
    for name, etag in (("if_match", if_match), ("if_none_match", if_none_match)):
        if etag is not None and not isinstance(etag, str):
            raise TypeError(f"{name} is an etag as info() shows it, or '*', and not {type(etag).__name__}")
        if etag == "":
            raise ValueError(f"{name} is empty: leave it out, or pass None, for no condition")
    if if_match is not None and if_none_match in (ANY, if_match):
        raise ValueError(f"if_match={if_match!r} and if_none_match={if_none_match!r} cannot both be met")
    return Condition(if_match, if_none_match)


def require_change(mode: str) -> None:
    """ValueError for conditions of an ``open`` in a mode that changes nothing."""
    if mode == "rb":
        raise ValueError("if_match and if_none_match are conditions of a change, and mode 'rb' makes none")


def refuse_etags(path: str, *conditions: Condition | None) -> None:
    """EISDIR if an etag is asked of a directory at an absolute path: its own says nothing of what it holds."""
    if any(condition is not None and condition.compares for condition in conditions):
        raise os_error(errno.EISDIR, path, hint="a directory has no etag to compare; '*' takes anything")


def given(**conditions: Any) -> dict[str, Any]:
    """The conditions of a call that are not None, to be handed on."""
    return {name: value for name, value in conditions.items() if value is not None}


def arguments_of(condition: Condition | None) -> dict[str, Any]:
    """A condition as the arguments of a call."""
    return {} if condition is None else given(if_match=condition.if_match, if_none_match=condition.if_none_match)


def pipe_each(fs: AbstractFileSystem, contents: Mapping[str, Any], if_match: Etags, if_none_match: Etags) -> None:
    """``fs.pipe`` on conditions: write each of a mapping from path to content in a step of its own.

    Args:
        fs: where.
        contents: by path.
        if_match: as for ``conditions_by_path``.
        if_none_match: likewise.

    Raises:
        PreconditionFailed: with nothing done, unless a file was changed after the first one was written.
    """
    values = {fs._strip_protocol(path): value for path, value in contents.items()}
    for path, condition in conditions_by_path(fs, values, if_match, if_none_match).items():
        fs.pipe_file(path, values[path], **arguments_of(condition))


def remove_each(fs: AbstractFileSystem, paths: Iterable[str], if_match: Etags) -> None:
    """``fs.rm`` on conditions: remove each of some normal paths, which are files or links, in a step of its own.

    Args:
        fs: where.
        paths: what is removed.
        if_match: as for ``conditions_by_path``.

    Raises:
        OSError: as ``rm_file``.
        PreconditionFailed: with nothing done, unless a file was changed after the first one was removed.
    """
    for path, condition in conditions_by_path(fs, paths, if_match).items():
        fs.rm_file(path, **arguments_of(condition))


def conditions_by_path(
    fs: AbstractFileSystem, paths: Iterable[str], if_match: Etags = None, if_none_match: Etags = None
) -> dict[str, Condition | None]:
    """What a bulk operation asks of each of its paths, looked at before the first one is changed.

    In a transaction they are looked at when they are changed: what it is going to write is not there as yet.

    Args:
        fs: where.
        paths: normal paths.
        if_match: one etag for all; or by path, where None says that a path is changed in any case.
        if_none_match: likewise.

    Raises:
        PreconditionFailed: if one is not met already.
        TypeError: for an etag that is no string.
        ValueError: for a path that a mapping does not have: it would be changed unseen.
    """
    paths = list(paths)
    wanted = etags_by_path(fs, paths, "if_match", if_match)
    unwanted = etags_by_path(fs, paths, "if_none_match", if_none_match)
    conditions = {path: condition_of(wanted[path], unwanted[path]) for path in paths}
    for path, condition in conditions.items():
        if condition is not None and not fs._intrans:  # noqa: SLF001 - fsspec has no public name for it
            condition.require(path, etag_at(fs, path, follow=not condition.is_new))
    return conditions


def etags_by_path(fs: AbstractFileSystem, paths: list[str], name: str, etags: Etags) -> dict[str, str | None]:
    """The etag for each of some normal paths, as the argument of this name gives it.

    Raises:
        ValueError: for a path that a mapping does not have: it would be changed unseen.
    """
    if not isinstance(etags, Mapping):
        return dict.fromkeys(paths, etags)
    known = {fs._strip_protocol(path): etag for path, etag in etags.items()}
    missing = [path for path in paths if path not in known]
    if missing:
        raise ValueError(f"{name} has no etag for {missing[0]!r}: give it one, or None to change it in any case")
    return {path: known[path] for path in paths}


def etag_at(fs: AbstractFileSystem, path: str, *, follow: bool = True) -> str | None:
    """The etag that ``info`` shows for a path, empty for what has none; None if nothing is there.

    Args:
        fs: where.
        path: an absolute path.
        follow: whether a link to nothing counts as nothing.
    """
    try:
        info = fs.info(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if follow and info["type"] == "link" and not fs.exists(path):
        return None
    return str(info.get("etag", ""))
