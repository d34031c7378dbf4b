"""The tree that a mounted filesystem and its view without links have in common: the table, and who uses what."""

from __future__ import annotations

import errno
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of, names
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.links import without_links_if_can
from chuk_fsspec.mounted.config import MountConfig
from chuk_fsspec.mounted.inodes import Numbers
from chuk_fsspec.mounted.names import Names
from chuk_fsspec.mounted.table import Mount, MountTable

NUMBERS_MAX = 1 << 15
"""So many mounts may be made in one tree, one after another: their numbers are part of inode numbers."""

_OF_ALL = tuple(name for name in names() if name not in ("write", "statvfs", "snapshots", "versions", "whole_files"))


class Holder(Protocol):
    """Somebody who uses the tree for longer than one call: a door."""

    def holds(self, mount: Mount) -> bool:
        """Whether it uses something in a mount."""

    def table_changed(self, mount: Mount) -> None:
        """Told after a mount was made or taken away."""


class Tree:
    """Mounts, their open files, and the doors on them. Threads may use it at once.

    Args:
        configs: what to mount where. Nothing is mounted if one of them cannot be opened.
    """

    def __init__(self, configs: Mapping[str, MountConfig]) -> None:
        self.numbers = Numbers()
        self._lock = threading.RLock()
        self._next = len(configs)
        self._users: dict[int, dict[int, weakref.ref[Any]]] = {}
        self._holders: weakref.WeakSet[Any] = weakref.WeakSet()
        mounts = {path: _opened(path, number, config) for number, (path, config) in enumerate(configs.items())}
        for mount in mounts.values():
            _prepare(mount)
        self.table = MountTable(mounts)
        self.can = _of_stack(self.table)

    def mount(self, path: str, config: MountConfig) -> None:
        """Mount one more filesystem.

        Raises:
            OSError: EBUSY if something is mounted there, ENOSPC past the last number, ENOTSUP for a filesystem without
                inodes while a door works on those of the tree.
        """
        with self._lock:
            self._require_free(path)
            mount = _opened(path, self._next, config)
            if self._holders and not mount.can.nodes:
                hint = "a door works on inodes of this tree, and the filesystem has none"
                raise os_error(errno.ENOTSUP, path, hint=hint)
            _prepare(mount)
            self._next += 1
            self._use(self.table.with_mount(mount))
        self._tell(mount)

    def unmount(self, path: str, *, force: bool) -> None:
        """Take a mount away. EINVAL if there is none, EBUSY if it is in use and not ``force``, or others lie below."""
        with self._lock:
            mount = self.table.mounts.get(path)
            if mount is None:
                raise os_error(errno.EINVAL, path, hint="nothing is mounted there")
            below = [other.path for other in self.table.inside(path) if other is not mount]
            if below:
                raise os_error(errno.EBUSY, path, hint=f"{below[0]} is mounted inside; unmount it first")
            if not force and self.is_in_use(mount):
                raise os_error(errno.EBUSY, path, hint="files are open in it; close them, or pass force=True")
            self._users.pop(mount.number, None)
            self._use(self.table.without(path))
        self._tell(mount)

    def note_user(self, mount: Mount, user: Any) -> Callable[[], None]:
        """Remember that something is open in a mount for as long as it lives; returns what ends that earlier."""
        users = self._users.setdefault(mount.number, {})
        key = id(user)
        users[key] = weakref.ref(user, lambda _: users.pop(key, None))
        return lambda: _drop(users, key)

    def note_holder(self, holder: Holder) -> None:
        """Remember a door for as long as it lives."""
        with self._lock:
            self._holders.add(holder)

    def forget_holder(self, holder: Holder) -> None:
        """A door was closed."""
        with self._lock:
            self._holders.discard(holder)

    def is_in_use(self, mount: Mount) -> bool:
        """Whether files are open in a mount, a transaction is under way, or a door holds something of it."""
        users = self._users.get(mount.number, {})
        return any(ref() is not None for ref in list(users.values())) or any(
            holder.holds(mount) for holder in list(self._holders)
        )

    def _require_free(self, path: str) -> None:
        if path in self.table.mounts:
            raise os_error(errno.EBUSY, path, hint="something is mounted there already; unmount it first")
        if self._next >= NUMBERS_MAX:
            raise os_error(errno.ENOSPC, path, hint=f"a tree takes {NUMBERS_MAX} mounts in its life")

    def _use(self, table: MountTable) -> None:
        self.table, self.can = table, _of_stack(table)

    def _tell(self, mount: Mount) -> None:
        with self._lock:
            holders = list(self._holders)
        for holder in holders:
            holder.table_changed(mount)


def _drop(users: dict[int, weakref.ref[Any]], key: int) -> None:
    users.pop(key, None)


def _opened(path: str, number: int, config: MountConfig) -> Mount:
    fs, root = config.open(f"mounts[{path!r}]")
    if getattr(fs, "asynchronous", False):
        raise ValueError(f"mounts[{path!r}]: made with asynchronous=True; make it without, its calls need no loop")
    can = capabilities_of(fs)
    fs = without_links_if_can(fs)
    return Mount(path, number, fs, Names(path, fs, root), can, config)


def _prepare(mount: Mount) -> None:
    """Make the directory that is mounted, if it is missing and the filesystem has such a thing."""
    if mount.names.root != mount.fs.root_marker and mount.can.write and mount.can.directories:
        try:
            mount.fs.makedirs(mount.names.root, exist_ok=True)
        except OSError as error:
            raise mount.names.error(error, mount.path) from None


def _of_stack(table: MountTable) -> Capabilities:
    """What holds for a tree: what all its mounts can. Changes are possible if one of them takes any."""
    mounts = list(table.mounts.values())
    common = {name: bool(mounts) and all(getattr(mount.can, name) for mount in mounts) for name in _OF_ALL}
    top = table.top.mount
    return Capabilities(
        **common,
        write=any(mount.can.write for mount in mounts),
        statvfs=top is not None and top.can.statvfs,
    )
