"""What a door can stand on."""

from __future__ import annotations

from typing import Protocol

from fsspec import AbstractFileSystem


class Facade(Protocol):
    """What stands before an fsspec filesystem, such as ``VirtualFileSystem`` and ``AsyncVirtualFileSystem``."""

    @property
    def fs(self) -> AbstractFileSystem:
        """The filesystem."""


def filesystem_of(fs: AbstractFileSystem | Facade) -> AbstractFileSystem:
    """The filesystem itself, of a facade the one behind it."""
    return fs if isinstance(fs, AbstractFileSystem) else fs.fs
