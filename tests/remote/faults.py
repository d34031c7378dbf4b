"""A proxy between an HTTP client and a server on this machine that makes what goes wrong in networks go wrong.

    with FaultProxy("127.0.0.1", port) as proxy:
        proxy.plan = Plan(seed=1)           # a fifth of the requests, chosen by what they are about
        proxy.next = [Fault.DROP_AFTER]     # or exactly these, for the requests that come next
        client_of(proxy.url)

The connections of a client stay open from request to request, as long as no fault ends them.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any

from tests.remote.http_messages import Message, MessageError, read_message


class Fault(Enum):
    """What can happen to one request."""

    NONE = "none"
    DROP_BEFORE = "drop before"
    """The connection ends before the server has seen anything."""
    DROP_AFTER = "drop after"
    """The server carries the request out, and the connection ends before the reply."""
    CUT_REPLY = "cut reply"
    """The connection ends in the middle of the reply."""
    CUT_REQUEST = "cut request"
    """The server gets a part of the request's content, and then the connection ends, on both sides."""
    ERROR = "500"
    """An internal error instead of what was asked for; nothing is done."""
    BUSY = "503"
    """The same, with the wish to be asked again later."""
    STALL = "stall"
    """Silence for the plan's time, and then the end of the connection; nothing is done."""
    TWICE = "duplicate reply"
    """The reply, and once more the same."""


_CARRIED_OUT = (Fault.NONE, Fault.DROP_AFTER, Fault.CUT_REPLY, Fault.TWICE)
FAULTS = tuple(fault for fault in Fault if fault is not Fault.NONE)


@dataclass(frozen=True)
class Plan:
    """Which requests meet with which fault.

    The choice hangs on the seed, the request, and how often it was seen, not on which one of several in parallel comes
    first.

    Attributes:
        seed: another one chooses otherwise.
        rate: the part of all requests.
        faults: what is chosen from.
        in_a_row: how often the same request meets with one before it is let through.
        stall: seconds of silence.
        retry_after: seconds that a busy server asks for.
    """

    seed: int
    rate: float = 0.2
    faults: Sequence[Fault] = FAULTS
    in_a_row: int = 2
    stall: float = 1.0
    retry_after: int = 0

    def choose(self, request: Message, seen: int) -> Fault:
        """The fault of a request that was seen so many times before."""
        chance = random.Random(f"{self.seed} {request.start_line} {seen}")
        return chance.choice(self.faults) if chance.random() < self.rate else Fault.NONE


class FaultProxy:
    """A proxy on a free port of 127.0.0.1, in a thread of its own.

    Attributes:
        plan: what happens to requests; None for nothing.
        next: faults of the requests that come next, one each, before the plan is asked.
        met: how many requests met with which fault.
        requests: the first lines of all, in the order in which they came.
        on_fault: called in the proxy's thread when a fault has been met with, before the client can know of it; with
            ``DROP_AFTER`` the server has then carried the request out.
    """

    def __init__(self, host: str, port: int) -> None:
        """Begin; the context makes it listen.

        Args:
            host: the server's.
            port: the server's.
        """
        self.plan: Plan | None = None
        self.next: list[Fault] = []
        self.met: Counter[Fault] = Counter()
        self.requests: list[str] = []
        self.on_fault: Callable[[], None] | None = None
        self.url = ""
        self._server = (host, port)
        self._seen: Counter[str] = Counter()
        self._in_a_row: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy", daemon=True)
        self._talks: set[asyncio.Task[None]] = set()
        self._door: asyncio.AbstractServer | None = None

    def __enter__(self) -> FaultProxy:  # noqa: PYI034 - typing.Self needs Python 3.11
        self._thread.start()
        self._here(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._here(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _here(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    async def _open(self) -> None:
        self._door = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._door.sockets[0].getsockname()[1]}"

    async def _close(self) -> None:
        assert self._door is not None
        self._door.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = self._loop.create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry the requests of one connection, until one side ends it or a fault does."""
        try:
            while (request := await read_message(reader, writer)) is not None:
                self.requests.append(request.start_line)
                if not await self._carry(request, writer):
                    break
        except (MessageError, OSError):
            pass  # the client has gone in the middle, which is its right
        finally:
            writer.transport.abort()

    def _fault_of(self, request: Message) -> Fault:
        if self.next:
            return self.next.pop(0)
        line = request.start_line
        self._seen[line] += 1
        plan = self.plan
        if plan is None or self._in_a_row[line] >= plan.in_a_row:
            fault = Fault.NONE
        else:
            fault = plan.choose(request, self._seen[line])
        self._in_a_row[line] = 0 if fault is Fault.NONE else self._in_a_row[line] + 1
        return fault

    async def _carry(self, request: Message, writer: asyncio.StreamWriter) -> bool:
        """Do with a request what is planned; whether the connection goes on."""
        fault = self._fault_of(request)
        self.met[fault] += 1
        plan = self.plan or Plan(seed=0)
        reply = await self._ask(request) if fault in _CARRIED_OUT else None
        if fault is not Fault.NONE and self.on_fault is not None:
            self.on_fault()
        if reply is not None:
            return await _answer(reply, fault, writer)
        if fault is Fault.STALL:
            await asyncio.sleep(plan.stall)
        if fault is Fault.CUT_REQUEST:
            await self._ask(request, len(request.body) // 2)
        if fault in (Fault.ERROR, Fault.BUSY):
            await _send(writer, _refusal(fault, plan.retry_after))
        return fault in (Fault.ERROR, Fault.BUSY)

    async def _ask(self, request: Message, stop: int | None = None) -> Message:
        """The server's reply; with ``stop``, the request is cut there and there is no reply worth anything."""
        reader, writer = await asyncio.open_connection(*self._server)
        try:
            head = request.head_with(connection="close")
            writer.write(head + request.body[:stop])
            if stop is not None:
                writer.write_eof()
            reply = await reader.read()
        finally:
            writer.transport.abort()
        return Message.of_reply(reply)


async def _answer(reply: Message, fault: Fault, writer: asyncio.StreamWriter) -> bool:
    """Give a client of a server's reply what the fault leaves of it; whether the connection goes on."""
    if fault is Fault.CUT_REPLY:
        await _send(writer, reply.raw[: len(reply.raw) - max(1, len(reply.body) // 2)])
    elif fault is not Fault.DROP_AFTER:
        await _send(writer, reply.raw * 2 if fault is Fault.TWICE else reply.raw)
    return fault is Fault.NONE and reply.says_its_length


def _refusal(fault: Fault, retry_after: int) -> bytes:
    line = "503 Slow Down" if fault is Fault.BUSY else "500 Internal Server Error"
    more = f"Retry-After: {retry_after}\r\n" if fault is Fault.BUSY else ""
    return f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n{more}\r\n".encode()


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
