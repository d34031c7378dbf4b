"""Bytes to a server and what comes back, without a client that would not send them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chuk_adapters.webdav import WebDAVAdapter

PATIENCE = 60.0
"""Seconds after which a reply that does not come has failed."""


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        status: the code; 0 if the connection ended without a reply.
        fields: names in lower case -> values.
        body: the content.
        is_closed: whether the server closed the connection after it.
    """

    status: int
    fields: dict[str, str]
    body: bytes
    is_closed: bool


def address_of(adapter: WebDAVAdapter) -> tuple[str, int]:
    found = re.search(r"//\[?([^\]/]+?)\]?:(\d+)/", adapter.url)
    assert found is not None
    return found[1], int(found[2])


@contextmanager
def connected(adapter: WebDAVAdapter) -> Iterator[socket.socket]:
    with socket.create_connection(address_of(adapter), PATIENCE) as sock:
        yield sock


def request(line: str, *fields: str, body: bytes = b"", host: str = "localhost") -> bytes:
    """A request with ``Host``, and with ``Content-Length`` if it has a body."""
    length = [f"Content-Length: {len(body)}"] if body else []
    text = "\r\n".join([f"{line} HTTP/1.1", f"Host: {host}", *fields, *length, "", ""])
    return text.encode("latin-1") + body


def ask(adapter: WebDAVAdapter, data: bytes) -> Reply:
    """Send it on a connection of its own, and receive one reply."""
    with connected(adapter) as sock:
        sock.sendall(data)
        return receive(sock, has_body=not data.startswith(b"HEAD"))


def receive(sock: socket.socket, *, has_body: bool = True) -> Reply:
    """Receive one reply, and look whether the server closes the connection after it."""
    with sock.makefile("rb") as file:
        first = file.readline()
        if not first:
            return Reply(0, {}, b"", is_closed=True)
        fields: dict[str, str] = {}
        while (line := file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            assert name.lower() not in fields, name
            fields[name.lower()] = value.strip()
        status = int(first.split()[1])
        if status == 100:
            return Reply(status, fields, b"", is_closed=False)
        body = file.read(int(fields.get("content-length", 0))) if has_body else b""
        is_closed = fields.get("connection") == "close" and file.read() == b""
        return Reply(status, fields, body, is_closed)
