"""A mounted chuklocal: real programs at work, and what others change on the host meanwhile."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("inodes are held on Linux", allow_module_level=True)

from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec.backends.local import LocalFileSystem
from tests.fuse import test_mount_tools as tools
from tests.local.local_ways import SECRET, Outside, exchanging, fs, outside
from tests.waiting import wait_until

__all__ = ["fs", "outside"]
pytestmark = pytest.mark.mount


@pytest.fixture
def root(tmp_path: Path, fs: LocalFileSystem) -> Path:
    return tmp_path / "root"


@pytest.fixture
def point(fs: LocalFileSystem, tmp_path: Path) -> Iterator[Path]:
    """Where it is mounted."""
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(fs, target, MountOptions(transport="kernel")):
        yield target


class TestPrograms(tools.TestPrograms):
    """What people run in a workspace."""

    test_df_and_du = None  # type: ignore[assignment] # others use the same disk


class TestSharing(tools.TestSharing):
    """What programs do with one file at once."""


class TestSystemCalls(tools.TestSystemCalls):
    """What those programs ask of the kernel."""


# ---- what others do on the host


def test_changes_on_the_host_show_within_a_moment(point: Path, root: Path) -> None:
    (root / "f").write_text("old")
    (root / "d").mkdir()
    assert (point / "f").read_text() == "old"
    assert not (point / "new").exists()
    assert os.listdir(point / "d") == []
    (root / "f").write_text("a longer version")
    (root / "new").touch()
    (root / "d" / "below").touch()
    wait_until(lambda: (point / "f").read_text() == "a longer version")
    wait_until((point / "new").exists)
    wait_until(lambda: os.listdir(point / "d") == ["below"])
    (root / "replaced").write_text("another file")
    os.replace(root / "replaced", root / "f")
    os.rename(root / "d", root / "moved")
    os.chmod(root / "new", 0o600)
    wait_until(lambda: (point / "f").read_text() == "another file")
    wait_until(lambda: (point / "moved" / "below").exists() and not (point / "d").exists())
    wait_until(lambda: (point / "new").stat().st_mode & 0o777 == 0o600)
    os.unlink(root / "f")
    wait_until(lambda: not (point / "f").exists())


def test_changes_by_the_api_show_at_once(fs: LocalFileSystem, point: Path) -> None:
    for version in (b"one", b"another", b""):
        fs.pipe_file("/f", version)
        assert (point / "f").read_bytes() == version
    fs.mv("/f", "/d/g")
    assert not (point / "f").exists()
    assert (point / "d" / "g").read_bytes() == b""
    with fs.posix.open_handle("/d/g", os.O_RDWR) as handle:
        handle.pwrite(b"in place", 0)
    assert (point / "d" / "g").read_bytes() == b"in place"
    fs.posix.chmod("/d/g", 0o640)
    assert (point / "d" / "g").stat().st_mode & 0o777 == 0o640
    fs.rm("/d", recursive=True)
    assert not (point / "d").exists()


def test_changes_by_the_mount_show_at_once(fs: LocalFileSystem, point: Path, root: Path) -> None:
    (point / "d").mkdir(mode=0o750)
    (point / "d" / "f").write_bytes(b"content")
    assert fs.cat_file("/d/f") == (root / "d" / "f").read_bytes() == b"content"
    assert (root / "d").stat().st_mode & 0o777 == 0o750
    os.rename(point / "d" / "f", point / "g")
    assert fs.find("/") == ["/g"]


def test_who_has_a_file_open_reads_on(fs: LocalFileSystem, point: Path, root: Path) -> None:
    old = bytes(range(256)) * 2000
    fs.pipe_file("/api", old)
    (root / "host").write_bytes(old)
    (point / "mount").write_bytes(old)
    with open(point / "api", "rb") as a, open(point / "host", "rb") as h, open(point / "mount", "rb") as m:
        assert a.read(100) == h.read(100) == m.read(100) == old[:100]
        fs.pipe_file("/api", b"new")
        os.unlink(root / "host")
        os.unlink(point / "mount")
        assert a.read() == h.read() == m.read() == old[100:]
    assert (point / "api").read_bytes() == b"new"


# ---- what must not get out


def test_a_file_of_the_outside_is_not_written_through(point: Path, root: Path, outside: Outside) -> None:
    os.link(outside.path / "secret", root / "one")
    os.link(outside.path / "secret", root / "two")
    assert (point / "one").read_bytes() == SECRET
    with open(point / "one", "r+b") as file, open(point / "two", "rb") as other:
        file.write(b"MINE")
        file.flush()
        assert other.read(4) == b"MINE"
    wait_until(lambda: (point / "one").read_bytes() == (point / "two").read_bytes() == b"MINE" + SECRET[4:])
    for name in ("one", "two"):
        os.unlink(point / name)


def test_links_out_are_for_the_kernel_of_whoever_follows_them(point: Path, root: Path, outside: Outside) -> None:
    """A mount shows links as they are; an absolute one leads where it leads for any program on this machine."""
    (root / "link").symlink_to(outside.path)
    assert os.readlink(point / "link") == str(outside.path)
    (root / "up").symlink_to("../outside")
    assert os.readlink(point / "up") == "../outside"


PROWLER = """
import os, sys, time
point, end = sys.argv[1], time.monotonic() + 1
directory = os.open(point + "/d", os.O_RDONLY | os.O_DIRECTORY)
worked = 0
while time.monotonic() < end:
    for flags in (os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT):
        try:
            fd = os.open("secret", flags | os.O_NOFOLLOW, dir_fd=directory)
        except OSError:
            continue
        try:
            assert os.read(fd, 99) == b"mine"
            if flags != os.O_RDONLY:
                os.pwrite(fd, b"mine", 0)
            worked += 1
        except OSError:
            pass
        finally:
            os.close(fd)
    try:
        os.chmod("secret", 0o600 + worked % 8, dir_fd=directory)
        os.listdir(directory)
        os.rename("secret", "moved", src_dir_fd=directory, dst_dir_fd=directory)
        os.rename("moved", "secret", src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        pass
assert worked
"""


def test_a_directory_that_is_swapped_for_a_link_out(point: Path, root: Path, outside: Outside) -> None:
    (root / "d").mkdir()
    (root / "d" / "secret").write_bytes(b"mine")
    (root / "trap").symlink_to(outside.path)
    with exchanging(root / "d", root / "trap"):
        command = [sys.executable, "-c", PROWLER, str(point)]
        workers: list[subprocess.Popen[bytes]] = []
        while len(workers) < 2:
            if stat.S_ISDIR(os.lstat(point / "d").st_mode):
                workers.append(subprocess.Popen(command))
        codes = [worker.wait(60) for worker in workers]
    outside.assert_untouched()
    assert 0 in codes
