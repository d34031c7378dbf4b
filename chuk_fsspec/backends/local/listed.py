"""What the last listing has just seen, for the lookups that follow: doors ask for names, then for each of them."""

from __future__ import annotations

import time
from collections.abc import Iterable

from chuk_fsspec.backends.local.node import LocalNode

MOMENT = 0.1
"""Seconds for which a listing is good: little beside the second for which doors believe what they are told."""


class JustListed:
    """The entries of one directory, each to be taken once."""

    def __init__(self) -> None:
        self._directory: LocalNode | None = None
        self._entries: dict[str, LocalNode] = {}
        self._until = 0.0

    def remember(self, directory: LocalNode, entries: Iterable[tuple[str, LocalNode]]) -> None:
        """Keep a listing in place of the last one."""
        self._directory, self._entries = None, dict(entries)
        self._until = time.monotonic() + MOMENT
        self._directory = directory

    def take(self, directory: LocalNode, name: str) -> LocalNode | None:
        """The node of an entry, if it was listed a moment ago."""
        if directory is not self._directory or time.monotonic() > self._until:
            return None
        return self._entries.pop(name, None)

    def forget(self) -> None:
        """Something changed."""
        self._directory = None
