"""Blobs into packs. What the store has already is not sent again."""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from chuk_fsspec.wrappers.snapshots.repository.index import Index
from chuk_fsspec.wrappers.snapshots.repository.packs import DEFLATED, RAW, PackBuilder, Row
from chuk_fsspec.wrappers.snapshots.repository.storage import Storage


class BlobWriter:
    """Collects blobs; a context manager. Nothing refers to them before ``finish`` has written their index."""

    def __init__(self, storage: Storage, index: Index) -> None:
        self._storage, self._index = storage, index
        self._lock = threading.RLock()
        self._pack = PackBuilder()
        self._pending: set[bytes] = set()
        self._new = index.adopt()
        self._uploads = 4 if storage.is_remote else 1
        self._pool = ThreadPoolExecutor(self._uploads, "chuksnap-upload")
        self._underway: deque[Future[None]] = deque()
        self.added = 0

    def add(self, data: bytes, *, compress: bool = False) -> str:
        """Store a blob unless the store has it.

        Args:
            data: its content.
            compress: store it deflated.

        Returns:
            Its id.
        """
        digest = hashlib.sha256(data)
        key = digest.digest()
        with self._lock:
            if key not in self._index.blobs and key not in self._pending:
                self._pending.add(key)
                stored = zlib.compress(data, 1) if compress else data
                self._pack.add(key, stored, DEFLATED if compress else RAW)
                self.added += len(stored)
                if self._pack.is_full:
                    self._send()
        return digest.hexdigest()

    def has(self, *blobs: str) -> bool:
        """Whether the store has all these blobs already."""
        return all(bytes.fromhex(blob) in self._index.blobs for blob in blobs)

    def finish(self) -> None:
        """Wait until all is stored, and write the index."""
        with self._lock:
            if self._pack.rows:
                self._send()
            while self._underway:
                self._underway.popleft().result()
            if self._new:
                self._index.write(self._new)
                self._new = []

    def _send(self) -> None:
        pack, self._pack = self._pack, PackBuilder()
        # Each pack underway is one in memory.
        while len(self._underway) >= self._uploads:
            self._underway.popleft().result()
        self._underway.append(self._pool.submit(self._write, pack))

    def _write(self, pack: PackBuilder) -> None:
        name, data = pack.build()
        self._storage.write(f"packs/{name}", data)
        self._took(name, pack.rows)

    def _took(self, name: str, rows: list[Row]) -> None:
        self._index.add(name, rows)
        self._new.append((name, rows))

    def __enter__(self) -> BlobWriter:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)
