"""The fault proxy does what it says, to clients of the standard library and of aiohttp."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.remote.faults import FAULTS, Fault, FaultProxy, Plan

CONTENT = bytes(range(256)) * 64


class Shelf(BaseHTTPRequestHandler):
    """Keeps what is PUT, whole, and gives it back."""

    protocol_version = "HTTP/1.1"
    kept: dict[str, bytes]

    def do_PUT(self) -> None:
        length = int(self.headers["Content-Length"])
        data = self.rfile.read(length)
        if len(data) == length:
            self.kept[self.path] = data
        self._reply(200, b"")

    def do_GET(self) -> None:
        found = self.kept.get(self.path)
        self._reply(404 if found is None else 200, found or b"")

    def _reply(self, code: int, data: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


class ManyAtOnce(ThreadingHTTPServer):
    """Lets a hundred clients knock in the same moment."""

    request_queue_size = 100


@pytest.fixture
def kept() -> dict[str, bytes]:
    return {"/there": CONTENT}


@pytest.fixture
def proxy(kept: dict[str, bytes]) -> Iterator[FaultProxy]:
    server = ManyAtOnce(("127.0.0.1", 0), type("KeptShelf", (Shelf,), {"kept": kept}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with FaultProxy("127.0.0.1", server.server_address[1]) as started:
            yield started
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=10)
    yield connection
    connection.close()


def test_without_a_plan_everything_passes_on_one_connection(client: http.client.HTTPConnection) -> None:
    client.connect()
    first = client.sock
    for number in range(3):
        client.request("PUT", f"/{number}", body=CONTENT)
        assert client.getresponse().read() == b""
        client.request("GET", f"/{number}")
        assert client.getresponse().read() == CONTENT
    assert client.sock is first


def test_content_in_chunks_passes(client: http.client.HTTPConnection, proxy: FaultProxy) -> None:
    client.request("POST", "/", body=iter([b"a", b"b"]))  # the server has no POST
    assert client.getresponse().status == 501
    assert proxy.requests == ["POST / HTTP/1.1"]


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [(Fault.DROP_BEFORE, False), (Fault.DROP_AFTER, True), (Fault.CUT_REQUEST, False), (Fault.STALL, False)],
)
def test_a_connection_ends_without_a_reply(
    fault: Fault, arrives: bool, client: http.client.HTTPConnection, proxy: FaultProxy, kept: dict[str, bytes]
) -> None:
    proxy.plan = Plan(seed=0, rate=0, stall=0.2)
    proxy.next = [fault]
    began = time.monotonic()
    client.request("PUT", "/new", body=CONTENT)
    with pytest.raises((http.client.HTTPException, OSError)):
        client.getresponse()
    assert (kept.get("/new") == CONTENT) is arrives
    assert fault is not Fault.STALL or time.monotonic() - began >= 0.2


def test_a_reply_breaks_off(client: http.client.HTTPConnection, proxy: FaultProxy) -> None:
    proxy.next = [Fault.CUT_REPLY]
    client.request("GET", "/there")
    with pytest.raises(http.client.IncompleteRead):
        client.getresponse().read()


@pytest.mark.parametrize(("fault", "status"), [(Fault.ERROR, 500), (Fault.BUSY, 503)])
def test_the_server_is_said_to_be_in_trouble(
    fault: Fault, status: int, client: http.client.HTTPConnection, proxy: FaultProxy, kept: dict[str, bytes]
) -> None:
    proxy.plan = Plan(seed=0, rate=0, retry_after=3)
    proxy.next = [fault]
    client.request("PUT", "/new", body=CONTENT)
    reply = client.getresponse()
    reply.read()
    assert reply.status == status
    assert reply.headers["Retry-After"] == ("3" if fault is Fault.BUSY else None)
    assert "/new" not in kept
    client.request("PUT", "/new", body=CONTENT)
    assert client.getresponse().status == 200


def test_a_second_reply_follows_the_first(proxy: FaultProxy) -> None:
    async def twice() -> list[bytes]:
        async with aiohttp.ClientSession() as session:
            found = []
            for _ in range(2):
                async with session.get(f"{proxy.url}/there") as reply:
                    found.append(await reply.read())
            return found

    proxy.next = [Fault.TWICE]
    assert asyncio.run(twice()) == [CONTENT, CONTENT]
    assert proxy.met == {Fault.TWICE: 1, Fault.NONE: 1}


def attempts(proxy: FaultProxy, plan: Plan, names: list[str]) -> Counter[str]:
    """How often each name was asked for until it was let through, all at once."""
    proxy.plan = plan

    async def get(session: aiohttp.ClientSession, name: str) -> None:
        status = 0
        while status != 404:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{proxy.url}/{name}") as reply:
                    await reply.read()
                    status = reply.status

    async def all_at_once() -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(get(session, name) for name in names))

    asyncio.run(all_at_once())
    return Counter(proxy.requests)


def test_a_plan_lets_every_request_through_in_the_end(proxy: FaultProxy) -> None:
    plan = Plan(seed=1, rate=0.9, stall=0.01, faults=[one for one in FAULTS if one is not Fault.CUT_REPLY])
    found = attempts(proxy, plan, [f"n{number}" for number in range(100)])
    assert max(found.values()) == plan.in_a_row + 1
    assert set(proxy.met) == {*plan.faults, Fault.NONE}


def test_a_plan_is_the_same_whatever_comes_first(proxy: FaultProxy) -> None:
    plan = Plan(seed=2, rate=0.5, stall=0.01, faults=(Fault.DROP_BEFORE, Fault.ERROR))
    names = [f"n{number}" for number in range(50)]
    with FaultProxy(*proxy._server) as other:
        assert attempts(proxy, plan, names) == attempts(other, plan, names[::-1])
    assert proxy.met == other.met
