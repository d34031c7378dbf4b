"""What the doors show: a directory, with all that is in it."""

from __future__ import annotations

import errno
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem, filesystem
from fsspec.core import split_protocol

from chuk_fsspec.cli.urls import is_volatile, is_workspace, open_url
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import normalise
from chuk_fsspec.registry import PROTOCOLS


@dataclass(frozen=True)
class Tree:
    """A directory that stands for all that is in it.

    Attributes:
        fs: the filesystem.
        path: the directory in it.
        name: what people are told: never with the credentials of a URL.
        is_volatile: its files end with this process.
        directory: its absolute path on this machine; empty for anything else.
    """

    fs: AbstractFileSystem
    path: str
    name: str
    is_volatile: bool = False
    directory: str = ""

    def inward(self, place: str) -> str | None:
        """The absolute path in the tree of a place of this machine; None where that is somewhere else.

        Args:
            place: a path, whether there is something or not.
        """
        if not self.directory:
            return None
        above = os.path.relpath(os.path.realpath(place), os.path.realpath(self.directory))
        return None if above.split(os.sep)[0] == os.pardir else normalise(above)


def open_tree(what: str, options: dict[str, Any], *, may_create: bool = True) -> Tree:
    """Open what the user named.

    A directory of this machine is a filesystem of its own (``chuklocal``): it keeps modes, owners and links, and no
    link leads out of it. A directory that lives as long as this process is made.

    Args:
        what: a directory, a workspace file or a path in one, or any fsspec URL.
        options: storage options.
        may_create: a database that is not there is made.

    Raises:
        OSError: ENOENT, ENOTDIR for a directory of this machine.
        CommandError, ImportError: as ``open_url``.
    """
    directory = directory_of_this_machine(what)
    if directory is not None and sys.platform != "win32":
        return Tree(_rooted(directory, options), "/", f"file://{directory}", directory=directory)
    fs, path = open_url(what, options, may_create=may_create)
    name = Path(what).name if is_workspace(what) else source_name(fs, path)
    tree = Tree(fs, path, name, is_volatile(what))
    if tree.is_volatile:
        fs.makedirs(path, exist_ok=True)
    return tree


def directory_of_this_machine(what: str) -> str | None:
    """The absolute path that a URL or plain path means; None where it means something else."""
    if is_workspace(what):
        return None
    if os.path.lexists(what):
        return os.path.abspath(what)
    if "::" in what or split_protocol(what)[0] not in (None, "file", "local"):
        return None
    return os.path.abspath(open_url(what, {})[1])


def source_name(fs: AbstractFileSystem, path: str) -> str:
    """What a table of mounts shows as the source: protocol and path, never the credentials of a URL."""
    protocol = fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]
    return f"{protocol}://{path.lstrip('/') if protocol in PROTOCOLS else path}"


def _rooted(directory: str, options: dict[str, Any]) -> AbstractFileSystem:
    if not os.path.isdir(directory):
        raise os_error(
            errno.ENOTDIR if os.path.lexists(directory) else errno.ENOENT,
            directory,
            hint="give a directory, a workspace file (*.toml) or a URL",
        )
    return filesystem("chuklocal", root=directory, **options)
