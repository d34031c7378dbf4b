"""How much is stored below: one figure for each store, whoever writes and by which door.

On the books is what names lead to, what is still open without a name, and what open files have claimed for content
that is not published yet. The first is counted once, by a scan, when it is first asked for; from then on each change is
booked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.contract.limits import Limits
from chuk_fsspec.wrappers.security.turns import Turns


@dataclass(frozen=True)
class Usage:
    """What is stored, or a difference of two.

    Attributes:
        size: bytes of content of regular files, holes included.
        files: files, directories and links; a file with several names counts once, the root not at all.
    """

    size: int = 0
    files: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.size + other.size, self.files + other.files)

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.size - other.size, self.files - other.files)


NOTHING = Usage()


@dataclass
class Edited:
    """A file that is being written in place.

    Attributes:
        info: what the books know of it; None if it was not there.
        writers: how many have it open.
    """

    info: Mapping[str, Any] | None
    writers: int = 1


Scan = Callable[[], Usage]


class Ledger:
    """The figures of one store.

    Whoever changes the store does so inside ``changing``, in which nobody else changes the same paths: so what is
    measured before and after is the change. Claims only move figures, at any time.

    Args:
        by_path: whether files can only be reached by path, each by one: then changes of different paths go on at once.
    """

    def __init__(self, *, by_path: bool) -> None:
        self.turns = Turns(by_path)
        self.is_kept = False
        """Whether there is anybody with a quota."""
        self._figures = threading.RLock()
        self._counted = False
        self._stored = NOTHING
        self._claimed = NOTHING
        self._nameless: dict[int, int] = {}
        self._nameless_size = 0
        self._open_counts: dict[int, int] = {}
        self._holders: list[Container[int]] = []
        self.edited: dict[str, Edited] = {}
        """Files that are being written where everybody sees it, by path; kept inside ``changing``."""

    def renew(self) -> None:
        """After a fork: locks may have been held by threads that the child does not have."""
        self.turns.renew()
        self._figures = threading.RLock()
        self._counted = False

    # ---- counting

    def changing(self, *paths: str) -> AbstractContextManager[object]:
        """A block in which nobody else changes these paths; of everything, if none is given."""
        return self.turns.taken(paths)

    def ensure_counted(self, scan: Scan) -> None:
        """Count the store if that was not done, or became doubtful. Not to be called inside ``changing``."""
        if not self._counted:
            self.recount(scan)

    def recount(self, scan: Scan) -> Usage:
        """Count the store anew while nobody changes it."""
        with self.changing():
            stored = scan()
            with self._figures:
                self._stored, self._counted = stored, True
        return self.used

    def doubt(self) -> None:
        """Something changed that nobody measured: count again before the next change."""
        self._counted = False

    @property
    def used(self) -> Usage:
        """All that is on the books."""
        with self._figures:
            return self._used()

    def _used(self) -> Usage:
        stored, claimed = self._stored, self._claimed
        return Usage(
            stored.size + claimed.size + self._nameless_size, stored.files + claimed.files + len(self._nameless)
        )

    # ---- booking

    def grow(self, limits: Limits, size: int, files: int) -> str:
        """Book a growth before it happens.

        Args:
            limits: what may not be exceeded.
            size: more bytes; not negative.
            files: more files, directories and links; not negative.

        Returns:
            The name of the limit that it would exceed, with nothing booked; empty if it is booked.
        """
        with self._figures:
            short = self._shortage(limits, size, files)
            if not short:
                self._stored = Usage(self._stored.size + size, self._stored.files + files)
            return short

    def book(self, size: int, files: int) -> None:
        """Book what has happened."""
        if size or files:
            with self._figures:
                self._stored = Usage(self._stored.size + size, self._stored.files + files)

    def claim(self, limits: Limits, size: int, files: int) -> str:
        """As ``grow``, for content that is not published yet."""
        with self._figures:
            short = self._shortage(limits, size, files)
            if not short:
                self._claimed = Usage(self._claimed.size + size, self._claimed.files + files)
            return short

    def settle(self, claimed: Usage, actual: Usage = NOTHING) -> None:
        """Give a claim back and book what has become of it."""
        with self._figures:
            self._claimed -= claimed
            self._stored += actual

    def _shortage(self, limits: Limits, size: int, files: int) -> str:
        used = self._used()
        return limits.exceeded(total_size=used.size + size if size else 0, files=used.files + files if files else 0)

    # ---- files without a name, inside ``changing``

    def hold(self, table: Container[int]) -> Callable[[], None]:
        """Inodes whose number is in ``table`` are in use; returns what ends it."""
        self._holders.append(table)

        def end() -> None:
            self._holders[:] = [kept for kept in self._holders if kept is not table]

        return end

    def opened(self, ino: int) -> None:
        """Count one more open handle."""
        self._open_counts[ino] = self._open_counts.get(ino, 0) + 1

    def closed(self, ino: int) -> None:
        """Count one open handle less."""
        left = self._open_counts.pop(ino) - 1
        if left:
            self._open_counts[ino] = left
        self.released(ino)

    @property
    def has_users(self) -> bool:
        """Whether any inode may live on without a name."""
        return bool(self._open_counts or self._holders)

    def is_used(self, ino: int) -> bool:
        """Whether an inode lives on without a name."""
        return ino in self._open_counts or any(ino in table for table in self._holders)

    def is_nameless(self, ino: int) -> bool:
        """Whether an inode without a name is on the books."""
        return ino in self._nameless

    def lost_name(self, ino: int, size: int) -> None:
        """An inode that is off the books of names is still there if somebody uses it."""
        if self.is_used(ino):
            with self._figures:
                self._nameless[ino] = size
                self._nameless_size += size

    def made_without_name(self, ino: int) -> None:
        """An inode was made that has no name yet; it is there until it is ``released``."""
        with self._figures:
            self._nameless[ino] = 0

    def got_name(self, ino: int) -> None:
        """What had no name has one: it is on the books of names now."""
        with self._figures:
            size = self._nameless.pop(ino, None)
            if size is not None:
                self._nameless_size -= size
                self._stored += Usage(size, 1)

    def released(self, ino: int) -> None:
        """Take an inode without a name off the books once nobody uses it."""
        if ino in self._nameless and not self.is_used(ino):
            with self._figures:
                self._nameless_size -= self._nameless.pop(ino)

    def resized(self, ino: int, size: int) -> None:
        """Of a size that ``grow`` or ``book`` put on the books: it belongs to an inode without a name."""
        if ino in self._nameless:
            with self._figures:
                self._nameless[ino] += size
                self._nameless_size += size
                self._stored -= Usage(size, 0)
