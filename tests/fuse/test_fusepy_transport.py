"""A chukmem mounted through libfuse is the same filesystem that the kernel transport shows."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chuk_adapters.fuse import MountOptions, mount
from chuk_adapters.fuse.fusepy.transport import NAMES_TIMEOUT, load_library
from chuk_fsspec import MemoryFileSystem

pytestmark = [
    pytest.mark.mount,
    pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="/dev/fuse cannot be opened"),
]

try:
    VERSION: tuple[int, int] = load_library().VERSION
except OSError as missing:
    pytest.skip(str(missing), allow_module_level=True)

needs_libfuse_3 = pytest.mark.skipif(VERSION < (3, 0), reason="libfuse 2 does not hand this on")

FUSEPY = MountOptions(transport="fusepy")


@pytest.fixture
def point(chukmem: MemoryFileSystem, tmp_path: Path) -> Iterator[Path]:
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(chukmem, target, FUSEPY):
        yield target


def error_of(call: Callable[..., object], *args: object) -> int:
    with pytest.raises(OSError) as caught:
        call(*args)
    return caught.value.errno or 0


# ---- names


def test_files_travel_both_ways(chukmem: MemoryFileSystem, point: Path):
    (point / "d").mkdir()
    (point / "d" / "f").write_bytes(b"from a program")
    assert chukmem.cat_file("/d/f") == b"from a program"
    chukmem.pipe_file("/late", b"from the API")
    assert (point / "late").read_bytes() == b"from the API"
    assert sorted(os.listdir(point)) == ["d", "late"]


def test_replaced_content_shows_at_once(chukmem: MemoryFileSystem, point: Path):
    for content in (b"long and old", b"short", b"", b"x" * 200_000):
        chukmem.pipe_file("/f", content)
        assert os.stat(point / "f").st_size == len(content)
        assert (point / "f").read_bytes() == content


def test_a_name_removed_by_the_api_goes_within_the_timeout(chukmem: MemoryFileSystem, point: Path):
    chukmem.pipe_file("/f", b"")
    os.stat(point / "f")
    chukmem.rm_file("/f")
    time.sleep(NAMES_TIMEOUT + 0.1)
    assert not (point / "f").exists()


def test_both_names_of_a_file_know_the_link_count(point: Path):
    (point / "a").write_bytes(b"1")
    os.link(point / "a", point / "b")
    first, second = os.stat(point / "a"), os.stat(point / "b")
    assert (first.st_nlink, second.st_nlink) == (2, 2)
    assert first.st_ino == second.st_ino
    with open(point / "b", "ab") as f:
        f.write(b"2")
    assert os.stat(point / "a").st_size == 2
    os.unlink(point / "b")
    assert os.stat(point / "a").st_nlink == 1


def test_symbolic_links_hold_what_they_were_given(chukmem: MemoryFileSystem, point: Path):
    os.symlink("../else where", point / "l")
    assert os.readlink(point / "l") == chukmem.posix.readlink("/l") == "../else where"
    assert stat.S_ISLNK(os.lstat(point / "l").st_mode)


def test_special_files_keep_their_kind_and_number(point: Path):
    os.mkfifo(point / "fifo", 0o640)
    assert os.stat(point / "fifo").st_mode == stat.S_IFIFO | 0o640
    if os.geteuid() == 0:
        os.mknod(point / "dev", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        assert os.stat(point / "dev").st_rdev == os.makedev(1, 3)


def test_names_need_not_be_utf8(point: Path):
    path = os.path.join(os.fsencode(point), b"\xff\xfe")
    with open(path, "wb"):
        pass
    assert os.listdir(os.fsencode(point)) == [b"\xff\xfe"]


def test_rename_replaces_and_refuses_as_posix_says(point: Path):
    (point / "a").write_bytes(b"a")
    (point / "b").write_bytes(b"b")
    os.rename(point / "a", point / "b")
    assert (point / "b").read_bytes() == b"a"
    (point / "full").mkdir()
    (point / "full" / "x").touch()
    (point / "empty").mkdir()
    assert error_of(os.rename, point / "empty", point / "full") == errno.ENOTEMPTY
    assert error_of(os.rename, point / "full", point / "full" / "inside") == errno.EINVAL
    assert error_of(os.rename, point / "missing", point / "x") == errno.ENOENT


@needs_libfuse_3
def test_rename_exchanges(point: Path):
    (point / "a").write_bytes(b"a")
    (point / "b").write_bytes(b"b")
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.renameat2(-100, os.fsencode(point / "a"), -100, os.fsencode(point / "b"), 2) == 0
    assert (point / "a").read_bytes() == b"b"


def test_errors_are_the_system_calls_own(point: Path):
    (point / "d").mkdir()
    (point / "d" / "f").touch()
    assert error_of(os.mkdir, point / "d") == errno.EEXIST
    assert error_of(os.rmdir, point / "d") == errno.ENOTEMPTY
    assert error_of(os.stat, point / "d" / "f" / "x") == errno.ENOTDIR
    assert error_of(os.open, point / ("n" * 256), os.O_CREAT | os.O_WRONLY) == errno.ENAMETOOLONG
    assert error_of(os.open, point / "d" / "f", os.O_CREAT | os.O_EXCL | os.O_WRONLY) == errno.EEXIST


# ---- open files


def test_an_unlinked_file_lives_on_while_it_is_open(chukmem: MemoryFileSystem, point: Path):
    (point / "d").mkdir()
    with open(point / "d" / "f", "w+b") as f:
        f.write(b"still here")
        f.flush()
        os.unlink(point / "d" / "f")
        assert chukmem.ls("/d") == []
        assert os.listdir(point / "d") == []
        assert os.fstat(f.fileno()).st_nlink == 0
        os.fchmod(f.fileno(), 0o600)
        f.truncate(5)
        f.seek(0)
        assert f.read() == b"still"
        os.rmdir(point / "d")
        f.write(b"!")
        f.flush()


def test_a_file_that_is_replaced_while_open_keeps_its_content(point: Path):
    (point / "old").write_bytes(b"old")
    (point / "new").write_bytes(b"new")
    with open(point / "old", "rb") as f:
        os.replace(point / "new", point / "old")
        assert f.read() == b"old"
    assert (point / "old").read_bytes() == b"new"
    assert os.listdir(point) == ["old"]


def test_append_and_truncate_flags(point: Path):
    (point / "f").write_bytes(b"one")
    with open(point / "f", "ab") as f:
        f.write(b" two")
    assert (point / "f").read_bytes() == b"one two"
    os.close(os.open(point / "f", os.O_WRONLY | os.O_TRUNC))
    assert os.stat(point / "f").st_size == 0
    os.truncate(point / "f", 10)
    assert (point / "f").read_bytes() == bytes(10)


def test_large_content_and_in_place_edits(chukmem: MemoryFileSystem, point: Path):
    content = bytearray(os.urandom(3_000_001))
    with open(point / "big", "w+b") as f:
        f.write(content)
        f.seek(1_234_567)
        f.write(b"edited in place")
        os.fsync(f.fileno())
    content[1_234_567 : 1_234_567 + 15] = b"edited in place"
    assert chukmem.cat_file("/big") == bytes(content) == (point / "big").read_bytes()


def test_holes_and_reservations(point: Path):
    with open(point / "f", "w+b") as f:
        os.pwrite(f.fileno(), b"data", 1 << 20)
        assert os.stat(point / "f").st_blocks * 512 < 1 << 20
        if VERSION >= (3, 0):
            assert os.lseek(f.fileno(), 0, os.SEEK_DATA) > 0
        os.posix_fallocate(f.fileno(), 0, 1 << 21)
    assert os.stat(point / "f").st_size == 1 << 21


# ---- attributes


def test_times_are_kept_to_the_nanosecond(point: Path):
    (point / "f").touch()
    os.utime(point / "f", ns=(1_234_567_890_123_456_789, 987_654_321_098_765_432))
    found = os.stat(point / "f")
    assert (found.st_atime_ns, found.st_mtime_ns) == (1_234_567_890_123_456_789, 987_654_321_098_765_432)


def test_one_time_can_be_set_alone(point: Path):
    (point / "f").touch()
    os.utime(point / "f", ns=(1, 2))
    subprocess.run(["touch", "-a", point / "f"], check=True)
    found = os.stat(point / "f")
    assert found.st_mtime_ns == 2
    assert abs(found.st_atime - time.time()) < 60


def test_mode_and_owner(chukmem: MemoryFileSystem, point: Path):
    (point / "f").touch()
    os.chmod(point / "f", 0o640)
    assert stat.S_IMODE(os.stat(point / "f").st_mode) == 0o640
    if os.geteuid() == 0:
        os.chown(point / "f", 12, -1)
        found = chukmem.posix.stat("/f")
        assert (found.st_uid, found.st_gid) == (12, os.getegid())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_new_files_belong_to_who_made_them(chukmem: MemoryFileSystem):
    with tempfile.TemporaryDirectory() as name, mount(chukmem, name, replace(FUSEPY, allow_other=True)):
        target = Path(name)
        target.chmod(0o777)
        script = "cd / && : > $0/f && mkdir $0/d && ln -s x $0/l"
        subprocess.run(["/bin/sh", "-c", script, target], user=65534, group=65533, check=True)
        for path in (target / "f", target / "d", target / "l"):
            assert (os.lstat(path).st_uid, os.lstat(path).st_gid) == (65534, 65533)


def test_extended_attributes(point: Path):
    (point / "f").touch()
    os.setxattr(point / "f", "user.k", b"v")
    assert os.getxattr(point / "f", "user.k") == b"v"
    assert os.listxattr(point / "f") == ["user.k"]
    assert error_of(os.setxattr, point / "f", "user.k", b"", os.XATTR_CREATE) == errno.EEXIST
    os.removexattr(point / "f", "user.k")
    assert error_of(os.getxattr, point / "f", "user.k") == errno.ENODATA
    assert error_of(os.removexattr, point / "f", "user.k") == errno.ENODATA


def test_free_space_is_the_filesystems(chukmem: MemoryFileSystem, point: Path):
    assert os.statvfs(point).f_bsize == chukmem.posix.statvfs().block_size
    assert os.statvfs(point).f_namemax == 255


# ---- the mount


def test_read_only(chukmem: MemoryFileSystem, tmp_path: Path):
    chukmem.pipe_file("/f", b"as it is")
    with mount(chukmem, tmp_path, replace(FUSEPY, readonly=True)):
        assert (tmp_path / "f").read_bytes() == b"as it is"
        assert error_of(os.unlink, tmp_path / "f") == errno.EROFS
        assert error_of(os.open, tmp_path / "f", os.O_WRONLY) == errno.EROFS


def test_the_process_keeps_its_signals_and_its_directory(chukmem: MemoryFileSystem, tmp_path: Path):
    handler = ctypes.pythonapi.PyOS_getsig
    handler.restype = ctypes.c_void_p
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)
    before = [handler(number) for number in numbers]
    directory = os.getcwd()
    with mount(chukmem, tmp_path, FUSEPY):
        assert [handler(number) for number in numbers] == before
        assert os.getcwd() == directory
    assert [handler(number) for number in numbers] == before


def test_two_mounts_in_one_process(tmp_path: Path):
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    with (
        mount(MemoryFileSystem(name="fusepy-1"), first, FUSEPY),
        mount(MemoryFileSystem(name="fusepy-2"), second, FUSEPY),
    ):
        (first / "f").write_text("first")
        (second / "f").write_text("second")
        assert (first / "f").read_text() == "first"


def test_a_mount_ended_by_umount_ends_its_threads(chukmem: MemoryFileSystem, tmp_path: Path):
    before = threading.active_count()
    live = mount(chukmem, tmp_path, FUSEPY)
    subprocess.run(["umount", tmp_path], check=True)
    assert live.wait(10)
    live.unmount()
    assert threading.active_count() == before


def test_a_busy_mount_leaves_the_tree_at_once_and_ends_with_its_last_user(chukmem: MemoryFileSystem, tmp_path: Path):
    live = mount(chukmem, tmp_path, FUSEPY)
    with open(tmp_path / "f", "wb") as f:
        ending = threading.Thread(target=live.unmount)
        ending.start()
        deadline = time.monotonic() + 10
        while os.path.ismount(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not os.path.ismount(tmp_path)
        assert live.is_live
        f.write(b"written after the unmount")
    ending.join(10)
    assert chukmem.cat_file("/f") == b"written after the unmount"


@pytest.mark.parametrize(
    ("environment", "advice"),
    [({"FUSE_LIBRARY_PATH": "/nonexistent/libfuse.so"}, "there is no libfuse; install it"), ({}, "install mfusepy")],
    ids=["no libfuse", "no mfusepy"],
)
def test_what_is_missing_is_said_in_one_line(environment: dict[str, str], advice: str, tmp_path: Path):
    script = (
        "import sys\n"
        f"if {not environment}: sys.modules['mfusepy'] = None\n"
        "from chuk_fsspec.cli.main import main\n"
        f"sys.exit(main(['mount', '--foreground', '--transport', 'fusepy', 'chukmem://', {str(tmp_path)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert advice in done.stderr
    assert done.stderr.count("\n") == 1
