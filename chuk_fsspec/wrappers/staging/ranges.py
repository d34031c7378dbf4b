"""Which bytes of a file are its own."""

from __future__ import annotations

import threading
from collections.abc import Iterable

Span = tuple[int, int]


class Ranges:
    """A set of offsets, as disjoint spans from the first to past the last byte, in order.

    Each change puts another tuple in the place of the old one, so that a reader beside it sees one or the other.
    """

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self.spans: tuple[Span, ...] = tuple((start, stop) for start, stop in spans)
        self._lock = threading.RLock()

    def add(self, start: int, stop: int) -> bool:
        """Add a span; returns whether that changed anything."""
        with self._lock:
            if start >= stop or any(first <= start and stop <= last for first, last in self.spans):
                return False
            touching = [span for span in self.spans if span[0] <= stop and start <= span[1]]
            apart = [span for span in self.spans if span not in touching]
            start = min([start, *(first for first, _ in touching)])
            stop = max([stop, *(last for _, last in touching)])
            self.spans = tuple(sorted([*apart, (start, stop)]))
            return True

    def clip(self, size: int) -> None:
        """Forget all from an offset on."""
        with self._lock:
            self.spans = tuple((start, min(stop, size)) for start, stop in self.spans if start < size)

    def gaps(self, start: int, stop: int) -> list[Span]:
        """The spans between two offsets that are not in the set."""
        found: list[Span] = []
        for first, last in self.spans:
            if last <= start:
                continue
            if first >= stop:
                break
            if first > start:
                found.append((start, first))
            start = max(start, last)
        if start < stop:
            found.append((start, stop))
        return found
