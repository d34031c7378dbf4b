"""Where the nodes of mounts meet: which directories hold mount points, and which nodes those are."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.operations import FSSPEC
from chuk_fsspec.contract.paths import split
from chuk_fsspec.mounted.access import call
from chuk_fsspec.mounted.node import MadeNode, MountedNode, Place
from chuk_fsspec.mounted.table import Mount, Point
from chuk_fsspec.mounted.tree import Tree

TreeNode = MountedNode | MadeNode


class Joints:
    """The points of a tree as nodes.

    A directory in which a point lies is known by its number. One on the way to a mount point is the filesystem's own
    where it has one, and is looked up each time, for others may make it or remove it.

    Args:
        tree: the tree.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.places: dict[int, Place] = {}
        """The mounts by their numbers."""
        self._points: dict[int, Point] = {}
        self._inos: dict[str, int] = {}

    def follow_table(self) -> list[Place]:
        """Take over the mounts that there are now; returns the places that are no more."""
        table = self._tree.table
        mounts = {mount.number: mount for mount in table.mounts.values()}
        before = self.places
        added = {number: Place(mount, self._tree.numbers) for number, mount in mounts.items() if number not in before}
        self.places = {**{number: place for number, place in before.items() if number in mounts}, **added}
        points = [table.top, *table.top.below()]
        for point in points:
            self.at(point)
        # In between, others find the old points or the new ones, but never none.
        self._inos = {point.path: self._inos[point.path] for point in points if point.children}
        self._points = {ino: self._points[ino] for ino in self._inos.values()}
        return [place for number, place in before.items() if number not in mounts]

    def point_in(self, directory: TreeNode, name: str) -> Point | None:
        """The point that an entry of a directory is, if a mount makes it one."""
        point = self._points.get(directory.ino)
        return None if point is None else point.children.get(name)

    def points_in(self, directory: TreeNode) -> dict[str, Point]:
        """All points in a directory, by name."""
        point = self._points.get(directory.ino)
        return {} if point is None else point.children

    def at(self, point: Point) -> TreeNode:
        """The node of a point, as it is now."""
        if point.mount is not None or point.path == "/":
            return self._noted(point, self._own(point))
        return self.entry(self.at(self.point_above(point)), point)

    def point_above(self, point: Point) -> Point:
        """The point in which a point lies; the root's is the root."""
        return self._tree.table.point(split(point.path)[0]) or self._tree.table.top

    def entry(self, directory: TreeNode, point: Point) -> TreeNode:
        """The node of a point that lies in a directory."""
        if point.mount is None and isinstance(directory, MountedNode):
            place = directory.place
            found = place.nodes.lookup(directory.node, split(point.path)[1]) if place.mount is point.holder else None
            if found is not None and stat.S_ISDIR(found.mode):
                return self._noted(point, MountedNode(place, found))
        return self._noted(point, self._own(point))

    def above(self, directory: MountedNode) -> TreeNode | None:
        """The directory that holds a mount point, for the root of a mount; None for any other directory."""
        place = directory.place
        if directory.node.ino != place.root.ino:
            return None
        if place.mount.path == "/":
            return directory
        above = self._tree.table.point(split(place.mount.path)[0])
        return self.at(above or self._tree.table.top)

    def made_real(self, node: MadeNode) -> MountedNode:
        """The directory of a filesystem in place of one that only mounts make; it is made there. EROFS."""
        point = node.point
        if point.holder is None or not point.holder.can.directories:
            raise os_error(errno.EROFS, point.path, hint="nothing is mounted here that could take it")
        call(point.holder, FSSPEC["makedirs"], (point.holder.names.inward(point.path),), (point.path,), exist_ok=True)
        found = self.at(point)
        if isinstance(found, MadeNode):
            raise os_error(errno.EROFS, point.path, hint="the filesystem there makes no directory")
        return found

    def on_the_way(self, mount: Mount) -> Iterator[tuple[TreeNode, str]]:
        """Directories on the way to a mount point, each with the name that leads on, as far as they are there."""
        node: TreeNode = self.at(self._tree.table.top)
        for name in filter(None, mount.path.split("/")):
            yield node, name
            point = self.point_in(node, name)
            if point is not None:
                node = self.entry(node, point)
                continue
            found = node.place.nodes.lookup(node.node, name) if isinstance(node, MountedNode) else None
            if found is None or not isinstance(node, MountedNode) or not stat.S_ISDIR(found.mode):
                return
            node = MountedNode(node.place, found)

    def _own(self, point: Point) -> TreeNode:
        if point.mount is not None:
            place = self.places[point.mount.number]
            return MountedNode(place, place.root)
        return MadeNode(point, self._tree.numbers.of_made(point.path), int(self._tree.table.made * 1e9))

    def _noted(self, point: Point, node: TreeNode) -> TreeNode:
        """Remember by its number a directory in which points lie."""
        if point.children:
            before = self._inos.get(point.path)
            if before is not None and before != node.ino:
                self._points.pop(before, None)
            self._inos[point.path] = node.ino
            self._points[node.ino] = point
        return node
