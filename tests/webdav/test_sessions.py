"""What the file managers of macOS and Windows send, request by request, and servers that die."""

from __future__ import annotations

import io
import signal
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.processes import python, started
from tests.webdav.calling import LOCK_BODY, Caller, held

SERVER = """
import sys
from chuk_adapters.webdav import WebDAVAdapter
from chuk_fsspec.backends.sqlite import SqliteFileSystem
server = WebDAVAdapter(SqliteFileSystem(database=sys.argv[1]), port=0)
server.start_background()
print(server.url, flush=True)
server.wait()
"""

FINDER_PROPERTIES = [
    "getlastmodified",
    "getcontentlength",
    "creationdate",
    "resourcetype",
    "quota-available-bytes",
    "quota-used-bytes",
    "getetag",
]


def test_finder_saves_a_file(chukmem: MemoryFileSystem) -> None:
    call = Caller(chukmem)
    assert call("OPTIONS", "/").headers["DAV"] == "1, 2"
    root = call.propfind("/", *FINDER_PROPERTIES).statuses()
    assert {name for name, status in root.items() if status == 404} == {"{DAV:}getcontentlength", "{DAV:}getetag"}
    assert call.propfind("/._report.txt", *FINDER_PROPERTIES).status == 404
    assert call("PUT", "/report.txt").status == 201
    token = call.lock("/report.txt", depth="0", timeout="Second-600")
    body: Any = io.BytesIO(b"x" * 70_000)
    sent = call(
        "PUT", "/report.txt", body, transfer_encoding="chunked", x_expected_entity_length="70000", **held(token)
    )
    assert sent.status == 204
    assert call("PUT", "/report.txt", b"somebody else").status == 423
    assert call.propfind("/report.txt", *FINDER_PROPERTIES).text("getcontentlength") == "70000"
    assert call("LOCK", "/report.txt", timeout="Second-600", **held(token)).status == 200
    assert call("UNLOCK", "/report.txt", lock_token=f"<{token}>").status == 204
    assert call("LOCK", "/._report.txt", LOCK_BODY % b"exclusive").status == 201
    assert call("GET", "/report.txt", range="bytes=0-9").body == b"x" * 10


def test_explorer_copies_a_file_with_its_times(chukmem: MemoryFileSystem) -> None:
    call = Caller(chukmem)
    times = {
        "Win32CreationTime": "Fri, 13 Feb 2009 23:31:30 GMT",
        "Win32LastAccessTime": "Fri, 13 Feb 2009 23:31:30 GMT",
        "Win32LastModifiedTime": "Fri, 13 Feb 2009 23:31:30 GMT",
        "Win32FileAttributes": "00000020",
    }
    changes: dict[str, str | None] = {f"{{urn:schemas-microsoft-com:}}{name}": value for name, value in times.items()}
    assert call.propfind("/", depth="1").status == 207
    assert call("PUT", "/new.docx").status == 201
    token = call.lock("/new.docx", timeout="Second-3600")
    assert call("HEAD", "/new.docx").headers["Content-Length"] == "0"
    assert call("PUT", "/new.docx", b"content", **held(token)).status == 204
    assert set(call.proppatch("/new.docx", changes, **held(token)).statuses().values()) == {200}
    assert call("UNLOCK", "/new.docx", lock_token=f"<{token}>").status == 204
    assert chukmem.info("/new.docx")["mtime"] == 1234567890


def send(url: str, request: bytes, *, whole: bool = True) -> bytes:
    """Send raw bytes, and what comes back of a request that is whole."""
    parts = urlsplit(url)
    with socket.create_connection((str(parts.hostname), parts.port or 80), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(65536) if whole else b""


def head(method: str, path: str, url: str, length: int, *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(url).netloc}", f"Content-Length: {length}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_server_that_is_killed_loses_nothing_that_it_promised(database: str) -> None:
    lock_body = LOCK_BODY % b"exclusive"
    patch = (
        b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><a xmlns="urn:x">kept</a></D:prop></D:set></D:propertyupdate>'
    )
    with started(python(SERVER, database)) as (process, url):
        assert b" 201 " in send(url, head("PUT", "/f", url, 3) + b"old")
        assert b" 207 " in send(url, head("PROPPATCH", "/f", url, len(patch)) + patch)
        locked = send(url, head("LOCK", "/f", url, len(lock_body)) + lock_body)
        token = locked.split(b"Lock-Token: <")[1].split(b">")[0].decode()
        parts = urlsplit(url)
        with socket.create_connection((str(parts.hostname), parts.port or 80), timeout=10) as connection:
            connection.sendall(head("PUT", "/f", url, 100 << 20, f"If: (<{token}>)") + b"x" * (30 << 20))
            process.send_signal(signal.SIGKILL)
            process.wait(10)
    SqliteFileSystem.clear_instance_cache()
    call = Caller(SqliteFileSystem(database=database))
    assert call("GET", "/f").body == b"old"
    assert call.propfind("/f", "{urn:x}a").properties()["{urn:x}a"].text == "kept"
    assert call("PUT", "/f", b"new").status == 423
    assert call("PUT", "/f", b"new", **held(token)).status == 204


def test_a_client_that_dies_leaves_the_old_file(database: str) -> None:
    with started(python(SERVER, database)) as (_, url):
        assert b" 201 " in send(url, head("PUT", "/f", url, 3) + b"old")
        for length in (1000, 50 << 20):
            send(url, head("PUT", "/f", url, length) + b"x" * (length // 2), whole=False)
            send(url, head("PUT", "/new", url, length) + b"x" * (length // 2), whole=False)
        assert send(url, head("GET", "/f", url, 0, "Connection: close")).endswith(b"\r\n\r\nold")
        assert b" 404 " in send(url, head("GET", "/new", url, 0))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_memory_stays_flat_while_four_gibibytes_are_put(tmp_path: Path) -> None:
    size = 4 << 30
    with started(python(SERVER, tmp_path / "w.db")) as (process, url):
        send(url, head("PUT", "/small", url, 1) + b"x")
        before = peak_of(process.pid)
        parts = urlsplit(url)
        piece = bytes(1 << 20)
        with socket.create_connection((str(parts.hostname), parts.port or 80), timeout=300) as connection:
            connection.sendall(head("PUT", "/big", url, size))
            for _ in range(size // len(piece)):
                connection.sendall(piece)
            assert b" 201 " in connection.recv(4096)
        grown = peak_of(process.pid) - before
        print(f"peak before {before >> 20} MiB, grown by {grown >> 20} MiB")  # noqa: T201 - shown with -s
        assert b"4294967296" in send(url, head("HEAD", "/big", url, 0))
        assert grown < 128 << 20


def peak_of(pid: int) -> int:
    """The most memory that a process has had so far, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
