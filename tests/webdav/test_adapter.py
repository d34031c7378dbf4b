"""``WebDAVAdapter``: what it is given, where it listens, and how it ends."""

from __future__ import annotations

import signal
import ssl
import threading
import urllib.request
from pathlib import Path

import pytest

from chuk_adapters.webdav import WebDAVAdapter
from chuk_adapters.webdav.server.tls import server_context
from chuk_fsspec import AsyncVirtualFileSystem, VirtualFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from tests.processes import python, started
from tests.webdav.raw_http import ask, request
from tests.webdav.tls_files import make_certificate


@pytest.mark.parametrize("facade", [VirtualFileSystem, AsyncVirtualFileSystem])
def test_a_facade(facade: type) -> None:
    vfs = facade()
    with WebDAVAdapter(vfs, port=0) as adapter:
        assert ask(adapter, request("PUT /a", body=b"x")).status == 201
        assert vfs.fs.cat_file("/a") == b"x"


def test_both_sides_see_what_the_other_does(adapter: WebDAVAdapter, chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/b", b"from the program")
    assert urllib.request.urlopen(f"{adapter.url}b").read() == b"from the program"
    assert ask(adapter, request("MOVE /b", "Destination: http://localhost/c")).status == 201
    assert chukmem.find("/") == ["/a", "/c"]


def test_read_only(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/a", b"content")
    with WebDAVAdapter(chukmem, port=0, readonly=True) as adapter:
        assert ask(adapter, request("GET /a")).status == 200
        for line in ("PUT /a", "DELETE /a", "MKCOL /b", "LOCK /a", "PROPPATCH /a"):
            assert ask(adapter, request(line)).status == 403


def test_it_can_be_started_again(chukmem: MemoryFileSystem) -> None:
    assert not WebDAVAdapter(chukmem, port=0).is_live
    adapter = WebDAVAdapter(chukmem, port=0)
    for _ in range(2):
        adapter.start_background()
        assert adapter.is_live
        assert ask(adapter, request("GET /")).status == 200
        with pytest.raises(OSError, match="it is served at http"):
            adapter.start_background()
        adapter.stop()
        adapter.stop()
        assert adapter.wait(0)


def test_start_returns_when_another_thread_stops_it(chukmem: MemoryFileSystem) -> None:
    adapter = WebDAVAdapter(chukmem, port=0)
    thread = threading.Thread(target=adapter.start)
    thread.start()
    while not adapter.is_live:
        assert thread.is_alive()
    adapter.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_start_returns_at_ctrl_c() -> None:
    code = """
import signal
from chuk_adapters.webdav import WebDAVAdapter
from chuk_fsspec.backends.memory import MemoryFileSystem
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let what runs in the background ignore it
adapter = WebDAVAdapter(MemoryFileSystem(), port=0)
print("starting", flush=True)
adapter.start()
print("over", adapter.is_live)
"""
    with started(python(code)) as (process, _):
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) in ((0, "over False\n"), (-signal.SIGINT, ""))


def test_a_port_that_is_taken(adapter: WebDAVAdapter, chukmem: MemoryFileSystem) -> None:
    port = int(adapter.url.rstrip("/").rpartition(":")[2])
    with pytest.raises(OSError, match="port=0 takes a free one") as caught:
        WebDAVAdapter(chukmem, port=port).start_background()
    assert caught.value.filename == f"127.0.0.1:{port}"


def test_a_host_that_is_not_known(chukmem: MemoryFileSystem) -> None:
    with pytest.raises(OSError, match="choose another host"):
        WebDAVAdapter(chukmem, "no-such-host.invalid", 0, allow_anonymous=True).start_background()


def test_ipv6(chukmem: MemoryFileSystem) -> None:
    with WebDAVAdapter(chukmem, "::1", 0) as adapter:
        assert adapter.url.startswith("http://[::1]:")
        assert ask(adapter, request("GET /", host="[::1]:80")).status == 200


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.0.2.1", "files.example"])
def test_other_machines_are_let_in_by_name_only(chukmem: MemoryFileSystem, host: str) -> None:
    with pytest.raises(ValueError, match="name users, or allow anonymous"):
        WebDAVAdapter(chukmem, host)
    with pytest.raises(ValueError, match="in plain text: give a TLS certificate"):
        WebDAVAdapter(chukmem, host, users={"a": "b"})
    WebDAVAdapter(chukmem, host, allow_anonymous=True)
    WebDAVAdapter(chukmem, host, users={"a": "b"}, allow_plain_passwords=True)


def test_tls(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with WebDAVAdapter(chukmem, "localhost", 0, tls=(certificate, certificate)) as adapter:
        assert adapter.url.startswith("https://")
        context = ssl.create_default_context(cafile=str(certificate))
        url = adapter.url.replace("127.0.0.1", "localhost")
        content = b"x" * (3 << 20)
        urllib.request.urlopen(urllib.request.Request(f"{url}a", content, method="PUT"), context=context)
        assert urllib.request.urlopen(f"{url}a", context=context).read() == content
    assert server_context(certificate).minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_certificate_that_is_none(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    (tmp_path / "c").write_text("x")
    with pytest.raises(ssl.SSLError):
        WebDAVAdapter(chukmem, tls=(tmp_path / "c", tmp_path / "c"))


def test_names_of_the_server(chukmem: MemoryFileSystem) -> None:
    with WebDAVAdapter(chukmem, port=0, hosts=["files.example"]) as adapter:
        for host, status in (
            ("files.example", 200),
            ("FILES.example:8080", 200),
            ("127.0.0.1", 200),
            ("192.0.2.7:80", 200),
            ("[::1]", 200),
            ("localhost:1", 200),
            ("evil.example", 421),
            ("files.example.evil.example", 421),
            ("127.0.0.1.evil.example", 421),
        ):
            assert ask(adapter, request("GET /", host=host)).status == status, host


def test_sites_that_may_use_it(chukmem: MemoryFileSystem) -> None:
    friend = "Origin: https://app.example"
    with WebDAVAdapter(chukmem, port=0, origins=["https://app.example"], users={"a": "b"}) as adapter:
        asked = ask(adapter, request("OPTIONS /a", friend, "Access-Control-Request-Method: PUT"))
        assert asked.status == 204
        assert asked.fields["access-control-allow-origin"] == "https://app.example"
        assert "PUT" in asked.fields["access-control-allow-methods"]
        reply = ask(adapter, request("PUT /a", friend, "Authorization: Basic YTpi", body=b"x"))
        assert (reply.status, reply.fields["access-control-allow-origin"]) == (201, "https://app.example")
        refused = ask(adapter, request("OPTIONS /a", "Origin: https://evil", "Access-Control-Request-Method: PUT"))
        assert refused.status == 401
        assert "access-control-allow-origin" not in refused.fields


def test_its_own_pages_may_use_it(adapter: WebDAVAdapter) -> None:
    assert ask(adapter, request("PUT /b", "Origin: http://localhost:80", body=b"x")).status == 201


@pytest.mark.parametrize("origin", ["*", "app.example", "https://", "https://*.example", "https://a.example/"])
def test_what_is_no_origin(chukmem: MemoryFileSystem, origin: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        WebDAVAdapter(chukmem, origins=[origin])
