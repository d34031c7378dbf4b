"""Directories by path, until another process has changed the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chuk_fsspec.engine.path_cache import PathCache

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.session import Session
    from chuk_fsspec.engine.inode import Directory


class SessionPathCache(PathCache):
    """A cache that asks the database, each time it is looked into, whether what it holds still stands."""

    __slots__ = ("_directories", "_generation", "_session")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._directories: dict[str, Directory] = {}
        self._generation = session.generation
        super().__init__()

    @property
    def current(self) -> dict[str, Directory]:
        """What is known."""
        session = self._session
        session.refresh()
        if session.generation != self._generation:
            self._generation = session.generation
            self._directories = {}
        return self._directories

    @current.setter
    def current(self, directories: dict[str, Directory]) -> None:
        self._directories = directories
