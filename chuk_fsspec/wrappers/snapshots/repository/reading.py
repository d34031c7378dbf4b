"""Blobs out of packs, each checked against its id."""

from __future__ import annotations

import errno
import hashlib
import threading
import zlib
from collections import OrderedDict

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.wrappers.snapshots.repository.index import Index
from chuk_fsspec.wrappers.snapshots.repository.packs import DEFLATED, Row
from chuk_fsspec.wrappers.snapshots.repository.storage import Storage

_AHEAD = 2 << 20
"""Bytes that are read at once, since what was stored together is wanted together."""
_WINDOWS = 8
"""How many such ranges are kept."""


class BlobReader:
    """Reads blobs, a range of a pack at a time. Safe for several threads."""

    def __init__(self, storage: Storage, index: Index) -> None:
        self._storage, self._index = storage, index
        self._windows: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = threading.RLock()

    def read(self, blob: str) -> bytes:
        """The content of a blob.

        Raises:
            OSError: EIO if it is missing or damaged; ``verify`` says which files that concerns.
        """
        key = bytes.fromhex(blob)
        try:
            stored, row = self._stored(key)
        except FileNotFoundError:
            # It may have moved to another pack since the index was read, or one of two packs that hold it is gone.
            self._index.refresh()
            self._index.adopt()
            try:
                stored, row = self._stored(key)
            except FileNotFoundError:
                raise os_error(errno.EIO, hint=f"the store of snapshots lacks the blob {blob[:12]}…") from None
        data = unpacked(stored, row)
        if data is None or hashlib.sha256(data).digest() != key:
            raise os_error(errno.EIO, hint=f"the blob {blob[:12]}… in the store of snapshots is damaged")
        return data

    def _stored(self, key: bytes) -> tuple[bytes, Row]:
        found = self._index.blobs.get(key)
        if found is None:
            raise FileNotFoundError
        pack, row = found
        with self._lock:
            for (name, start), window in self._windows.items():
                if name == pack and start <= row.offset and row.offset + row.length <= start + len(window):
                    self._windows.move_to_end((name, start))
                    return window[row.offset - start : row.offset - start + row.length], row
        window = self._storage.read(f"packs/{pack}", row.offset, row.offset + max(row.length, _AHEAD))
        with self._lock:
            self._windows[pack, row.offset] = window
            while len(self._windows) > _WINDOWS:
                self._windows.popitem(last=False)
        return window[: row.length], row


def unpacked(stored: bytes, row: Row) -> bytes | None:
    """The content of a blob as it was given; None if it cannot be had from these bytes."""
    if len(stored) != row.length:
        return None
    if row.how != DEFLATED:
        return stored
    try:
        return zlib.decompress(stored)
    except zlib.error:
        return None
