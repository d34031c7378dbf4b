"""What a store of snapshots promises: damage is found, space is given back, and several may use it at once."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import random
import threading
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.callbacks import Callback

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem, StoredSnapshot
from chuk_fsspec.wrappers.snapshots.entry import encode
from chuk_fsspec.wrappers.snapshots.repository import Repository
from chuk_fsspec.wrappers.snapshots.repository.locks import adding, removing
from chuk_fsspec.wrappers.snapshots.stored import StoredTree
from tests.snapshots.snapshot_kinds import wait_for_the_clock
from tests.wrappers.async_fs import AsyncObjectFileSystem
from tests.wrappers.object_fs import ObjectFileSystem


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def fs(chukmem: MemoryFileSystem, store: Path) -> SnapshotFileSystem:
    return SnapshotFileSystem(target_protocol="chukmem", target_options={"name": chukmem.name}, store=f"file://{store}")


def taken(fs: SnapshotFileSystem, name: str, **options: Any) -> StoredSnapshot:
    snapshot = fs.create_snapshot(name, **options)
    assert isinstance(snapshot, StoredSnapshot)
    return snapshot


def size_of(store: Path) -> int:
    return sum(path.stat().st_size for path in (store / "packs").iterdir())


def test_many_small_files_are_few_objects(fs: SnapshotFileSystem, store: Path) -> None:
    fs.pipe({f"/d{number % 7}/f{number}": b"%d" % number for number in range(2000)})
    snapshot = taken(fs, "one")
    assert (snapshot.files, snapshot.bytes) == (2000, sum(len(str(number)) for number in range(2000)))
    assert len([path for path in store.rglob("*") if path.is_file()]) == 4


def test_progress_is_told(fs: SnapshotFileSystem) -> None:
    data = random.Random(2).randbytes(3_500_000)
    fs.pipe({"/large": data, "/small": b"12345"})
    wait_for_the_clock()
    reading, checking, writing, again = Callback(), Callback(), Callback(), Callback()
    fs.create_snapshot("one", callback=reading)
    assert fs.verify(deep=True, callback=checking) == []
    fs.rm("/large")
    fs.restore("one", callback=writing)
    fs.create_snapshot("two", callback=again)
    assert reading.value == len(data) + 5
    assert checking.value > len(data) + 5, "lists of directories too"
    assert writing.value == again.value == len(data), "the other is as it was"


def test_what_is_equal_is_stored_once(fs: SnapshotFileSystem) -> None:
    data = random.Random(1).randbytes(3_500_000)
    fs.pipe({"/a": data, "/d/b": data, "/c": data[: 2 << 20]})
    assert len(data) < taken(fs, "one").added < len(data) + 5000
    fs.pipe_file("/a", data + b"more")
    assert taken(fs, "two").added < len(data) // 3
    fs.cp_file("/a", "/e")
    assert taken(fs, "three").added < 2000


def test_unchanged_directories_cost_nothing(fs: SnapshotFileSystem) -> None:
    fs.pipe({f"/d{number % 50}/f{number}": b"x" for number in range(1000)})
    wait_for_the_clock()
    taken(fs, "one")
    assert taken(fs, "two").added == 0
    fs.pipe_file("/d7/f7", b"y")
    assert taken(fs, "three").added < 3000


def test_a_damaged_byte_is_found_and_named(fs: SnapshotFileSystem, store: Path) -> None:
    fs.pipe({"/good": b"good" * 100, "/d/bad": b"bad!" * 100})
    fs.create_snapshot("one")
    [pack] = (store / "packs").iterdir()
    data = bytearray(pack.read_bytes())
    data[bytes(data).index(b"bad!" * 50) + 7] ^= 1
    pack.write_bytes(data)
    assert fs.verify() == []
    assert [(one.snapshot, one.path) for one in fs.verify(deep=True)] == [("one", "/d/bad")]
    past = fs.at("one")
    assert past.cat_file("/good") == b"good" * 100
    with fails_with(errno.EIO):
        past.cat_file("/d/bad")
    fs.pipe({"/good": b"1", "/d/bad": b"2"})
    with fails_with(errno.EIO):
        fs.restore("one")
    assert fs.cat_file("/d/bad") == b"2", "what cannot be brought back is left as it is"


def test_missing_content_is_found_and_stored_again(fs: SnapshotFileSystem, store: Path) -> None:
    fs.pipe_file("/f", b"first" * 100)
    fs.create_snapshot("one")
    fs.pipe_file("/d/g", b"second" * 100)
    fs.create_snapshot("two")
    for pack in (store / "packs").iterdir():
        if b"second" in pack.read_bytes():
            pack.unlink()
    assert {(one.snapshot, one.path) for one in fs.verify()} == {("two", "/")}, "the directory is in the same pack"
    fs.create_snapshot("three")
    assert {one.snapshot for one in fs.verify(deep=True)} <= {"two"}, "the next snapshot stores again what it needs"
    assert fs.at("three").cat_file("/d/g") == b"second" * 100


def test_deleting_gives_back_what_nobody_else_needs(fs: SnapshotFileSystem, store: Path) -> None:
    random_ = random.Random(2)
    fs.pipe({"/kept": random_.randbytes(300_000), "/old": random_.randbytes(900_000)})
    fs.create_snapshot("one")
    fs.rm("/old")
    fs.create_snapshot("two")
    full = size_of(store)
    fs.delete_snapshot("one")
    assert 300_000 < size_of(store) < full - 890_000
    assert fs.verify(deep=True) == []
    assert fs.at("two").cat_file("/kept") == fs.cat_file("/kept")
    fs.delete_snapshot("two")
    assert size_of(store) == 0
    fs.create_snapshot("three")
    assert fs.verify(deep=True) == []


def test_readers_survive_a_collection(fs: SnapshotFileSystem) -> None:
    fs.pipe({"/kept": b"k" * 1000, "/old": random.Random(3).randbytes(900_000)})
    fs.create_snapshot("one")
    fs.rm("/old")
    fs.create_snapshot("two")
    past = fs.at("two")
    assert past.exists("/kept")
    fs.delete_snapshot("one")
    assert past.cat_file("/kept") == b"k" * 1000


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.999])
def test_a_pack_that_was_cut_off_does_not_count(part: float, fs: SnapshotFileSystem, store: Path) -> None:
    """As it may be left by a crash, in a store that does not write in one step."""
    fs.pipe_file("/f", b"content" * 1000)
    fs.create_snapshot("one")
    [pack] = (store / "packs").iterdir()
    pack.write_bytes(pack.read_bytes()[: int(pack.stat().st_size * part)])
    for kind in ("index", "snapshots"):
        for file in (store / kind).iterdir():
            file.unlink()
    fs.create_snapshot("two")
    assert fs.at("two").cat_file("/f") == b"content" * 1000
    assert fs.verify(deep=True) == []


def test_names(fs: SnapshotFileSystem) -> None:
    for name in ("a b", "früh", "?*[x]", "..x", "n" * 255):
        fs.create_snapshot(name)
    assert [one.name for one in fs.list_snapshots()] == ["a b", "früh", "?*[x]", "..x", "n" * 255]
    for bad, code in (("", errno.EINVAL), ("a/b", errno.EINVAL), ("..", errno.EINVAL), ("now", errno.EINVAL)):
        with fails_with(code):
            fs.create_snapshot(bad)
    with fails_with(errno.ENAMETOOLONG):
        fs.create_snapshot("n" * 256)
    with fails_with(errno.EEXIST):
        fs.create_snapshot("a b")
    for call in (fs.restore, fs.at, fs.delete_snapshot, fs.diff):
        with fails_with(errno.ENOENT):
            call("nothing")


def test_two_at_once(chukmem: MemoryFileSystem, store: Path) -> None:
    """Several runs, and one that deletes, over one store: each snapshot is whole."""
    chukmem.pipe({f"/d{number % 5}/f{number}": b"%d" % number * 50 for number in range(200)})
    errors: list[BaseException] = []

    def work(number: int) -> None:
        fs = SnapshotFileSystem(MemoryFileSystem(chukmem.name), store=f"file://{store}")
        try:
            for turn in range(4):
                fs.create_snapshot(f"{number}-{turn}")
                if turn % 2:
                    fs.delete_snapshot(f"{number}-{turn - 1}")
        except BaseException as error:  # noqa: BLE001 - shown below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    fs = SnapshotFileSystem(chukmem, store=f"file://{store}")
    assert {one.name for one in fs.list_snapshots()} == {f"{number}-{turn}" for number in range(3) for turn in (1, 3)}
    assert fs.verify(deep=True) == []


@pytest.mark.parametrize("name", ["../outside", "..", "", "a/b"])
def test_a_forged_store_leads_nowhere(
    name: str, fs: SnapshotFileSystem, store: Path, chukmem: MemoryFileSystem
) -> None:
    """Names that would put a file somewhere else when they are restored."""
    inside = SnapshotFileSystem(chukmem, store=f"file://{store}", root="/work")
    inside.pipe_file("/work/f", b"1")
    snapshot = taken(inside, "one")
    repository = Repository(f"file://{store}")
    [entry] = StoredTree(repository, snapshot).entries("/work", snapshot.entry)
    with repository.writer() as writer:
        tree = writer.add(encode([entry._replace(name=name)]), compress=True)
        writer.finish()
    forged = snapshot.entry._replace(tree=tree)
    repository.records.write(dataclasses.replace(snapshot, name="forged", entry=forged, token="t"))
    for attempt in (
        lambda: inside.restore("forged"),
        lambda: inside.at("forged").ls("/work"),
        lambda: inside.diff("forged"),
    ):
        with fails_with(errno.EIO):
            attempt()
    assert fs.find("/") == ["/work/f"]


def test_locks(store: Path) -> None:
    storage = Repository(f"file://{store}").storage
    with adding(storage), adding(storage), fails_with(errno.EBUSY), removing(storage):
        pass
    with removing(storage), fails_with(errno.EBUSY), adding(storage, patience=0):
        pass
    with removing(storage):
        pass


def test_a_store_inside_is_refused(tmp_path: Path) -> None:
    fs = SnapshotFileSystem(fsspec.filesystem("chuklocal", root=str(tmp_path)), store=f"file://{tmp_path}/d/store")
    (tmp_path / "f").write_bytes(b"1")
    with fails_with(errno.EINVAL):
        fs.create_snapshot("one")
    assert fs.list_snapshots() == []


def test_nothing_is_made_for_a_store_inside_of_the_same_filesystem(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"1")
    for root in ("/", str(tmp_path), f"{tmp_path}/d/store"):
        fs = SnapshotFileSystem(fsspec.filesystem("file"), store=f"file://{tmp_path}/d/store", root=root)
        with fails_with(errno.EINVAL):
            fs.create_snapshot("one")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


class Restless(ObjectFileSystem):
    """Somebody writes to a file each time it is read."""

    cachable = False
    changes = 0

    def cat_file(self, path: str, *args: Any, **kwargs: Any) -> bytes:
        data = super().cat_file(path, *args, **kwargs)
        if self.changes > 0 and "busy" in path:
            self.changes -= 1
            self.pipe_file(path, data + b"+")
        return data


def test_a_file_that_changes_while_it_is_read_is_read_again(store: Path) -> None:
    below = Restless()
    below.pipe_file("d/busy", b"0")
    below.pipe_file("d/calm", b"1")
    fs = SnapshotFileSystem(below, store=f"file://{store}")
    below.changes = 2
    snapshot = taken(fs, "one")
    assert snapshot.read_again == ("/d/busy", "/d/busy")
    assert fs.at("one").cat_file("/d/busy") == b"0++"
    below.changes = 1000
    below.pipe_file("d/busy", b"again")
    with fails_with(errno.ESTALE, "/d/busy"):
        fs.create_snapshot("two")
    assert [one.name for one in fs.list_snapshots()] == ["one"]
    below.changes = 0
    below.pipe_file("d/busy", b"later")
    assert fs.at("one").cat_file("/d/busy") == b"0++", "later changes do not reach into the past"


def test_unchanged_objects_are_not_read(store: Path) -> None:
    below = ObjectFileSystem()
    for number in range(20):
        below.pipe_file(f"d{number % 3}/f{number}", b"%d" % number)
    fs = SnapshotFileSystem(below, store=f"file://{store}")
    fs.create_snapshot("one")
    below.calls.clear()
    below.pipe_file("d1/f1", b"new")
    fs.create_snapshot("two")
    assert below.calls["cat_file"] == 1
    assert str(fs.diff("one", "two").summary()) == "1 modified"
    fs.restore("one")
    assert below.cat_file("d1/f1") == b"1"


def test_a_remote_filesystem_and_a_remote_store() -> None:
    fsspec.register_implementation("chuksnap-objects", AsyncObjectFileSystem, clobber=True)
    below = AsyncObjectFileSystem(name="chuksnap-below")
    for number in range(60):
        below.pipe_file(f"d{number % 4}/e{number % 3}/f{number}", b"%d" % number * 100)
    fs = SnapshotFileSystem(below, store="chuksnap-objects://store", store_options={"name": "chuksnap-store"})
    snapshot = taken(fs, "one")
    assert snapshot.files == 60
    for number in itertools.chain(range(30), range(50, 55)):
        below.rm_file(f"d{number % 4}/e{number % 3}/f{number}")
    below.pipe_file("d0/later", b"x")
    fs.restore("one")
    assert len(fs.diff("one")) == 0
    assert not below.exists("d0/later")
    assert below.cat_file("d3/e0/f3") == b"3" * 100
    fs.delete_snapshot("one")


@pytest.mark.parametrize(("workers", "fewest", "most"), [(1, 1, 1), (0, 3, 16 + 1)])
def test_many_files_of_a_slow_service_at_once(workers: int, fewest: int, most: int, store: Path) -> None:
    below = AsyncObjectFileSystem(name=f"slow-for-{workers}", latency=0.02)
    paths = [f"d/f{number}" for number in range(32)]
    below.pipe(dict.fromkeys(paths, b"1"))
    fs = SnapshotFileSystem(below, store=f"file://{store}", workers=workers)
    for act in (lambda: fs.create_snapshot("one"), lambda: fs.restore("one")):
        below.service.most_running = 0
        act()
        assert fewest <= below.service.most_running <= most, "the walk goes on meanwhile"
        below.pipe(dict.fromkeys(paths, b"22"))


def test_files_of_the_host_that_keep_little(tmp_path: Path, store: Path) -> None:
    """fsspec's own local filesystem: contents and directories are what it gets."""
    root = tmp_path / "files"
    (root / "d" / "empty").mkdir(parents=True)
    (root / "d" / "f").write_bytes(b"1")
    fs = SnapshotFileSystem(fsspec.filesystem("file"), store=f"file://{store}", root=str(root))
    fs.create_snapshot("one")
    (root / "d" / "f").write_bytes(b"other")
    (root / "d" / "empty").rmdir()
    (root / "new").mkdir()
    (root / "new" / "g").write_bytes(b"2")
    assert fs.at("one").cat_file(f"{root}/d/f") == b"1"
    assert fs.diff("one").summary() == "2 added, 1 removed, 1 modified"
    fs.restore("one")
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*")) == ["d", "d/empty", "d/f"]
    assert (root / "d" / "f").read_bytes() == b"1"
    assert len(fs.diff("one")) == 0
    assert fs.at("one").ls(str(tmp_path), detail=False) == [str(root)]
