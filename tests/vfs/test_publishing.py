"""Files of filesystems that promise little: temporary names, what is left behind, and who may remove it."""

from __future__ import annotations

import errno
import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem, filesystem

from chuk_fsspec.contract import Capabilities
from chuk_fsspec.forwarding.publishing import open_steady, open_whole, places, reads_anew
from chuk_fsspec.forwarding.publishing.leftovers import (
    STRANGER_IDLE,
    UPLOAD_IDLE,
    Sweeper,
    is_left_behind,
    temporary_name,
    upload_name,
)
from chuk_fsspec.testing.checks import fails_with
from tests.wrappers.async_fs import AsyncObjectFileSystem
from tests.wrappers.object_fs import ObjectFileSystem, RenamingObjectFileSystem

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="no /proc")
LATER = 10**9
CHILD = "import sys; from chuk_fsspec.forwarding.publishing.leftovers import temporary_name; print(temporary_name())"


def never_asked() -> float:
    raise AssertionError("age does not matter here")


@pytest.fixture
def name_of_the_dead() -> str:
    """The temporary name of a process that has ended."""
    return subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def clean_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has just started."""
    monkeypatch.setattr(places, "sweeper", Sweeper())


# ---- names


def test_names_cannot_be_guessed_and_fit() -> None:
    made = {temporary_name() for _ in range(100)}
    assert len(made) == 100
    assert all(len(name.encode()) <= 255 and name.startswith(".chuk-") for name in made)


def test_our_own_files_are_ours_as_long_as_we_live() -> None:
    assert not is_left_behind(temporary_name(), never_asked)


@needs_proc
def test_files_of_a_process_that_has_ended_are_left_behind(name_of_the_dead: str) -> None:
    assert is_left_behind(name_of_the_dead, never_asked)


def test_files_of_a_running_process_are_not() -> None:
    code = f"{CHILD}\nsys.stdout.flush(); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert not is_left_behind(child.stdout.readline().decode().strip(), never_asked)


@needs_proc
def test_a_zombie_writes_no_more() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        name = child.stdout.readline().decode().strip()
        child.stdout.read()
        deadline = time.monotonic() + 30
        while not is_left_behind(name, never_asked) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert is_left_behind(name, never_asked)


@needs_proc
def test_another_process_of_the_same_number_is_another_one() -> None:
    parts = temporary_name().split("-")
    parts[4] = str(int(parts[4]) - 1)
    assert is_left_behind("-".join(parts), never_asked)


def test_after_a_reboot_nobody_writes() -> None:
    parts = temporary_name().split("-")
    parts[2] = "0" * 12
    assert is_left_behind("-".join(parts), never_asked)


def test_files_of_other_machines_have_to_be_old() -> None:
    parts = temporary_name().split("-")
    parts[1] = "0" * 12
    assert not is_left_behind("-".join(parts), lambda: STRANGER_IDLE - 1)
    assert is_left_behind("-".join(parts), lambda: STRANGER_IDLE + 1)


def test_uploads_have_to_be_old() -> None:
    name = upload_name("f", "a" * 32)
    assert not is_left_behind(name, lambda: UPLOAD_IDLE - 1)
    assert is_left_behind(name, lambda: UPLOAD_IDLE + 1)


@pytest.mark.parametrize(
    "name",
    [
        "f",
        ".chuk-notes.part",
        ".chuk-upload-mine.part",
        ".chuk-000000000000-000000000000-1-1-0.part",
        ".chuk-000000000000-000000000000-1-1-" + "0" * 32,
        "x.chuk-000000000000-000000000000-1-1-" + "0" * 32 + ".part",
    ],
)
def test_names_of_users_are_never_ours(name: str) -> None:
    assert not is_left_behind(name, never_asked)


def test_a_fork_has_names_of_its_own() -> None:
    if sys.platform != "linux":
        pytest.skip("needs fork")
    read, write = os.pipe()
    mine = temporary_name()
    pid = os.fork()
    if pid == 0:
        os.write(write, temporary_name().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    with open(read, "rb") as pipe:
        theirs = pipe.read().decode()
    assert theirs.split("-")[3] == str(pid) != mine.split("-")[3]
    assert is_left_behind(theirs, never_asked)


# ---- sweeping


@needs_proc
@pytest.mark.usefixtures("clean_sweeper")
def test_leftovers_are_removed_when_the_directory_is_written_next(tmp_path: Path, name_of_the_dead: str) -> None:
    (tmp_path / name_of_the_dead).write_bytes(b"half")
    kept = [temporary_name(), "f.part", ".hidden"]
    for name in kept:
        (tmp_path / name).write_bytes(b"kept")
    with open_whole(filesystem("file"), f"{tmp_path}/f", "wb") as file:
        file.write(b"new")
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, "f"])


@needs_proc
@pytest.mark.usefixtures("clean_sweeper")
def test_sweeping_is_not_repeated_at_once(tmp_path: Path, name_of_the_dead: str) -> None:
    for _ in range(2):
        with open_whole(filesystem("file"), f"{tmp_path}/f", "wb") as file:
            file.write(b"new")
        (tmp_path / name_of_the_dead).write_bytes(b"half")
    assert sorted(os.listdir(tmp_path)) == sorted([name_of_the_dead, "f"])


@needs_proc
@pytest.mark.usefixtures("clean_sweeper")
def test_leftovers_of_a_filesystem_that_renames(name_of_the_dead: str) -> None:
    fs = RenamingFiles()
    fs.objects[f"d/{name_of_the_dead}"] = (b"half", time.time())
    with open_whole(fs, "d/f", "wb") as file:
        file.write(b"new")
    assert {key: data for key, (data, _) in fs.objects.items()} == {"d/f": b"new"}


# ---- which way


class RenamingFiles(RenamingObjectFileSystem):
    """Writes piece by piece, in place, and can rename."""

    root_marker = "/"

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        if mode == "rb":
            return super()._open(path, mode)
        fs, key = self, self._strip_protocol(path)
        fs.objects[key] = (b"", time.time())

        class InPlace:
            def write(self, data: bytes) -> int:
                fs.objects[key] = (fs.objects[key][0] + bytes(data), time.time())
                return len(data)

            def close(self) -> None: ...

        return InPlace()

    def lexists(self, path: str, **kwargs: object) -> bool:
        return self.exists(path)

    @classmethod
    def _parent(cls, path: str) -> str:
        return cls._strip_protocol(path).rpartition("/")[0]


def test_who_can_rename_writes_beside_the_target() -> None:
    fs = RenamingFiles()
    fs.objects["d/f"] = (b"old", 0.0)
    file = open_whole(fs, "d/f", "wb")
    file.write(b"new")
    assert file.tell() == 3
    assert fs.objects["d/f"][0] == b"old"
    assert len(fs.objects) == 2
    file.close()
    assert {key: data for key, (data, _) in fs.objects.items()} == {"d/f": b"new"}
    with pytest.raises(ValueError, match="closed"):
        file.write(b"more")
    file = open_whole(fs, "d/f", "wb")
    file.write(b"never")
    file.discard()
    file.close()
    assert {key: data for key, (data, _) in fs.objects.items()} == {"d/f": b"new"}


@pytest.mark.parametrize("size", [3, 3 * 1024 * 1024])
def test_who_cannot_be_written_to_gets_the_whole_file(size: int) -> None:
    fs = ObjectFileSystem()
    fs.put = lambda sources, targets, **kwargs: fs.put_file(sources[0], targets[0])  # type: ignore[method-assign]
    with open_whole(fs, "d/f", "wb") as file:
        file.write(b"n" * size)
        assert fs.objects == {}
    assert fs.objects["d/f"][0] == b"n" * size
    with pytest.raises(FileExistsError):
        open_whole(fs, "d/f", "xb")


def test_a_failed_upload_leaves_the_old_file_and_is_raised() -> None:
    fs = AsyncObjectFileSystem(name="publishing-fails")
    fs.pipe_file("f", b"old")
    for request in ("start_upload", "upload_part", "complete_upload"):
        fs.service.fail[request] = 1
        with pytest.raises(ConnectionError), open_whole(fs, "f", "wb") as file:
            file.write(b"n" * 600_000)
        assert fs.cat_file("f") == b"old"
        assert fs.service.uploads == {}


def test_a_host_that_takes_no_more_keeps_the_old_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    (tmp_path / "f").write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    file = open_whole(filesystem("file"), f"{tmp_path}/f", "wb")
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, limits[1]))
    try:
        with fails_with(errno.EFBIG):
            for _ in range(100):
                file.write(b"n" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    file.close()  # as a program might that has not noticed
    assert (tmp_path / "f").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_a_file_that_takes_less_than_it_is_given_is_no_file() -> None:
    class Forgetful(ObjectFileSystem):
        def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
            class Half(io.BytesIO):
                def write(self, data: Any, /) -> int:
                    return len(data) // 2

            return Half()

    with fails_with(errno.EIO), open_whole(Forgetful(), "f", "wb") as file:
        file.write(b"four")


def test_other_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="'wb' or 'xb'"):
        open_whole(filesystem("memory"), "/f", "ab")


# ---- reading


def test_readers_of_memory_have_positions_of_their_own() -> None:
    fs = filesystem("memory")
    fs.pipe_file("/publishing/f", b"abcdef")
    one, two = open_steady(fs, "/publishing/f"), open_steady(fs, "/publishing/f")
    assert (one.read(3), two.read(3), one.read(3)) == (b"abc", b"abc", b"def")


def test_a_copy_for_reading_is_for_reading(tmp_path: Path) -> None:
    fs = filesystem("memory")
    fs.pipe_file("/publishing/f", b"abcdef")
    with open_steady(fs, "/publishing/f") as file:
        assert (file.size, file.readable(), file.writable(), file.seekable()) == (6, True, False, True)
        with pytest.raises(OSError, match="write"):
            file.write(b"x")
    fs.mkdir("/publishing/d")
    with fails_with(errno.EISDIR):
        open_steady(fs, "/publishing/d")
    with pytest.raises(FileNotFoundError):
        open_steady(fs, "/publishing/none")


def test_errors_name_what_was_asked_for(tmp_path: Path) -> None:
    with fails_with(errno.ENOENT, f"{tmp_path}/none/f"):
        open_whole(filesystem("file", auto_mkdir=False), f"{tmp_path}/none/f", "wb")


def test_a_user_who_may_not_give_files_away_keeps_what_can_be_kept() -> None:
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("needs root, to give a file away first")
    code = """
import os, sys
from fsspec import filesystem
from chuk_fsspec.forwarding.publishing import open_whole
os.setgroups([])
os.setgid(56)
os.setuid(56)
with open_whole(filesystem("file"), sys.argv[1], "wb") as file:
    file.write(b"new")
"""
    with tempfile.TemporaryDirectory() as directory:
        os.chown(directory, 56, 56)
        path = Path(directory, "f")
        path.write_bytes(b"old")
        os.chown(path, 12, 34)
        path.chmod(0o4754)
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = path.stat()
        assert path.read_bytes() == b"new"
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (56, 56, 0o754), "and no privileges"


def test_who_asks_for_each_range_anew() -> None:
    class Declared(AbstractFileSystem):
        capabilities = Capabilities(atomic_write=True)

    assert not reads_anew(Declared())
    assert not reads_anew(filesystem("file"))
    assert not reads_anew(filesystem("dir", path="/x", fs=filesystem("memory")))
    assert reads_anew(AsyncObjectFileSystem(name="publishing"))


# ---- a process that is killed


def write_slowly(path: str, ready: multiprocessing.synchronize.Event) -> None:
    with open_whole(filesystem("file"), path, "wb") as file:
        file.write(b"n" * 1_000_000)
        file._file.flush()
        ready.set()
        time.sleep(60)


@needs_proc
@pytest.mark.usefixtures("clean_sweeper")
def test_what_a_killed_process_wrote_goes_with_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"old")
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    child = context.Process(target=write_slowly, args=(f"{tmp_path}/f", ready))
    child.start()
    assert ready.wait(60)
    with open_whole(filesystem("file"), f"{tmp_path}/g", "wb"):
        assert len(os.listdir(tmp_path)) == 3, "the file of a process that is alive stays"
    child.kill()
    child.join()
    monkeypatch.setattr(places, "sweeper", Sweeper())
    with open_whole(filesystem("file"), f"{tmp_path}/g", "wb"):
        pass
    assert sorted(os.listdir(tmp_path)) == ["f", "g"]
    assert (tmp_path / "f").read_bytes() == b"old"
