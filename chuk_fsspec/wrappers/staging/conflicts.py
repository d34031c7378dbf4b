"""What somebody else has done to the base meanwhile, where the stage wants to change it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from chuk_fsspec.contract.changes import Kind
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.wrappers.staging.base import Base
from chuk_fsspec.wrappers.staging.differences import Difference
from chuk_fsspec.wrappers.staging.overlay import Overlay
from chuk_fsspec.wrappers.staging.record import Seen

_FASTER = frozenset((errno.EEXIST, errno.ENOENT, errno.ESTALE, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY))
"""What a step fails with where somebody was faster."""


class StageConflict(OSError):  # noqa: N818 - as git calls it
    """ESTALE: the base is no longer what the stage was made on. Nothing was changed, the stage is as it was.

    Attributes:
        conflicts: what happened, by path.
    """

    def __init__(self, conflicts: Mapping[str, str]) -> None:
        first = min(conflicts)
        told = ", ".join(f"{path} {what}" for path, what in sorted(conflicts.items()))
        hint = "commit(paths=...) takes the others, abort() drops all"
        super().__init__(errno.ESTALE, f"{os.strerror(errno.ESTALE)}: since it was staged, {told}; {hint}", first)
        self.conflicts = dict(conflicts)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths about which there is a conflict, in order."""
        return tuple(sorted(self.conflicts))


def conflicts_of(overlay: Overlay, chosen: list[Difference]) -> dict[str, str]:
    """Look at the base again, at each path that is going to change.

    Args:
        overlay: the stage.
        chosen: what is going to be committed.

    Returns:
        By path in the base, what somebody did to it.
    """
    leaving = {one.origin for one in chosen if one.change.kind in (Kind.REMOVED, Kind.RENAMED)}
    found: dict[str, str] = {}
    for one in chosen:
        if one.origin is not None:
            found |= _of_origin(overlay, one, one.origin)
        if one.change.kind in (Kind.ADDED, Kind.RENAMED) and one.place is not None:
            found |= _of_new_name(overlay, one.place.below, leaving)
    return found


@contextmanager
def told(base: Base, path: str, expected: Seen | None) -> Iterator[None]:
    """A step that may fail because somebody was faster after all: then it is a ``StageConflict``.

    Args:
        base: the filesystem below.
        path: what the step is about.
        expected: what was there; None if nothing was.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FASTER:
            happened = _happened(base, path, expected)
            if happened:
                raise StageConflict({path: happened}) from error
        raise


def require_unchanged(base: Base, path: str, place: str, expected: Seen) -> None:
    """Look at what was taken aside, where nobody else finds it. StageConflict if it is not what was seen."""
    found = base.look(place)
    if found is not None and found.differs(expected):
        raise StageConflict({path: "was changed"})


@contextmanager
def empty(base: Base, path: str) -> Iterator[None]:
    """A step that removes a directory, of which all that was seen is gone. StageConflict if there is more."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.ENOENT, errno.ENOTDIR):
            raise
        appeared = {join(path, name): "appeared" for name in base.names(path)}
        raise StageConflict(appeared or {path: "was changed"}) from error


def _happened(base: Base, path: str, expected: Seen | None) -> str:
    """What somebody did to a path; empty if nothing."""
    now = base.look(path)
    if now is None:
        return "was removed" if expected is not None else ""
    if expected is None:
        return "appeared"
    return "was changed" if now.differs(expected) else ""


def _of_origin(overlay: Overlay, one: Difference, origin: str) -> dict[str, str]:
    happened = _happened(overlay.base, origin, one.first)
    if happened:
        return {origin: happened}
    if one.change.kind is Kind.REMOVED and one.change.facts.type == "directory":
        known = overlay.book.gone.get(origin, {})
        return {join(origin, name): "appeared" for name in overlay.base.entries(origin) if name not in known}
    return {}


def _of_new_name(overlay: Overlay, below: str | None, leaving: set[str | None]) -> dict[str, str]:
    """``below`` is None in a directory that is new itself."""
    if below is None or below in leaving:
        return {}
    if overlay.base.look(below) is not None:
        return {below: "appeared"}
    above = split(below)[0]
    parent = overlay.base.look(above) if above != "/" else None
    if above != "/" and (parent is None or parent.facts.type != "directory"):
        return {} if parent is None and not overlay.base.capabilities.directories else {above: "was removed"}
    return {}
