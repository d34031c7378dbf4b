"""``ls`` and ``find`` of a tree: what filesystems list, with mount points in place and what they cover left out."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.contract.errors import not_found
from chuk_fsspec.contract.operations import FSSPEC
from chuk_fsspec.contract.paths import SPECIAL_NAMES
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
        listed = self._entries(route, real, options)
        if listed is None:
            return [self._describing.info(path) if detail else path]
        prefix = path if path.endswith("/") else f"{path}/"
        if not detail:
            return sorted({prefix + name for name in (*map(_name, listed), *points)})
        infos = [] if mount is None else self._describing.entries(mount, listed, prefix, points)
        infos += [self._describing.of_point(point, prefix + name) for name, point in points.items()]
        return sorted(infos, key=_by_path) if points or (mount is not None and not mount.names.is_ours) else infos

    def _entries(self, route: Route, real: str, options: Mapping[str, Any]) -> list[InfoDict] | None:
        """What the filesystem itself lists; None for what is no directory."""
        mount, inner, point, _ = route
        if mount is None:
            return []
        try:
            listed: list[InfoDict] = call(mount, FSSPEC["ls"], (inner,), (real,), detail=True, **options)
        except OSError as error:
            if point is None or point.mount is not None or error.errno not in _NO_DIRECTORY:
                raise
            return []
        own = inner.strip("/")
        if len(listed) == 1 and listed[0]["type"] != "directory" and listed[0]["name"].strip("/") == own:
            return None if point is None else []
        return listed if mount.names.is_ours else _without_doubles(listed, own)

    # ---- a whole tree

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **options: Any
    ) -> Any:
        """All files below a path, in all mounts, in order of their paths; links are listed and not followed."""

        def attempt(real: str) -> dict[str, InfoDict]:
            return self._find(real, path, maxdepth, withdirs, {"withdirs": withdirs, "detail": detail, **options})

        try:
            found = self._access.through(attempt, path)
        except (FileNotFoundError, NotADirectoryError):
            found = {}
        return dict(sorted(found.items())) if detail else sorted(found)

    def _find(
        self, real: str, path: str, maxdepth: int | None, withdirs: bool, options: Mapping[str, Any]
    ) -> dict[str, InfoDict]:
        route = self._tree.table.route(real)
        detail, cut, above = options["detail"], len(real.rstrip("/")), path.rstrip("/")

        def named(place: str) -> str:
            """A path as it was asked for: what lies behind a link is named through it."""
            return path if place == real else above + place[cut:]

        found: dict[str, InfoDict] = {}
        for piece in _pieces(route, real, maxdepth):
            for place, info in self._found(piece, detail, options):
                shown = place if real == path else named(place)
                found[shown] = self._describing.described(piece.mount, info, shown) if detail else info
        if real != path and found.keys() == {path}:
            return {path: self._describing.info(path) if detail else {}}
        if withdirs and route.point is not None:
            for point, level in _points(route.point, real):
                if maxdepth is None or level <= maxdepth:
                    shown = named(point.path)
                    found[shown] = self._describing.of_point(point, shown) if detail else {}
        return found

    def _found(self, piece: Piece, detail: bool, options: Mapping[str, Any]) -> list[tuple[str, InfoDict]]:
        """What one filesystem finds, with the paths of the tree, as far as it can be seen there."""
        start, names, points, covered = piece.start, piece.mount.names, piece.points, piece.covered
        inner = names.inward(start)
        try:
            listed = call(piece.mount, FSSPEC["find"], (inner,), (start,), maxdepth=piece.levels, **options)
        except OSError as error:
            if error.errno not in _NO_DIRECTORY:
                raise
            return []
        infos = list(listed.values()) if detail else [{}] * len(listed)
        return [
            (place, info)
            for place, info in zip(names.shown_below(start, listed), infos, strict=True)
            if place is not None and place not in points and not (covered and place.startswith(covered))
        ]


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


def _without_doubles(listed: Iterable[InfoDict], own: str) -> list[InfoDict]:
    """What a filesystem of others lists, without what is no entry of the directory.

    Where an object store has both an object ``a`` and objects below ``a/``, the directory is shown: it may hide one
    object, the other way a whole tree would be hidden.
    """
    found: dict[str, InfoDict] = {}
    for info in listed:
        name = _name(info)
        if name in SPECIAL_NAMES or info["name"].strip("/") == own:
            continue
        if name not in found or info["type"] == "directory":
            found[name] = info
    return list(found.values())


def _name(info: InfoDict) -> str:
    """The last component of what an info dict is about."""
    return str(info["name"]).rstrip("/").rpartition("/")[2]


def _by_path(info: InfoDict) -> str:
    return str(info["name"])
