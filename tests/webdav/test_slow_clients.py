"""Clients that stall: the others are served meanwhile, and in the end the stalled are sent away."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chuk_adapters.webdav import WebDAVAdapter
from chuk_adapters.webdav.server import Limits
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.waiting import wait_until
from tests.webdav.raw_http import PATIENCE, address_of, ask, connected, receive, request
from tests.webdav.tls_files import make_certificate

MANY = 200
SOON = 60.0
"""Seconds: less than a stalled client is given, far more than a request takes on a busy machine."""

PATIENT = Limits(head_seconds=600, idle_seconds=600, stall_seconds=600)

HALF_HEAD = b"GET /a HTTP/1.1\r\nHost: localh"
NO_BODY = request("PUT /b", "Content-Length: 1000")
HALF_BODY = NO_BODY + b"x" * 500
HALF_CHUNK = request("PUT /b", "Transfer-Encoding: chunked") + b"100\r\nxxx"
HALF_XML = request("LOCK /a", "Content-Length: 300") + b"<?xml"
UNREAD_REPLY = request("GET /large")

STALLS = {
    "silent": b"",
    "half a head": HALF_HEAD,
    "no body": NO_BODY,
    "half a body": HALF_BODY,
    "half a chunk": HALF_CHUNK,
    "half an XML": HALF_XML,
    "reply not read": UNREAD_REPLY,
}


@contextlib.contextmanager
def stalled(adapter: WebDAVAdapter, data: bytes, count: int = MANY) -> Iterator[list[socket.socket]]:
    """Clients that have sent this and then nothing more."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(count):
            clients.append(stack.enter_context(connected(adapter)))
            clients[-1].sendall(data)
        yield clients


@pytest.fixture
def adapter(chukmem: MemoryFileSystem) -> Iterator[WebDAVAdapter]:
    """A server that sends nobody away while a test lasts."""
    chukmem.pipe_file("/a", b"content")
    with WebDAVAdapter(chukmem, port=0, limits=PATIENT) as served:
        yield served


def answered_soon(adapter: WebDAVAdapter, data: bytes) -> int:
    """The status of a request that waits for nobody."""
    with socket.create_connection(address_of(adapter), SOON) as sock:
        sock.sendall(data)
        return receive(sock).status


@pytest.mark.parametrize("kind", STALLS)
def test_others_are_served_meanwhile(adapter: WebDAVAdapter, chukmem: MemoryFileSystem, kind: str) -> None:
    chukmem.pipe_file("/large", b"x" * (8 << 20))
    with stalled(adapter, STALLS[kind]):
        assert answered_soon(adapter, request("GET /a")) == 200
        assert answered_soon(adapter, request("PUT /c", body=b"new")) == 201
        assert answered_soon(adapter, request("PROPFIND /", "Depth: 1")) == 207
        assert answered_soon(adapter, request("MOVE /c", "Destination: /d")) == 201
    assert "/b" not in chukmem.find("/")


def test_a_stalled_upload_holds_no_lock_of_a_database(database: str) -> None:
    fs = SqliteFileSystem(database=database)
    with (
        WebDAVAdapter(fs, port=0, limits=PATIENT) as adapter,
        stalled(adapter, request("PUT /b", "Content-Length: 9000000") + b"x", 20),
    ):
        assert answered_soon(adapter, request("PUT /c", body=b"new")) == 201
        assert answered_soon(adapter, request("DELETE /c")) == 204
    assert fs.find("/") == []


@pytest.fixture
def impatient(chukmem: MemoryFileSystem) -> Iterator[WebDAVAdapter]:
    """A server that waits a second for anything, and takes ten connections."""
    chukmem.pipe_file("/a", b"content")
    chukmem.pipe_file("/large", b"x" * (64 << 20))
    limits = Limits(head_seconds=1, idle_seconds=1, stall_seconds=1, connections=10, peer_connections=10)
    with WebDAVAdapter(chukmem, port=0, limits=limits) as served:
        yield served


@pytest.mark.parametrize("kind", ["half a head", "no body", "half a body", "half a chunk", "half an XML"])
def test_the_stalled_are_told(impatient: WebDAVAdapter, chukmem: MemoryFileSystem, kind: str) -> None:
    with stalled(impatient, STALLS[kind], 1) as (client,):
        reply = receive(client)
    assert (reply.status, reply.is_closed) == (408, True)
    assert "/b" not in chukmem.find("/")


def test_idle_connections_are_closed(impatient: WebDAVAdapter) -> None:
    with connected(impatient) as sock:
        sock.sendall(request("GET /a"))
        assert receive(sock).status == 200
        assert sock.recv(1) == b""


def test_a_body_that_drips_is_too_slow(impatient: WebDAVAdapter, chukmem: MemoryFileSystem) -> None:
    """Each byte comes in time, but the whole would take for ever."""
    with connected(impatient) as sock:
        sock.sendall(NO_BODY)
        assert drip(sock, b"x" * 1000, until_closed=lambda: has_reply(sock))
        assert receive(sock).status == 408
    assert "/b" not in chukmem.find("/")


def test_a_head_that_drips_is_too_slow(impatient: WebDAVAdapter) -> None:
    with connected(impatient) as sock:
        assert drip(sock, b"GET /a HTTP/1.1\r\nX: " + b"y" * 1000, until_closed=lambda: has_reply(sock))
        assert receive(sock).status == 408


def test_a_reply_that_is_not_read_is_given_up(impatient: WebDAVAdapter) -> None:
    server = impatient._server
    assert server is not None
    with connected(impatient) as sock:
        sock.sendall(UNREAD_REPLY)
        wait_until(lambda: server._room._all)
        wait_until(lambda: not server._room._all)
        sock.settimeout(SOON)
        received = b""
        with contextlib.suppress(ConnectionError):
            while data := sock.recv(1 << 20):
                received += data
    assert len(received) < 64 << 20
    assert received.count(b"HTTP/1.1") == 1  # no refusal in the middle of the content


def drip(sock: socket.socket, data: bytes, until_closed: Callable[[], bool]) -> bool:
    """Send a byte at a time, slowly; whether the server had enough before the end."""
    for byte in data:
        if until_closed():
            return True
        with contextlib.suppress(ConnectionError):
            sock.sendall(bytes([byte]))
        time.sleep(0.05)
    return False


def has_reply(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        sock.settimeout(SOON)


@pytest.mark.parametrize("data", [b"", HALF_HEAD, HALF_BODY], ids=["silent", "half a head", "half a body"])
def test_a_full_house_makes_room(data: bytes) -> None:
    """The connection that has been silent longest goes, whatever it is at; until one is, the newcomer goes."""
    patient = Limits(connections=10, peer_connections=10)
    with WebDAVAdapter(MemoryFileSystem(name="full"), port=0, limits=patient) as adapter, stalled(adapter, data, 10):
        wait_until(lambda: is_let_in(adapter))


def is_let_in(adapter: WebDAVAdapter) -> bool:
    with contextlib.suppress(ConnectionError):
        return answered_soon(adapter, request("GET /")) == 200
    return False


def test_busy_connections_are_not_sent_away(chukmem: MemoryFileSystem) -> None:
    """With nobody silent, the newcomer is turned away."""
    limits = Limits(connections=2, peer_connections=2)

    def is_turned_away() -> bool:
        with (
            WebDAVAdapter(chukmem, port=0, limits=limits) as adapter,
            stalled(adapter, b"", 2),
            connected(adapter) as sock,
        ):
            sock.settimeout(1)
            with contextlib.suppress(TimeoutError, socket.timeout):  # so slow a machine that the others were silent
                return sock.recv(1) == b""
            return False

    wait_until(is_turned_away)


def test_without_descriptors_it_rests_until_there_are_some(
    adapter: WebDAVAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as sock:
        free = os.dup(sock.fileno())
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
        try:
            sock.connect(address_of(adapter))
            sock.sendall(request("GET /a"))
            until = time.monotonic() + PATIENCE
            while len(caplog.messages) < 2 and time.monotonic() < until:
                time.sleep(0.1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert 2 <= len(caplog.messages) < 20  # and not thousands
        sock.settimeout(PATIENCE)
        assert receive(sock).status == 200


def test_slow_tls_handshakes(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(certificate))
    chukmem.pipe_file("/a", b"content")
    with (
        WebDAVAdapter(chukmem, port=0, tls=(certificate, certificate), limits=PATIENT) as adapter,
        stalled(adapter, b"\x16\x03\x01\x02"),
        socket.create_connection(address_of(adapter), SOON) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as encrypted,
    ):
        encrypted.sendall(request("GET /a"))
        assert receive(encrypted).body == b"content"


def test_threads_go_when_the_work_is_done(adapter: WebDAVAdapter) -> None:
    before = threading.active_count()
    with stalled(adapter, HALF_BODY, 50):
        assert answered_soon(adapter, request("GET /a")) == 200
        assert threading.active_count() > before
    adapter.stop()
    assert [thread for thread in threading.enumerate() if thread.name.startswith("webdav")] == []


@pytest.mark.parametrize("end", [b"", b"ff\r\n"], ids=["closed", "cut"])
def test_a_client_that_dies_leaves_the_old_file(adapter: WebDAVAdapter, chukmem: MemoryFileSystem, end: bytes) -> None:
    chunked = request("PUT /a", "Transfer-Encoding: chunked") + b"3\r\nnew\r\n" + end
    for data in (
        request("PUT /a", "Content-Length: 1000") + b"xxxxx",
        request("PUT /n", "Content-Length: 9") + b"x",
        chunked,
    ):
        with connected(adapter) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            assert receive(sock).status == 400
    assert chukmem.find("/") == ["/a"]
    assert chukmem.cat_file("/a") == b"content"


def test_a_reset_connection_leaves_the_old_file(adapter: WebDAVAdapter, chukmem: MemoryFileSystem) -> None:
    for _ in range(5):
        sock = socket.create_connection(address_of(adapter))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.sendall(request("PUT /a", "Content-Length: 1000") + b"xxxxx")
        sock.close()
    assert ask(adapter, request("GET /a")).body == b"content"
