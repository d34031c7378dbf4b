"""The door is a WSGI application: it works in the server that somebody has already, here cheroot."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from webdav4.fsspec import WebdavFileSystem

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.testing.checks import fails_with
from tests.processes import started

WAIT = 10.0
"""Seconds for the server to answer."""


@pytest.fixture
def fs(tmp_path: Path) -> LocalFileSystem:
    """What the server serves, which has it open in a process of its own."""
    (tmp_path / "root").mkdir()
    return LocalFileSystem(root=str(tmp_path / "root"))


@pytest.fixture
def address(fs: LocalFileSystem, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Of a cheroot that serves the filesystem."""
    command = [sys.executable, str(Path(__file__).with_name("cheroot_serving.py")), str(tmp_path / "root")]
    with started(command, stderr=subprocess.DEVNULL) as (_, port):
        yield "127.0.0.1", int(port)


def test_a_tree_makes_the_round(address: tuple[str, int], fs: LocalFileSystem, request: pytest.FixtureRequest) -> None:
    remote = WebdavFileSystem("http://{}:{}".format(*address))
    request.addfinalizer(remote.client.http.close)
    remote.makedirs("/d/e")
    content = bytes(range(256)) * 9000
    remote.pipe_file("/d/e/f", content)
    assert fs.cat_file("/d/e/f") == content
    assert remote.cat_file("/d/e/f", start=300, end=900) == content[300:900]
    remote.mv("/d/e/f", "/d/g")
    assert fs.find("/") == ["/d/g"]
    remote.rm("/d", recursive=True)
    with fails_with(errno.ENOENT):
        fs.info("/d")


def test_what_breaks_off_leaves_the_old_file(address: tuple[str, int], fs: LocalFileSystem) -> None:
    fs.pipe_file("/f", b"old")
    asked = b"PUT /f HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nonly this"
    assert answer_to(address, asked).startswith(b"HTTP/1.1 400 ")
    assert answer_to(address, b"GET /f HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").endswith(b"old")
    assert fs.cat_file("/f") == b"old"
    assert fs.find("/") == ["/f"]


def answer_to(address: tuple[str, int], request: bytes) -> bytes:
    """What the server sends back until it closes the connection, after a client that sends no more than this."""
    with socket.create_connection(address, timeout=WAIT) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(4096), b""))
