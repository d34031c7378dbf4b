"""How much a store holds, and how much it may."""

from __future__ import annotations

import os


class Space:
    """Bytes and inodes in use.

    Content that several states of a file have in common counts once. One that was edited in place since a snapshot
    counts whole, beside the snapshot's, though the two share the chunks that are equal.

    Attributes:
        capacity: most bytes; None for what memory allows.
        used: bytes of content, that of snapshots included.
        inodes: files, directories and all else, without those that only snapshots have.
    """

    __slots__ = ("capacity", "inodes", "used")

    def __init__(self, capacity: int | None) -> None:
        self.capacity = capacity
        self.used = 0
        self.inodes = 0

    def has_room(self, more: int) -> bool:
        """Whether as many bytes may be added."""
        return self.capacity is None or more <= 0 or self.used + more <= self.capacity

    @property
    def total(self) -> int:
        """Bytes that may be used, about, if nothing else in this machine takes them."""
        return self.capacity if self.capacity is not None else self.used + _available_memory()


def _available_memory() -> int:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2**40
