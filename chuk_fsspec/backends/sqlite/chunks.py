"""Contents in chunks: rows of up to a fixed size, where what is missing is zeros.

The key of a row is the number of the content and the index of the chunk in one, so that it is found by the table's own
order, without an index beside it. A row may be shorter than the chunk; it holds nothing but zeros past the end of the
file. Every function runs
within a scope of the session, and returns by how many bytes the space that the content takes has changed.
"""

from __future__ import annotations

import errno
import io
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.snapshots.keeping import Keeping

_GRAIN = 4096
_HAS_BLOBS = hasattr(sqlite3.Connection, "blobopen")

_LENGTH = "SELECT length(data) FROM chunk WHERE id = ?"
_PART = "SELECT substr(data, ?, ?) FROM chunk WHERE id = ?"
_CUT = "UPDATE chunk SET data = substr(data, 1, ?) WHERE id = ?"
_WHOLE = "SELECT id, data FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id"
# Not REPLACE, which removes a row without a trigger being told.
_PUT = "INSERT INTO chunk (id, data) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data"
_KEYS = "SELECT id FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id"
_SPACE = "SELECT coalesce(sum(length(data)), 0) FROM chunk WHERE id BETWEEN ? AND ?"
_DELETE = "DELETE FROM chunk WHERE id BETWEEN ? AND ?"
_PIECES_MAX = 2 << 20
_NO_SUCH_ROW = "no such rowid"

INDEX_BITS = 28
INDEX_MAX = (1 << INDEX_BITS) - 1
"""The last chunk that a content may have: a file ends at 16 TiB, with chunks of 64 KiB."""


def key(cid: int, index: int) -> int:
    """The key of a chunk. EFBIG past the last one."""
    if index > INDEX_MAX:
        raise os_error(errno.EFBIG, hint="a larger chunk_size allows for larger files")
    return cid << INDEX_BITS | index


@dataclass(frozen=True)
class Chunks:
    """Reads and writes contents.

    Args:
        connection: of the database; ``blobopen`` is new in Python 3.11.
        size: bytes of a whole chunk.
        keeping: what snapshots need is kept by it.
    """

    connection: Any
    size: int
    keeping: Keeping

    def read(self, cid: int, size: int, offset: int) -> list[Buffer]:
        """``size`` bytes from ``offset``, which lie inside the file, in pieces."""
        first, start = divmod(offset, self.size)
        last, stop = divmod(offset + size - 1, self.size)
        if first == last:
            return [self._part(cid, first, start, size)]
        if size > _PIECES_MAX:
            whole = self._joined(cid, first, last, start + size)
            return [whole.getbuffer()[start:] if start else whole.getvalue()]
        pieces: list[Buffer] = []
        wanted, end = key(cid, first), key(cid, last)
        for found, data in self._between(wanted, end):
            pieces += self._zeros(found - wanted)
            pieces.append(data if len(data) == self.size else data.ljust(self.size, b"\0"))
            wanted = found + 1
        pieces += self._zeros(end + 1 - wanted)
        if start:
            pieces[0] = memoryview(pieces[0])[start:]
        if stop + 1 < self.size:
            pieces[-1] = memoryview(pieces[-1])[: stop + 1]
        return pieces

    def _zeros(self, count: int) -> list[Buffer]:
        """So many missing chunks; most often there are none, and nothing is filled with zeros."""
        return [bytes(self.size)] * count if count else []

    def _joined(self, cid: int, first: int, last: int, end: int) -> io.BytesIO:
        """Many chunks in one piece: each is let go of before the next one is read, which halves the memory needed.

        Args:
            cid: the content.
            first: the first chunk.
            last: the last one.
            end: bytes wanted from the first chunk's beginning.
        """
        whole = io.BytesIO()
        base = key(cid, first)
        for found, data in self._between(base, key(cid, last)):
            whole.seek((found - base) * self.size)
            whole.write(data)
        if whole.tell() < end:
            whole.seek(end - 1)
            whole.write(b"\0")
        whole.truncate(end)
        return whole

    def add(self, cid: int, data: Buffer, first: int = 0) -> int:
        """Put data from the chunk ``first`` on, where none is."""
        view = memoryview(data)
        starts = range(0, len(view), self.size)
        base = key(cid, first)
        self._insert((base + start // self.size, view[start : start + self.size]) for start in starts)
        return len(view)

    def write(self, cid: int, data: Buffer, offset: int) -> int:
        """Write in place, over what is there."""
        view = memoryview(data)
        more = 0
        for index, start, piece in self._split(view, offset):
            if len(piece) == self.size:
                more += self.size - self._length(cid, index)
                self._put(key(cid, index), piece)
            else:
                more += self._write_part(cid, index, piece, start)
        return more

    def truncate(self, cid: int, size: int) -> int:
        """Drop what lies past ``size``."""
        keep, rest = divmod(size, self.size)
        gone = self._drop(cid, keep + bool(rest), INDEX_MAX)
        if rest:
            length = self._length(cid, keep)
            if length > rest:
                self._cut(key(cid, keep), rest)
                gone += length - rest
        return -gone

    def zero(self, cid: int, offset: int, length: int) -> int:
        """Turn a range into zeros; chunks that it covers whole become holes."""
        end = offset + length
        first, last = -(-offset // self.size), end // self.size
        if first > last:
            return self._clear(cid, offset, end)
        more = self._clear(cid, offset, first * self.size) + self._clear(cid, last * self.size, end)
        return more - (self._drop(cid, first, last - 1) if first < last else 0)

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
            found = next(self._keys(key(cid, index), key(cid, INDEX_MAX)), None)
            return None if found is None else max(offset, (found & INDEX_MAX) * self.size)
        for found in self._keys(key(cid, index), key(cid, INDEX_MAX)):
            if found & INDEX_MAX != index:
                break
            index += 1
        return max(offset, index * self.size)

    def copy(self, source: int, target: int, first: int = 0, count: int = INDEX_MAX + 1) -> None:
        """Give another content the same chunks, up to ``count`` of them from ``first`` on."""
        last = min(first + count - 1, INDEX_MAX)
        self._copy(key(target, 0) - key(source, 0), key(source, first), key(source, last))

    def drop(self, cid: int) -> None:
        """Remove a content."""
        self._delete(key(cid, 0), key(cid, INDEX_MAX))

    def _drop(self, cid: int, first: int, last: int) -> int:
        """Remove some chunks; returns the space that they took."""
        where = key(cid, first), key(cid, last)
        (gone,) = self.connection.execute(_SPACE, where).fetchone()
        self._delete(*where)
        return int(gone)

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
            row = self.connection.execute(_PART, (start + 1, size, key(cid, index))).fetchone()
            return (row[0] if row else b"").ljust(size, b"\0")
        try:
            with self._blob(key(cid, index)) as blob:
                if start >= len(blob):
                    return bytes(size)
                blob.seek(start)
                data: bytes = blob.read(size)
        except sqlite3.OperationalError as error:
            if _NO_SUCH_ROW not in str(error):
                raise
            return bytes(size)
        return data if len(data) == size else data.ljust(size, b"\0")

    def _write_part(self, cid: int, index: int, piece: memoryview, start: int) -> int:
        end = start + len(piece)
        if _HAS_BLOBS and self._write_blob(key(cid, index), piece, start):
            return 0
        length = self._length(cid, index)
        data = bytearray(self._part(cid, index, 0, length) if length else b"")
        if end > length:
            # It grows by half of itself at least, so that small appends do not each write the chunk anew.
            data.extend(bytes(self._roomy(end, length) - length))
        data[start:end] = piece
        self._put(key(cid, index), data)
        return len(data) - length

    def _write_blob(self, chunk: int, piece: memoryview, start: int) -> bool:
        """Write inside a row; False if there is none, or a shorter one."""
        self.keeping.before_blob(chunk)
        try:
            with self.connection.blobopen("chunk", "data", chunk) as blob:
                if start + len(piece) > len(blob):
                    return False
                blob.seek(start)
                blob.write(piece)
                return True
        except sqlite3.OperationalError as error:
            if _NO_SUCH_ROW not in str(error):
                raise
            return False

    def _roomy(self, end: int, length: int) -> int:
        if not length:
            return end
        return min(self.size, -(-max(end, length + length // 2) // _GRAIN) * _GRAIN)

    def _grow(self, cid: int, index: int, length: int) -> None:
        data = self._part(cid, index, 0, length)
        self._put(key(cid, index), data)

    def _clear(self, cid: int, start: int, end: int) -> int:
        """Zero a range inside one chunk, as far as it is there."""
        if start >= end:
            return 0
        index, first = divmod(start, self.size)
        stop = min(first + end - start, self._length(cid, index))
        return self._write_part(cid, index, memoryview(bytes(stop - first)), first) if stop > first else 0

    def _length(self, cid: int, index: int) -> int:
        row = self.connection.execute(_LENGTH, (key(cid, index),)).fetchone()
        return int(row[0]) if row else 0

    # ---- rows

    def _between(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Keys and data of the chunks from one key to another, in order."""
        found: Iterator[tuple[int, bytes]] = self.connection.execute(_WHOLE, (first, last))
        return found

    def _keys(self, first: int, last: int) -> Iterator[int]:
        """Keys of the chunks from one key to another, in order."""
        for (found,) in self.connection.execute(_KEYS, (first, last)):
            yield found

    def _insert(self, chunks: Iterable[tuple[int, Buffer]]) -> None:
        """Put chunks, by their keys, where none are."""
        self.connection.executemany("INSERT INTO chunk (id, data) VALUES (?, ?)", chunks)

    def _put(self, chunk: int, data: Buffer) -> None:
        """Put a chunk in the place of the one that may be there."""
        self.connection.execute(_PUT, (chunk, data))

    def _cut(self, chunk: int, length: int) -> None:
        """Make a longer chunk shorter."""
        self.connection.execute(_CUT, (length, chunk))

    def _delete(self, first: int, last: int) -> None:
        """Remove the chunks from one key to another."""
        self.connection.execute(_DELETE, (first, last))

    def _copy(self, further: int, first: int, last: int) -> None:
        """Put chunks once more, where none are, under keys that are higher by ``further``."""
        # SQLite keeps all of them in memory before it inserts the first one into the same table.
        query = "INSERT INTO chunk (id, data) SELECT id + ?, data FROM chunk WHERE id BETWEEN ? AND ?"
        self.connection.execute(query, (further, first, last))

    def _blob(self, chunk: int) -> Any:
        """A chunk to be read in part. ``sqlite3.OperationalError`` that says ``_NO_SUCH_ROW``."""
        return self.connection.blobopen("chunk", "data", chunk, readonly=True)
