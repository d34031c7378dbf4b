"""``rb``: a file read in ranges, some of them before they are asked for, all of one version."""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.range_reader import RangeReader
from chuk_fsspec.contract.threads import ended
from chuk_fsspec.remote.describing import version_of
from chuk_fsspec.remote.reading import VERSION_ATTEMPTS, Reading
from chuk_fsspec.remote.store import Entry

_SMALLEST = 128 << 10

_AHEAD = 3
"""Ranges that are on their way once a file is read in order in the largest ones."""


@dataclass
class _Ahead:
    """A range that is on its way before anybody asks for it."""

    start: int
    stop: int
    task: asyncio.Task[bytes]


class Window:
    """The part of a file that was fetched last, and what comes next while it is on its way.

    A read that goes on where the last one ended doubles what is fetched, up to a limit, and then has several such
    ranges on their way; any other starts small again. A file that is no larger than the limit is fetched whole. So at
    most five times the limit is held. Of several reads at once, one does so, and the others fetch what they ask for.
    """

    def __init__(self, fs: Reading, entry: Entry, largest: int) -> None:
        """Begin with nothing.

        Args:
            fs: where the file is.
            entry: the file.
            largest: bytes that are fetched at once, unless more is asked for.
        """
        self._fs, self.entry, self._largest = fs, entry, largest
        self._start, self._data = 0, b""
        self._is_begun = False
        self._turn = asyncio.Lock()
        self._size = largest if entry.size <= largest else _SMALLEST // 2
        self._ahead: deque[_Ahead] = deque()

    async def read(self, start: int, stop: int) -> bytes:
        """Bytes from ``start`` to before ``stop``; fewer only at the end of the file.

        Raises:
            OSError: ESTALE if the file was replaced after some of it was read, EIO if it ends too early.
        """
        if self._turn.locked() and self._is_begun:  # others read elsewhere in the file, and wait for nobody either
            stop = min(stop, self.entry.size)
            return await self.fetch(start, stop) if start < stop else b""
        async with self._turn:
            return await self._read_in_turn(start, stop)

    async def _read_in_turn(self, start: int, stop: int) -> bytes:
        for attempt in range(VERSION_ATTEMPTS):
            try:
                if attempt:
                    await self._begin_anew(start, stop)
                data = await self._read(start, min(stop, self.entry.size))
            except OSError as error:  # noqa: PERF203 - the next attempt reads another version
                # As long as nobody has seen anything of the old version, the new one is as good.
                if error.errno != errno.ESTALE or self._is_begun:
                    raise
            else:
                self._is_begun = self._is_begun or bool(data)
                return data
        raise os_error(errno.ESTALE, self.entry.path, hint="it is replaced faster than it can be read")

    async def _begin_anew(self, start: int, stop: int) -> None:
        """Go over to another version, where possible with bytes of it in hand: so it may be replaced at once again."""
        if not self._fs.capabilities.versioned_reads:
            self.entry = await self._fs._file_at(self.entry.path)
            return
        found, self._data = await self._fs._store.read_latest(self.entry.path, start, max(stop, start + self._size))
        self.entry, self._start = self.entry._replace(size=found.size, etag=found.etag), start

    async def fetch(self, start: int, stop: int) -> bytes:
        """Bytes of this version, from ``start`` to before ``stop``, of which nothing is kept. ESTALE, EIO."""
        path, entry = self.entry.path, self.entry
        data = await self._fs._store.read(path, start, stop, entry.etag)
        if not entry.etag or len(data) < stop - start:
            await self._require_unchanged()
        if len(data) < stop - start:
            raise os_error(errno.EIO, path, hint=f"{len(data)} of {stop - start} bytes came")
        return data

    @property
    def is_looking_ahead(self) -> bool:
        """Whether something is on its way."""
        return bool(self._ahead)

    async def close(self) -> None:
        """Let go of what is on its way."""
        ahead, self._ahead = self._ahead, deque()
        for one in ahead:
            one.task.cancel()
        for one in ahead:
            await ended(one.task)

    async def _read(self, start: int, stop: int) -> bytes:
        if start >= stop:
            return b""
        end = self._start + len(self._data)
        if self._start <= start and stop <= end:
            return self._data[start - self._start : stop - self._start]
        known = self._data[start - self._start :] if self._start <= start < end else b""
        goes_on = self._start <= start <= end
        self._size = min(self._size * 2 if goes_on else _SMALLEST, self._largest)
        first = start + len(known)
        fetched = await self._next(first, min(max(stop, first + self._size), self.entry.size))
        if len(known) + len(fetched) < stop - start:
            fetched += await self.fetch(first + len(fetched), stop)
        self._start, self._data = start, known + fetched if known else fetched
        if goes_on and first > 0:
            self._look_ahead(first + len(fetched))
        return self._data[: stop - start]

    async def _next(self, start: int, stop: int) -> bytes:
        """Bytes from ``start`` on, those that are on their way already if they are the right ones."""
        if self._ahead and self._ahead[0].start == start:
            return await self._ahead.popleft().task
        await self.close()
        return await self.fetch(start, stop)

    def _look_ahead(self, start: int) -> None:
        """Have what comes next fetched, now that the file is read in order."""
        most = _AHEAD if self._size == self._largest else 1
        start = self._ahead[-1].stop if self._ahead else start
        while start < self.entry.size and len(self._ahead) < most:
            stop = min(start + self._size, self.entry.size)
            task = asyncio.ensure_future(self.fetch(start, stop))
            task.add_done_callback(_seen)
            self._ahead.append(_Ahead(start, stop, task))
            start = stop

    async def _require_unchanged(self) -> None:
        found = await self._fs._file_at(self.entry.path)
        if version_of(found) != version_of(self.entry):
            raise os_error(errno.ESTALE, self.entry.path, hint="it was replaced while it was read: open it again")


def _seen(task: asyncio.Task[bytes]) -> None:
    """Whoever asks for the range is told of its error; if nobody does, nobody needs to know."""
    if not task.cancelled():
        task.exception()


class ReadingFile(RangeReader):
    """``rb``, of one version."""

    def __init__(self, fs: Any, entry: Entry, block_size: int) -> None:
        super().__init__(fs, entry.path, min(block_size, _SMALLEST))
        self.window = Window(fs, entry, block_size)
        self.blocksize = block_size

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.window.entry.size

    @property
    def etag(self) -> str | None:  # type: ignore[override]  # it is told, and not set
        """That of the version which is read, where the service tells it."""
        return self.window.entry.etag or None

    def _range(self, start: int, stop: int) -> bytes:
        data: bytes = self.fs._wait(self.window.read(start, stop))
        return data

    def _reopening(self) -> dict[str, Any]:
        return {"block_size": self.blocksize, **self.fs._of_version()}

    def close(self) -> None:
        if not self.closed and self.window.is_looking_ahead:
            with suppress(RuntimeError):  # of a loop that is gone, and took along what was on its way
                self.fs._wait(self.window.close())
        super().close()
