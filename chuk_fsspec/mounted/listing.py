"""``ls`` and ``find`` of a tree: what filesystems list, with mount points in place and what they cover left out."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.contract.errors import not_found
from chuk_fsspec.contract.operations import FSSPEC
from chuk_fsspec.contract.paths import SPECIAL_NAMES, join
from chuk_fsspec.mounted.access import Access, call
from chuk_fsspec.mounted.describing import Describing, InfoDict
from chuk_fsspec.mounted.table import Mount, Point, Route

_NO_DIRECTORY = frozenset((errno.ENOENT, errno.ENOTDIR))


@dataclass(frozen=True)
class Piece:
    """What one mount has of a tree that is searched.

    Attributes:
        mount: the mount.
        start: where the search begins in it, as the tree names it.
        levels: how many levels down it goes; None for all.
        points: directories below that mounts make: they are described as such.
        covered: what lies under the mount points among them, as the beginnings of paths.
    """

    mount: Mount
    start: str
    levels: int | None
    points: frozenset[str]
    covered: tuple[str, ...]


class Listing:
    """Lists directories and trees."""

    def __init__(self, access: Access, describing: Describing) -> None:
        self._access = access
        self._tree = access.tree
        self._describing = describing

    # ---- one directory

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        """A directory's entries, or the one entry that a path is; mount points among them, in order of their names."""
        return self._access.through(lambda real: self._ls(real, path, detail, options), path)

    def _ls(self, real: str, path: str, detail: bool, options: Mapping[str, Any]) -> list[Any]:
        route = self._tree.table.route(real)
        mount, points = route.mount, route.point.children if route.point is not None else {}
        if mount is None and route.point is None:
            raise not_found(real)
        found = self._entries(route, real, options)
        if found is None:
            return [self._describing.info(path) if detail else path]
        if not detail:
            return sorted(join(path, name) for name in {*found, *points})
        described = self._describing.described
        infos = {
            name: described(mount, info, join(path, name))
            for name, info in found.items()
            if mount is not None and name not in points
        }
        infos |= {name: self._describing.of_point(point, join(path, name)) for name, point in points.items()}
        return [infos[name] for name in sorted(infos)]

    def _entries(self, route: Route, real: str, options: Mapping[str, Any]) -> dict[str, InfoDict] | None:
        """What the filesystem itself lists, by name; None for what is no directory."""
        mount, inner, point, _ = route
        if mount is None:
            return {}
        try:
            listed = call(mount, FSSPEC["ls"], (inner,), (real,), detail=True, **options)
        except OSError as error:
            if point is None or point.mount is not None or error.errno not in _NO_DIRECTORY:
                raise
            return {}
        own = inner.strip("/")
        if len(listed) == 1 and listed[0]["type"] != "directory" and listed[0]["name"].strip("/") == own:
            return None if point is None else {}
        return _by_name(listed, own)

    # ---- a whole tree

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **options: Any
    ) -> Any:
        """All files below a path, in all mounts, in order of their paths; links are listed and not followed."""

        def attempt(real: str) -> dict[str, InfoDict]:
            return self._find(real, path, maxdepth, withdirs, {"withdirs": withdirs, "detail": detail, **options})

        found = self._access.through(attempt, path)
        return dict(sorted(found.items())) if detail else sorted(found)

    def _find(
        self, real: str, path: str, maxdepth: int | None, withdirs: bool, options: Mapping[str, Any]
    ) -> dict[str, InfoDict]:
        route = self._tree.table.route(real)
        detail, cut, above = options["detail"], len(real.rstrip("/")), path.rstrip("/")
        found: dict[str, InfoDict] = {}
        for piece in _pieces(route, real, maxdepth):
            for name, info in self._found(piece, options):
                shown = above + name[cut:] or "/"
                found[shown] = self._describing.described(piece.mount, info, shown) if detail else info
        if real != path and found.keys() == {path}:
            return {path: self._describing.info(path) if detail else {}}
        if withdirs and route.point is not None:
            for point, level in _points(route.point, real):
                if maxdepth is None or level <= maxdepth:
                    shown = above + point.path[cut:] or "/"
                    found[shown] = self._describing.of_point(point, shown) if detail else {}
        return found

    def _found(self, piece: Piece, options: Mapping[str, Any]) -> Iterator[tuple[str, InfoDict]]:
        """What one filesystem finds, with the paths of the tree, as far as it can be seen there."""
        names = piece.mount.names
        start = piece.start
        try:
            listed = call(
                piece.mount, FSSPEC["find"], (names.inward(start),), (start,), maxdepth=piece.levels, **options
            )
        except OSError as error:
            if error.errno not in _NO_DIRECTORY:
                raise
            return
        for name in listed:
            shown = names.shown(name)
            if shown is None or shown in piece.points or shown.startswith(piece.covered):
                continue
            yield shown, listed[name] if options["detail"] else {}


def _pieces(route: Route, real: str, maxdepth: int | None) -> Iterator[Piece]:
    """The parts of a tree by mount, each with the part of the search that falls to it."""
    start = route.point
    if start is None:
        if route.mount is not None:
            yield Piece(route.mount, real, maxdepth, frozenset(), ())
        return
    for point, level in _points(start, real):
        mount = point.lies_in
        levels = None if maxdepth is None else maxdepth - level
        if mount is None or (point.mount is None and point is not start) or (levels is not None and levels < 1):
            continue
        below = list(point.below())
        yield Piece(
            mount,
            point.path,
            levels,
            frozenset([point.path, *(one.path for one in below)]),
            tuple(f"{one.path}/" for one in below if one.mount is not None),
        )


def _points(start: Point, real: str) -> Iterator[tuple[Point, int]]:
    """A point and all below it, each with its number of levels below a path."""
    base = real.rstrip("/").count("/")
    for point in (start, *start.below()):
        yield point, point.path.rstrip("/").count("/") - base


def _by_name(listed: Iterable[InfoDict], own: str) -> dict[str, InfoDict]:
    """Entries by name.

    Where an object store has both an object ``a`` and objects below ``a/``, the directory is shown: it may hide one
    object, the other way a whole tree would be hidden.
    """
    found: dict[str, InfoDict] = {}
    for info in listed:
        full = info["name"].rstrip("/")
        name = full.rpartition("/")[2]
        if name in SPECIAL_NAMES or full.strip("/") == own:
            continue
        if name not in found or info["type"] == "directory":
            found[name] = info
    return found
