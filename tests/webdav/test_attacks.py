"""What hostile clients send: the right 4xx, at once, and the server lives."""

from __future__ import annotations

import base64

import pytest

from chuk_adapters.webdav import WebDAVAdapter
from chuk_fsspec.backends.memory import MemoryFileSystem
from tests.webdav.raw_http import ask, connected, receive, request

CONTENT = b"content"


def raw(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("latin-1")


LOCK_BODY = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "boom">]><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/>'
    b"</D:lockscope><D:locktype><D:write/></D:locktype><D:owner>&e;</D:owner></D:lockinfo>"
)
PATCH_BODY = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "boom">]><D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>'
    b'<p xmlns="x">&e;</p></D:prop></D:set></D:propertyupdate>'
)
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b']><D:propfind xmlns:D="DAV:"><D:prop><x>&j;</x></D:prop></D:propfind>'
)
NESTED = b"<a>" * 100_000 + b"</a>" * 100_000

FRAMING = {
    "no host": (raw("GET /a HTTP/1.1\n\n"), 400),
    "two hosts": (raw("GET /a HTTP/1.1\nHost: localhost\nHost: evil\n\n"), 400),
    "a host that is none": (raw("GET /a HTTP/1.1\nHost: local host/\n\n"), 400),
    "length and chunks": (
        raw("PUT /b HTTP/1.1\nHost: localhost\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n"),
        400,
    ),
    "two lengths": (raw("PUT /b HTTP/1.1\nHost: localhost\nContent-Length: 1\nContent-Length: 1\n\nx"), 400),
    "a list of lengths": (raw("PUT /b HTTP/1.1\nHost: localhost\nContent-Length: 1, 1\n\nx"), 400),
    "negative length": (raw("PUT /b HTTP/1.1\nHost: localhost\nContent-Length: -1\n\n"), 400),
    "length with a plus": (raw("PUT /b HTTP/1.1\nHost: localhost\nContent-Length: +1\n\nx"), 400),
    "length in hex": (raw("PUT /b HTTP/1.1\nHost: localhost\nContent-Length: 0x1\n\nx"), 400),
    "length of Arabic digits": (raw("PUT /b HTTP/1.1\nHost: localhost\nContent-Length: \xb2\n\nx"), 400),
    "two codings": (
        raw("PUT /b HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n"),
        400,
    ),
    "gzip coding": (raw("PUT /b HTTP/1.1\nHost: localhost\nTransfer-Encoding: gzip, chunked\n\n0\n\n"), 501),
    "chunks in HTTP/1.0": (raw("PUT /b HTTP/1.0\nHost: localhost\nTransfer-Encoding: chunked\n\n0\n\n"), 400),
    "bad chunk size": (raw("PUT /b HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\nzz\nx\n0\n\n"), 400),
    "negative chunk": (raw("PUT /b HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n-1\nx\n0\n\n"), 400),
    "huge chunk size": (
        raw(f"PUT /b HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n{'f' * 17}\nx\n0\n\n"),
        400,
    ),
    "chunk longer than it says": (
        raw("PUT /b HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n1\nxyz\n0\n\n"),
        400,
    ),
    "endless chunk extension": (
        raw(f"PUT /b HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n1;{'x' * 70000}"),
        400,
    ),
    "bare line feeds": (b"GET /a HTTP/1.1\nHost: localhost\n\n", 400),
    "folded field": (raw("GET /a HTTP/1.1\nHost: localhost\nX-A: b\n c\n\n"), 400),
    "space before the colon": (raw("PUT /b HTTP/1.1\nHost: localhost\nContent-Length : 1\n\nx"), 400),
    "field without a name": (raw("GET /a HTTP/1.1\nHost: localhost\n: b\n\n"), 400),
    "NUL in a field": (raw("GET /a HTTP/1.1\nHost: localhost\nX-A: \0\n\n"), 400),
    "a lone CR in a field": (b"GET /a HTTP/1.1\r\nHost: localhost\r\nX-A: b\rX-C: d\r\n\r\n", 400),
    "spaces in the target": (raw("GET /a b HTTP/1.1\nHost: localhost\n\n"), 400),
    "two spaces": (raw("GET  /a HTTP/1.1\nHost: localhost\n\n"), 400),
    "bytes that are not ASCII in the target": (raw("GET /\xff HTTP/1.1\nHost: localhost\n\n"), 400),
    "relative target": (raw("GET a HTTP/1.1\nHost: localhost\n\n"), 400),
    "another version": (raw("GET /a HTTP/2.0\nHost: localhost\n\n"), 505),
    "HTTP/0.9": (raw("GET /a\n\n"), 400),
    "TLS to a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "64 KiB of fields": (raw(f"GET /a HTTP/1.1\nHost: localhost\nX-A: {'b' * 65536}\n\n"), 431),
    "20,000 fields": (raw("GET /a HTTP/1.1\nHost: localhost\n" + "X: y\n" * 20_000 + "\n"), 431),
    "200 short fields": (
        raw("GET /a HTTP/1.1\n" + "".join(f"X{n}: y\n" for n in range(200)) + "Host: localhost\n\n"),
        431,
    ),
    "a head that never ends": (b"GET /a HTTP/1.1\r\nX: " + b"y" * 65536, 431),
    "unknown expectation": (request("PUT /b", "Expect: tea", body=b"x"), 417),
}
"""After these nobody can know where the next request begins, so the connection ends."""

REQUESTS = {
    "dots": (request("GET /../../etc/passwd"), 400),
    "encoded dots": (request("GET /%2e%2e/%2e%2e/etc/passwd"), 400),
    "encoded slash": (request("PUT /d%2fe", body=b"x"), 400),
    "NUL": (request("PUT /b%00c", body=b"x"), 400),
    "NUL in a destination": (request("MOVE /a", "Destination: http://localhost/b%00c"), 400),
    "dots in a destination": (request("MOVE /a", "Destination: http://localhost/../b"), 400),
    "empty destination": (request("MOVE /a", "Destination:"), 400),
    "no destination": (request("COPY /a"), 400),
    "destination on another host": (request("MOVE /a", "Destination: http://elsewhere/b"), 502),
    "destination that is no URL": (request("MOVE /a", "Destination: http://[x/b"), 400),
    "MOVE of the root": (request("MOVE /", "Destination: http://localhost/b"), 403),
    "DELETE of the root": (request("DELETE /"), 403),
    "COPY into itself": (request("COPY /", "Destination: http://localhost/b"), 403),
    "not UTF-8": (request("PUT /%ff", body=b"x"), 400),
    "not UTF-8, to read": (request("GET /%ff"), 404),
    "half an escape": (request("PUT /a%f", body=b"x"), 400),
    "a long name": (request(f"PUT /{'n' * 300}", body=b"x"), 414),
    "a long name to read": (request(f"GET /{'n' * 300}"), 414),
    "a long path": (request(f"GET {'/n' * 4000}"), 414),
    "newline in a new name": (request("PUT /b%0ac", body=b"x"), 400),
    "newline in a new directory": (request("MKCOL /b%0ac"), 400),
    "newline in a destination": (request("MOVE /a", "Destination: http://localhost/b%0ac"), 400),
    "PROPFIND without Depth": (request("PROPFIND /"), 207),
    "PROPFIND infinity": (request("PROPFIND /", "Depth: infinity"), 403),
    "Depth that is none": (request("PROPFIND /", "Depth: 2"), 400),
    "COPY Depth 1": (request("COPY /a", "Depth: 1", "Destination: http://localhost/b"), 400),
    "If without an end": (request("GET /a", "If: " + "(" * 8000), 400),
    "If too long": (request("GET /a", "If: " + "(<x>) " * 4000), 400),
    "If that is none": (request("PUT /a", "If: nonsense", body=b"x"), 400),
    "two If": (request("PUT /a", "If: (<x>)", "If: (<y>)", body=b"x"), 400),
    "entity in LOCK": (request("LOCK /a", body=LOCK_BODY), 400),
    "entity in PROPPATCH": (request("PROPPATCH /a", body=PATCH_BODY), 400),
    "a billion laughs": (request("PROPFIND /", "Depth: 0", body=BOMB), 400),
    "100,000 levels": (request("PROPFIND /", "Depth: 0", body=NESTED), 400),
    "XML of 64 MiB": (request("PROPFIND /", "Depth: 0", f"Content-Length: {64 << 20}"), 413),
    "no XML": (request("PROPFIND /", "Depth: 0", body=b"\0\1\2"), 400),
    "another host": (request("GET /a", host="evil.example"), 421),
    "another host in the target": (request("GET http://evil.example/a"), 421),
    "PUT by another site": (request("PUT /b", "Origin: http://evil.example", body=b"x"), 403),
    "PUT by a page without origin": (request("PUT /b", "Origin: null", body=b"x"), 403),
    "DELETE by another site": (request("DELETE /a", "Sec-Fetch-Site: cross-site"), 403),
    "POST by another site": (request("POST /a", "Origin: http://evil.example", body=b"x"), 403),
    "TRACE": (request("TRACE /a"), 405),
    "CONNECT": (request("CONNECT /a"), 405),
    "unknown method": (request("BREW /a"), 405),
    "malformed credentials": (request("GET /a", "Authorization: Basic !!!"), 200),
    "a range that is none": (request("GET /a", "Range: foo=0-1"), 200),
    "a range backwards": (request("GET /a", "Range: bytes=4-1"), 200),
    "an empty suffix": (request("GET /a", "Range: bytes=-0"), 416),
    "one range of two": (request("GET /a", "Range: bytes=0-0,9999-"), 206),
    "a part of a file": (request("PUT /a", "Content-Range: bytes 0-0/7", body=b"x"), 400),
    "OPTIONS *": (request("OPTIONS *"), 200),
}


@pytest.mark.parametrize("name", FRAMING)
def test_framing(adapter: WebDAVAdapter, chukmem: MemoryFileSystem, name: str) -> None:
    data, status = FRAMING[name]
    reply = ask(adapter, data)
    assert (reply.status, reply.is_closed) == (status, True), reply
    assert_unharmed(adapter, chukmem)


@pytest.mark.parametrize("name", REQUESTS)
def test_requests(adapter: WebDAVAdapter, chukmem: MemoryFileSystem, name: str) -> None:
    data, status = REQUESTS[name]
    reply = ask(adapter, data)
    assert reply.status == status, reply
    assert_unharmed(adapter, chukmem)


def assert_unharmed(adapter: WebDAVAdapter, fs: MemoryFileSystem) -> None:
    assert fs.find("/") == ["/a"]
    assert fs.cat_file("/a") == CONTENT
    assert ask(adapter, request("PUT /a", body=CONTENT)).status == 204  # no lock was left behind


def test_a_request_hidden_in_a_body_is_not_answered(adapter: WebDAVAdapter) -> None:
    hidden = request("DELETE /a")
    with connected(adapter) as sock:
        sock.sendall(request("PUT /b", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + hidden))
        assert receive(sock).status == 400
        assert sock.recv(1) == b""
    assert ask(adapter, request("GET /a")).status == 200


def test_what_follows_a_refused_body_is_not_taken_for_a_request(adapter: WebDAVAdapter) -> None:
    """A body that nobody read, too large to be thrown away: the connection ends instead."""
    body = request("DELETE /a") * 100_000
    with connected(adapter) as sock:
        sock.sendall(request("PUT /no/such/directory", f"Content-Length: {len(body)}"))
        reply = receive(sock)
    assert (reply.status, reply.is_closed) == (409, True)
    assert ask(adapter, request("GET /a")).status == 200


def test_names_with_an_underscore_are_not_headers(adapter: WebDAVAdapter) -> None:
    """In CGI's names ``Content_Length`` and ``Content-Length`` are one."""
    assert ask(adapter, request("GET /a", "Content_Length: 5", "X_Y: z")).status == 200


def test_security_headers_on_html(adapter: WebDAVAdapter, chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/page.html", b"<script>alert(1)</script>")
    reply = ask(adapter, request("GET /page.html"))
    assert reply.fields["x-content-type-options"] == "nosniff"
    assert "sandbox" in reply.fields["content-security-policy"]


def test_no_origin_may_read_by_default(adapter: WebDAVAdapter) -> None:
    reply = ask(adapter, request("GET /a", "Origin: http://evil.example"))
    assert [name for name in reply.fields if name.startswith("access-control")] == []


@pytest.mark.parametrize(
    "credentials",
    ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"no colon").decode(), "Basic /w==", "Digest x", "Bearer y", ""],
)
def test_malformed_credentials(chukmem: MemoryFileSystem, credentials: str) -> None:
    with WebDAVAdapter(chukmem, port=0, users={"alice": "secret"}) as served:
        assert ask(served, request("GET /", f"Authorization: {credentials}")).status == 401
