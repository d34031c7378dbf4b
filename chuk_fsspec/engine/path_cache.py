"""Directories by path, to be forgotten all at once in constant time."""

from __future__ import annotations

from chuk_fsspec.engine.inode import Directory

ENTRIES_MAX = 100_000
_FREED_AT_ONCE = 4


class PathCache:
    """Look up in ``current``. What was forgotten is freed bit by bit, by later additions."""

    __slots__ = ("_forgotten", "current")

    def __init__(self) -> None:
        self.current: dict[str, Directory] = {}
        self._forgotten: list[dict[str, Directory]] = []

    def add(self, path: str, directory: Directory) -> None:
        """Note a directory under a path."""
        if len(self.current) >= ENTRIES_MAX:
            self.forget_all()
        self.current[path] = directory
        if self._forgotten:
            self._free_some()

    def forget_all(self) -> None:
        """Start anew, with another dict than before."""
        if self.current:
            self._forgotten.append(self.current)
        self.current = {}

    def _free_some(self) -> None:
        oldest = self._forgotten[0]
        for _ in range(min(_FREED_AT_ONCE, len(oldest))):
            oldest.popitem()
        if not oldest:
            del self._forgotten[0]
