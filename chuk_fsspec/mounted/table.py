"""What is mounted where: a prefix tree of mount points, as it is at one moment."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.paths import join
from chuk_fsspec.mounted.config import MountConfig
from chuk_fsspec.mounted.names import Names

_ROUTES_MAX = 4096


@dataclass(frozen=True, eq=False)
class Mount:
    """A filesystem in its place.

    Attributes:
        path: the mount point.
        number: tells it from all others that its tree has ever had; 0 for the first.
        fs: the filesystem, in a view that follows no links where it has links.
        names: translates its paths.
        can: what it can do.
        config: what it was made of.
    """

    path: str
    number: int
    fs: AbstractFileSystem
    names: Names
    can: Capabilities
    config: MountConfig

    @property
    def identity(self) -> str:
        """Tells the files that are mounted, and where, from all others."""
        try:
            store = self.fs.fsid
        except NotImplementedError:
            plain = self.config.plain()
            store = f"instance-{id(self.fs)}" if self.config.filesystem is not None else str(plain)
        return f"{self.path}={store}:{self.names.root}"


class Point:
    """A directory that a mount makes: the mount point itself, or one on the way to it."""

    __slots__ = ("children", "holder", "mount", "path")

    def __init__(self, path: str, mount: Mount | None, holder: Mount | None) -> None:
        self.path = path
        self.mount = mount
        """What is mounted here; None for a directory on the way."""
        self.holder = holder
        """The mount in which its entry lies; None where there is none."""
        self.children: dict[str, Point] = {}

    @property
    def lies_in(self) -> Mount | None:
        """The mount that answers for what is inside."""
        return self.mount or self.holder

    def below(self) -> Iterator[Point]:
        """All points below this one, each before those in it."""
        for child in self.children.values():
            yield child
            yield from child.below()


class Route(NamedTuple):
    """Where a path leads.

    Attributes:
        mount: the mount that answers for it; None where nothing is mounted.
        inner: the filesystem's own path.
        point: set if a mount makes this very path a directory.
        directory: set if a mount makes the directory of this path one.
    """

    mount: Mount | None
    inner: str
    point: Point | None
    directory: Point | None


class MountTable:
    """All mounts. It is never changed: another table takes its place.

    Args:
        mounts: from mount point to mount.
    """

    def __init__(self, mounts: Mapping[str, Mount]) -> None:
        self.mounts = dict(sorted(mounts.items()))
        self.made = time.time()
        """When it came about, in seconds since the epoch: the time of directories that nothing but mounts makes."""
        top = self.mounts.get("/")
        self.top = Point("/", top, None)
        for path, mount in self.mounts.items():
            self._add(path, mount)
        self._routes: dict[str, tuple[Mount | None, str, Point | None]] = {}

    def _add(self, path: str, mount: Mount) -> None:
        """Mounts come in the order of their paths, so that what holds another one comes before it."""
        point = self.top
        for name in filter(None, path.split("/")):
            child = point.children.get(name)
            if child is None:
                child = point.children[name] = Point(join(point.path, name), None, point.lies_in)
            point = child
        point.mount = mount

    def with_mount(self, mount: Mount) -> MountTable:
        """The table with one more mount."""
        return MountTable({**self.mounts, mount.path: mount})

    def without(self, path: str) -> MountTable:
        """The table with one mount less."""
        return MountTable({point: mount for point, mount in self.mounts.items() if point != path})

    def route(self, path: str) -> Route:
        """Where a normal path leads; the mount with the longest matching path answers."""
        parent, _, name = path.rpartition("/")
        known = self._routes.get(parent)
        if known is None:
            known = self._learn(parent)
        mount, prefix, directory = known
        if directory is not None:
            if not name:
                return Route(self.top.mount, self._root_path(), self.top, None)
            point = directory.children.get(name)
            if point is not None:
                lies_in = point.lies_in
                return Route(lies_in, lies_in.names.inward(path) if lies_in else path, point, directory)
        return Route(mount, prefix + name, None, directory)

    def point(self, path: str) -> Point | None:
        """The point of a normal path, if a mount makes it a directory."""
        point: Point | None = self.top
        for name in filter(None, path.split("/")):
            point = point.children.get(name) if point is not None else None
        return point

    def inside(self, path: str) -> list[Mount]:
        """Mounts whose mount point is a normal path or lies below it."""
        point = self.point(path)
        if point is None:
            return []
        return [one.mount for one in (point, *point.below()) if one.mount is not None]

    def together(self, paths: Iterable[str]) -> list[tuple[Mount | None, list[int]]]:
        """Numbers of the paths of a list, by the mount in which they lie, in the order in which mounts appear."""
        groups: dict[int, tuple[Mount | None, list[int]]] = {}
        for number, path in enumerate(paths):
            mount = self.route(path).mount
            groups.setdefault(id(mount), (mount, []))[1].append(number)
        return list(groups.values())

    def _root_path(self) -> str:
        return self.top.mount.names.root if self.top.mount is not None else "/"

    def _learn(self, parent: str) -> tuple[Mount | None, str, Point | None]:
        """Find out what answers for the entries of a directory, and remember it."""
        point: Point | None = self.top
        mount = self.top.mount
        for name in filter(None, parent.split("/")):
            point = point.children.get(name) if point is not None else None
            if point is not None:
                mount = point.lies_in
        prefix = f"{parent}/" if mount is None else _as_prefix(mount.names.inward(parent or "/"))
        known = mount, prefix, point
        if len(self._routes) >= _ROUTES_MAX:
            self._routes = {}
        self._routes[parent] = known
        return known


def _as_prefix(inner: str) -> str:
    return inner if not inner or inner.endswith("/") else f"{inner}/"
