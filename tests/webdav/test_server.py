"""The HTTP server by itself, under small applications."""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_adapters.webdav.server import Limits, Server
from chuk_adapters.webdav.server.head import parse_head
from chuk_adapters.webdav.server.refusal import RefusedError
from chuk_adapters.webdav.server.tls import server_context
from tests.webdav.raw_http import receive, request
from tests.webdav.tls_files import make_certificate

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@contextmanager
def serving(application: Application, **options: Any) -> Iterator[tuple[str, int]]:
    server = Server(application, ("127.0.0.1", 0), **options)
    server.start()
    try:
        yield server.address
    finally:
        server.stop(1)


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    data = environ["wsgi.input"].read()
    start("200 OK", [("X-Path", environ["PATH_INFO"]), ("X-Query", environ["QUERY_STRING"])])
    return [data]


def exchange(address: tuple[str, int], *requests: bytes) -> list[Any]:
    """Send requests on one connection, all at once, and receive as many replies."""
    replies = []
    with socket.create_connection(address, 10) as sock:
        sock.sendall(b"".join(requests))
        file = sock.makefile("rb")
        for data in requests:
            reply = http.client.HTTPResponse(_Ready(file), method=data.split()[0].decode())  # type: ignore[arg-type]
            reply.begin()
            replies.append((reply.status, reply.getheaders(), reply.read()))
    return replies


class _Ready:
    """A file that ``HTTPResponse`` takes for a socket, and does not close."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def makefile(self, mode: str) -> Any:
        assert mode == "rb"
        return io.BufferedReader(_Unclosed(self._file), 1)


class _Unclosed(io.RawIOBase):
    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def test_pipelined_requests_are_answered_in_turn() -> None:
    requests = [request(f"PUT /{number}", body=b"x" * number * 1000) for number in range(20)]
    with serving(echo) as address:
        replies = exchange(address, *requests)
    assert [(status, body) for status, _, body in replies] == [(200, b"x" * number * 1000) for number in range(20)]


def test_chunks_with_extensions_and_trailers() -> None:
    body = b'5;name="value"\r\nhello\r\n6 ;x\r\n world\r\n0\r\nX-Trailer: y\r\n\r\n'
    with serving(echo) as address:
        replies = exchange(address, request("PUT /a", "Transfer-Encoding: chunked") + body, request("GET /b"))
    assert [reply[2] for reply in replies] == [b"hello world", b""]


@given(cuts=st.lists(st.integers(1, 400), max_size=12))
def test_where_packets_end_does_not_matter(cuts: list[int]) -> None:
    chunks = b"a\r\n0123456789\r\n3\r\nabc\r\n0\r\n\r\n"
    data = request("PUT /a", "Transfer-Encoding: chunked") + chunks + request("PUT /b", body=b"y" * 50)
    places = sorted({cut for cut in cuts if cut < len(data)})
    with serving_once() as address, socket.create_connection(address, 10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start, stop in zip([0, *places], [*places, len(data)], strict=True):
            sock.sendall(data[start:stop])
        received = b""
        while not received.endswith(b"y" * 50):
            received += sock.recv(1 << 16)
    assert b"0123456789abc" in received


_once: list[Server] = []


@contextmanager
def serving_once() -> Iterator[tuple[str, int]]:
    """One server for all examples."""
    if not _once:
        _once.append(Server(echo, ("127.0.0.1", 0)))
        _once[0].start()
    yield _once[0].address


@pytest.fixture(autouse=True, scope="module")
def _stop_once() -> Iterator[None]:
    yield
    while _once:
        _once.pop().stop(1)


@given(st.binary(max_size=300))
def test_no_head_is_more_than_refused(data: bytes) -> None:
    for head in (data, b"GET / HTTP/1.1\r\nHost: a\r\n" + data + b"\r\n\r\n"):
        with contextlib.suppress(RefusedError):
            assert parse_head(head, 100).target.startswith(("/", "*"))


def test_targets() -> None:
    with serving(echo) as address:
        ((_, fields, _), (_, absolute, _)) = exchange(
            address, request("GET /a%20b/%C3%A4?x=%20&y"), request("GET http://localhost:1/c?d")
        )
    assert dict(fields)["X-Path"] == "/a b/ä".encode().decode("latin-1")
    assert dict(fields)["X-Query"] == "x=%20&y"
    assert dict(absolute)["X-Path"] == "/c"


def test_head_and_empty_replies_have_no_body() -> None:
    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("204 No Content" if environ["PATH_INFO"] == "/none" else "200 OK", [("Content-Length", "5")])
        return [b"hello"]

    with serving(application) as address:
        replies = exchange(address, request("HEAD /a"), request("GET /none"), request("GET /a"))
    assert [body for _, _, body in replies] == [b"", b"", b"hello"]


def test_a_reply_of_unknown_length_comes_in_chunks() -> None:
    def application(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        yield from (b"a", b"", b"bc")

    with serving(application) as address:
        replies = exchange(address, request("GET /a"), request("GET /b"))
        with socket.create_connection(address, 10) as sock:
            sock.sendall(b"GET /a HTTP/1.0\r\nHost: localhost\r\n\r\n")
            with sock.makefile("rb") as file:
                old = file.read()
    assert [(dict(fields)["Transfer-Encoding"], body) for _, fields, body in replies] == [("chunked", b"abc")] * 2
    assert old.endswith(b"\r\n\r\nabc")


def test_continue_is_said_when_the_body_is_wanted() -> None:
    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/refused":
            start("412 Precondition Failed", [])
            return []
        return echo(environ, start)

    with serving(application) as address:
        for path, first in (("/refused", 412), ("/wanted", 100)):
            with socket.create_connection(address, 10) as sock:
                sock.sendall(request(f"PUT {path}", "Expect: 100-continue", "Content-Length: 5"))
                reply = receive(sock)
                assert reply.status == first
                if first == 100:
                    sock.sendall(b"hello")
                    assert receive(sock).body == b"hello"
                else:
                    assert reply.is_closed


def test_a_short_body_that_nobody_reads_costs_no_connection() -> None:
    def application(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("403 Forbidden", [])
        return [b"no"]

    with serving(application) as address:
        replies = exchange(address, request("PUT /a", body=b"x" * 10_000), request("PUT /b", body=b"y"))
    assert [reply[0] for reply in replies] == [403, 403]


def test_body_limit() -> None:
    chunks = b"a\r\n0123456789\r\n0\r\n\r\n"
    with serving(echo, limits=Limits(body_bytes=8)) as address:
        for data, status in (
            (request("PUT /a", body=b"x" * 8), 200),
            (request("PUT /a", body=b"x" * 9), 413),
            (request("PUT /a", "Content-Length: 900000000"), 413),
            (request("PUT /a", "Transfer-Encoding: chunked") + chunks, 413),
        ):
            with socket.create_connection(address, 10) as sock:
                sock.sendall(data)
                assert receive(sock).status == status


def test_a_reply_with_a_line_break_in_a_field_is_not_sent() -> None:
    def application(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("X-A", "b\r\nSet-Cookie: c")])
        return [b"x"]

    with serving(application) as address:
        ((status, fields, _),) = exchange(address, request("GET /"))
    assert status == 500
    assert "Set-Cookie" not in dict(fields)


def test_an_application_that_fails_costs_no_more_than_its_connection() -> None:
    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] in ("/early", "/early/disk"):
            raise LookupError("secret") if environ["PATH_INFO"] == "/early" else OSError(5, "secret")
        start("200 OK", [("Content-Length", "10")])
        yield b"half."
        if environ["PATH_INFO"] == "/late":
            raise LookupError("secret")
        yield b"whole"

    with serving(application) as address:
        for path in ("/early", "/early/disk"):
            with socket.create_connection(address, 10) as sock:
                sock.sendall(request(f"GET {path}"))
                reply = receive(sock)
                assert (reply.status, reply.is_closed, b"secret" in reply.body) == (500, True, False)
        with socket.create_connection(address, 10) as sock, sock.makefile("rb") as file:
            sock.sendall(request("GET /late"))
            assert file.read().endswith(b"\r\n\r\nhalf.")
        assert exchange(address, request("GET /"))[0][2] == b"half.whole"


@pytest.mark.parametrize("is_tls", [False, True])
def test_large_bodies_and_files(is_tls: bool, tmp_path: Path) -> None:
    """Up by ``readinto``, down by ``wsgi.file_wrapper``, in both directions whole."""
    content = os.urandom(5 << 20)

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
        buffer = bytearray(1 << 20)
        while count := environ["wsgi.input"].readinto(buffer):
            file.write(memoryview(buffer)[:count])
        size = file.tell()
        file.seek(7)
        start("200 OK", [("Content-Length", str(size - 7))])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file)
        return wrapped

    certificate = make_certificate(tmp_path)
    with serving(application, tls=server_context(certificate) if is_tls else None) as address:
        context = ssl.create_default_context(cafile=str(certificate))
        client = (
            http.client.HTTPSConnection("localhost", address[1], context=context, timeout=20)
            if is_tls
            else http.client.HTTPConnection(*address, timeout=20)
        )
        for _ in range(2):
            client.request("PUT", "/", content)
            assert client.getresponse().read() == content[7:]
        client.close()


def test_heads_of_several_tls_records(tmp_path: Path) -> None:
    """What the TLS layer has decrypted already is not forgotten, whoever waits for the rest."""
    certificate = make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(certificate))
    head = request("PUT /a", f"X-Filling: {'y' * 30_000}", body=b"x" * 40_000)
    with (
        serving(echo, tls=server_context(certificate)) as address,
        socket.create_connection(address, 10) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as encrypted,
    ):
        encrypted.sendall(head * 3)
        for _ in range(3):
            received = b""
            while len(received.partition(b"\r\n\r\n")[2]) < 40_000:
                received += encrypted.recv(
                    40_000 - len(received.partition(b"\r\n\r\n")[2]) if b"\r\n\r\n" in received else 1
                )
            assert received.endswith(b"x" * 40_000)


def test_a_file_that_is_shorter_than_announced_ends_the_connection(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"short")

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", "10")])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"]((tmp_path / "f").open("rb"))
        return wrapped

    with serving(application) as address, socket.create_connection(address, 10) as sock, sock.makefile("rb") as file:
        sock.sendall(request("GET /"))
        assert file.read().endswith(b"\r\n\r\nshort")


def test_stop_lets_requests_finish() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def application(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        begun.set()
        may_end.wait(10)
        start("200 OK", [])
        return [b"done"]

    server = Server(application, ("127.0.0.1", 0))
    server.start()
    with socket.create_connection(server.address, 10) as sock:
        sock.sendall(request("GET /"))
        begun.wait(10)
        stopping = threading.Thread(target=server.stop, args=(10,))
        stopping.start()
        may_end.set()
        assert receive(sock).body == b"done"
        stopping.join()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address, 1)


def test_limits_are_positive() -> None:
    with pytest.raises(ValueError, match="head_bytes must be more than 0"):
        Limits(head_bytes=0)
