"""chuksnap is whatever it stands on: the behaviour suite, fsspec's own suite, URLs, pickles and libraries."""

from __future__ import annotations

import errno
import pickle
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract import capabilities_of
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem
from tests.contract.suite_groups import at_night, lacking
from tests.snapshots.snapshot_kinds import KINDS, snapshots_over


@lacking("snapshots", "whole_files")
@at_night("Nofollow", "Paths")
class TestOverMemory(BehaviourSuite):
    """By day without what a wrapper has from its base class: `tests/wrappers` runs that."""

    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        return SnapshotFileSystem(target_protocol="chukmem", target_options={"name": chukmem.name})


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture(scope="class")
    def fs(self) -> AbstractFileSystem:
        return SnapshotFileSystem(MemoryFileSystem("abstract-snapshots"))


def test_capabilities_are_those_below(chukmem: MemoryFileSystem) -> None:
    offered = SnapshotFileSystem(chukmem).capabilities
    assert offered.nodes
    assert not offered.snapshots, "they are taken by the methods of chuksnap"
    assert SnapshotFileSystem(fsspec.filesystem("memory")).capabilities.write


def test_without_a_store_it_says_what_to_pass() -> None:
    fs = SnapshotFileSystem(fsspec.filesystem("memory"))
    fs.pipe_file("/chuksnap-plain", b"1")
    for attempt in (fs.create_snapshot, fs.list_snapshots, lambda: fs.at("x"), lambda: fs.restore("x")):
        with pytest.raises(OSError, match=r"pass store|at without store") as caught:
            attempt()
        assert caught.value.errno == errno.ENOTSUP


@pytest.mark.parametrize("kind", KINDS)
def test_urls_read_the_past(kind: str, chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fs = snapshots_over(kind, chukmem.name, tmp_path)
    fs.pipe_file("/d/data.csv", b"a,b\n1,2\n")
    fs.create_snapshot("before it")
    fs.pipe_file("/d/data.csv", b"a,b\n3,4\n")
    inner = str(fs.storage_options["target_protocol"])
    options: dict[str, Any] = {inner: fs.storage_options["target_options"]}
    options["chuksnap"] = {"store": fs.storage_options.get("store", "")}
    url = f"chuksnap://?at=before%20it::{inner}://d/data.csv"
    with fsspec.open(url, **options) as file:
        assert file.read() == b"a,b\n1,2\n"
    with fsspec.open(f"chuksnap::{inner}://d/data.csv", **options) as file:
        assert file.read() == b"a,b\n3,4\n"
    direct, path = fsspec.url_to_fs("chuksnap://d/data.csv?at=before%20it", **fs.storage_options)
    assert (path, direct.cat_file(path)) == ("/d/data.csv", b"a,b\n1,2\n")
    assert direct.unstrip_protocol(path) == "chuksnap:///d/data.csv?at=before%20it"
    assert direct.cat_file(direct.unstrip_protocol(path)) == b"a,b\n1,2\n"
    pd = pytest.importorskip("pandas", minversion="3", reason="older ones know no chained URLs")
    assert list(pd.read_csv(url, storage_options=options)["a"]) == [1]


@pytest.mark.parametrize("kind", KINDS)
def test_duckdb_reads_the_past(kind: str, chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    fs = snapshots_over(kind, chukmem.name, tmp_path)
    fs.pipe({"/d/one.csv": b"a,b\n1,2\n", "/d/two.csv": b"a,b\n5,6\n"})
    fs.create_snapshot("before it")
    fs.pipe_file("/d/one.csv", b"a,b\n3,4\n")
    fs.rm("/d/two.csv")
    for moment, at, found in ((fs.at("before it"), "?at=before%20it", [(1, 2), (5, 6)]), (fs, "", [(3, 4)])):
        with duckdb.connect() as connection:
            connection.register_filesystem(moment)
            for path in ("/d/*.csv", "d/*.csv"):
                rows = connection.sql(f"SELECT * FROM read_csv('chuksnap://{path}{at}') ORDER BY a")
                assert rows.fetchall() == found
            assert connection.sql(f"SELECT b FROM 'chuksnap:///d/one.csv{at}'").fetchall() == [found[0][1:]]


def test_names_that_look_like_urls_are_names(chukmem: MemoryFileSystem) -> None:
    fs = SnapshotFileSystem(chukmem)
    for path in ("/a?at=b", "/a@b", "/a?at=", "/what?"):
        fs.pipe_file(path, path.encode())
        assert fs.cat_file(path) == path.encode()
        assert fs.cat_file(fs.unstrip_protocol(path)) == path.encode()
    with pytest.raises(OSError, match="use at"):
        fs.cat_file("chuksnap://a?at=yesterday")


@pytest.mark.parametrize("kind", KINDS)
def test_pickles(kind: str, chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fs = snapshots_over(kind, chukmem.name, tmp_path)
    fs.pipe_file("/f", b"1")
    fs.create_snapshot("one")
    fs.pipe_file("/f", b"2")
    past = pickle.loads(pickle.dumps(fs.at("one")))
    assert past.cat_file("/f") == b"1"
    assert AbstractFileSystem.from_json(fs.at("one").to_json()).cat_file("/f") == b"1"
    assert pickle.loads(pickle.dumps(fs)).cat_file("/f") == b"2"


@pytest.mark.parametrize("kind", KINDS)
def test_the_past_takes_no_changes(kind: str, chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fs = snapshots_over(kind, chukmem.name, tmp_path)
    fs.pipe_file("/d/f", b"1")
    fs.create_snapshot("one")
    past = fs.at("one")
    assert not capabilities_of(past).write
    for change in (
        lambda: past.pipe_file("/d/f", b"2"),
        lambda: past.open("/d/g", "wb"),
        lambda: past.rm("/d", recursive=True),
        lambda: past.mv("/d/f", "/d/g"),
        lambda: past.mkdir("/e"),
        lambda: past.posix.chmod("/d/f", 0),
        lambda: past.create_snapshot("two"),
        lambda: past.restore("one"),
    ):
        with pytest.raises(OSError, match="Read-only") as caught:
            change()
        assert caught.value.errno == errno.EROFS


@pytest.mark.parametrize("kind", KINDS)
def test_the_past_answers_as_the_filesystem_did(kind: str, chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fs = snapshots_over(kind, chukmem.name, tmp_path)
    fs.pipe({"/d/f": b"0123456789" * 200_000, "/d/e/g": b"", "/top": b"t"})
    fs.mkdir("/empty")
    for target, path in (("f", "/d/link"), ("/d/e", "/to-directory"), ("nowhere", "/broken"), ("loop", "/loop")):
        fs.posix.symlink(target, path)
    fs.posix.setxattr("/top", "user.colour", b"red\xff")
    before = _answers(fs)
    fs.create_snapshot("one")
    fs.rm("/d", recursive=True)
    fs.pipe_file("/top", b"other")
    assert _answers(fs.at("one")) == before
    followed = fs.at("one").posix.nofollow
    assert followed.info("/d/link")["type"] == "link"
    with pytest.raises(OSError, match="not followed"):
        followed.cat_file("/d/link")


def _answers(fs: AbstractFileSystem) -> dict[str, Any]:
    """What a filesystem says, without the times of last access and of birth."""
    kept = ("name", "size", "type", "mode", "uid", "gid", "nlink", "mtime_ns", "islink", "destination")
    found = fs.find("/", withdirs=True, detail=True)
    paths = [*found, "/to-directory/g", "/d/e/../f", "/loop", "/broken", "/nothing", "/top/under"]
    answers: dict[str, Any] = {
        "find": {path: {key: info.get(key) for key in kept} for path, info in found.items()},
        "walk": list(fs.walk("/")),
        "ls": fs.ls("/to-directory", detail=False),
        "glob": fs.glob("/**/*"),
        "range": fs.cat_file("/d/link", 1_048_570, 1_048_590),
        "tail": fs.cat_file("/d/f", -7),
        "ranges": fs.cat_ranges(["/d/f", "/top"], [3, None], [9, None]),
        "xattrs": {name: fs.posix.getxattr("/top", name) for name in fs.posix.listxattr("/top")},
        "readlink": fs.posix.readlink("/to-directory"),
        "size": fs.posix.lstat("/d/link").st_size,
    }
    for path in paths:
        answers[path] = fs.exists(path), fs.isdir(path), fs.isfile(path), fs.lexists(path), _content(fs, path)
    with fs.open("/d/f") as file:
        file.seek(1_048_570)
        answers["file"] = file.read(20), file.tell(), file.seek(-3, 2), file.read()
    handle = fs.posix.open_handle("/d/f")
    answers["handle"] = handle.pread(20, 1_048_570), handle.pread(5, 10**9), handle.stat().st_size
    handle.close()
    return answers


def _content(fs: AbstractFileSystem, path: str) -> Any:
    try:
        return hash(fs.cat_file(path))
    except OSError as error:
        return error.errno


@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_snapshot_is_stale(kind: str, chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fs = snapshots_over(kind, chukmem.name, tmp_path)
    fs.pipe_file("/f", b"1")
    fs.create_snapshot("one")
    past = fs.at("one")
    fs.delete_snapshot("one")
    fs.pipe_file("/f", b"2")
    fs.create_snapshot("one")
    with pytest.raises(OSError, match=r"[Ss]tale") as caught:
        past.cat_file("/f")
    assert caught.value.errno == errno.ESTALE
    assert fs.at("one").cat_file("/f") == b"2"
