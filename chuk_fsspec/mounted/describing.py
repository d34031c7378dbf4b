"""Info dicts of a tree: names, inode numbers and links as the whole tree has them, and directories that mounts make."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Container, Iterable, Mapping
from typing import Any

from chuk_fsspec.contract.errors import LEADS_NOWHERE, link_in_the_way, not_found
from chuk_fsspec.contract.operations import FSSPEC
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.mounted.access import Access, call
from chuk_fsspec.mounted.inodes import LARGE
from chuk_fsspec.mounted.table import Mount, Point

InfoDict = dict[str, Any]

_LEADS_NOWHERE = LEADS_NOWHERE | {errno.EACCES}


class Describing:
    """``info`` of a tree, and what listings need of it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._tree = access.tree

    def info(self, path: str, **options: Any) -> InfoDict:
        """What is known of a path, a final link described by itself and by the file that it leads to."""
        return self._access.through(lambda real: self.entry(real, path, options), path)

    def entry(self, real: str, path: str, options: Mapping[str, Any]) -> InfoDict:
        """What is known of an entry, under the path that was asked for.

        Args:
            real: the path, without links before its last component.
            path: the same, as it was asked for.
            options: further arguments of ``info``.
        """
        route = self._tree.table.route(real)
        if route.point is not None:
            return self.of_point(route.point, path)
        if route.mount is None:
            raise not_found(real)
        return self.described(route.mount, call(route.mount, FSSPEC["info"], (route.inner,), (real,), **options), path)

    def described(self, mount: Mount, info: InfoDict, path: str) -> InfoDict:
        """An info dict of a filesystem as one of the tree, with its name set."""
        if not mount.names.is_ours:
            info = _plain(mount, info)
        info["name"] = path
        if "ino" in info:
            info["ino"] = self._tree.numbers.of(mount.number, info["ino"])
        if info["type"] == "link" and self._access.follows and mount.can.symlinks:
            self._follow(info, path)
        return info

    def entries(self, mount: Mount, infos: Iterable[InfoDict], prefix: str, covered: Container[str]) -> list[InfoDict]:
        """Info dicts of a directory's entries as those of the tree.

        Args:
            mount: where they are.
            infos: as its filesystem listed them.
            prefix: the directory as it was asked for, with a slash at the end.
            covered: names that are left out.
        """
        bits = self._tree.numbers.bits(mount.number)
        described: list[InfoDict] = []
        for info in infos:
            name = info["name"].rstrip("/").rpartition("/")[2]
            if name in covered:
                continue
            ino = info.get("ino", LARGE)
            if info["type"] == "link" or ino >= LARGE or not mount.names.is_ours:
                described.append(self.described(mount, info, prefix + name))
            else:
                info["name"], info["ino"] = prefix + name, bits | ino
                described.append(info)
        return described

    def of_point(self, point: Point, path: str) -> InfoDict:
        """What is known of a directory that a mount makes: what the filesystem there says, if it can tell."""
        mount = point.lies_in
        if mount is not None and mount.names.is_ours:
            try:
                info: InfoDict = call(mount, FSSPEC["info"], (mount.names.inward(point.path),), (point.path,))
            except OSError as error:
                if error.errno not in _LEADS_NOWHERE:
                    raise
            else:
                if info["type"] == "directory":
                    return self.described(mount, info, path)
        return self._synthetic(point, path)

    def _synthetic(self, point: Point, path: str) -> InfoDict:
        made = self._tree.table.made
        return {
            "name": path,
            "size": 0,
            "type": "directory",
            "mtime": made,
            "created": made,
            "mode": stat.S_IFDIR | (0o755 if point.lies_in is not None and point.lies_in.can.write else 0o555),
            "ino": self._tree.numbers.of_made(point.path),
            "nlink": 2,
            "uid": getattr(os, "getuid", int)(),
            "gid": getattr(os, "getgid", int)(),
            "atime": made,
            "ctime": made,
            "mtime_ns": int(made * 1e9),
            "islink": False,
            "etag": "0x0",
        }

    def _follow(self, info: InfoDict, path: str) -> None:
        """A link that leads to a file has the file's type and size, any other has none (``contract.Info``)."""
        info["size"] = 0
        try:
            target = self._access.through(self._target, path)
        except OSError as error:
            if error.errno not in _LEADS_NOWHERE:
                raise
            return
        if target["type"] == "file":
            info.update({key: target[key] for key in ("type", "size", "etag") if key in target})

    def _target(self, real: str) -> InfoDict:
        """What is known of what a path leads to."""
        route = self._tree.table.route(real)
        if route.point is not None:
            return self._synthetic(route.point, real)
        if route.mount is None:
            raise not_found(real)
        info: InfoDict = call(route.mount, FSSPEC["info"], (route.inner,), (real,))
        if info["type"] == "link" and route.mount.can.symlinks:
            raise link_in_the_way(real)
        return info


def _plain(mount: Mount, info: Mapping[str, Any]) -> InfoDict:
    """A copy of a foreign info dict with a size, and without a link target that names what lies outside."""
    kept = dict(info)
    if kept.get("size") is None and kept["type"] == "directory":
        kept["size"] = 0
    target = kept.get("destination")
    if isinstance(target, bytes):
        target = os.fsdecode(target)
    if isinstance(target, str) and target.startswith("/"):
        del kept["destination"]
        if is_inside(target, mount.names.root.rstrip("/") or "/"):
            kept["destination"] = mount.names.outward(target)
    return kept
