"""Properties that clients set and the door only keeps (RFC 4918, section 4).

A resource's properties are one extended attribute, so that each PROPPATCH is one change, and moving a file moves them.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Mapping
from threading import RLock
from typing import Protocol

from chuk_adapters.webdav import xattrs
from chuk_adapters.webdav.files.facts import Info
from chuk_adapters.webdav.files.tree import Tree
from chuk_adapters.webdav.locks.lock import is_below
from chuk_fsspec.contract.errors import os_error

ATTRIBUTE = "user.webdav.properties"

_SETTLED = 2.0
"""Seconds after which the next change surely has another ``ctime``: clocks of filesystems are coarse."""
_MOST_KNOWN = 100_000
_LARGEST = 64 * 1024

Properties = Mapping[str, str]
"""From name, as ElementTree has it, to the element as XML."""


class DeadProperties(Protocol):
    """What is kept for each path. Every method may be called from any thread."""

    def get(self, path: str) -> Properties:
        """The properties of what is at a path; empty for none. OSError."""

    def of(self, info: Info) -> Properties:
        """The same, of what a listing has just told of."""

    def put(self, path: str, properties: Properties) -> None:
        """Set all of them, in one step. OSError: ENOSPC, E2BIG for more than there is room for."""

    def moved(self, source: str, target: str) -> None:
        """Told after what is at one path, and all below it, was moved to another."""

    def removed(self, path: str) -> None:
        """Told after what is at a path was removed, and all below it."""


class XattrProperties:
    """In extended attributes: they go with the file, whoever moves it.

    A listing asks for each of its files; those that were not changed since are not read again. POSIX sees to it that
    ``ctime`` tells: setting an attribute changes it, and nobody can set it.
    """

    def __init__(self, tree: Tree) -> None:
        self._fs = tree.fs
        self._known: dict[str, tuple[tuple[int, float], Properties]] = {}

    def get(self, path: str) -> Properties:
        """Those of the attribute."""
        value = xattrs.get(self._fs, path, ATTRIBUTE)
        if value is None:
            return {}
        kept = json.loads(value)
        return kept if isinstance(kept, dict) else {}

    def of(self, info: Info) -> Properties:
        """What is known already, if it has settled since it was read."""
        path, ino, ctime = info["name"], info.get("ino"), info.get("ctime")
        if info.get("islink") or type(ino) is not int or type(ctime) is not float:
            return self.get(path)
        known = self._known.get(path)
        if known is not None and known[0] == (ino, ctime):
            return known[1]
        properties = self.get(path)
        if ctime < time.time() - _SETTLED:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[path] = ((ino, ctime), properties)
        return properties

    def put(self, path: str, properties: Properties) -> None:
        """Set or remove the attribute."""
        if properties:
            value = json.dumps(properties, ensure_ascii=False, separators=(",", ":")).encode()
            self._fs.posix.setxattr(path, ATTRIBUTE, value)
        else:
            xattrs.remove(self._fs, path, ATTRIBUTE)

    def moved(self, source: str, target: str) -> None:
        """They went with it."""

    def removed(self, path: str) -> None:
        """They went with it."""


class MemoryProperties:
    """For stacks without extended attributes: they end with the server."""

    def __init__(self) -> None:
        self._kept: dict[str, Properties] = {}
        self._mutex = RLock()

    def get(self, path: str) -> Properties:
        """Those of the path."""
        return self._kept.get(path, {})

    def of(self, info: Info) -> Properties:
        """Those of its path."""
        return self.get(info["name"])

    def put(self, path: str, properties: Properties) -> None:
        """Keep them, as many as an extended attribute would."""
        if sum(map(len, properties.values())) > _LARGEST:
            raise os_error(errno.E2BIG, path)
        with self._mutex:
            if properties:
                self._kept[path] = dict(properties)
            else:
                self._kept.pop(path, None)

    def moved(self, source: str, target: str) -> None:
        """Keep them by the new path."""
        with self._mutex:
            self._forget(target)
            for path in self._under(source):
                self._kept[target + path[len(source) :]] = self._kept.pop(path)

    def removed(self, path: str) -> None:
        """Forget them."""
        with self._mutex:
            self._forget(path)

    def _forget(self, path: str) -> None:
        for one in self._under(path):
            del self._kept[one]

    def _under(self, path: str) -> list[str]:
        return [one for one in self._kept if one == path or is_below(one, path)]


def dead_properties_of(tree: Tree) -> DeadProperties:
    """The place for a tree's properties."""
    return XattrProperties(tree) if tree.can.xattrs else MemoryProperties()
