"""``posix.nodes`` of a tree: the inode operations of its mounts, joined at the mount points."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Container, Sequence
from contextlib import closing
from typing import Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Change
from chuk_fsspec.contract.posix import Buffer, Handle, StatVfs
from chuk_fsspec.mounted.access import why
from chuk_fsspec.mounted.joints import Joints, TreeNode
from chuk_fsspec.mounted.node import MadeNode, MountedNode, Place
from chuk_fsspec.mounted.spreading import Ending, Held, Spread, translated
from chuk_fsspec.mounted.table import Mount
from chuk_fsspec.mounted.tree import Tree

_NO_FIGURES = StatVfs(block_size=4096, blocks=0, blocks_free=0, files=0, files_free=0, name_max=255)


class MountedNodes:
    """One door's view of a tree (``contract.NodeOperations``)."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._joints = Joints(tree)
        self._spread: list[Spread] = []
        self._tables: list[Container[int]] = []
        self._callbacks: list[Change] = []
        self._joints.follow_table()
        self._sum_up()
        tree.note_holder(self)

    def _sum_up(self) -> None:
        places = list(self._joints.places.values())
        self.stateless = all(place.nodes.stateless for place in places)
        self.slow = any(place.nodes.slow for place in places)
        self.announces = all(place.nodes.announces for place in places) and not self._makes_directories()

    def _makes_directories(self) -> bool:
        """Whether a directory is there only because a mount lies below it: somebody may make it for real, unseen."""
        points = self._tree.table.top.below()
        return any(point.mount is None for point in points) or self._tree.table.top.mount is None

    # ---- looking

    @property
    def root(self) -> TreeNode:
        """The root directory of the tree."""
        return self._joints.at(self._tree.table.top)

    def lookup(self, directory: TreeNode, name: str) -> TreeNode | None:
        point = self._joints.point_in(directory, name)
        if point is not None:
            return self._joints.entry(directory, point)
        if isinstance(directory, MadeNode):
            real = self._joints.at(directory.point)
            return None if isinstance(real, MadeNode) else self.lookup(real, name)
        place = directory.place
        found = place.nodes.lookup(directory.node, name)
        return None if found is None else MountedNode(place, found)

    def getattr(self, node: TreeNode) -> TreeNode:
        if isinstance(node, MadeNode):
            return node
        fresh = node.place.nodes.getattr(node.node)
        return node if fresh is node.node else MountedNode(node.place, fresh)

    def parent(self, directory: TreeNode) -> TreeNode:
        if isinstance(directory, MadeNode):
            return self._joints.at(self._joints.point_above(directory.point))
        above = self._joints.above(directory)
        return MountedNode(directory.place, directory.place.nodes.parent(directory.node)) if above is None else above

    def entries(self, directory: TreeNode) -> Sequence[tuple[str, TreeNode]]:
        points = self._joints.points_in(directory)
        if isinstance(directory, MadeNode):
            real = self._joints.at(directory.point)
            if isinstance(real, MountedNode):
                return self.entries(real)
            return [(name, self._joints.entry(directory, point)) for name, point in points.items()]
        place = directory.place
        listed: list[tuple[str, TreeNode]] = [
            (name, MountedNode(place, node)) for name, node in place.nodes.entries(directory.node) if name not in points
        ]
        return [*listed, *((name, self._joints.entry(directory, point)) for name, point in points.items())]

    # ---- making

    def create(self, directory: TreeNode, name: str, mode: int, uid: int, gid: int, rdev: int = 0) -> TreeNode:
        parent = self._free(directory, name)
        return MountedNode(parent.place, parent.place.nodes.create(parent.node, name, mode, uid, gid, rdev))

    def mkdir(self, directory: TreeNode, name: str, mode: int, uid: int, gid: int) -> TreeNode:
        parent = self._free(directory, name)
        return MountedNode(parent.place, parent.place.nodes.mkdir(parent.node, name, mode, uid, gid))

    def symlink(self, directory: TreeNode, name: str, target: str, uid: int, gid: int) -> TreeNode:
        parent = self._free(directory, name)
        return MountedNode(parent.place, parent.place.nodes.symlink(parent.node, name, target, uid, gid))

    def temporary(self, directory: TreeNode, mode: int, uid: int, gid: int) -> TreeNode:
        parent = self._real(directory)
        return MountedNode(parent.place, parent.place.nodes.temporary(parent.node, mode, uid, gid))

    def link(self, node: TreeNode, directory: TreeNode, name: str) -> None:
        parent = self._free(directory, name)
        if isinstance(node, MadeNode):
            raise os_error(errno.EPERM, name, hint="a directory cannot have a second name")
        if node.place is not parent.place:
            raise os_error(errno.EXDEV, name, hint="they are on different mounts")
        parent.place.nodes.link(node.node, parent.node, name)

    # ---- removing and moving

    def unlink(self, directory: TreeNode, name: str) -> None:
        if self._joints.point_in(directory, name) is not None:
            raise os_error(errno.EISDIR, name)
        parent = self._holding(directory, name)
        parent.place.nodes.unlink(parent.node, name)

    def rmdir(self, directory: TreeNode, name: str) -> None:
        parent = self._movable(directory, name)
        parent.place.nodes.rmdir(parent.node, name)

    def rename(self, directory: TreeNode, name: str, new_directory: TreeNode, new_name: str, flags: int = 0) -> None:
        source, target = self._movable(directory, name), self._movable(new_directory, new_name, makes=True)
        if source.place is not target.place:
            raise os_error(errno.EXDEV, name, new_name, hint="they are on different mounts")
        source.place.nodes.rename(source.node, name, target.node, new_name, flags)

    # ---- attributes and content

    def readlink(self, node: TreeNode) -> str:
        found = self._of_file(node, errno.EINVAL)
        return str(found.place.nodes.readlink(found.node))

    def setattr(self, node: TreeNode, *, size: int | None = None, **changes: Any) -> None:
        found = self._of_file(node, errno.EISDIR) if size is not None else self._real(node)
        found.place.nodes.setattr(found.node, size=size, **changes)

    def open(self, node: TreeNode, flags: int) -> Handle:
        found = self._of_file(node, errno.EISDIR)
        handle: Handle = found.place.nodes.open(found.node, flags)
        self._tree.note_user(found.place.mount, handle)
        return handle

    def read(self, node: TreeNode, size: int, offset: int) -> Sequence[Buffer]:
        found = self._of_file(node, errno.EISDIR)
        nodes = found.place.nodes
        if nodes.stateless:
            pieces: Sequence[Buffer] = nodes.read(found.node, size, offset)
            return pieces
        with closing(nodes.open(found.node, os.O_RDONLY)) as handle:
            return [handle.pread(size, offset)]

    def write(self, node: TreeNode, data: Buffer, offset: int) -> int:
        found = self._of_file(node, errno.EISDIR)
        nodes = found.place.nodes
        if nodes.stateless:
            return int(nodes.write(found.node, data, offset))
        with closing(nodes.open(found.node, os.O_WRONLY)) as handle:
            return int(handle.pwrite(data, offset))

    def append(self, node: TreeNode, data: Buffer) -> int:
        found = self._of_file(node, errno.EISDIR)
        nodes = found.place.nodes
        if nodes.stateless:
            return int(nodes.append(found.node, data))
        with closing(nodes.open(found.node, os.O_WRONLY | os.O_APPEND)) as handle:
            return int(handle.pwrite(data, 0))

    def allocate(self, node: TreeNode, offset: int, length: int, mode: int) -> None:
        found = self._of_file(node, errno.EISDIR)
        found.place.nodes.allocate(found.node, offset, length, mode)

    def seek(self, node: TreeNode, offset: int, whence: int) -> int:
        found = self._of_file(node, errno.EISDIR)
        return int(found.place.nodes.seek(found.node, offset, whence))

    def getxattr(self, node: TreeNode, name: str) -> bytes | None:
        if isinstance(node, MadeNode):
            return None
        value: bytes | None = node.place.nodes.getxattr(node.node, name)
        return value

    def setxattr(self, node: TreeNode, name: str, value: bytes, flags: int = 0) -> None:
        found = self._real(node)
        found.place.nodes.setxattr(found.node, name, value, flags)

    def listxattr(self, node: TreeNode) -> list[str]:
        return [] if isinstance(node, MadeNode) else list(node.place.nodes.listxattr(node.node))

    def removexattr(self, node: TreeNode, name: str) -> None:
        found = self._real(node)
        found.place.nodes.removexattr(found.node, name)

    # ---- the whole

    def statvfs(self) -> StatVfs:
        """Sizes and free space of what is mounted at the root."""
        top = self._tree.table.top.mount
        found: StatVfs = _NO_FIGURES if top is None else self._joints.places[top.number].nodes.statvfs()
        return found

    def hold(self, table: Container[int]) -> Ending:
        self._tables.append(table)
        spread = self._everywhere(lambda place: place.nodes.hold(Held(table, place)))

        def end() -> None:
            self._tables.remove(table)
            self._end(spread)

        return end

    def forget(self, node: TreeNode) -> None:
        if isinstance(node, MountedNode) and node.place.is_live:
            node.place.nodes.forget(node.node)

    def fsync(self, node: TreeNode) -> None:
        if isinstance(node, MountedNode):
            node.place.nodes.fsync(node.node)

    def sync(self) -> None:
        for place in list(self._joints.places.values()):
            place.nodes.sync()

    def watch(self, callback: Change) -> Ending:
        self._callbacks.append(callback)
        spread = self._everywhere(lambda place: place.nodes.watch(translated(callback, place)))

        def end() -> None:
            self._callbacks.remove(callback)
            self._end(spread)

        return end

    def close(self) -> None:
        """Let go of all mounts; unfinished write-back is finished first."""
        self._tree.forget_holder(self)
        for spread in list(self._spread):
            self._end(spread)
        self._tables.clear()
        for place in self._joints.places.values():
            place.nodes.close()

    # ---- for the tree (``tree.Holder``)

    def holds(self, mount: Mount) -> bool:
        """Whether the door knows something of a mount: then it knows its root."""
        place = self._joints.places.get(mount.number)
        return place is not None and any(place.number(place.root.ino) in table for table in self._tables)

    def table_changed(self, mount: Mount) -> None:
        """Take over the new mounts, and tell the door what it has to look up again."""
        before = set(self._joints.places)
        for place in self._joints.follow_table():
            for spread in self._spread:
                spread.leave(place)
            place.gone()
        for number in self._joints.places.keys() - before:
            for spread in self._spread:
                spread.reach(self._joints.places[number])
        self._sum_up()
        for callback in list(self._callbacks):
            for directory, name in list(self._joints.on_the_way(mount)):
                callback(directory, name, None)
            callback(None, "", None)

    # ---- steps

    def _real(self, node: TreeNode) -> MountedNode:
        """The node of a filesystem, for changes; a directory that only mounts make is made there. EROFS."""
        return node if isinstance(node, MountedNode) else self._joints.made_real(node)

    def _of_file(self, node: TreeNode, code: int) -> MountedNode:
        if isinstance(node, MountedNode):
            return node
        raise os_error(code, node.point.path)

    def _free(self, directory: TreeNode, name: str) -> MountedNode:
        """The directory, if a mount makes no entry of this name in it. EEXIST."""
        if self._joints.point_in(directory, name) is not None:
            raise os_error(errno.EEXIST, name)
        return self._real(directory)

    def _holding(self, directory: TreeNode, name: str) -> MountedNode:
        """The directory of an entry that is to go. ENOENT."""
        if isinstance(directory, MadeNode):
            real = self._joints.at(directory.point)
            if isinstance(real, MadeNode):
                raise os_error(errno.ENOENT, name)
            return real
        return directory

    def _movable(self, directory: TreeNode, name: str, *, makes: bool = False) -> MountedNode:
        """The directory of an entry that may be taken away or replaced. EBUSY."""
        point = self._joints.point_in(directory, name)
        if point is not None:
            raise os_error(errno.EBUSY, point.path, hint=why(point))
        return self._real(directory) if makes else self._holding(directory, name)

    def _everywhere(self, start: Callable[[Place], Ending]) -> Spread:
        spread = Spread(start)
        for place in self._joints.places.values():
            spread.reach(place)
        self._spread.append(spread)
        return spread

    def _end(self, spread: Spread) -> None:
        if spread in self._spread:
            self._spread.remove(spread)
        spread.end()
