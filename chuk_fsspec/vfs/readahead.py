"""Reading ranges of a file that nobody changes here, some of it before it is asked for."""

from __future__ import annotations

import errno
import threading

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.vfs.backend import Names
from chuk_fsspec.vfs.node import PathNode
from chuk_fsspec.vfs.volume import Volume

_SMALLEST = 128 * 1024


class ReadAhead:
    """One reader's place in a file.

    A read that goes on where the last one ended doubles what is fetched, up to the volume's ``read_ahead``; any other
    starts small again.
    """

    def __init__(self, volume: Volume, node: PathNode) -> None:
        self._backend = volume.backend
        self._table = volume.table
        self._largest = volume.read_ahead
        self._node = node
        self._lock = threading.RLock()
        self._start = 0
        self._data = b""
        self._version: tuple[object, ...] | None = None
        self._window = _SMALLEST // 2

    def read(self, names: Names, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; fewer only at the end of the file.

        Args:
            names: the file's path, on which the caller has a claim.
            size: bytes.
            offset: bytes from the start.

        Raises:
            OSError: whatever the filesystem says; EIO if it sends less than the file has.
        """
        with self._lock:
            node = self._node
            stop = min(offset + size, node.size)
            if offset >= stop:
                return b""
            if node.version != self._version:
                self._version, self._data = node.version, b""
            if offset < self._start or stop > self._end:
                self._fill(names, offset, stop)
            return self._data[offset - self._start : stop - self._start]

    @property
    def _end(self) -> int:
        return self._start + len(self._data)

    def _fill(self, names: Names, offset: int, stop: int) -> None:
        in_order = self._start <= offset <= self._end
        self._window = min(self._window * 2, self._largest) if in_order else min(_SMALLEST, self._largest)
        end = min(max(stop, offset + self._window), self._node.size)
        data = self._backend.read(names, offset, end)
        if len(data) < end - offset:
            self._explain_short(names, offset + len(data))
        self._start, self._data = offset, data

    def _explain_short(self, names: Names, got: int) -> None:
        """Less came than the file was said to have: either it has shrunk, or something is wrong. EIO."""
        asked = self._table.clock
        attributes = self._backend.attributes(names)
        self._table.learn(*self._node.place, attributes, asked)
        if attributes.size > got:
            hint = f"the filesystem sent {got} of {attributes.size} bytes"
            raise os_error(errno.EIO, self._backend.path(names), hint=hint)
