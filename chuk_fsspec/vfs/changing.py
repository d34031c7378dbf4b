"""Attributes and extended attributes: kept by the filesystem where it can, by the node table where not."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.posix import Posix, without_set_id
from chuk_fsspec.vfs.errors import os_errors
from chuk_fsspec.vfs.node import PathNode
from chuk_fsspec.vfs.volume import Volume

_CLOCK_FIELDS = ("atime_ns", "mtime_ns", "ctime_ns")


def change(volume: Volume, node: PathNode, changes: dict[str, int]) -> None:
    """Set attributes, named as ``contract.Node`` names them. EROFS, and whatever the filesystem says.

    A change of owner clears set-user-ID, and set-group-ID of a group executable, as chown(2) does it.
    """
    if not changes:
        return
    if "mode" in changes:
        changes["mode"] = stat.S_IFMT(node.mode) | changes["mode"] & 0o7777
    elif ("uid" in changes or "gid" in changes) and not stat.S_ISDIR(node.mode):
        changes["mode"] = without_set_id(node.mode)
    if not volume.backend.capabilities.attributes or node.gone:
        volume.table.override(node, changes)
        return
    if node.content is not None and node.content.dirty:
        # The upload would change them again, so they wait for it.
        waiting = {name: changes.pop(name) for name in _CLOCK_FIELDS if name in changes}
        if waiting:
            volume.table.override(node, waiting)
    with volume.table.using(node) as names:
        hand_over(volume, node, names, changes)


def hand_over(volume: Volume, node: PathNode, names: list[str], changes: dict[str, int]) -> None:
    """Give attributes to the filesystem to keep; the caller has a claim on the path."""
    backend = volume.backend
    if "uid" in changes or "gid" in changes:
        backend.set_owner(names, changes.get("uid", -1), changes.get("gid", -1))
    if "mode" in changes and not stat.S_ISLNK(node.mode):
        backend.set_mode(names, changes["mode"])
    if "atime_ns" in changes or "mtime_ns" in changes:
        backend.set_times(names, changes.get("atime_ns", node.atime_ns), changes.get("mtime_ns", node.mtime_ns))
    volume.table.described(node, changes)


def settle_new(volume: Volume, node: PathNode, names: list[str], mode: int, uid: int, gid: int) -> None:
    """Give a new node the mode and owner it was made with, where it has others; the caller has claimed its entry."""
    wanted = {"mode": stat.S_IFMT(node.mode) | mode & 0o7777, "uid": uid, "gid": gid}
    changes = {name: value for name, value in wanted.items() if getattr(node, name) != value}
    if changes and volume.backend.capabilities.attributes:
        hand_over(volume, node, names, changes)
    elif changes:
        volume.table.override(node, changes)


@contextmanager
def xattrs(volume: Volume, node: PathNode) -> Iterator[tuple[Posix, str]]:
    """Who keeps a node's extended attributes, and under which path that does not change inside the block.

    Raises:
        OSError: ENOTSUP where the filesystem has none; ENOENT for a node that was removed; what the block raises.
    """
    with volume.table.using(node) as names:
        path = volume.backend.path(names)
        if not volume.backend.capabilities.xattrs or stat.S_ISLNK(node.mode):
            raise not_supported("extended attributes", path)
        if node.gone:
            raise os_error(errno.ENOENT, path)
        with os_errors(path):
            yield volume.backend.posix, path
