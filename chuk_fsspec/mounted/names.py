"""Paths of a mounted filesystem: those of the tree on one side, its own on the other.

Every filesystem writes its paths in its own way: some begin with a slash, some must not, some take a directory of the
host first. Nothing of that comes out, be it in a result or in an error.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from io import UnsupportedOperation
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.foreign import os_error_of
from chuk_fsspec.contract.paths import normalise

_ABOUT_ARGUMENTS = frozenset({ValueError, TypeError, NotImplementedError, UnsupportedOperation, MemoryError})


class Names:
    """Translates between a tree and a filesystem that is mounted in it.

    Args:
        point: the mount point, a normal path.
        fs: the filesystem.
        root: the directory in it that is mounted, in any form that it takes; empty for all of it.
    """

    def __init__(self, point: str, fs: AbstractFileSystem, root: str) -> None:
        self.root: str = fs._strip_protocol(root) if root else fs.root_marker
        self.prefix = self.root if not self.root or self.root.endswith("/") else f"{self.root}/"
        self.is_ours = isinstance(getattr(fs, "capabilities", None), Capabilities)
        self.is_same = self.is_ours and point == self.prefix == "/"
        """Whether the filesystem's own paths are those of the tree."""
        self._point = point
        self._outer_prefix = point if point == "/" else f"{point}/"
        self._cut = len(self._outer_prefix)
        self._own = self.root.strip("/")

    def inward(self, path: str) -> str:
        """The filesystem's own path for a path of the tree, at or below the mount point."""
        rest = path[self._cut :]
        return self.prefix + rest if rest else self.root

    def outward(self, name: str) -> str:
        """The path in the tree for a path of the filesystem. EIO for one outside of what is mounted."""
        if self.is_same:
            return name
        if self.is_ours and name.startswith(self.prefix):
            rest = name[len(self.prefix) :]
            return self._outer_prefix + rest if rest else self._point
        text = name.strip("/")
        if text == self._own:
            return self._point
        if self._own and not text.startswith(f"{self._own}/"):
            raise os_error(errno.EIO, self._point, hint="the filesystem names what lies outside of its root")
        return self._outer_prefix + text[len(self._own) :].lstrip("/")

    def shown_below(self, start: str, found: Iterable[str]) -> list[str | None]:
        """The paths in the tree of what the filesystem found below one of them.

        Args:
            start: where it searched, as the tree names it.
            found: the filesystem's own paths.

        Returns:
            Paths in the same order; None for what no normal path can name, such as an object whose key holds ``//``.
        """
        if not self.is_ours:
            return [_if_normal(self.outward(name)) for name in found]
        inner, head = self.inward(start), start.rstrip("/")
        cut = len(inner.rstrip("/"))
        return [start if name == inner else head + name[cut:] for name in found]

    def error(self, error: Exception, *paths: str) -> Exception:
        """An exception of the filesystem with the paths of the tree in it.

        Args:
            error: what was raised. An ``OSError`` with an errno is changed and returned; Python's own errors for bad
                arguments are returned as they are; all others become an ``OSError`` with an errno.
            paths: what the operation was about, as the tree names it.
        """
        if type(error) in _ABOUT_ARGUMENTS or (self.is_ours and not isinstance(error, OSError)):
            return error
        if not isinstance(error, OSError) or error.errno is None:
            return os_error_of(error, paths[0] if paths else self._point, shows_text=False)
        if error.filename is None and paths:
            error.filename = paths[0]
        elif not self.is_same:
            error.filename = self._named(error.filename, paths[:1])
            if error.filename2 is not None:  # an error that was told of a second path shows it, be it None
                error.filename2 = self._named(error.filename2, paths[1:])
        return error

    def _named(self, filename: Any, paths: tuple[str, ...]) -> Any:
        if not isinstance(filename, str):
            return filename
        for path in paths:
            if self.inward(path) == filename:
                return path
        try:
            return self.outward(filename)
        except OSError:
            return paths[0] if paths else self._point


def _if_normal(path: str) -> str | None:
    try:
        return path if normalise(path) == path else None
    except OSError:
        return None


class Named:
    """A block whose errors come out with the paths of the tree.

    Args:
        names: translates them.
        paths: what the block is about, as the tree names it.
    """

    def __init__(self, names: Names, *paths: str) -> None:
        self._names = names
        self._paths = paths

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Exception):
            found = self._names.error(error, *self._paths)
            if found is not error:
                raise found from error
