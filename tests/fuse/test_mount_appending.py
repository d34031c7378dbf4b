"""O_APPEND through several mounts and the API at once: all arrives at the end, and nobody writes over others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("the kernel's own door is Linux's", allow_module_level=True)

from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec import MemoryFileSystem
from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.fuse.mount_serving import served
from tests.fuse.test_mount_tools import PATIENCE

pytestmark = pytest.mark.mount

LINES = 500
ACROSS_PAGES, WITHIN_PAGES = 101, 64
"""Bytes of a line. Of one that goes across the pages of its cache, a kernel may send the two parts one by one."""

WRITER = """
import os, sys
who, lines, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
log = os.open("log", os.O_RDWR | os.O_APPEND)
for number in range(lines):
    line = f"{who} {number} ".ljust(length - 1, "x").encode() + b"\\n"
    assert os.write(log, line) == length
    if sys.argv[4] == "looks" and number % 10 == 0:
        assert os.pread(log, 1 << 24, 0).count(line) == 1, "what was written is not there"
"""
READER = """
import os, sys, time
log, seen = os.open("log", os.O_RDONLY), b""
while len(seen) < int(sys.argv[1]):
    seen += os.read(log, 1 << 16)
    time.sleep(0.001)
sys.stdout.buffer.write(seen)
"""


def line(who: str, number: int, length: int) -> bytes:
    return f"{who} {number} ".ljust(length - 1, "x").encode() + b"\n"


@contextmanager
def program(where: Path, code: str, *arguments: str | int) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs in a directory, and not for longer than the block."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE) as running:
        try:
            yield running
        finally:
            running.kill()


def written_at_once(fs: Any, points: list[Path], length: int, *, direct_io: bool = False) -> bytes:
    """What is in a file to which two programs in each mount, and this one by the API, have appended numbered lines.

    Past the page cache, they see at once what they wrote, and one more in each mount follows the file as it grows.
    """
    fs.pipe_file("/log", b"")
    names = [(f"{name}{which}", point) for which, point in enumerate(points) for name in "ab"]
    total = (len(names) + 1) * LINES * length
    with ExitStack() as running:
        readers = [running.enter_context(program(point, READER, total)) for point in points if direct_io]
        looks = "looks" if direct_io else ""
        writers = [running.enter_context(program(point, WRITER, name, LINES, length, looks)) for name, point in names]
        for number in range(LINES):
            with fs.open("/log", "ab") as log:
                log.write(line("api", number, length))
        assert [writer.wait(PATIENCE) for writer in writers] == [0] * len(writers)
        data: bytes = fs.cat_file("/log")
        assert len(data) == total
        for reader in readers:
            assert reader.communicate(timeout=PATIENCE)[0] == data
    return data


def assert_whole(data: bytes, length: int) -> None:
    """Every writer's lines are all there, whole and in order."""
    numbers: dict[str, list[int]] = {who: [] for who in ("a0", "b0", "a1", "b1", "api")}
    for start in range(0, len(data), length):
        who, number, _ = data[start : start + length].decode().split(" ")
        assert data[start : start + length] == line(who, int(number), length)
        numbers[who].append(int(number))
    assert all(found == list(range(LINES)) for found in numbers.values())


def opened(kind: str, place: Path) -> Any:
    if kind == "sqlite":
        return SqliteFileSystem(database=str(place))
    place.mkdir()
    return LocalFileSystem(root=str(place))


@pytest.mark.parametrize("direct_io", [False, True], ids=["cached", "direct"])
@pytest.mark.parametrize("kind", ["sqlite", "local"])
def test_mounts_of_two_processes_and_the_api(kind: str, direct_io: bool, tmp_path: Path) -> None:
    length = ACROSS_PAGES if direct_io else WITHIN_PAGES
    place, points = tmp_path / "place", [tmp_path / "one", tmp_path / "two"]
    fs = opened(kind, place)
    with ExitStack() as stack:
        for point in points:
            stack.enter_context(served(kind, place, point, direct_io=direct_io))
        assert_whole(written_at_once(fs, points, length, direct_io=direct_io), length)


def test_of_what_goes_across_pages_nothing_is_lost(tmp_path: Path) -> None:
    place, points = tmp_path / "place", [tmp_path / "one", tmp_path / "two"]
    fs = opened("sqlite", place)
    with ExitStack() as stack:
        for point in points:
            stack.enter_context(served("sqlite", place, point))
        data = written_at_once(fs, points, ACROSS_PAGES)
    lines = b"".join(line(who, n, ACROSS_PAGES) for who in ("a0", "b0", "a1", "b1", "api") for n in range(LINES))
    assert sorted(data) == sorted(lines)


@pytest.mark.parametrize("direct_io", [False, True], ids=["cached", "direct"])
def test_two_mounts_of_one_process_and_the_api(chukmem: MemoryFileSystem, tmp_path: Path, direct_io: bool) -> None:
    length = ACROSS_PAGES if direct_io else WITHIN_PAGES
    points = [tmp_path / "one", tmp_path / "two"]
    with ExitStack() as stack:
        for point in points:
            point.mkdir()
            stack.enter_context(mount(chukmem, point, MountOptions(direct_io=direct_io)))
        assert_whole(written_at_once(chukmem, points, length, direct_io=direct_io), length)


@pytest.mark.parametrize("kind", ["sqlite", "local"])
def test_who_follows_one_writer_sees_what_was_written(kind: str, tmp_path: Path) -> None:
    """From the same mount and from another one, each with a page cache."""
    place, points = tmp_path / "place", [tmp_path / "one", tmp_path / "two"]
    fs = opened(kind, place)
    fs.pipe_file("/log", b"")
    with ExitStack() as stack:
        for point in points:
            stack.enter_context(served(kind, place, point))
        readers = [stack.enter_context(program(point, READER, LINES * ACROSS_PAGES)) for point in points]
        writer = stack.enter_context(program(points[0], WRITER, "a", LINES, ACROSS_PAGES, "looks"))
        assert writer.wait(PATIENCE) == 0
        for reader in readers:
            data = reader.communicate(timeout=PATIENCE)[0]
            assert data == b"".join(line("a", number, ACROSS_PAGES) for number in range(LINES))


@pytest.mark.parametrize("length", [50, 5000, 20_000])
def test_who_appends_sees_it_where_it_is(chukmem: MemoryFileSystem, tmp_path: Path, length: int) -> None:
    """Also whole pages that the kernel has put elsewhere, where nothing but a notice makes it look again."""
    with mount(chukmem, tmp_path), (tmp_path / "log").open("a+b", buffering=0) as log:
        for number in range(100):
            log.seek(0)
            log.read()
            with chukmem.open("/log", "ab") as other:
                other.write(b"A" * (1 + number * 37 % 6000))
            log.write(b"%d" % (number % 10) * length)
            log.seek(0)
            assert log.read() == chukmem.cat_file("/log")
