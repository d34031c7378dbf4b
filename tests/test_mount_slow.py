"""A mount over a filesystem that answers slowly stays responsive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_adapters.fuse import mount

pytestmark = pytest.mark.mount


class StallingFileSystem(AbstractFileSystem):
    """A flat remote store, where reading ``/stalled`` waits until the test lets it go on."""

    protocol = "stalling"
    cachable = False
    root_marker = "/"

    def __init__(self) -> None:
        super().__init__()
        self.objects = {"/stalled": b"late", "/quick": b"at once"}
        self.reading = threading.Event()
        self.go_on = threading.Event()

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        if path in ("", "/"):
            return {"name": "/", "size": 0, "type": "directory"}
        if path not in self.objects:
            raise FileNotFoundError(path)
        return {"name": path, "size": len(self.objects[path]), "type": "file"}

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        return [self.info(name) if detail else name for name in self.objects]

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        if path == "/stalled":
            self.reading.set()
            assert self.go_on.wait(60)
        return self.objects[path][start:end]

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        self.objects[path] = value

    def put_file(self, lpath: str, rpath: str, **kwargs: Any) -> None:
        self.objects[rpath] = Path(lpath).read_bytes()


@pytest.fixture
def stalling() -> StallingFileSystem:
    return StallingFileSystem()


@pytest.fixture
def point(stalling: StallingFileSystem, tmp_path: Path) -> Iterator[Path]:
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(stalling, target):
        yield target
        stalling.go_on.set()


def reader(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", f"print(open({str(path)!r}).read())"], stdout=subprocess.PIPE)


def test_one_slow_read_does_not_stall_the_mount(stalling: StallingFileSystem, point: Path) -> None:
    with reader(point / "stalled") as slow:
        assert stalling.reading.wait(30)
        assert (point / "quick").read_bytes() == b"at once"
        assert sorted(os.listdir(point)) == ["quick", "stalled"]
        (point / "new").write_bytes(b"written meanwhile")
        assert stalling.cat_file("/new") == b"written meanwhile"
        assert slow.poll() is None
        stalling.go_on.set()
        assert slow.communicate(timeout=30)[0] == b"late\n"


def test_a_process_waiting_for_a_slow_read_can_be_interrupted(stalling: StallingFileSystem, point: Path) -> None:
    with reader(point / "stalled") as slow:
        assert stalling.reading.wait(30)
        slow.send_signal(signal.SIGKILL)
        assert slow.wait(30) == -signal.SIGKILL
    assert not stalling.go_on.is_set()
    assert (point / "quick").read_bytes() == b"at once"
