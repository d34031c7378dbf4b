"""Operations on two paths: inside one mount the filesystem's own, across mounts a copy, or EXDEV."""

from __future__ import annotations

import errno
import stat
from typing import Any

from chuk_fsspec.contract.conditions import condition_of, refuse_etags
from chuk_fsspec.contract.errors import link_in_the_way, not_found, os_error
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Operation
from chuk_fsspec.contract.paths import split
from chuk_fsspec.forwarding.conditions import refuse, taken_from
from chuk_fsspec.mounted import content
from chuk_fsspec.mounted.access import Access, call, why
from chuk_fsspec.mounted.ends import End, settle
from chuk_fsspec.mounted.inside import move_inside
from chuk_fsspec.mounted.markers import Markers
from chuk_fsspec.mounted.moving import move
from chuk_fsspec.mounted.table import Mount, Route


class Pairs:
    """``mv``, ``cp_file`` and, of ``posix``, ``rename`` and ``link``."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._tree = access.tree

    def rename(self, source: str, target: str, flags: int = 0) -> None:
        """rename(2): EXDEV across mounts, EBUSY for a mount point and for what holds one."""

        def attempt(source: str, target: str) -> None:
            here, there = self._movable(source, target)
            if here is not there:
                self._meet_links(source, target)
                raise os_error(errno.EXDEV, source, target, hint="they are on different mounts; mv copies")
            self._inside(here, POSIX["rename"], source, target, flags=flags)

        self._access.through(attempt, source, target)

    def link(self, source: str, target: str) -> None:
        """link(2): EXDEV across mounts, EPERM for directories."""

        def attempt(source: str, target: str) -> None:
            one, other = self._routes(source, target)
            if one.point is not None:
                raise os_error(errno.EPERM, source, target, hint="a directory cannot have a second name")
            if other.point is not None:
                raise os_error(errno.EEXIST, source, target)
            here, there = self._mounts(one, other, source, target)
            if here is not there:
                self._meet_links(source, target)
                raise os_error(errno.EXDEV, source, target, hint="they are on different mounts")
            self._inside(here, POSIX["link"], source, target)

        self._access.through(attempt, source, target)

    def mv(self, source: str, target: str, **options: Any) -> None:
        """Move what is at one path to the other, and not into a directory there: that has been decided.

        Inside one mount it is the filesystem's own rename; across mounts it is copied, verified and deleted, which is
        no one step that a condition could be part of. ENOTSUP for one.
        """

        def attempt(source: str, target: str) -> None:
            here, there = self._movable(source, target)
            if here is there:
                move_inside(End(here, source), End(there, target), **options)
            else:
                self._meet_links(source, target)
                refuse(taken_from(dict(options)), source)
                move(End(here, source), End(there, target))

        self._access.through(attempt, source, target)

    def cp_file(self, source: str, target: str, **options: Any) -> Any:
        """Copy one file, links followed, or make a directory of the same name; returns the etag if it is known."""

        def attempt(source: str, target: str) -> Any:
            one, other = self._routes(source, target)
            if one.point is not None or other.point is not None:
                self._copy_directory(source, target)
                return None
            here, there = self._mounts(one, other, source, target)
            if here is there:
                return self._inside(here, FSSPEC["cp_file"], source, target, **options)
            return self._copy_across(End(here, source), End(there, target), taken_from(dict(options)))

        return self._access.through(attempt, source, target)

    def unfinished(self, source: str, target: str) -> str | None:
        """The directory that a move to a path goes on with, if it stopped half-way.

        fsspec's rules put a source into a directory that exists; one that a move has begun to fill is not such a one.
        """

        def attempt(source: str, above: str) -> bool:
            here, there = self._tree.table.route(source).mount, self._tree.table.route(above).mount
            if here is None or there is None or here is there:
                return False
            return Markers(End(here, source), End(there, above)).is_unfinished()

        above, name = split(target)
        if name != split(source)[1] or above == "/":
            return None
        return above if self._access.through(attempt, source, above) else None

    # ---- steps

    def _routes(self, source: str, target: str) -> tuple[Route, Route]:
        table = self._tree.table
        return table.route(source), table.route(target)

    def _movable(self, source: str, target: str) -> tuple[Mount, Mount]:
        """The mounts of what is renamed and of where to. EBUSY, ENOENT, EROFS."""
        one, other = self._routes(source, target)
        for point in (one.point, other.point):
            if point is not None:
                raise os_error(errno.EBUSY, source, target, hint=why(point))
        return self._mounts(one, other, source, target)

    def _mounts(self, one: Route, other: Route, source: str, target: str) -> tuple[Mount, Mount]:
        if one.mount is None:
            raise os_error(errno.ENOENT, source)
        if other.mount is None:
            raise os_error(errno.EROFS, target, hint="nothing is mounted here that could take it")
        self._access.make_real(other.directory)
        return one.mount, other.mount

    def _inside(self, mount: Mount, operation: Operation, source: str, target: str, **options: Any) -> Any:
        inner = mount.names.inward(source), mount.names.inward(target)
        return call(mount, operation, inner, (source, target), **options)

    def _copy_directory(self, source: str, target: str) -> None:
        """One of both is a directory that a mount makes."""
        one = self._tree.table.point(source) is not None or self._is_directory(source)
        if not one:
            raise os_error(errno.EISDIR, target)
        if self._tree.table.point(target) is None:
            mount, inner = self._access.place(FSSPEC["makedirs"], target, {})
            call(mount, FSSPEC["makedirs"], (inner,), (target,), exist_ok=True)

    def _copy_across(self, source: End, target: End, conditions: dict[str, Any]) -> Any:
        of_source = {name: conditions.pop(name) for name in ("if_source_match",) if name in conditions}
        for end, asked in ((source, of_source), (target, conditions)):
            if not end.mount.can.conditional_write:
                refuse(asked, end.path)
        wanted = condition_of(*of_source.values())
        settle(source.mount)
        settle(target.mount)
        self._meet_links(source.path, target.path)
        info = source.info()
        if info["type"] == "link":
            raise link_in_the_way(source.path)
        if wanted is not None:
            wanted.require(source.path, info.get("etag", ""))
        if info["type"] == "directory":
            refuse_etags(source.path, wanted, condition_of(**conditions))
            target.ask("makedirs", exist_ok=True)
            return None
        if info["type"] != "file":
            raise os_error(errno.EINVAL, source.path, target.path, hint="not a regular file")
        etag = content.publish(source, target, wanted, **conditions).etag
        if source.keeps("attributes", target):
            settle(target.mount)
            target.ask_posix("chmod", mode=stat.S_IMODE(source.ask_posix("lstat").st_mode))
        return etag

    def _is_directory(self, path: str) -> bool:
        mount = self._tree.table.route(path).mount
        if mount is None:
            raise not_found(path)
        kind = End(mount, path).info()["type"]
        if kind == "link" and mount.can.symlinks:
            raise link_in_the_way(path)
        return str(kind) == "directory"

    def _meet_links(self, *paths: str) -> None:
        """See to it that no link lies on the way to a path, so that its mount is really known. LinkInTheWay."""
        for path in paths:
            mount = self._tree.table.route(path).mount
            if mount is not None and mount.can.symlinks:
                End(mount, path).exists()
