"""What is remembered of a Drive: which file a path means, and what that file was when it was last seen."""

from __future__ import annotations

from chuk_fsspec.backends.gdrive.resources import Resource
from chuk_fsspec.backends.gdrive.statistics import Statistics
from chuk_fsspec.remote.known import Remembered


class KnownFiles:
    """Identifiers by path, and files by identifier. That nothing is at a path is never remembered."""

    def __init__(self, seconds: float, statistics: Statistics) -> None:
        """Begin with nothing.

        Args:
            seconds: how long anything is remembered.
            statistics: where hits and misses are counted.
        """
        self._ids: Remembered[str] = Remembered(seconds)
        self._files: Remembered[Resource] = Remembered(seconds)
        self._statistics = statistics

    def at(self, path: str) -> Resource | None:
        """The file that a path is known to mean; None if it is not known."""
        file_id = self._ids.get(path)
        found = self._files.get(file_id) if file_id else None
        if found is None:
            self._statistics.misses += 1
        else:
            self._statistics.hits += 1
        return found

    def put(self, path: str, found: Resource) -> None:
        """Remember what is at a path."""
        self._ids.put(path, found.id)
        self._files.put(found.id, found)

    def forget(self, path: str) -> None:
        """Forget what a path, and any path below it, means."""
        self._ids.forget_below(path)
