"""A large file on its way into a sandbox: one request, whose body comes piece by piece, under a temporary name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.backends.e2b.errors import judge, told
from chuk_fsspec.contract.threads import ended
from chuk_fsspec.remote.store import Entry


@dataclass(frozen=True)
class Sent:
    """What an upload needs of its store.

    Attributes:
        path: for messages.
        patience: seconds within which a piece has to be taken.
        post: sends a body that is an iterator.
        publish: puts what was sent in its place.
        discard: removes what was sent.
    """

    path: str
    patience: float
    post: Callable[[AsyncIterator[bytes]], Awaitable[Any]]
    publish: Callable[[], Awaitable[Entry]]
    discard: Callable[[], Awaitable[None]]


class StreamedUpload:
    """A body that is being sent. A request that fails cannot be made again, for what it took is spent."""

    def __init__(self, sent: Sent) -> None:
        """Begin the request."""
        self._sent = sent
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._request = asyncio.ensure_future(sent.post(self._body()))
        self._is_published = False

    async def _body(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece

    async def send(self, number: int, data: bytes) -> None:
        """Send a part; they come in order."""
        await self._put(data)

    async def _put(self, piece: bytes | None) -> None:
        putting = asyncio.ensure_future(self._pieces.put(piece))
        await asyncio.wait({putting, self._request}, timeout=self._sent.patience, return_when=asyncio.FIRST_COMPLETED)
        if not putting.done():
            putting.cancel()
            await ended(putting)
            if not self._request.done():
                raise judge(asyncio.TimeoutError(), self._sent.path).error
        if self._request.done():
            await self._arrived()

    async def _arrived(self) -> None:
        """Wait until the request is answered."""
        with told(self._sent.path):
            await asyncio.wait_for(asyncio.shield(self._request), self._sent.patience)

    async def finish(self) -> Entry:
        """Put the file in its place."""
        await self._put(None)
        await self._arrived()
        entry = await self._sent.publish()
        self._is_published = True
        return entry

    async def abort(self) -> None:
        """Leave nothing of it behind."""
        if self._is_published:
            return
        self._request.cancel()
        await ended(self._request)
        await self._sent.discard()
