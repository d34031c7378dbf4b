"""Going back: what restore brings back exactly, on every way of keeping snapshots."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.callbacks import Callback

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem
from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem
from tests.snapshots.snapshot_kinds import KINDS, snapshots_over


@pytest.fixture(params=KINDS)
def fs(request: pytest.FixtureRequest, chukmem: MemoryFileSystem, tmp_path: Path) -> SnapshotFileSystem:
    return snapshots_over(request.param, chukmem.name, tmp_path)


def everything(fs: SnapshotFileSystem) -> dict[str, tuple[Any, ...]]:
    """All that a restore has to bring back, by path; names of one file share a number."""
    found: dict[str, tuple[Any, ...]] = {}
    names: dict[int, int] = {}
    for path in fs.find("/", withdirs=True):
        status = fs.posix.lstat(path)
        is_link, is_file = stat.S_ISLNK(status.st_mode), stat.S_ISREG(status.st_mode)
        found[path] = (
            status.st_mode,
            status.st_uid,
            status.st_gid,
            status.st_nlink,
            names.setdefault(status.st_ino, len(names)),
            status.st_mtime_ns,
            fs.posix.readlink(path) if is_link else fs.cat_file(path) if is_file else b"",
            {} if is_link else {name: fs.posix.getxattr(path, name) for name in fs.posix.listxattr(path)},
        )
    return found


def fill(fs: SnapshotFileSystem) -> None:
    fs.pipe({"/a": b"a", "/d/b": b"b" * 3_000_000, "/d/e/c": b"", "/same": b"1", "/x/y/z": b"z"})
    fs.mkdir("/empty/deeper")
    fs.posix.symlink("../a", "/d/link")
    fs.posix.symlink("/nowhere", "/broken")
    fs.posix.link("/a", "/d/hard")
    fs.posix.link("/a", "/hard")
    fs.posix.chmod("/d/b", 0o4750)
    fs.posix.chmod("/empty", 0o700)
    if os.geteuid() == 0:
        fs.posix.chown("/d/b", 1234, 4321)
        fs.posix.chown("/broken", 1234, 4321, follow_symlinks=False)
        fs.posix.chmod("/d/b", 0o4750)
    fs.posix.setxattr("/a", "user.colour", b"red\0\xff")
    fs.posix.setxattr("/d", "user.of", b"directory")
    fs.posix.mknod("/d/pipe", stat.S_IFIFO | 0o640)
    for number, path in enumerate(("/same", "/d/e", "/empty", "/d")):
        fs.posix.utime(path, ns=(1_000_000_000, 1_000_000_007 + number))


def test_everything_is_back(fs: SnapshotFileSystem) -> None:
    fill(fs)
    before = everything(fs)
    fs.create_snapshot("before")
    fs.pipe({"/a": b"other", "/new/file": b"n", "/d/e/new": b"n"})
    fs.rm("/d/b")
    fs.rm("/empty", recursive=True)
    fs.posix.unlink("/hard")
    fs.posix.link("/same", "/hard")
    fs.posix.unlink("/broken")
    fs.pipe_file("/broken", b"a file now")
    fs.rm("/x", recursive=True)
    fs.pipe_file("/x", b"no directory any more")
    fs.rm("/d/e/c")
    fs.mkdir("/d/e/c/deeper")
    fs.posix.chmod("/d", 0o711)
    fs.posix.removexattr("/d", "user.of")
    fs.posix.setxattr("/same", "user.new", b"1")
    fs.mv("/d/link", "/moved")
    fs.posix.unlink("/d/pipe")
    assert everything(fs) != before
    fs.restore("before")
    assert everything(fs) == before
    assert len(fs.diff("before")) == 0


@pytest.mark.parametrize("kind", ["stored", "host"])
def test_what_is_equal_is_left_alone(kind: str, chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fs = snapshots_over(kind, chukmem.name, tmp_path)
    fill(fs)
    fs.create_snapshot("before")
    fs.pipe_file("/same", b"2")
    unchanged = {path: fs.info(path)["ctime"] for path in ("/a", "/d/b", "/d/e/c", "/broken", "/empty", "/x/y/z")}
    written = Callback()
    fs.restore("before", callback=written)
    assert written.value == 1
    assert {path: fs.info(path)["ctime"] for path in unchanged} == unchanged


def test_only_some_paths(fs: SnapshotFileSystem) -> None:
    fill(fs)
    before = everything(fs)
    fs.create_snapshot("before")
    fs.pipe({"/d/e/c": b"changed", "/d/e/new": b"n", "/same": b"changed"})
    fs.rm("/x", recursive=True)
    fs.restore("before", ["/d/e", "/x/y/z"])
    after = everything(fs)
    assert {path: after[path][6] for path in ("/d/e/c", "/x/y/z")} == {"/d/e/c": b"", "/x/y/z": b"z"}
    assert after["/d/e"][5] == before["/d/e"][5]
    assert "/d/e/new" not in after
    assert after["/same"][6] == b"changed"
    fs.restore("before", ["/same"])
    assert fs.cat_file("/same") == b"1"
    for paths, code in ((["/never"], errno.ENOENT), (["/../x"], errno.EINVAL)):
        with fails_with(code):
            fs.restore("before", paths)
    wrong: Any
    for wrong in ([], "/same"):
        with pytest.raises(ValueError, match="paths"):
            fs.restore("before", wrong)


def test_there_and_back_again(fs: SnapshotFileSystem) -> None:
    states = {}
    fill(fs)
    for name in ("one", "two", "three"):
        fs.pipe({f"/{name}": name.encode(), "/a": name.encode()})
        fs.mv("/d/e", f"/d/e-{name}")
        states[name] = everything(fs)
        fs.create_snapshot(name)
        fs.mv(f"/d/e-{name}", "/d/e")
    for name in ("one", "three", "two", "one"):
        fs.restore(name)
        assert everything(fs) == states[name]


def test_where_nothing_may_be_written(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fs = SnapshotFileSystem(chukmem, store=f"file://{tmp_path}/store")
    fs.pipe_file("/f", b"1")
    fs.create_snapshot("one")
    fs.pipe_file("/f", b"2")
    barred = SnapshotFileSystem(ReadOnlyFileSystem(chukmem), store=f"file://{tmp_path}/store")
    with fails_with(errno.EROFS):
        barred.restore("one")
    assert fs.cat_file("/f") == b"2"


def test_a_full_filesystem_loses_nothing(tmp_path: Path) -> None:
    """chukmem has transactions: a restore that does not fit changes nothing."""
    inner = MemoryFileSystem("chuksnap-full", capacity=120_000)
    fs = SnapshotFileSystem(inner, store=f"file://{tmp_path}/store")
    fs.pipe({f"/f{number}": bytes([number]) * 20_000 for number in range(4)})
    fs.create_snapshot("one")
    fs.rm("/f0")
    fs.pipe({f"/f{number}": b"new" * 10_000 for number in range(1, 4)})
    before = everything(fs)
    with fails_with(errno.ENOSPC):
        fs.restore("one")
    assert everything(fs) == before
    fs.rm(["/f2", "/f3"])
    fs.restore("one")
    assert len(fs.diff("one")) == 0


def test_links_where_there_are_none(tmp_path: Path) -> None:
    """fsspec's own local filesystem shows links and cannot make them: that is said, and the rest is done before."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "link").symlink_to("f")
    fs = SnapshotFileSystem(fsspec.filesystem("file"), store=f"file://{tmp_path}/store", root=f"{tmp_path}/files")
    fs.create_snapshot("one")
    fs.restore("one")
    (tmp_path / "files" / "link").unlink()
    with fails_with(errno.ENOTSUP, f"{tmp_path}/files/link"):
        fs.restore("one")
