"""Where a template goes: a directory of some filesystem, in which no symbolic link is followed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.forwarding.links import through_links


@dataclass(frozen=True)
class Place:
    """A directory to make things in; it may still be missing.

    Attributes:
        fs: its filesystem, in the view that follows no links where there is one.
        root: its path in it.
        shown: what stands before the filesystem's paths in messages, where the caller knows longer ones.
    """

    fs: AbstractFileSystem
    root: str
    shown: str = ""

    @property
    def capabilities(self) -> Capabilities:
        """Those of the filesystem."""
        return capabilities_of(self.fs)

    def path_of(self, below: str) -> str:
        """The filesystem's path of a normal path that counts from the place."""
        return self.root if below == "/" else f"{self.root.rstrip('/')}{below}"

    def entry(self, path: str) -> Mapping[str, Any] | None:
        """What is at a path of the filesystem, a link as itself; None for nothing."""
        try:
            info: Mapping[str, Any] = self.fs.info(path)
        except FileNotFoundError:
            return None
        return info

    def missing_above(self) -> list[str]:
        """The directories that the place needs and that are missing, its own last."""
        missing: list[str] = []
        path = self.root
        while path and path != "/" and self.entry(path) is None:
            missing.append(path)
            path = self.fs._parent(path)
        return missing[::-1]

    def name_of(self, path: str) -> str:
        """The name by which the caller knows a path of the filesystem."""
        return f"{self.shown.rstrip('/')}{path}" if self.shown else path

    @contextmanager
    def named(self) -> Iterator[None]:
        """Errors from inside name paths as the caller knows them."""
        try:
            yield
        except OSError as error:
            if isinstance(error.filename, str) and error.filename.startswith("/"):
                error.filename = self.name_of(error.filename)
            raise


def place_at(target: Any, path: str | os.PathLike[str] = "/") -> Place:
    """The place that a caller means.

    fsspec's own local filesystem follows links to anywhere; a directory of it is opened as ``chuklocal`` instead.

    Args:
        target: an fsspec filesystem, or a facade over one, with ``fs`` and ``pwd()``.
        path: a directory; on a facade it may be relative to the current one. Links on the way to it are followed.

    Raises:
        TypeError: for what is neither.
        OSError: of the way to the directory.
    """
    name = os.fspath(path)
    fs = target
    if not isinstance(fs, AbstractFileSystem):
        fs = getattr(target, "fs", None)
        if not isinstance(fs, AbstractFileSystem):
            raise TypeError(f"fs must be an fsspec filesystem or a facade over one, not {type(target).__name__}")
        if not name.startswith("/"):
            name = f"{target.pwd().rstrip('/')}/{name}"
    if isinstance(fs, LocalFileSystem):
        return _of_this_machine(fs._strip_protocol(name))
    if not capabilities_of(fs).symlinks:
        return Place(fs, fs._strip_protocol(name) or fs.root_marker)
    return _without_links(fs, fs._strip_protocol(name))


def _of_this_machine(path: str) -> Place:
    """A directory of this machine; what is missing counts from the nearest directory that is there."""
    root = path
    while not os.path.isdir(root):
        if os.path.lexists(root):
            raise os_error(errno.ENOTDIR, root)
        root = os.path.dirname(root)
    below = path[len(root.rstrip("/")) :]
    fs = fsspec.filesystem("chuklocal", root=os.path.realpath(root))
    return Place(fs.posix.nofollow, below or "/", root)


def _without_links(fs: AbstractFileSystem, path: str) -> Place:
    view = fs.posix.nofollow
    return Place(view, _through_links(view, path))


def _through_links(view: AbstractFileSystem, path: str) -> str:
    """Where a path really leads, as far as it is there."""

    def there(real: str) -> str:
        view.posix.stat(real)
        return real

    try:
        return through_links(there, path, readlink=view.posix.readlink, is_directory=view.isdir)
    except FileNotFoundError:
        if path == "/":
            raise
        parent, name = split(path)
        return join(_through_links(view, parent), name)
