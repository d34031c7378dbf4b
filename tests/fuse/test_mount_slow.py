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

from chuk_adapters.fuse import MountOptions, mount
from chuk_adapters.fuse.fusepy.transport import load_library

pytestmark = pytest.mark.mount


class StallingFileSystem(AbstractFileSystem):
    """A flat remote store, where reading what begins with ``stalled`` waits until the test lets it go on."""

    protocol = "stalling"
    cachable = False
    root_marker = "/"

    def __init__(self) -> None:
        super().__init__()
        self.objects = {"/stalled": b"late", "/quick": b"at once"}
        self.stalled_names: set[str] = set()
        self.arrived = threading.Semaphore(0)
        self.go_on = threading.Event()

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        if path in ("", "/"):
            return {"name": "/", "size": 0, "type": "directory"}
        if path in self.stalled_names:
            self._stall()
        if path not in self.objects:
            raise FileNotFoundError(path)
        return {"name": path, "size": len(self.objects[path]), "type": "file"}

    def _stall(self) -> None:
        self.arrived.release()
        assert self.go_on.wait(120)

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        return [self.info(name) if detail else name for name in self.objects]

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        if path.startswith("/stalled"):
            self._stall()
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


def looker(path: Path) -> subprocess.Popen[bytes]:
    """A process that looks at a file. A handler for SIGALRM is there, as in programs that show their progress."""
    script = f"import os, signal; signal.signal(signal.SIGALRM, lambda *_: None); print(os.stat({str(path)!r}).st_size)"
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def test_one_slow_read_does_not_stall_the_mount(stalling: StallingFileSystem, point: Path) -> None:
    with reader(point / "stalled") as slow:
        assert stalling.arrived.acquire(timeout=60)
        assert (point / "quick").read_bytes() == b"at once"
        assert sorted(os.listdir(point)) == ["quick", "stalled"]
        (point / "new").write_bytes(b"written meanwhile")
        assert stalling.cat_file("/new") == b"written meanwhile"
        assert slow.poll() is None
        stalling.go_on.set()
        assert slow.communicate(timeout=30)[0] == b"late\n"


def test_a_process_waiting_for_a_slow_read_can_be_interrupted(stalling: StallingFileSystem, point: Path) -> None:
    with reader(point / "stalled") as slow:
        assert stalling.arrived.acquire(timeout=60)
        slow.send_signal(signal.SIGKILL)
        assert slow.wait(30) == -signal.SIGKILL
    assert not stalling.go_on.is_set()
    assert (point / "quick").read_bytes() == b"at once"


@pytest.fixture
def point_by_libfuse(stalling: StallingFileSystem, tmp_path: Path) -> Iterator[Path]:
    try:
        if load_library().VERSION < (3, 12):
            pytest.skip("this libfuse has ten threads")
    except OSError as error:
        pytest.skip(str(error))
    target = tmp_path / "libfuse"
    target.mkdir()
    with mount(stalling, target, MountOptions(transport="fusepy")):
        yield target
        stalling.go_on.set()


@pytest.mark.parametrize("place", ["point", "point_by_libfuse"])
def test_however_many_reads_stall_others_are_answered(
    stalling: StallingFileSystem, place: str, request: pytest.FixtureRequest
) -> None:
    point = request.getfixturevalue(place)
    names = [f"stalled{number}" for number in range(40)]
    stalling.objects |= {f"/{name}": b"late" for name in names}
    got: list[bytes] = []
    readers = [threading.Thread(target=lambda name=name: got.append((point / name).read_bytes())) for name in names]
    for thread in readers:
        thread.start()
    for _ in names:
        assert stalling.arrived.acquire(timeout=60)
    assert (point / "quick").read_bytes() == b"at once"
    assert "stalled39" in os.listdir(point)
    (point / "new").write_bytes(b"written meanwhile")
    assert got == []
    stalling.go_on.set()
    for thread in readers:
        thread.join()
    assert got == [b"late"] * len(names)


def test_a_name_that_is_answered_late_keeps_nobody_from_the_others(stalling: StallingFileSystem, point: Path) -> None:
    stalling.objects["/late"] = b"late"
    stalling.stalled_names = {"/late"}
    with looker(point / "late") as slow:
        assert stalling.arrived.acquire(timeout=60)
        stalling.stalled_names = set()
        assert (point / "quick").read_bytes() == b"at once"
        assert not (point / "missing").exists()
        stalling.go_on.set()
        assert slow.communicate(timeout=60)[0] == b"4\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whoever_waits_for_a_name_can_be_ended(stalling: StallingFileSystem, point: Path, number: int) -> None:
    stalling.stalled_names = {"/late"}
    with looker(point / "late") as slow:
        assert stalling.arrived.acquire(timeout=60)
        slow.send_signal(number)
        assert slow.wait(60) != 0
    assert not stalling.go_on.is_set()
    stalling.go_on.set()
    assert (point / "quick").read_bytes() == b"at once"


def test_other_signals_wait_for_the_answer(stalling: StallingFileSystem, point: Path) -> None:
    stalling.objects["/late"] = b"late"
    stalling.stalled_names = {"/late"}
    with looker(point / "late") as slow:
        assert stalling.arrived.acquire(timeout=60)
        slow.send_signal(signal.SIGALRM)
        # The kernel tells of the signal before it asks this.
        assert (point / "quick").read_bytes() == b"at once"
        stalling.go_on.set()
        assert slow.communicate(timeout=60)[0] == b"4\n"


def test_an_unmount_waits_for_nobody_who_only_reads(stalling: StallingFileSystem, tmp_path: Path) -> None:
    target = tmp_path / "other"
    target.mkdir()
    mounted = mount(stalling, target)
    with reader(target / "stalled") as slow:
        assert stalling.arrived.acquire(timeout=60)
        slow.kill()
        slow.wait(60)
    mounted.unmount()
    assert not mounted.is_live
    assert not stalling.go_on.is_set()
    stalling.go_on.set()
