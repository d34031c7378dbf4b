"""Content that stays below: what is read and copied, and when; and stages that outlive their process."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import time
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import fsspec
import pytest

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.testing.checks import failing, fails_with, in_threads
from chuk_fsspec.wrappers.staging import StageFileSystem, stage
from tests.staging.stage_bases import ALL, change, fill, seen

LARGE = 64 * 1024 * 1024


@pytest.fixture
def large(tmp_path: Path) -> LocalFileSystem:
    """A directory with a large file."""
    fs = LocalFileSystem(root=str(tmp_path))
    with closing(fs.posix.open_handle("/large", os.O_CREAT | os.O_WRONLY)) as handle:
        for offset in range(0, LARGE, 1024 * 1024):
            handle.pwrite(bytes([offset // 1024 // 1024 + 1]) * 1024 * 1024, offset)
    return fs


def test_one_byte_of_a_large_file_is_one_byte(large):
    staged = stage(large)
    tracemalloc.start()
    try:
        with closing(staged.posix.open_handle("/large", os.O_RDWR)) as handle:
            handle.pwrite(b"?", LARGE // 2 + 5)
            assert handle.pread(3, LARGE // 2 + 4) == b"!?!"
        staged.mv("/large", "/moved")
        [difference] = staged.diff()
        staged.commit()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(difference) == "R /large -> /moved (67108864 bytes, other content)"
    assert most < 8 * 1024 * 1024
    assert large.cat_file("/moved", LARGE // 2 + 4, LARGE // 2 + 7) == b"!?!"
    assert large.size("/moved") == LARGE


def test_cutting_and_growing_shows_zeros_and_not_the_base(large):
    staged = stage(large)
    with closing(staged.posix.open_handle("/large", os.O_RDWR)) as handle:
        handle.truncate(10)
        handle.truncate(20)
        assert handle.pread(30, 0) == b"\x01" * 10 + bytes(10)
    staged.commit()
    assert large.cat_file("/large") == b"\x01" * 10 + bytes(10)


def test_copies_and_downloads_have_the_content(large, tmp_path):
    staged = stage(large)
    staged.pipe_file("/small", b"own")
    staged.cp_file("/large", "/copy")
    assert staged.cat_file("/copy", LARGE - 2) == b"\x40\x40"
    staged.get(["/large", "/small"], [str(tmp_path / "1"), str(tmp_path / "2")])
    assert (tmp_path / "1").stat().st_size == LARGE
    assert (tmp_path / "2").read_bytes() == b"own"
    assert staged.cat_ranges(["/large", "/small"], [0, 1], [2, 3]) == [b"\x01\x01", b"wn"]


@pytest.mark.parametrize("kind", ALL)
def test_every_way_to_read_and_append(kind, tmp_path):
    base = ALL[kind](tmp_path)
    fill(base)
    staged = stage(base)
    assert staged.cat("/a", recursive=True) == {"/a/x": b"hello", "/a/d/y": b"world"}
    with staged.open("/a/x", "rb") as file:
        staged.pipe_file("/a/x", b"other")
        assert (file.read(2), file.seek(-2, 2), file.read()) == (b"he", 3, b"lo")
    assert staged.cat_file("/a/x") == b"other"
    with staged.open("/k", "ab") as file:
        file.write(b"+")
    with staged.open("/z", "r+b") as file:
        file.seek(1)
        file.write(b"Z")
    assert staged.cat(["/k", "/z"]) == {"/k": b"keep+", "/z": b"zZ"}
    assert staged.cat_file("/k", -3, -1) == b"ep"
    with staged.open("/a/d/y", "r") as text:
        assert text.read() == "world"
    staged.commit()
    assert {path: base.cat_file(path) for path in ("/a/x", "/k", "/z")} == {
        "/a/x": b"other",
        "/k": b"keep+",
        "/z": b"zZ",
    }


def test_an_open_file_keeps_reading_what_it_had(tmp_path):
    base = LocalFileSystem(root=str(tmp_path))
    base.pipe_file("/f", b"old")
    staged = stage(base)
    with closing(staged.posix.open_handle("/f")) as handle:
        base.pipe_file("/f", b"new")
        staged.posix.unlink("/f")
        assert handle.pread(3, 0) == b"old"


def test_undone_with_the_transaction(tmp_path):
    base = MemoryFileSystem(f"undone-{tmp_path}")
    fill(base)
    staged = stage(base)
    shown = seen(staged)
    with failing(staged.transaction):
        change(staged)
    assert seen(staged) == shown
    assert not staged.diff()
    with staged.transaction:
        change(staged)
    shown = seen(staged)
    staged.commit()
    assert seen(base) == shown


# ---- instances


def test_instances_of_equal_options_share_a_stage(chukmem):
    chukmem.pipe_file("/f", b"1")
    options = {"target_protocol": "chukmem", "target_options": {"name": chukmem.name}}
    first = fsspec.filesystem("chukstage", **options)
    first.pipe_file("/f", b"2")
    assert in_threads(2, lambda _: fsspec.filesystem("chukstage", **options).cat_file("/f")) == [b"2", b"2"]
    assert pickle.loads(pickle.dumps(first)).cat_file("/f") == b"2"
    with fsspec.open("chukstage::chukmem://f", "rb", chukmem={"name": chukmem.name}) as file:
        assert file.read() == b"2"
    assert chukmem.cat_file("/f") == b"1"
    first.commit()
    assert chukmem.cat_file("/f") == b"2"


def test_stages_of_one_filesystem_object_are_their_own(chukmem):
    first, second = chukmem.stage(), chukmem.stage()
    first.pipe_file("/f", b"1")
    assert not second.exists("/f")
    with fails_with(errno.ESTALE), chukmem.stage() as third:
        third.close()
        third.ls("/")


@pytest.mark.parametrize("upper", ["relative.db", "memory://"])
def test_what_cannot_hold_a_stage(chukmem, upper):
    with pytest.raises(ValueError, match="upper"):
        StageFileSystem(fs=chukmem, upper=upper)


def test_names_of_its_own_are_nobody_elses(chukmem):
    chukmem.pipe_file("/f", b"1")
    staged = stage(chukmem)
    staged.posix.setxattr("/f", "user.a", b"1")
    assert staged.posix.listxattr("/f") == ["user.a"]
    for node in (staged.posix.nodes.root, staged.posix.nodes.lookup(staged.posix.nodes.root, "f")):
        assert node is not None
        assert not [name for name in staged.posix.nodes.listxattr(node) if name.startswith("chuk")]
    with fails_with(errno.EPERM, "/f"):
        staged.posix.setxattr("/f", "chuk.stage", b"")
    with fails_with(errno.ENODATA, "/f"):
        staged.posix.getxattr("/f", "chuk.stage")


# ---- after a crash

WORK = """
import sys
from chuk_fsspec import LocalFileSystem, stage
from tests.staging.stage_bases import change
staged = stage(LocalFileSystem(root=sys.argv[1]), upper=sys.argv[2])
change(staged)
print("changed", flush=True)
sys.stdin.read()
"""

COMMIT = """
import sys
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec import stage
base = SqliteFileSystem(database=sys.argv[1])
staged = stage(base)
for number in range(300):
    staged.pipe_file(f"/new/{number}", b"n" * 5000)
    staged.mv(f"/old/{number}", f"/moved/{number}")
print("staged", flush=True)
staged.commit()
"""


def start(code: str, *arguments: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_a_stage_in_a_file_is_found_again_after_a_crash(tmp_path):
    base = LocalFileSystem(root=str(tmp_path / "base"), create=True)
    fill(base)
    twin = MemoryFileSystem(f"crash-twin-{tmp_path}")
    fill(twin)
    change(twin)
    with start(WORK, tmp_path / "base", tmp_path / "stage.db") as worker:
        worker.kill()
    before = seen(base)
    staged = stage(base, upper=str(tmp_path / "stage.db"))
    assert seen(base) == before
    assert staged.diff().summary() == "6 added, 6 removed, 3 modified, 2 renamed, 1 with other attributes"
    staged.commit()
    assert {path: facts[4] for path, facts in seen(base).items()} == {
        path: facts[4] for path, facts in seen(twin).items()
    }


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_a_commit_that_is_killed_has_happened_or_not(tmp_path, moment):
    database = str(tmp_path / "w.db")
    base = SqliteFileSystem(database=database)
    base.pipe({f"/old/{number}": b"o" for number in range(300)})
    with start(COMMIT, database) as worker:
        time.sleep(moment)
        worker.send_signal(signal.SIGKILL)
    base.invalidate_cache()
    old, new, moved = (len(base.find(path)) for path in ("/old", "/new", "/moved"))
    assert (old, new, moved) in ((300, 0, 0), (0, 300, 300))
    assert not [path for path in base.ls("/", detail=False) if "chukstage" in path]
