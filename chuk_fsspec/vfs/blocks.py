"""Blocks of content that were read, and those on their way: shared by all who read the same version of a file."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

BLOCK = 128 * 1024
"""Bytes of one block; the last one of a file may have fewer."""


class Fetch:
    """Blocks on their way, one after another.

    Attributes:
        version: of which content.
        first: number of the first block.
        stop: number behind the last one.
        is_wanted: somebody still reads this part of the file.
    """

    def __init__(self, version: Hashable, first: int, stop: int) -> None:
        self.version, self.first, self.stop = version, first, stop
        self.is_wanted = True
        self._data: bytes | None = None
        self._ended = threading.Event()

    def end(self, data: bytes | None) -> None:
        """Tell those who wait what has come; None if it could not be had."""
        self._data = data
        self._ended.set()

    def wait(self) -> bytes | None:
        """What has come, once it has; None if it could not be had."""
        self._ended.wait()
        return self._data


class Blocks:
    """The content of files as far as it is here. What nobody has used for the longest time goes first.

    What is fetched ahead takes at most half of the room until it is read, so that it is not lost before.
    """

    def __init__(self, most: int) -> None:
        """Begin with nothing.

        Args:
            most: bytes that are kept.
        """
        self._most = most
        self._lock = threading.RLock()
        self._blocks: OrderedDict[tuple[Hashable, int], bytes] = OrderedDict()
        self._bytes = 0
        self._coming: dict[tuple[Hashable, int], Fetch] = {}
        self._unread: set[tuple[Hashable, int]] = set()

    def find(self, version: Hashable, number: int) -> bytes | Fetch | None:
        """A block that is here, or the fetch that brings it; None if there is neither."""
        place = version, number
        with self._lock:
            self._unread.discard(place)
            block = self._blocks.get(place)
            if block is None:
                return self._coming.get(place)
            self._blocks.move_to_end(place)
            return block

    def begin(self, version: Hashable, first: int, stop: int) -> Fetch | None:
        """Promise to fetch blocks, and to say so by ``land``.

        Args:
            version: of which content.
            first: number of the first block.
            stop: number behind the last one that is worth fetching along with it.

        Returns:
            What to fetch, up to the next block that is here or on its way; None if the first one is.
        """
        with self._lock:
            missing = first
            while missing < stop and (version, missing) not in self._blocks and (version, missing) not in self._coming:
                missing += 1
            if missing == first:
                return None
            fetch = Fetch(version, first, missing)
            self._coming.update(dict.fromkeys(_places(fetch), fetch))
            return fetch

    def begin_ahead(self, version: Hashable, first: int, stop: int) -> Fetch | None:
        """The same for blocks that nobody has asked for yet; None also if enough of such are here."""
        with self._lock:
            if (len(self._unread) + stop - first) * BLOCK > self._most // 2:
                return None
            fetch = self.begin(version, first, stop)
            if fetch is not None:
                self._unread.update(_places(fetch))
            return fetch

    def land(self, fetch: Fetch, data: bytes | None) -> None:
        """What was promised has come; None if it could not be had."""
        with self._lock:
            for place in _places(fetch):
                self._coming.pop(place, None)
                if data is None or not fetch.is_wanted:
                    self._unread.discard(place)
            if data is not None:
                for number, start in enumerate(range(0, len(data), BLOCK), fetch.first):
                    block = data[start : start + BLOCK]
                    self._blocks[fetch.version, number] = block
                    self._bytes += len(block)
            while self._bytes > self._most:
                place, block = self._blocks.popitem(last=False)
                self._bytes -= len(block)
                self._unread.discard(place)
        fetch.end(data)

    def abandon(self, version: Hashable, first: int, stop: int) -> None:
        """Nobody is going to ask for these blocks soon, though they were fetched ahead."""
        with self._lock:
            for number in range(first, stop):
                fetch = self._coming.get((version, number))
                if fetch is None:
                    self._unread.discard((version, number))
                else:
                    fetch.is_wanted = False


def _places(fetch: Fetch) -> list[tuple[Hashable, int]]:
    return [(fetch.version, number) for number in range(fetch.first, fetch.stop)]
