"""Inode numbers of a tree: those of each mount, with the number of the mount in the upper 16 of 64 bits."""

from __future__ import annotations

import threading
from itertools import count

_SHIFT = 48
LARGE = 1 << 47
"""Inode numbers from here on are given new ones."""
_SYNTHETIC = 0xFFFF << _SHIFT


class Numbers:
    """Gives each inode of each mount a number of its own; those of the first mount keep theirs.

    Inode numbers past 47 bits are rare; such inodes are numbered in the order in which they are met, for good.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._large: dict[tuple[int, int], int] = {}
        self._made: dict[str, int] = {}
        self._next = count()

    def bits(self, mount: int) -> int:
        """What the numbers of a mount have in the upper bits."""
        return mount << _SHIFT

    def of(self, mount: int, inner: int) -> int:
        """The number in the tree of an inode.

        Args:
            mount: number of the mount, from 0.
            inner: the filesystem's own inode number.
        """
        if inner < LARGE:
            return mount << _SHIFT | inner
        with self._lock:
            return self._large.setdefault((mount, inner), mount << _SHIFT | LARGE | next(self._next))

    def of_made(self, path: str) -> int:
        """The number of a directory that nothing but mounts makes."""
        with self._lock:
            return self._made.setdefault(path, _SYNTHETIC | next(self._next))
