"""Where each blob is: the index files of a repository, joined in memory."""

from __future__ import annotations

import errno
import hashlib

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.wrappers.snapshots.repository.packs import (
    MAGIC,
    Row,
    decode_rows,
    encode_rows,
    rows_of,
    table_bytes,
)
from chuk_fsspec.wrappers.snapshots.repository.storage import Storage

_TAIL = 256 * 1024
"""Bytes that are read at first of the end of a pack."""


class Index:
    """Blobs by id. Packs that were written by an interrupted run count as well, once ``adopt`` has found them."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._seen: set[str] = set()
        self.blobs: dict[bytes, tuple[str, Row]] = {}
        self.packs: dict[str, list[Row]] = {}

    def refresh(self) -> None:
        """Read what others have written since, and forget what they have removed."""
        names = set(self._storage.names("index"))
        if self._seen - names:
            # Made anew beside the old one, which other threads go on reading.
            fresh = Index(self._storage)
            fresh.refresh()
            self.blobs, self.packs, self._seen = fresh.blobs, fresh.packs, fresh.files
            return
        for name in sorted(names - self._seen):
            try:
                data = self._storage.read(f"index/{name}")
            except FileNotFoundError:
                continue  # a collection is going on; what replaces this one is there already
            if hashlib.sha256(data).hexdigest() != name:
                raise os_error(errno.EIO, f"index/{name}", hint="this index of snapshots is damaged")
            for pack, rows in decode_rows(name, data):
                self.add(pack, rows)
            self._seen.add(name)

    def adopt(self) -> list[tuple[str, list[Row]]]:
        """Agree with the packs that there are.

        Whole packs that no index names, as an interrupted run leaves them, count from now on. Blobs of packs that are
        gone do not, so that the next run stores them again, and packs that were cut off never do.

        Returns:
            The packs that no index names.
        """
        stored = self._storage.names("packs")
        gone = self.packs.keys() - stored.keys()
        if gone:
            self.packs = {pack: rows for pack, rows in self.packs.items() if pack not in gone}
            self.blobs = {row.blob: (pack, row) for pack, rows in self.packs.items() for row in rows}
        found: list[tuple[str, list[Row]]] = []
        for pack in sorted(name for name in stored.keys() - self.packs.keys() if len(name) == 64):
            rows = self._table(pack, int(stored[pack]["size"]))
            if rows is not None:
                self.add(pack, rows)
                found.append((pack, rows))
        return found

    def add(self, pack: str, rows: list[Row]) -> None:
        """Take a pack in."""
        self.packs[pack] = rows
        for row in rows:
            self.blobs[row.blob] = pack, row

    def write(self, packs: list[tuple[str, list[Row]]]) -> str:
        """Write an index file of some packs; returns its name."""
        data = encode_rows(packs)
        name = hashlib.sha256(data).hexdigest()
        self._storage.write(f"index/{name}", data)
        self._seen.add(name)
        return name

    @property
    def files(self) -> set[str]:
        """The index files that were read or written."""
        return set(self._seen)

    def _table(self, pack: str, size: int) -> list[Row] | None:
        """The table of a pack; None if it is not whole."""
        name = f"packs/{pack}"
        start = max(size - _TAIL, 0)
        data = self._storage.read(name, start, size)
        wanted = table_bytes(data) if data.endswith(MAGIC) else 0
        if wanted > len(data):
            data = self._storage.read(name, size - wanted, size)
        try:
            return rows_of(name, data)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return None
