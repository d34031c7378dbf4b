"""Directories by path, until somebody has changed the database."""

from __future__ import annotations

from typing import Protocol

from chuk_fsspec.engine.inode import Directory
from chuk_fsspec.engine.path_cache import PathCache


class Followed(Protocol):
    """What knows of changes."""

    @property
    def generation(self) -> int:
        """Another number after each change."""

    def look(self) -> None:
        """Notice changes."""


class FollowingPathCache(PathCache):
    """A cache that asks, each time it is looked into, whether what it holds still stands."""

    __slots__ = ("_directories", "_generation", "_source")

    def __init__(self, source: Followed) -> None:
        self._source = source
        self._generation = source.generation
        self._directories: dict[str, Directory] = {}
        super().__init__()

    @property
    def current(self) -> dict[str, Directory]:
        """What is known."""
        self._source.look()
        if self._source.generation != self._generation:
            self._generation = self._source.generation
            self._directories = {}
        return self._directories

    @current.setter
    def current(self, directories: dict[str, Directory]) -> None:
        self._directories = directories
