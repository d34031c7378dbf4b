"""FIFOs, sockets and devices in the root: seen, moved and removed, but never opened."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("opening without any effect is what Linux can", allow_module_level=True)

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.testing.checks import fails_with
from tests.local.local_ways import fs, outside, way

__all__ = ["fs", "outside", "way"]
# Whoever waits for a FIFO waits for ever.
pytestmark = [pytest.mark.timeout(20), pytest.mark.usefixtures("way")]

OPENERS: dict[str, Callable[[LocalFileSystem, str], Any]] = {
    "cat_file": lambda fs, path: fs.cat_file(path),
    "open rb": lambda fs, path: fs.open(path, "rb"),
    "open wb": lambda fs, path: fs.open(path, "wb"),
    "open ab": lambda fs, path: fs.open(path, "ab"),
    "open r+b": lambda fs, path: fs.open(path, "r+b"),
    "pipe_file": lambda fs, path: fs.pipe_file(path, b"x"),
    "touch": lambda fs, path: fs.touch(path),
    "cp_file": lambda fs, path: fs.cp_file(path, "/copy"),
    "cp_file to": lambda fs, path: fs.cp_file("/f", path),
    "truncate": lambda fs, path: fs.posix.truncate(path, 0),
    "handle r": lambda fs, path: fs.posix.open_handle(path),
    "handle rw": lambda fs, path: fs.posix.open_handle(path, os.O_RDWR),
    "handle creat": lambda fs, path: fs.posix.open_handle(path, os.O_WRONLY | os.O_CREAT),
    "handle trunc": lambda fs, path: fs.posix.open_handle(path, os.O_WRONLY | os.O_TRUNC),
}


@pytest.fixture
def root(tmp_path: Path, fs: LocalFileSystem) -> Path:
    fs.pipe_file("/f", b"content")
    return tmp_path / "root"


@pytest.fixture
def fifo(root: Path) -> str:
    os.mkfifo(root / "fifo")
    return "/fifo"


@pytest.mark.parametrize("act", OPENERS)
def test_a_fifo_is_refused_at_once(fs: LocalFileSystem, fifo: str, act: str) -> None:
    with fails_with(errno.EINVAL, fifo):
        OPENERS[act](fs, fifo)
    assert stat.S_ISFIFO(fs.posix.stat(fifo).st_mode)
    assert fs.cat_file("/f") == b"content"


@pytest.fixture
def waiting_writer(root: Path, fifo: str) -> Iterator[threading.Thread]:
    """A thread that waits for a reader of the FIFO, and goes on as soon as anybody opens it."""
    began = threading.Event()

    def wait() -> None:
        began.set()
        os.close(os.open(root / "fifo", os.O_WRONLY))

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    began.wait()
    time.sleep(0.01)
    yield thread
    reader = os.open(root / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    thread.join(5)
    os.close(reader)


@pytest.mark.parametrize("act", OPENERS)
def test_whoever_waits_at_a_fifo_is_not_woken(
    fs: LocalFileSystem, fifo: str, waiting_writer: threading.Thread, act: str
) -> None:
    with fails_with(errno.EINVAL, fifo):
        OPENERS[act](fs, fifo)
    waiting_writer.join(0.02)
    assert waiting_writer.is_alive()


def test_whole_trees_pass_by_a_fifo(fs: LocalFileSystem, fifo: str) -> None:
    assert fs.find("/") == ["/f", "/fifo"]
    assert fs.info(fifo)["type"] == "other"
    assert [info["type"] for info in fs.ls("/")] == ["file", "other"]
    assert fs.du("/") == 7
    results = fs.cat("/*", on_error="omit")
    assert results == {"/f": b"content"}
    with fails_with(errno.EINVAL, fifo):
        fs.copy("/", "/copy", recursive=True, on_error="raise")
    fs.mv(fifo, "/moved")
    fs.rm("/", recursive=True)
    assert fs.ls("/") == []


@pytest.mark.parametrize("kind", ["socket", "null", "zero", "tty"])
def test_sockets_and_devices_are_refused(fs: LocalFileSystem, root: Path, kind: str) -> None:
    if kind == "socket":
        listener = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(root)  # a socket's path is short
        try:
            listener.bind("node")
        finally:
            os.chdir(here)
            listener.close()
    else:
        if os.geteuid():
            pytest.skip("only root makes devices")
        minor = {"null": (1, 3), "zero": (1, 5), "tty": (5, 0)}[kind]
        os.mknod(root / "node", stat.S_IFCHR | 0o666, os.makedev(*minor))
    for act in OPENERS.values():
        with fails_with(errno.EINVAL, "/node"):
            act(fs, "/node")
    assert fs.info("/node")["type"] == "other"
    fs.rm("/node")


def test_a_link_to_a_fifo_is_no_way_to_it(fs: LocalFileSystem, fifo: str) -> None:
    fs.posix.symlink("fifo", "/link")
    for act in OPENERS.values():
        with fails_with(errno.EINVAL, "/link"):
            act(fs, "/link")


def test_a_file_that_becomes_a_fifo_by_turns(fs: LocalFileSystem, root: Path, fifo: str) -> None:
    end = time.monotonic() + 0.3
    done = threading.Event()

    def exchange() -> None:
        while not done.is_set():
            os.rename(root / "f", root / "spare")
            os.rename(root / "fifo", root / "f")
            os.rename(root / "f", root / "fifo")
            os.rename(root / "spare", root / "f")

    thread = threading.Thread(target=exchange, daemon=True)
    thread.start()
    codes: set[int | None] = set()
    while time.monotonic() < end:
        try:
            assert fs.cat_file("/f") == b"content"
            fs.posix.open_handle("/f", os.O_RDWR).close()
        except OSError as error:
            codes.add(error.errno)
    done.set()
    thread.join()
    assert codes <= {errno.ENOENT, errno.EINVAL, errno.ESTALE}
