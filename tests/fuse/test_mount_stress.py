"""Many threads on one mount: no error, nothing leaks; and a server that dies takes nothing with it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chuk_adapters.fuse import Mount, mount
from chuk_fsspec import MemoryFileSystem
from tests.processes import python, started

pytestmark = pytest.mark.mount

THREADS = 64
SECONDS = float(os.environ.get("CHUK_STRESS_SECONDS", "2"))
"""The nightly run sets a minute."""


@pytest.fixture
def mounted(chukmem: MemoryFileSystem, tmp_path: Path) -> Iterator[Mount]:
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(chukmem, target) as live:
        yield live


def exercise(home: Path, common: Path, end: float, seed: int) -> None:
    """Make, read, rename and remove files of one's own, and fight for those that are common to all."""
    chance = random.Random(seed)
    home.mkdir()
    while time.monotonic() < end:
        name, data = home / f"f{chance.randrange(20)}", os.urandom(chance.randrange(10, 70_000))
        name.write_bytes(data)
        assert name.read_bytes() == data
        name.rename(home / "moved")
        assert (home / "moved").stat().st_size == len(data)
        with (home / "moved").open("r+b") as file:
            file.truncate(10)
        assert (home / "moved").read_bytes() == data[:10]
        (home / "moved").unlink()
        shared = common / f"s{chance.randrange(8)}"
        try:
            shared.write_bytes(b"x" * 100)
            shared.rename(common / f"t{chance.randrange(8)}")
        except FileNotFoundError:
            pass  # somebody was faster
        os.listdir(common)
    home.rmdir()


def test_64_threads_make_no_error_and_leave_nothing(chukmem: MemoryFileSystem, mounted: Mount) -> None:
    common = mounted.path / "common"
    common.mkdir()
    failures: list[BaseException] = []
    end = time.monotonic() + SECONDS

    def work(number: int) -> None:
        try:
            exercise(mounted.path / str(number), common, end, number)
        except BaseException as error:  # noqa: BLE001 - told to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS + 60)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)
    shutil.rmtree(common)
    assert os.listdir(mounted.path) == []
    assert_settles(lambda: mounted.nodes_held, 1)
    assert_settles(lambda: used_inodes(chukmem), 1)
    status = chukmem.posix.statvfs()
    assert status.blocks_free <= status.blocks


def used_inodes(fs: MemoryFileSystem) -> int:
    status = fs.posix.statvfs()
    return status.files - status.files_free


def assert_settles(value: object, wanted: int) -> None:
    """The kernel gives inodes back a moment after their last name is gone."""
    end = time.monotonic() + 10
    while value() != wanted:  # type: ignore[operator]
        assert time.monotonic() < end, f"{value()} instead of {wanted}"  # type: ignore[operator]
        time.sleep(0.05)


SERVER = """
import sys, fsspec
from chuk_adapters.fuse import mount
live = mount(fsspec.filesystem("chukmem"), sys.argv[1])
print("live", flush=True)
live.wait()
"""


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    """A mount point that is free again afterwards, whatever happened."""
    path = tmp_path / "mnt"
    path.mkdir()
    yield path
    subprocess.run(["umount", "--lazy", "--quiet", path], check=False)


def test_a_killed_server_hangs_nobody_and_its_mount_point_can_be_freed(target: Path) -> None:
    with started(python(SERVER, target)) as (server, line):
        assert line == "live"
        (target / "f").write_text("x")
        with (target / "f").open() as held:
            server.send_signal(signal.SIGKILL)
            server.wait(30)
            with pytest.raises(OSError, match="not connected"):
                os.listdir(target)
            with pytest.raises(OSError, match="not connected"):
                os.stat(target / "never-seen")
            with suppress(OSError):
                held.read()  # what the kernel had cached, or an error: at once in either case
    subprocess.run([sys.executable, "-m", "chuk_fsspec", "umount", str(target)], check=True)
    assert os.listdir(target) == []
