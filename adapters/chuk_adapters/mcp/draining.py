"""Requests that were read are answered, also where the client closes its side right after them, as a pipe does."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import anyio
from mcp.shared.message import SessionMessage
from mcp.types.jsonrpc import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse
from typing_extensions import Self

_PATIENCE = 10.0
"""Seconds for which answers are waited for at most."""

Incoming = SessionMessage | Exception


class _Stream:
    """A stream of the SDK, to be closed."""

    def __init__(self, inner: Any, waiting: Waiting) -> None:
        self._inner = inner
        self._waiting = waiting

    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class Waiting:
    """The requests that wait for their answers."""

    def __init__(self) -> None:
        self._requests: set[str | int] = set()
        self._answered = anyio.Event()

    def read(self, message: Incoming) -> None:
        """Count a message of the client: a request, or one that takes a request back."""
        told = message.message if isinstance(message, SessionMessage) else None
        if isinstance(told, JSONRPCRequest):
            self._requests.add(told.id)
        elif isinstance(told, JSONRPCNotification) and told.method == "notifications/cancelled":
            self._end((told.params or {}).get("requestId"))

    def sent(self, message: SessionMessage) -> None:
        """Count a message to the client: perhaps an answer."""
        if isinstance(message.message, (JSONRPCResponse, JSONRPCError)):
            self._end(message.message.id)

    def _end(self, request: Any) -> None:
        self._requests.discard(request)
        self._answered.set()

    async def over(self) -> None:
        """Wait until all are answered, or the time is over."""
        with anyio.move_on_after(_PATIENCE):
            while self._requests:
                self._answered = anyio.Event()
                await self._answered.wait()


class Reading(_Stream):
    """What the client sends; its end comes when all requests are answered."""

    async def receive(self) -> Incoming:
        """The next message. EndOfStream."""
        try:
            message: Incoming = await self._inner.receive()
        except anyio.EndOfStream:
            await self._waiting.over()
            raise
        self._waiting.read(message)
        return message

    def __aiter__(self) -> Reading:
        return self

    async def __anext__(self) -> Incoming:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self


class Writing(_Stream):
    """What the client is sent."""

    async def send(self, item: SessionMessage) -> None:
        """Send a message."""
        await self._inner.send(item)
        self._waiting.sent(item)

    async def __aenter__(self) -> Self:
        return self
