"""Contents in chunks as they were at a snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chuk_fsspec.backends.sqlite.chunks import Chunks, key
from chuk_fsspec.backends.sqlite.snapshots import rows

_WHOLE = rows.chunks("c.id, c.data")
_KEYS = rows.chunks("c.id")
_PART = rows.chunks("c.id, substr(c.data, :start, :size)")


@dataclass(frozen=True)
class PastChunks(Chunks):
    """Reads contents as they were.

    Args:
        at: number of the snapshot.
    """

    at: int

    def _between(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        found: Iterator[tuple[int, bytes]] = self.connection.execute(_WHOLE, self._span(first, last))
        return found

    def _keys(self, first: int, last: int) -> Iterator[int]:
        for (found,) in self.connection.execute(_KEYS, self._span(first, last)):
            yield found

    def _part(self, cid: int, index: int, start: int, size: int) -> bytes:
        chunk = key(cid, index)
        span = {**self._span(chunk, chunk), "start": start + 1, "size": size}
        row = self.connection.execute(_PART, span).fetchone()
        return (row[1] if row else b"").ljust(size, b"\0")

    def _span(self, first: int, last: int) -> dict[str, int]:
        return {"first": first, "last": last, "at": self.at}
