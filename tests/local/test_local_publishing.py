"""What is written appears whole, keeps what belonged to the old file, and leaves nothing behind."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("files without a name are what Linux has", allow_module_level=True)

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.local.content import write_all
from chuk_fsspec.backends.local.names import is_reserved, new_name
from chuk_fsspec.backends.local.temporary import Temporary
from chuk_fsspec.testing.checks import failing, fails_with
from tests.local.local_ways import fs, outside, way

__all__ = ["fs", "outside", "way"]

HERE = Path(__file__).parent


@pytest.fixture
def root(tmp_path: Path, fs: LocalFileSystem) -> Path:
    return tmp_path / "root"


@pytest.fixture(autouse=True)
def _for_each_way(way: str) -> None: ...


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


# ---- temporary files


def test_nothing_is_to_be_seen_of_a_file_that_is_written(fs: LocalFileSystem, root: Path, way: str) -> None:
    fs.pipe_file("/d/f", b"old")
    with fs.open("/d/f", "wb") as file, fs.open("/new/g", "wb") as other:
        file.write(b"x" * 1_000_000)
        other.write(b"x" * 1_000_000)
        assert fs.ls("/", detail=False) == ["/d"]
        assert fs.find("/", withdirs=True) == ["/", "/d", "/d/f"]
        assert [(path, dirs, files) for path, dirs, files in fs.walk("/")] == [("/", ["d"], []), ("/d", [], ["f"])]
        assert fs.glob("/**") == ["/", "/d", "/d/f"]
        assert fs.glob("/.chuk*") == []
        assert fs.du("/") == 3
        # Without O_TMPFILE the host sees them, and nobody else.
        assert len(names(root)) == (4 if way == "by name" else 2)
    assert names(root) == ["d", "d/f", "new", "new/g"]


def test_a_directory_that_is_removed_before_a_file_is_begun_in_it(fs: LocalFileSystem) -> None:
    fs.mkdir("/d")
    held = fs.beneath.directory("/d")
    fs.rmdir("/d")
    with pytest.raises(FileNotFoundError):
        Temporary(held, held)


def test_a_directory_that_is_removed_while_a_file_is_written_to_it(
    fs: LocalFileSystem, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fs.mkdir("/d")

    def write_and_remove(fd: int, data: Any, offset: int) -> None:
        write_all(fd, data, offset)
        fs.rmdir("/d")

    monkeypatch.setattr("chuk_fsspec.backends.local.publishing.write_all", write_and_remove)
    fs.pipe_file("/d/f", b"new")
    assert names(root) == ["d", "d/f"]


def test_names_of_temporary_files_are_refused(fs: LocalFileSystem, root: Path) -> None:
    name = new_name()
    (root / name).write_bytes(b"somebody's")
    fs.pipe_file("/f", b"")
    acts: list[Callable[[str], Any]] = [
        fs.cat_file,
        fs.info,
        fs.ls,
        fs.rm_file,
        fs.mkdir,
        fs.posix.stat,
        fs.posix.unlink,
        lambda path: fs.pipe_file(path, b""),
        lambda path: fs.open(path, "wb"),
        lambda path: fs.mv("/f", path),
        lambda path: fs.cp_file("/f", path),
        lambda path: fs.posix.link("/f", path),
        lambda path: fs.posix.symlink("f", path),
        lambda path: fs.posix.open_handle(path, os.O_CREAT),
        lambda path: fs.posix.rename("/f", path),
    ]
    for act in acts:
        for path in (f"/{name}", f"/{name}/below", f"/d/{name}"):
            with fails_with(errno.EINVAL):
                act(path)
    assert not fs.exists(f"/{name}")
    nodes = fs.posix.nodes if fs.capabilities.nodes else None
    if nodes is not None:
        assert nodes.lookup(nodes.root, name) is None
        assert [entry for entry, _ in nodes.entries(nodes.root)] == ["f"]
        with fails_with(errno.EINVAL):
            nodes.create(nodes.root, name, stat.S_IFREG, 0, 0)
        with fails_with(errno.ENOENT):
            nodes.unlink(nodes.root, name)
    assert fs.ls("/", detail=False) == ["/f"]


@pytest.mark.parametrize("name", [".chuk-tmp-", ".chuk-tmp-x", ".chuk-tmp-" + "g" * 16, ".chuk-tmp-" + "0" * 17])
def test_names_of_nearly_this_form_are_names(fs: LocalFileSystem, name: str) -> None:
    assert not is_reserved(name)
    fs.pipe_file(f"/{name}", b"1")
    assert fs.ls("/", detail=False) == [f"/{name}"]


def test_leftovers_go_at_the_next_start_and_living_files_stay(fs: LocalFileSystem, root: Path, way: str) -> None:
    (root / new_name()).write_bytes(b"left by a process that was killed")
    with fs.open("/f", "wb") as file:
        file.write(b"content")
        file.flush()
        LocalFileSystem(root=str(root), skip_instance_cache=True)
        assert len(names(root)) == (1 if way == "by name" else 0)
    assert names(root) == ["f"]
    assert fs.cat_file("/f") == b"content"


def test_a_leftover_does_not_keep_a_directory_from_being_removed(fs: LocalFileSystem, root: Path) -> None:
    for remove in (fs.rmdir, lambda path: fs.rm(path, recursive=True), fs.posix.rmdir):
        fs.mkdir("/d")
        (root / "d" / new_name()).write_bytes(b"left")
        assert fs.ls("/d") == []
        remove("/d")
        assert names(root) == []


def test_a_reader_leaves_leftovers_alone(fs: LocalFileSystem, root: Path) -> None:
    name = new_name()
    (root / name).touch()
    LocalFileSystem(root=str(root), read_only=True)
    assert names(root) == [name]


@pytest.mark.parametrize("kills", [30, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_killed_writers_leave_whole_files_and_nothing_else(tmp_path: Path, way: str, kills: int) -> None:
    (tmp_path / "killed").mkdir()
    command = [sys.executable, str(HERE / "local_killing.py"), str(tmp_path / "killed"), str(kills), way]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("0 torn, 0 empty, 0 left")


# ---- what fails


def test_a_full_disk_leaves_the_old_file(fs: LocalFileSystem, root: Path) -> None:
    """The limit of a file's size stands in for the disk's."""
    fs.pipe_file("/f", b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with fails_with(errno.EFBIG, "/f"):
            fs.pipe_file("/f", b"x" * 200_000)
        with fails_with(errno.EFBIG, "/f"), fs.open("/f", "wb") as file:
            file.write(b"x" * 2_000_000)
        file = fs.open("/f", "wb")
        file.write(b"x" * 150_000)
        with fails_with(errno.EFBIG, "/f"):
            file.close()
        assert file.closed
        with fails_with(errno.EFBIG, "/f"), fs.open("/f", "ab") as file:
            file.write(b"x" * 99_999)
        with fails_with(errno.EFBIG, "/f"):
            fs.posix.truncate("/f", 200_000)
        with fails_with(errno.EFBIG, "/f"), fs.posix.open_handle("/f", os.O_RDWR) as handle:
            handle.pwrite(b"x", 200_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert fs.cat_file("/f") == b"old"
    assert names(root) == ["f"]


@pytest.mark.parametrize("mode", ["wb", "ab", "r+b", "w", "xb"])
def test_a_failed_block_leaves_no_trace(fs: LocalFileSystem, root: Path, mode: str) -> None:
    path = "/new" if mode == "xb" else "/f"
    fs.pipe_file("/f", b"old")
    with failing(fs.open(path, mode)) as file:
        file.write("x" * 500_000 if mode == "w" else b"x" * 500_000)
    assert fs.cat_file("/f") == b"old"
    assert names(root) == ["f"]


def test_a_file_that_nobody_closes_is_dropped_with_its_transaction(fs: LocalFileSystem, root: Path) -> None:
    with failing(fs.transaction):
        for number in range(5):
            with fs.open(f"/{number}", "wb") as file:
                file.write(b"x")
    assert names(root) == []


# ---- what is kept


def test_mode_owner_and_attributes_are_kept(fs: LocalFileSystem, root: Path) -> None:
    fs.pipe_file("/f", b"old")
    os.chmod(root / "f", 0o751)
    if not os.geteuid():
        os.chown(root / "f", 12, 34)
        os.chmod(root / "f", 0o4751)
    os.setxattr(root / "f", "user.key", b"value")
    before = os.stat(root / "f")
    writers: list[Callable[[], Any]] = [
        lambda: fs.pipe_file("/f", b"new"),
        lambda: fs.open("/f", "r+b").close(),
        lambda: fs.open("/f", "w").close(),
        lambda: fs.write_bytes("/f", b"x"),
    ]
    for publish in writers:
        replaced = os.stat(root / "f").st_ino
        publish()
        after = os.stat(root / "f")
        assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
        assert os.getxattr(root / "f", "user.key") == b"value"
        assert after.st_ino != replaced


def test_privileges_go_with_the_content(fs: LocalFileSystem, root: Path) -> None:
    """As they do when a file is written to (write(2)): capabilities always, set-ID bits unless root writes."""
    fs.pipe_file("/f", b"a trusted program")
    os.chmod(root / "f", 0o6755)
    if not os.geteuid():
        os.setxattr(root / "f", "security.capability", b"\x01\0\0\x02" + b"\0\x20\0\0" * 2 + bytes(8))
    fs.pipe_file("/f", b"another program")
    assert stat.S_IMODE(os.stat(root / "f").st_mode) == (0o755 if os.geteuid() else 0o6755)
    assert os.listxattr(root / "f") == []


def test_a_reader_goes_on_with_what_it_opened(fs: LocalFileSystem) -> None:
    data = os.urandom(2_000_000)
    fs.pipe_file("/f", data)
    with fs.open("/f", "rb") as file:
        first = file.read(1000)
        fs.pipe_file("/f", b"new")
        assert first + file.read() == data
        assert file.size == len(data)


def test_versions_of_one_moment_have_different_etags(fs: LocalFileSystem) -> None:
    seen = set()
    for _ in range(50):
        fs.pipe_file("/f", b"same")
        seen.add(fs.info("/f")["etag"])
        fs.rm("/f")
        fs.pipe_file("/f", b"same")
        seen.add(fs.info("/f")["etag"])
    assert len(seen) == 100


def test_copies_keep_holes(fs: LocalFileSystem, root: Path) -> None:
    with fs.posix.open_handle("/f", os.O_CREAT | os.O_RDWR) as handle:
        handle.truncate(100 << 20)
        handle.pwrite(b"data", 50 << 20)
    fs.cp_file("/f", "/copy")
    assert os.stat(root / "copy").st_size == 100 << 20
    assert os.stat(root / "copy").st_blocks * 512 < 1 << 20
    assert fs.cat_file("/copy", start=(50 << 20) - 1, end=(50 << 20) + 5) == b"\0data\0"
    with fs.open("/f", "r+b") as file:
        file.write(b"start")
    assert os.stat(root / "f").st_blocks * 512 < 1 << 20


# ---- large files

STREAM = """
import resource, sys
from chuk_fsspec.backends.local import LocalFileSystem
fs, mib = LocalFileSystem(root=sys.argv[1], durable=False), int(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
block = bytes(1 << 20)
with fs.open("/big", "wb") as file:
    for _ in range(mib):
        file.write(block)
with fs.open("/big", "ab") as file:
    for _ in range(mib // 4):
        file.write(block)
fs.cp_file("/big", "/copy")
fs.get_file("/copy", sys.argv[1] + "/got")
fs.put_file(sys.argv[1] + "/got", "/put")
read = 0
with fs.open("/put", "rb") as file:
    while data := file.read(1 << 20):
        read += len(data)
assert read == (mib + mib // 4) << 20
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("mib", [64, pytest.param(2048, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_files_of_any_size_pass_through_little_memory(root: Path, mib: int) -> None:
    command = [sys.executable, "-c", STREAM, str(root), str(mib)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 32 * 1024  # KiB


def test_appends_of_many_processes_are_all_there(fs: LocalFileSystem, root: Path, way: str) -> None:
    program = (
        "import sys; from chuk_fsspec.backends.local import LocalFileSystem\n"
        "fs = LocalFileSystem(root=sys.argv[1], durable=False)\n"
        "for step in range(40):\n"
        "    with fs.open('/log', 'ab') as file:\n"
        "        file.write(f'{sys.argv[2]}-{step}\\n'.encode())\n"
    )
    if way != "kernel":
        pytest.skip("once is enough")
    workers = [subprocess.Popen([sys.executable, "-c", program, str(root), str(n)]) for n in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    lines = fs.cat_file("/log").decode().split()
    assert sorted(lines) == sorted(f"{n}-{step}" for n in range(3) for step in range(40))


def test_exactly_one_process_creates(fs: LocalFileSystem, root: Path, way: str) -> None:
    program = (
        "import sys; from chuk_fsspec.backends.local import LocalFileSystem\n"
        "fs, won = LocalFileSystem(root=sys.argv[1], durable=False), 0\n"
        "for step in range(100):\n"
        "    try:\n"
        "        fs.pipe_file(f'/{step}', sys.argv[2].encode(), mode='create')\n"
        "        won += 1\n"
        "    except FileExistsError:\n"
        "        pass\n"
        "print(won)\n"
    )
    if way != "kernel":
        pytest.skip("once is enough")
    command = [sys.executable, "-c", program, str(root)]
    workers = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE) for n in range(3)]
    assert sum(int(worker.communicate(timeout=60)[0]) for worker in workers) == 100
    assert len(names(root)) == 100


def test_a_stamp_is_of_the_moment(fs: LocalFileSystem) -> None:
    before = time.time_ns()
    fs.pipe_file("/f", b"")
    assert before <= fs.info("/f")["mtime_ns"] <= time.time_ns()


def test_an_open_file_tells_the_etag_of_what_it_reads(fs: LocalFileSystem) -> None:
    etag = fs.pipe_file("/f", b"old")
    with fs.open("/f", "rb") as file:
        assert fs.pipe_file("/f", b"newer") != etag
        assert (file.etag, file.size, file.read()) == (etag, 3, b"old")


def test_an_etag_is_shown_when_a_change_would_show(fs: LocalFileSystem, root: Path) -> None:
    fs.pipe_file("/f", b"same")
    for look in (lambda: fs.info("/f"), lambda: fs.ls("/"), lambda: fs.find("/", detail=True)):
        tick = time.clock_gettime_ns(5)  # the clock with which the kernel stamps
        os.utime(root / "f", ns=(tick, tick))
        look()
        assert time.clock_gettime_ns(5) > tick


def test_a_disk_that_cannot_exchange_names_is_refused(fs: LocalFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    etag = fs.pipe_file("/f", b"old")
    monkeypatch.setattr("chuk_fsspec.backends.local.temporary.renameat2", refuse)
    with fails_with(errno.ENOTSUP, "/f"):
        fs.pipe_file("/f", b"new", if_match=etag)
    assert (fs.cat_file("/f"), fs.find("/")) == (b"old", ["/f"])


def test_what_is_exchanged_keeps_its_attributes(fs: LocalFileSystem, root: Path) -> None:
    etag = fs.pipe_file("/f", b"old")
    os.chmod(root / "f", 0o640)
    with fs.open("/f", "rb") as reader:
        fs.pipe_file("/f", b"new", if_match=fs.info("/f")["etag"])
        assert reader.read() == b"old"
    assert stat.S_IMODE(os.stat(root / "f").st_mode) == 0o640
    assert [path.name for path in root.iterdir()] == ["f"]
    assert fs.info("/f")["etag"] != etag
