"""What a plan means for a place as it is now: what is made, replaced and kept. Nothing is changed."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.contract.errors import not_supported
from chuk_fsspec.templates import checks
from chuk_fsspec.templates.places import Place
from chuk_fsspec.templates.planned import Plan, PlannedDirectory, PlannedFile, PlannedLink

ERROR, KEEP, REPLACE = ON_EXISTING = ("error", "keep", "replace")
"""What becomes of files and links that are there already. Directories that are there are always used as they are."""


@dataclass(frozen=True)
class Write:
    """A file or link to be made.

    Attributes:
        entry: what.
        path: its path in the filesystem.
        replaced: what is known of the entry whose place it takes; None if the name is free.
    """

    entry: PlannedFile | PlannedLink
    path: str
    replaced: Mapping[str, Any] | None

    @property
    def action(self) -> str:
        """One word for people."""
        if self.replaced is not None:
            return "replace"
        return "link" if isinstance(self.entry, PlannedLink) else "write"


@dataclass(frozen=True)
class Survey:
    """What is to be done in a place.

    Attributes:
        above: directories that are missing on the way to the place, its own included.
        directories: those to be made, with their paths in the filesystem, each before those in it.
        writes: files, then links.
        kept: paths in the filesystem of what is there and stays.
    """

    above: tuple[str, ...]
    directories: tuple[tuple[str, PlannedDirectory], ...]
    writes: tuple[Write, ...]
    kept: tuple[str, ...]

    def actions(self) -> list[tuple[str, str]]:
        """Each path with what happens to it: "make", "write", "link", "replace" or "keep"."""
        made = [("make", path) for path in (*self.above, *(path for path, _ in self.directories))]
        written = [(write.action, write.path) for write in self.writes]
        return [*made, *written, *(("keep", path) for path in self.kept)]


def survey(plan: Plan, place: Place, on_existing: str = ERROR) -> Survey:
    """Compare a plan with what is there.

    Args:
        plan: what is to be made.
        place: where.
        on_existing: "error", "keep" or "replace" files and links that are there.

    Raises:
        ValueError: for another word.
        OSError: EEXIST for what is there; ENOTDIR, EISDIR where one is a directory and the other is not; ELOOP for a
            link where a directory is needed; ENOTSUP for links on a filesystem that has none.
    """
    checks.choice(on_existing, ON_EXISTING, "on_existing")
    if plan.links and not place.capabilities.symlinks:
        raise not_supported(f"{plan.links[0].where}: symbolic links", plan.links[0].path)
    return _Surveying(place, on_existing).run(plan)


class _Surveying:
    def __init__(self, place: Place, on_existing: str) -> None:
        self._place = place
        self._on_existing = on_existing
        self._new: set[str] = set()

    def run(self, plan: Plan) -> Survey:
        above = self._place.missing_above()
        if self._place.root in above:
            self._new.add("/")
        else:
            self._is_directory("/", "target")
        directories: list[tuple[str, PlannedDirectory]] = []
        for directory in plan.directories:
            if directory.path != "/" and not self._is_directory(directory.path, directory.where):
                directories.append((self._place.path_of(directory.path), directory))
                self._new.add(directory.path)
        writes: list[Write] = []
        kept: list[str] = []
        for entry in plan.entries:
            path = self._place.path_of(entry.path)
            replaced = self._there(entry.path)
            if replaced is not None and self._keeps(entry, path, replaced):
                kept.append(path)
            else:
                writes.append(Write(entry, path, replaced))
        return Survey(tuple(above), tuple(directories), tuple(writes), tuple(kept))

    def _there(self, below: str) -> Mapping[str, Any] | None:
        """What is there; nothing can be in a directory that is new."""
        if below != "/" and (below.rpartition("/")[0] or "/") in self._new:
            return None
        return self._place.entry(self._place.path_of(below))

    def _is_directory(self, below: str, where: str) -> bool:
        """Whether a directory is there. ENOTDIR, ELOOP for something else."""
        info = self._there(below)
        if info is None or info["type"] == "directory":
            return info is not None
        path = self._place.path_of(below)
        if info["type"] == "link":
            raise checks.refused(errno.ELOOP, path, where, "a link is there, which could lead out of the target")
        raise checks.refused(errno.ENOTDIR, path, where, "something else is there already")

    def _keeps(self, entry: PlannedFile | PlannedLink, path: str, info: Mapping[str, Any]) -> bool:
        """Whether what is there stays. EEXIST, EISDIR."""
        if info["type"] == "directory":
            raise checks.refused(errno.EISDIR, path, entry.where, "a directory is there already")
        if self._on_existing == ERROR:
            raise checks.refused(
                errno.EEXIST, path, entry.where, 'is there already; on_existing="keep" or "replace" allows that'
            )
        return self._on_existing == KEEP
