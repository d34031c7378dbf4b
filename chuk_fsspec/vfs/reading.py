"""Reading ranges of a file that nobody changes here, some of it before it is asked for."""

from __future__ import annotations

import errno
import threading
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.vfs.backend import Names
from chuk_fsspec.vfs.blocks import BLOCK, Fetch
from chuk_fsspec.vfs.node import PathNode
from chuk_fsspec.vfs.volume import Volume

_WHOLE = 1 << 20
"""Bytes of a file that is fetched whole."""
_NEAR = 1 << 20
"""Bytes that a read in order may begin before the end of the last one: the kernel asks for them in any order."""
_REQUESTS_AHEAD = 4
_ATTEMPTS = 5


@dataclass(frozen=True)
class _Version:
    """One content of a file.

    Attributes:
        key: under which its blocks are known.
        etag: by which it is asked for; empty where the filesystem reads whatever is there.
        size: bytes.
        own_changes: how often the file was changed here before.
    """

    key: Hashable
    etag: str
    size: int
    own_changes: int


class Reader:
    """One reader's place in a file.

    A read that goes on where the last one ended doubles what is fetched, up to the volume's ``read_ahead``; any other
    starts small again. Where versions can be read, what comes next is on its way while the last is read, and all is of
    one version.
    """

    def __init__(self, volume: Volume, node: PathNode) -> None:
        self._volume = volume
        self._node = node
        self._largest = -(-volume.read_ahead // BLOCK) * BLOCK
        self._lock = threading.RLock()
        self._private = object()
        self._version: _Version | None = None
        self._place = 0
        self._frontier = 0
        self._window = BLOCK // 2

    def read(self, names: Names, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; fewer only at the end of the file.

        Args:
            names: the file's path, on which the caller has a claim.
            size: bytes.
            offset: bytes from the start.

        Raises:
            OSError: whatever the filesystem says; EIO if it sends less than the file has; ESTALE if somebody else
                replaced the file after some of it was read.
        """
        for _ in range(_ATTEMPTS):
            version = self._current(names)
            stop = min(offset + size, version.size)
            if offset >= stop:
                return b""
            try:
                reach = self._plan(names, version, offset, stop)
                data = self._collect(names, version, offset, stop, reach)
            except OSError as error:
                if error.errno != errno.ESTALE or self._version is not None:
                    raise
                # Nobody has seen anything of the old version: the new one is as good.
                self._look_again(names)
            else:
                self._version = version
                return data
        raise os_error(errno.ESTALE, self._volume.backend.path(names), hint="it is replaced faster than it can be read")

    def close(self) -> None:
        """Nothing more is read: what was fetched ahead need not wait."""
        with self._lock:
            if self._version is not None:
                first, stop = self._place // BLOCK, -(-self._frontier // BLOCK)
                self._volume.blocks.abandon(self._version.key, first, stop)

    # ---- steps

    def _current(self, names: Names) -> _Version:
        """The version to read. ESTALE if it is not the one that was begun, and that is not our own doing."""
        node = self._node
        reads_versions = self._volume.backend.capabilities.versioned_reads
        if reads_versions and node.version is None:
            self._look_again(names)
        if reads_versions and node.version is not None and node.etag:
            version = _Version((node.ino, node.etag), node.etag, node.size, node.changed)
        else:
            version = _Version((self._private, node.version, node.changed), "", node.size, node.changed)
        begun = self._version
        if begun and begun.etag and begun.own_changes == version.own_changes and begun.etag != version.etag:
            hint = "it was replaced while it was read: open it again"
            raise os_error(errno.ESTALE, self._volume.backend.path(names), hint=hint)
        return version

    def _plan(self, names: Names, version: _Version, offset: int, stop: int) -> int:
        """Have what comes next fetched if the file is read in order; returns how far it is worth fetching now."""
        with self._lock:
            goes_on = self._place - _NEAR <= offset <= self._frontier
            if not goes_on:
                self._window, self._frontier = BLOCK, offset
            elif stop > self._frontier:
                self._window = min(self._window * 2, self._largest)
            reach = stop
            if stop > self._frontier:
                reach = version.size if version.size <= _WHOLE else max(stop, offset // BLOCK * BLOCK + self._window)
                self._frontier = -(-reach // BLOCK) * BLOCK
            is_begun, self._place = self._place > 0, stop
            if version.etag and goes_on and is_begun:
                self._look_ahead(names, version)
            return min(reach, version.size)

    def _look_ahead(self, names: Names, version: _Version) -> None:
        while self._frontier < version.size and self._frontier - self._place < _REQUESTS_AHEAD * self._window:
            window = min(self._window * 2, self._largest)
            first, stop = self._frontier // BLOCK, -(-min(self._frontier + window, version.size) // BLOCK)
            fetch = self._volume.blocks.begin_ahead(version.key, first, stop)
            if fetch is None:
                return
            self._window, self._frontier = window, fetch.stop * BLOCK
            self._fetch_beside(names, version, fetch)

    def _fetch_beside(self, names: Names, version: _Version, fetch: Fetch) -> None:
        let_go = self._volume.table.claims.extend(self._node)

        def work() -> None:
            try:
                # Whoever comes to need the blocks asks for them again, and is told what is wrong.
                with suppress(OSError):
                    self._fetch(names, version, fetch)
            finally:
                let_go()

        threading.Thread(target=work, name="vfs-ahead", daemon=True).start()

    def _collect(self, names: Names, version: _Version, offset: int, stop: int, reach: int) -> bytes:
        """Bytes of a version; fewer where the file has turned out to be shorter."""
        blocks = self._volume.blocks
        pieces: list[bytes] = []
        while offset < stop:
            number = offset // BLOCK
            found = blocks.find(version.key, number)
            if found is None:
                fetch = blocks.begin(version.key, number, -(-reach // BLOCK))
                data = None if fetch is None else self._fetch(names, version, fetch)
            elif isinstance(found, Fetch):
                number, data = found.first, found.wait()
            else:
                data = found
            if data is None:
                continue
            piece = data[offset - number * BLOCK : stop - number * BLOCK]
            if not piece:
                break
            pieces.append(piece)
            offset += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _fetch(self, names: Names, version: _Version, fetch: Fetch) -> bytes:
        """Get blocks, and tell all who wait for them."""
        data = None
        try:
            start, stop = fetch.first * BLOCK, min(fetch.stop * BLOCK, version.size)
            found = self._volume.backend.read(names, start, stop, version.etag)
            if len(found) < stop - start:
                self._explain_short(names, version, start + len(found))
            data = found
        finally:
            self._volume.blocks.land(fetch, data)
        return data

    def _explain_short(self, names: Names, version: _Version, got: int) -> None:
        """Less came than the file was said to have: either it has shrunk, or something is wrong. EIO."""
        size = version.size if version.etag else self._look_again(names)
        if size > got:
            hint = f"the filesystem sent {got} of {size} bytes"
            raise os_error(errno.EIO, self._volume.backend.path(names), hint=hint)

    def _look_again(self, names: Names) -> int:
        """Ask for the file's attributes; returns its size."""
        table = self._volume.table
        asked = table.clock
        attributes = self._volume.backend.attributes(names)
        table.learn(*self._node.place, attributes, asked)
        return attributes.size
