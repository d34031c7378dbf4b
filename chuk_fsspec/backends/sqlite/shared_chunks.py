"""Contents in chunks of which equal ones are there once, in files with the option ``deduplicate``.

The table ``reference`` says in which row of ``block`` a chunk is; ``chunk`` is a view of both, so that all that only
looks is the same in either kind of file. A block is never changed: what is written goes to another one. Those that
nothing refers to any more are removed by triggers (``schema.SHARED``), in the same statement. How often one is used is
not counted, it is in an index: a count could be wrong, and would have to be written for each chunk of a copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.backends.sqlite.chunks import Chunks
from chuk_fsspec.contract.posix import Buffer

_FIND = "SELECT id FROM block WHERE hash = ?"
_ADD = "INSERT INTO block (hash, data) VALUES (?, ?)"
_REFER = (
    "INSERT INTO reference (id, block) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET block = excluded.block "
    "WHERE block <> excluded.block"
)


def digest(data: Buffer) -> bytes:
    """What two blocks have in common only if they are equal.

    SHA-256, whole: nobody can make two blocks that have it in common, so the bytes need not be compared. Processors
    have instructions for it, with which it takes half the time of BLAKE2b.
    """
    return hashlib.sha256(data).digest()


@dataclass(frozen=True)
class SharedChunks(Chunks):
    """Reads and writes contents that have equal chunks in common."""

    def _insert(self, chunks: Iterable[tuple[int, Buffer]]) -> None:
        for chunk, data in chunks:
            self._put(chunk, data)

    def _put(self, chunk: int, data: Buffer) -> None:
        execute = self.connection.execute
        found = digest(data)
        row = execute(_FIND, (found,)).fetchone()
        block = row[0] if row else execute(_ADD, (found, data)).lastrowid
        execute(_REFER, (chunk, block))

    def _cut(self, chunk: int, length: int) -> None:
        (data,) = self.connection.execute(
            "SELECT substr(data, 1, ?) FROM chunk WHERE id = ?", (length, chunk)
        ).fetchone()
        self._put(chunk, data)

    def _delete(self, first: int, last: int) -> None:
        self.connection.execute("DELETE FROM reference WHERE id BETWEEN ? AND ?", (first, last))

    def _copy(self, further: int, first: int, last: int) -> None:
        query = "INSERT INTO reference (id, block) SELECT id + ?, block FROM reference WHERE id BETWEEN ? AND ?"
        self.connection.execute(query, (further, first, last))

    def _blob(self, chunk: int) -> Any:
        row = self.connection.execute("SELECT block FROM reference WHERE id = ?", (chunk,)).fetchone()
        return self.connection.blobopen("block", "data", row[0] if row else 0, readonly=True)

    def _write_blob(self, chunk: int, piece: memoryview, start: int) -> bool:
        return False  # others may have the block too
