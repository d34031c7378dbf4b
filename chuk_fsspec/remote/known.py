"""What a filesystem remembers of a service for a moment: that a directory is there, and what is in it.

Nothing else is remembered, and content never. What is changed through the same filesystem is forgotten at once; what
others change is seen when the time is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from chuk_fsspec.contract.paths import is_inside, split

Value = TypeVar("Value")

_SWEEP_AT = 10_000
"""Paths that are remembered before those whose time is over are looked for."""


class Remembered(Generic[Value]):
    """Values by path, each for so many seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._values: dict[str, tuple[float, Value]] = {}

    def get(self, path: str) -> Value | None:
        """The value of a path; None if there is none, or its time is over."""
        found = self._values.get(path)
        if found is None:
            return None
        if found[0] < self._clock():
            self._values.pop(path, None)
            return None
        return found[1]

    def put(self, path: str, value: Value) -> None:
        """Remember a value."""
        if self._seconds <= 0:
            return
        if len(self._values) >= _SWEEP_AT:
            now = self._clock()
            self._values = {path: kept for path, kept in list(self._values.items()) if kept[0] >= now}
            if len(self._values) >= _SWEEP_AT:
                self._values.clear()
        self._values[path] = self._clock() + self._seconds, value

    def forget(self, path: str) -> None:
        """Forget one path."""
        self._values.pop(path, None)

    def forget_below(self, path: str) -> None:
        """Forget a path and all below it."""
        if path == "/":
            self._values.clear()
            return
        for known in [known for known in list(self._values) if is_inside(known, path)]:
            self._values.pop(known, None)


class Known(Generic[Value]):
    """What is remembered of one service.

    Attributes:
        directories: that they are there.
        listings: what is in them.
        keeps_listings: whether any of these are remembered.
        changes: how many there were; what was asked before the last one may be of yesterday.
    """

    def __init__(self, seconds: float, *, listings: bool) -> None:
        """Begin with nothing.

        Args:
            seconds: how long anything is remembered; 0 for not at all.
            listings: whether to remember what is in a directory.
        """
        self.directories: Remembered[bool] = Remembered(seconds)
        self.listings: Remembered[list[Value]] = Remembered(seconds if listings else 0)
        self.keeps_listings = listings and seconds > 0
        self.changes = 0

    def seen(self, path: str, changes: int, listing: list[Value] | None = None) -> None:
        """A directory was there, with these entries if they were asked for, after so many changes."""
        if changes == self.changes:
            self.directories.put(path, True)
            if listing is not None:
                self.listings.put(path, listing)

    def changed(self, path: str) -> None:
        """A file or a link was made, changed or removed."""
        self.changes += 1
        self.listings.forget(split(path)[0])
        self.listings.forget(path)
        if self.directories.get(path):
            self.directories.forget_below(path)

    def made(self, path: str) -> None:
        """A directory was made."""
        self.changed(path)
        self.directories.put(path, True)

    def gone(self, path: str) -> None:
        """A directory was removed or moved with all that it held, or something took its place."""
        self.changed(path)
        self.directories.forget_below(path)
        self.listings.forget_below(path)

    def forget_above(self, path: str) -> bool:
        """Forget the directories above a path; returns whether anything was known of them."""
        was_known = False
        while path != "/":
            path = split(path)[0]
            was_known |= bool(self.directories.get(path))
            self.directories.forget(path)
        return was_known

    def forget(self, path: str | None = None) -> None:
        """Forget a path and all below it; without one, everything."""
        self.gone(path or "/")
