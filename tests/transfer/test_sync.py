"""One directory made like another, on every kind of filesystem."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from fsspec.callbacks import Callback
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.forwarding.publishing.leftovers import is_temporary
from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.transfer.sync import Act, Step, SyncOptions, SyncReport, sync
from chuk_fsspec.transfer.sync.resuming import RESUMED_FROM
from tests.transfer.sync_trees import DECLARED, KINDS, a_filesystem, plant, shown
from tests.wrappers.async_fs import AsyncObjectFileSystem

TREE: dict[str, Any] = {
    "a.txt": b"one",
    "empty": b"",
    "d/b.bin": os.urandom(70_000),
    "d/e/large": os.urandom(3_000_000),
    "d/\u00e9 [1]*": b"odd",
}

TICK = 0.05
"""Seconds after which a copy is surely later than its original, by any clock."""


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AbstractFileSystem]:
    with a_filesystem(request.param, tmp_path / "target") as fs:
        yield fs


@pytest.fixture
def source(chukmem: MemoryFileSystem) -> MemoryFileSystem:
    plant(chukmem, "/src", TREE)
    return chukmem


def synced(source: AbstractFileSystem, target: AbstractFileSystem, **options: Any) -> SyncReport:
    return sync((source, "/src"), (target, "/dst"), SyncOptions(**options))


def test_everything_is_copied_and_then_nothing(source: MemoryFileSystem, target: AbstractFileSystem) -> None:
    time.sleep(TICK)
    report = synced(source, target)
    assert (report.files, report.left_out_count) == (len(TREE), 0)
    assert report.bytes == sum(map(len, TREE.values()))
    assert shown(target, "/dst", attributes=False) == shown(source, "/src", attributes=False)
    again = synced(source, target)
    assert (again.files, again.unchanged, again.adjusted, again.bytes) == (0, len(TREE), 0, 0)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "chukmem"])
def test_files_come_from_anywhere(kind: str, chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    with a_filesystem(kind, tmp_path / "source") as source:
        plant(source, "/src", TREE)
        report = synced(source, chukmem)
        assert (report.files, report.left_out_count) == (len(TREE), 0)
        assert shown(chukmem, "/dst", attributes=False) == shown(source, "/src", attributes=False)


def test_only_what_differs_is_copied(source: MemoryFileSystem, target: AbstractFileSystem) -> None:
    time.sleep(TICK)
    synced(source, target)
    source.pipe_file("/src/a.txt", b"two")  # of the same size
    source.pipe_file("/src/new", b"new")
    acts: list[tuple[Act, str]] = []
    sync((source, "/src"), (target, "/dst"), tell=lambda step: acts.append((step.act, step.path)))
    assert [act for act in acts if act[1]] == [(Act.REPLACE, "a.txt"), (Act.MAKE, "new")]
    assert target.cat_file("/dst/a.txt") == b"two"


def test_what_only_the_target_has_stays_unless_told(source: MemoryFileSystem, target: AbstractFileSystem) -> None:
    plant(target, "/dst", {"old/deep/file": b"1", "mine": b"2"})
    synced(source, target)
    assert target.cat_file("/dst/mine") == b"2"
    report = synced(source, target, delete=True)
    assert (report.removed, report.left_out_count) == (2, 0)
    assert shown(target, "/dst", attributes=False) == shown(source, "/src", attributes=False)


def test_a_dry_run_says_the_same_and_does_nothing(source: MemoryFileSystem, target: AbstractFileSystem) -> None:
    plant(target, "/dst", {"a.txt": b"longer than one", "mine": b"2"})
    before = shown(target, "/dst")
    told = synced(source, target, delete=True, dry_run=True)
    assert shown(target, "/dst") == before
    done = synced(source, target, delete=True)
    assert told == done


def test_excluded_names_are_neither_copied_nor_removed(source: MemoryFileSystem, target: AbstractFileSystem) -> None:
    plant(target, "/dst", {"x.pyc": b"1", "d/e/kept": b"2", "gone": b"3"})
    synced(source, target, delete=True, exclude=("*.pyc", "d/e", "*.txt"))
    assert sorted(shown(target, "/dst", attributes=False)) == [
        "d", "d/b.bin", "d/e", "d/e/kept", "d/\u00e9 [1]*", "empty", "x.pyc",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", DECLARED)
def test_attributes_links_and_holes_are_kept(kind: str, source: MemoryFileSystem, tmp_path: Path) -> None:
    posix = source.posix
    posix.symlink("a.txt", "/src/link")
    posix.symlink("/nowhere", "/src/d/dangling")
    posix.link("/src/a.txt", "/src/d/again")
    posix.chmod("/src/a.txt", 0o4751)
    posix.chmod("/src/d", 0o700)
    posix.setxattr("/src/a.txt", "user.colour", b"red")
    posix.mknod("/src/d/fifo", stat.S_IFIFO | 0o640, 0)
    posix.utime("/src/d/e", ns=(10**18 + 1, 10**18 + 7))
    with a_filesystem(kind, tmp_path / "target") as target:
        report = synced(source, target)
        assert (report.symlinks, report.hard_links, report.special_files) == (2, 1, 1)
        assert report.left_out == ()
        assert shown(target, "/dst") == shown(source, "/src")
        assert target.posix.getxattr("/dst/a.txt", "user.colour") == b"red"
        assert target.posix.stat("/dst/a.txt").st_ino == target.posix.stat("/dst/d/again").st_ino
        again = synced(source, target)
        assert (again.files, again.hard_links, again.symlinks, again.adjusted) == (0, 0, 0, 0)


@pytest.mark.parametrize("kind", DECLARED)
def test_names_of_one_file_are_names_of_one_file_again(kind: str, source: MemoryFileSystem, tmp_path: Path) -> None:
    with a_filesystem(kind, tmp_path / "target") as target:
        synced(source, target)
        source.posix.link("/src/a.txt", "/src/z")
        source.rm_file("/src/empty")
        source.posix.link("/src/a.txt", "/src/empty")
        report = synced(source, target)
        assert (report.files, report.hard_links) == (0, 2)
        numbers = {target.posix.stat(f"/dst/{name}").st_ino for name in ("a.txt", "z", "empty")}
        assert len(numbers) == 1
        source.pipe_file("/src/a.txt", b"changed under all its names")
        synced(source, target)
        assert {target.cat_file(f"/dst/{name}") for name in ("a.txt", "z", "empty")} == {b"changed under all its names"}


@pytest.mark.parametrize("kind", DECLARED)
def test_changed_attributes_alone_copy_no_content(kind: str, source: MemoryFileSystem, tmp_path: Path) -> None:
    with a_filesystem(kind, tmp_path / "target") as target:
        synced(source, target)
        source.posix.chmod("/src/d/b.bin", 0o600)
        report = synced(source, target)
        assert (report.files, report.adjusted, report.bytes) == (0, 1, 0)
        assert shown(target, "/dst") == shown(source, "/src")


def test_checksums_find_what_times_hide(source: MemoryFileSystem, target: AbstractFileSystem) -> None:
    time.sleep(TICK)
    synced(source, target)
    mtime_ns = source.info("/src/a.txt")["mtime_ns"]
    source.pipe_file("/src/a.txt", b"eno")
    source.posix.utime("/src/a.txt", ns=(mtime_ns, mtime_ns))
    assert synced(source, target).files == 0
    assert synced(source, target, checksum=True).files == 1
    assert target.cat_file("/dst/a.txt") == b"eno"
    assert synced(source, target, checksum=True).files == 0


def test_something_of_another_kind_is_replaced_only_if_allowed(
    source: MemoryFileSystem, target: AbstractFileSystem
) -> None:
    plant(target, "/dst", {"a.txt/inside": b"1", "d": b"a file"})
    report = synced(source, target)
    assert sorted(entry.path for entry in report.left_out) == ["a.txt", "d"]
    assert target.cat_file("/dst/a.txt/inside") == b"1"
    assert target.cat_file("/dst/d") == b"a file"
    assert synced(source, target, delete=True).left_out == ()
    assert shown(target, "/dst", attributes=False) == shown(source, "/src", attributes=False)


@pytest.mark.parametrize("kind", DECLARED)
@pytest.mark.parametrize("size", [3, 2_000_000, RESUMED_FROM])
def test_a_link_is_replaced_and_not_written_through(
    size: int, kind: str, chukmem: MemoryFileSystem, tmp_path: Path
) -> None:
    plant(chukmem, "/src", {"a": b"1" * size})
    with a_filesystem(kind, tmp_path / "target") as target:
        plant(target, "/dst", {"a": "../elsewhere"})
        plant(target, "/", {"elsewhere": b"precious"})
        synced(chukmem, target)
        assert target.cat_file("/elsewhere") == b"precious"
        assert shown(target, "/dst") == shown(chukmem, "/src")


def test_what_the_target_cannot_hold_is_named(source: MemoryFileSystem, tmp_path: Path) -> None:
    source.posix.symlink("a.txt", "/src/link")
    with a_filesystem("object store", tmp_path / "target") as target:
        report = synced(source, target)
    assert [entry.path for entry in report.left_out] == ["link"]
    assert report.files == len(TREE)


class Unlistable(MemoryFileSystem):
    """A chukmem with a directory that nobody may list."""

    protocol = "unlistable"

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        if str(path).endswith("/d"):
            raise PermissionError(errno.EACCES, "not for you", path)
        return super().ls(path, detail, **kwargs)


def test_nothing_is_removed_if_some_of_the_source_is_unknown(chukmem: MemoryFileSystem) -> None:
    source = Unlistable("unlistable")
    plant(source, "/src", TREE)
    plant(chukmem, "/dst", {"d/precious": b"1", "extra": b"2"})
    report = synced(source, chukmem, delete=True)
    assert [entry.path for entry in report.left_out] == ["d", ""]
    assert chukmem.cat_file("/dst/d/precious") == b"1"
    assert chukmem.cat_file("/dst/extra") == b"2"
    assert chukmem.cat_file("/dst/a.txt") == b"one"
    drop_store("unlistable")


@pytest.mark.parametrize("kind", DECLARED)
def test_one_that_cannot_be_made_leaves_the_others_be(kind: str, source: MemoryFileSystem, tmp_path: Path) -> None:
    with a_filesystem(kind, tmp_path / "target") as target:

        def come_in_between(step: Step) -> None:
            if step.path == "d/b.bin":
                target.posix.mkdir("/dst/d/b.bin")
            if step.path == "d/e/large":
                source.rm_file("/src/d/\u00e9 [1]*")

        report = sync((source, "/src"), (target, "/dst"), tell=come_in_between)
        assert sorted((entry.path, entry.reason) for entry in report.left_out) == [
            ("d/b.bin", os.strerror(errno.EEXIST)),
            ("d/\u00e9 [1]*", os.strerror(errno.ENOENT)),
        ]
        assert (report.files, report.bytes) == (3, 3_000_003)
        assert target.cat_file("/dst/a.txt") == b"one"


@pytest.mark.parametrize("size", [999, 1001])
def test_a_small_file_that_changes_its_size_is_not_copied(
    size: int, source: MemoryFileSystem, target: AbstractFileSystem
) -> None:
    source.pipe_file("/src/z", bytes(1000))

    def change(step: Step) -> None:
        if step.path == "z":
            source.pipe_file("/src/z", bytes(size))

    report = sync((source, "/src"), (target, "/dst"), tell=change)
    [left_out] = report.left_out
    assert (left_out.path, "changed while" in left_out.reason) == ("z", True)
    assert not target.exists("/dst/z")


def test_many_are_copied_at_the_same_time(source: MemoryFileSystem) -> None:
    plant(source, "/src", {f"many/{number}": b"%d" % number for number in range(40)})
    target = AsyncObjectFileSystem("synchronised", latency=0.01)
    synced(source, target)
    assert target.service.most_running > 4
    assert shown(target, "/dst") == shown(source, "/src", attributes=False)


def test_a_directory_into_itself_is_refused(source: MemoryFileSystem) -> None:
    for into in ("/src", "/src/d", "/"):
        with pytest.raises(ValueError, match="lie in one another"):
            sync((source, "/src"), (source, into), SyncOptions(delete=True))
    sync((source, "/src"), (source, "/srcs"))
    assert shown(source, "/srcs") == shown(source, "/src")


def test_only_directories_are_synchronised(source: MemoryFileSystem) -> None:
    with fails_with(errno.ENOENT):
        sync((source, "/missing"), (source, "/dst"))
    with fails_with(errno.ENOTDIR):
        sync((source, "/src/a.txt"), (source, "/dst"))
    with fails_with(errno.ENOTDIR):
        sync((source, "/src/d"), (source, "/src/a.txt"))
    with pytest.raises(ValueError, match="workers"):
        SyncOptions(workers=-1)


class Counted(Callback):
    """Counts bytes, and ends the copy after some of them."""

    def __init__(self, stop_after: int) -> None:
        super().__init__()
        self.stop_after = stop_after

    def relative_update(self, inc: int = 1) -> None:
        self.value += inc
        if self.value > self.stop_after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", DECLARED)
def test_an_interrupted_large_file_is_gone_on_with(kind: str, source: MemoryFileSystem, tmp_path: Path) -> None:
    large = os.urandom(RESUMED_FROM + 12_345)
    source.pipe_file("/src/large", large)
    with a_filesystem(kind, tmp_path / "target") as target:
        plant(target, "/dst", {"large": b"the old one"})
        with pytest.raises(KeyboardInterrupt):
            sync((source, "/src"), (target, "/dst"), callback=Counted(12 << 20))
        assert target.cat_file("/dst/large") == b"the old one"
        [part] = [name for name in target.ls("/dst", detail=False) if is_temporary(name.rpartition("/")[2])]
        with target.posix.open_handle(part, os.O_RDWR) as handle:
            handle.pwrite(b"as it was found", 0)
        synced(source, target)
        assert target.cat_file("/dst/large") == b"as it was found" + large[15:]
        assert sorted(shown(target, "/dst")) == sorted(shown(source, "/src"))


@pytest.mark.parametrize("kind", DECLARED)
def test_a_file_that_changed_meanwhile_is_not_mixed(kind: str, source: MemoryFileSystem, tmp_path: Path) -> None:
    source.pipe_file("/src/large", b"1" * RESUMED_FROM)
    with a_filesystem(kind, tmp_path / "target") as target:
        with pytest.raises(KeyboardInterrupt):
            sync((source, "/src"), (target, "/dst"), callback=Counted(12 << 20))
        source.pipe_file("/src/large", b"2" * RESUMED_FROM)
        synced(source, target)
        assert target.cat_file("/dst/large") == b"2" * RESUMED_FROM


# ---- any two trees

_names = st.sampled_from(["a", "b", "c"])
_what = st.one_of(st.none(), st.binary(max_size=3), st.sampled_from(["a", "b/c", "/x"]))
_trees = st.dictionaries(_names, st.one_of(_what, st.dictionaries(_names, _what, max_size=3)), max_size=3)


def _flat(tree: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, what in tree.items():
        if isinstance(what, dict):
            flat[name] = None
            flat.update({f"{name}/{below}": inner for below, inner in what.items()})
        else:
            flat[name] = what
    return flat


@pytest.mark.parametrize("kind", ["chukmem", "chuksqlite", "chuklocal"])
@given(_trees, _trees)
def test_any_tree_becomes_any_other(kind: str, tmp_path_factory: pytest.TempPathFactory, wanted: Any, old: Any) -> None:
    where = tmp_path_factory.mktemp("trees")
    with ExitStack() as stack:
        source = stack.enter_context(a_filesystem("chukmem", where / "source"))
        target = stack.enter_context(a_filesystem(kind, where / "target"))
        plant(source, "/src", _flat(wanted))
        plant(target, "/dst", _flat(old))
        steps: list[Step] = []
        sync((source, "/src"), (target, "/dst"), SyncOptions(delete=True), tell=steps.append)
        assert shown(target, "/dst") == shown(source, "/src")
        drop_store(str(where / "source"))
        drop_store(str(where / "target"))
