"""Contents in chunks: rows of up to a fixed size, where what is missing is zeros.

A chunk's row may be shorter than the chunk; it holds nothing but zeros past the end of the file. Every function runs
within a scope of the session, and returns by how many bytes the space that the content takes has changed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.contract.posix import Buffer

_GRAIN = 4096
_HAS_BLOBS = hasattr(sqlite3.Connection, "blobopen")

_FIND = "SELECT rowid, length(data) FROM chunk WHERE cid = ? AND idx = ?"
_PART = "SELECT substr(data, ?, ?) FROM chunk WHERE cid = ? AND idx = ?"
_WHOLE = "SELECT idx, data FROM chunk WHERE cid = ? AND idx BETWEEN ? AND ? ORDER BY idx"
_PUT = "INSERT OR REPLACE INTO chunk (cid, idx, data) VALUES (?, ?, ?)"


@dataclass(frozen=True)
class Chunks:
    """Reads and writes contents.

    Args:
        connection: of the database; ``blobopen`` is new in Python 3.11.
        size: bytes of a whole chunk.
    """

    connection: Any
    size: int

    def read(self, cid: int, size: int, offset: int) -> list[Buffer]:
        """``size`` bytes from ``offset``, which lie inside the file, in pieces."""
        first, start = divmod(offset, self.size)
        last, stop = divmod(offset + size - 1, self.size)
        if first == last:
            return [self._part(cid, first, start, size)]
        pieces: list[Buffer] = []
        wanted = first
        for index, data in self.connection.execute(_WHOLE, (cid, first, last)):
            pieces += [bytes(self.size)] * (index - wanted)
            pieces.append(data if len(data) == self.size else data.ljust(self.size, b"\0"))
            wanted = index + 1
        pieces += [bytes(self.size)] * (last + 1 - wanted)
        if start:
            pieces[0] = memoryview(pieces[0])[start:]
        if stop + 1 < self.size:
            pieces[-1] = memoryview(pieces[-1])[: stop + 1]
        return pieces

    def add(self, cid: int, data: Buffer) -> int:
        """Put a whole content where none is."""
        view = memoryview(data)
        rows = ((cid, start // self.size, view[start : start + self.size]) for start in range(0, len(view), self.size))
        self.connection.executemany("INSERT INTO chunk (cid, idx, data) VALUES (?, ?, ?)", rows)
        return len(view)

    def write(self, cid: int, data: Buffer, offset: int) -> int:
        """Write in place, over what is there."""
        view = memoryview(data)
        more = 0
        for index, start, piece in self._split(view, offset):
            if len(piece) == self.size:
                more += self.size - self._length(cid, index)
                self.connection.execute(_PUT, (cid, index, piece))
            else:
                more += self._write_part(cid, index, piece, start)
        return more

    def truncate(self, cid: int, size: int) -> int:
        """Drop what lies past ``size``."""
        keep, rest = divmod(size, self.size)
        gone = self._space(cid, keep + bool(rest))
        self.connection.execute("DELETE FROM chunk WHERE cid = ? AND idx >= ?", (cid, keep + bool(rest)))
        if rest:
            length = self._length(cid, keep)
            if length > rest:
                change = "UPDATE chunk SET data = substr(data, 1, ?) WHERE cid = ? AND idx = ?"
                self.connection.execute(change, (rest, cid, keep))
                gone += length - rest
        return -gone

    def zero(self, cid: int, offset: int, length: int) -> int:
        """Turn a range into zeros; chunks that it covers whole become holes."""
        end = offset + length
        first, last = -(-offset // self.size), end // self.size
        if first > last:
            return self._clear(cid, offset, end)
        more = self._clear(cid, offset, first * self.size) + self._clear(cid, last * self.size, end)
        where = "cid = ? AND idx >= ? AND idx < ?"
        (gone,) = self.connection.execute(
            f"SELECT coalesce(sum(length(data)), 0) FROM chunk WHERE {where}",  # noqa: S608 - a constant
            (cid, first, last),
        ).fetchone()
        self.connection.execute(f"DELETE FROM chunk WHERE {where}", (cid, first, last))  # noqa: S608 - a constant
        return more - int(gone)

    def reserve(self, cid: int, offset: int, length: int) -> int:
        """Fill the holes of a range with zeros that take space."""
        more = 0
        for index in range(offset // self.size, -(-(offset + length) // self.size)):
            there = self._length(cid, index)
            if there < self.size:
                self._grow(cid, index, self.size)
                more += self.size - there
        return more

    def seek(self, cid: int, offset: int, whence: int) -> int | None:
        """The next data or hole from ``offset``; None if there is only one hole from there."""
        index = offset // self.size
        if whence == os.SEEK_DATA:
            query = "SELECT min(idx) FROM chunk WHERE cid = ? AND idx >= ?"
            (found,) = self.connection.execute(query, (cid, index)).fetchone()
            return None if found is None else max(offset, int(found) * self.size)
        query = "SELECT idx FROM chunk WHERE cid = ? AND idx >= ? ORDER BY idx"
        for (found,) in self.connection.execute(query, (cid, index)):
            if found != index:
                break
            index += 1
        return max(offset, index * self.size)

    def copy(self, source: int, target: int) -> None:
        """Give another content the same chunks."""
        query = "INSERT INTO chunk (cid, idx, data) SELECT ?, idx, data FROM chunk WHERE cid = ?"
        self.connection.execute(query, (target, source))

    def drop(self, cid: int) -> None:
        """Remove a content."""
        self.connection.execute("DELETE FROM chunk WHERE cid = ?", (cid,))

    def _split(self, view: memoryview, offset: int) -> Iterator[tuple[int, int, memoryview]]:
        """Chunk, offset in it and piece of each chunk that a range touches."""
        position = 0
        while position < len(view):
            index, start = divmod(offset + position, self.size)
            piece = view[position : position + self.size - start]
            yield index, start, piece
            position += len(piece)

    def _part(self, cid: int, index: int, start: int, size: int) -> bytes:
        """A part of a chunk, which may be missing or shorter."""
        if not _HAS_BLOBS or size >= self.size // 4:
            row = self.connection.execute(_PART, (start + 1, size, cid, index)).fetchone()
            return (row[0] if row else b"").ljust(size, b"\0")
        row = self.connection.execute(_FIND, (cid, index)).fetchone()
        if row is None or row[1] <= start:
            return bytes(size)
        with self.connection.blobopen("chunk", "data", row[0], readonly=True) as blob:
            blob.seek(start)
            data: bytes = blob.read(min(size, row[1] - start))
        return data if len(data) == size else data.ljust(size, b"\0")

    def _write_part(self, cid: int, index: int, piece: memoryview, start: int) -> int:
        row = self.connection.execute(_FIND, (cid, index)).fetchone()
        end = start + len(piece)
        rowid, length = row or (None, 0)
        if rowid is not None and end <= length and _HAS_BLOBS:
            with self.connection.blobopen("chunk", "data", rowid) as blob:
                blob.seek(start)
                blob.write(piece)
            return 0
        data = bytearray(self._part(cid, index, 0, length) if length else b"")
        if end > length:
            # It grows by half of itself at least, so that small appends do not each write the chunk anew.
            data.extend(bytes(self._roomy(end, length) - length))
        data[start:end] = piece
        self.connection.execute(_PUT, (cid, index, data))
        return len(data) - length

    def _roomy(self, end: int, length: int) -> int:
        if not length:
            return end
        return min(self.size, -(-max(end, length + length // 2) // _GRAIN) * _GRAIN)

    def _grow(self, cid: int, index: int, length: int) -> None:
        data = self._part(cid, index, 0, length)
        self.connection.execute(_PUT, (cid, index, data))

    def _clear(self, cid: int, start: int, end: int) -> int:
        """Zero a range inside one chunk, as far as it is there."""
        if start >= end:
            return 0
        index, first = divmod(start, self.size)
        stop = min(first + end - start, self._length(cid, index))
        return self._write_part(cid, index, memoryview(bytes(stop - first)), first) if stop > first else 0

    def _length(self, cid: int, index: int) -> int:
        row = self.connection.execute(_FIND, (cid, index)).fetchone()
        return int(row[1]) if row else 0

    def _space(self, cid: int, first: int) -> int:
        query = "SELECT coalesce(sum(length(data)), 0) FROM chunk WHERE cid = ? AND idx >= ?"
        return int(self.connection.execute(query, (cid, first)).fetchone()[0])
