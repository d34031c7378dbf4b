"""Moving between mounts: everything arrives or nothing is lost, whatever fails on the way."""

from __future__ import annotations

import errno
import os
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fsspec.implementations.memory import MemoryFileSystem as FsspecMemory

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing.checks import failing, fails_with, files_below, in_threads, names_below
from tests.mounted.mounted_trees import chukmem, stores, tree
from tests.wrappers.async_fs import AsyncObjectFileSystem

Both = tuple[MountedFileSystem, dict[str, MemoryFileSystem]]


@pytest.fixture
def both() -> Iterator[Both]:
    with tree("/a", "/b") as made:
        yield made


@pytest.fixture
def fs(both: Both) -> MountedFileSystem:
    return both[0]


# ---- what arrives


def test_a_file_arrives_with_all_it_has(fs: MountedFileSystem) -> None:
    data = os.urandom(5 << 20)
    fs.pipe_file("/a/f", data)
    fs.posix.setxattr("/a/f", "user.mood", b"fine")
    fs.posix.chown("/a/f", 12, 34)
    fs.posix.chmod("/a/f", 0o4751)
    fs.posix.utime("/a/f", ns=(1_000_000_007, 2_000_000_009))
    fs.mv("/a/f", "/b/new/g")
    assert files_below(fs, "") == {"b/new/g": data}
    found = fs.posix.stat("/b/new/g")
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o4751, 12, 34)
    assert (found.st_atime_ns, found.st_mtime_ns) == (1_000_000_007, 2_000_000_009)
    assert fs.posix.getxattr("/b/new/g", "user.mood") == b"fine"


def test_a_tree_arrives_with_all_it_has(fs: MountedFileSystem) -> None:
    fs.pipe({"/a/d/f": b"1", "/a/d/e/g": b"22", "/a/d/e/star*": b"3", "/a/d/e/[x]": b"4"})
    fs.makedirs("/a/d/empty/er")
    fs.posix.link("/a/d/f", "/a/d/e/same")
    fs.posix.symlink("../f", "/a/d/e/link")
    fs.posix.symlink("/missing", "/a/d/dangling")
    fs.posix.mknod("/a/d/fifo", stat.S_IFIFO | 0o640)
    fs.posix.chmod("/a/d/empty", 0o711)
    for path in ("/a/d/e/g", "/a/d/empty", "/a/d"):
        fs.posix.utime(path, ns=(5_000_000_000, 6_000_000_000))
    before = {path[2:]: info for path, info in fs.find("/a/d", withdirs=True, detail=True).items()}
    fs.mv("/a/d", "/b/d", recursive=True)
    after = {path[2:]: info for path, info in fs.find("/b/d", withdirs=True, detail=True).items()}
    assert after.keys() == before.keys()
    for path, info in before.items():
        kept = ("type", "size", "mode", "uid", "gid", "nlink", "mtime_ns", "islink", "destination")
        assert {key: after[path].get(key) for key in kept} == {key: info.get(key) for key in kept}, path
    assert fs.posix.stat("/b/d/f").st_ino == fs.posix.stat("/b/d/e/same").st_ino
    assert names_below(fs, "/a") == []
    assert fs.ls("/b", detail=False) == ["/b/d"]


def test_where_things_go(fs: MountedFileSystem) -> None:
    fs.pipe({"/a/1": b"1", "/a/2": b"2", "/a/d/3": b"3", "/a/x1": b"4", "/a/x2": b"5", "/b/there/f": b"6"})
    fs.mv("/a/1", "/b/there")
    fs.mv("/a/2", "/b/new/")
    fs.mv("/a/d", "/b/there", recursive=True)
    fs.mv("/a/x*", "/b/globbed")
    fs.mv(["/b/there/f", "/b/there/1"], ["/a/f", "/a/g"])
    assert files_below(fs, "") == {
        "a/f": b"6", "a/g": b"1", "b/new/2": b"2", "b/there/d/3": b"3", "b/globbed/x1": b"4", "b/globbed/x2": b"5",
    }  # fmt: skip


def test_what_is_there_is_replaced_as_by_a_rename(fs: MountedFileSystem) -> None:
    fs.pipe({"/a/f": b"new", "/b/f": b"old", "/a/d/x": b"1", "/b/d/d/y": b"2", "/b/e/f/z": b"3"})
    fs.posix.symlink("f", "/b/link")
    fs.mkdir("/a/empty")
    old = fs.posix.stat("/b/f").st_ino
    fs.mv("/a/f", "/b/f")
    assert fs.cat_file("/b/f") == b"new"
    assert fs.posix.stat("/b/f").st_ino != old
    with fails_with(errno.ENOTEMPTY):
        fs.mv("/a/d", "/b/d")
    with fails_with(errno.ENOTDIR):
        fs.mv("/a/d", "/b/f")
    fs.pipe_file("/a/f", b"newer")
    with fails_with(errno.EISDIR):
        fs.mv("/a/f", "/b/e")
    fs.posix.symlink("nowhere", "/a/link")
    fs.mv("/a/link", "/b/link")
    assert fs.posix.readlink("/b/link") == "nowhere"
    with fails_with(errno.ENOENT, "/a/missing"):
        fs.mv("/a/missing", "/b/x")
    assert names_below(fs, "/a") == ["d", "d/x", "empty", "f"]
    fs.rm("/b/link")
    assert files_below(fs, "/b") == {"d/d/y": b"2", "e/f/z": b"3", "f": b"new"}


def test_inside_one_mount_it_is_a_rename(fs: MountedFileSystem) -> None:
    fs.pipe({"/a/d/f": b"1"})
    number = fs.info("/a/d/f")["ino"]
    fs.mv("/a/d", "/a/e")
    assert fs.info("/a/e/f")["ino"] == number


def test_across_mounts_posix_says_exdev(fs: MountedFileSystem) -> None:
    fs.pipe({"/a/f": b"1", "/b/f": b"2"})
    for flags in (0, 1, 2):
        with fails_with(errno.EXDEV, "/a/f", "/b/g"):
            fs.posix.rename("/a/f", "/b/g", flags)
    with fails_with(errno.EXDEV, "/a/f", "/b/g"):
        fs.posix.link("/a/f", "/b/g")
    assert files_below(fs, "") == {"a/f": b"1", "b/f": b"2"}


def test_copies_across_mounts(fs: MountedFileSystem) -> None:
    fs.pipe({"/a/d/f": b"1", "/a/d/e/g": b"2", "/b/old": b"3"})
    fs.posix.chmod("/a/d/f", 0o600)
    number = fs.info("/b/old")["ino"]
    fs.cp_file("/a/d/f", "/b/old")
    assert (fs.cat_file("/b/old"), fs.info("/b/old")["ino"]) == (b"1", number)
    assert stat.S_IMODE(fs.info("/b/old")["mode"]) == 0o600
    fs.copy("/a/d", "/b/copy", recursive=True)
    fs.copy(["/a/d/f", "/b/old"], ["/b/x", "/a/y"])
    fs.posix.symlink("/a/d/e/g", "/a/link")
    fs.cp_file("/a/link", "/b/followed")
    assert files_below(fs, "/b") == {"copy/e/g": b"2", "copy/f": b"1", "old": b"1", "x": b"1", "followed": b"2"}
    with fails_with(errno.EISDIR, "/b/copy"):
        fs.cp_file("/a/d/f", "/b/copy")
    fs.posix.mknod("/a/fifo", stat.S_IFIFO | 0o640)
    with fails_with(errno.EINVAL):
        fs.cp_file("/a/fifo", "/b/fifo")
    with fails_with(errno.ENOENT, "/a/missing"):
        fs.cp_file("/a/missing", "/b/f")
    fs.rm("/a/fifo")
    fs.copy("/a", "/b/whole", recursive=True)
    assert fs.cat_file("/b/whole/d/e/g") == b"2"


def test_memory_stays_small(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    fs = MountedFileSystem({f"/{name}": f"file://{tmp_path / name}" for name in "ab"})
    with (tmp_path / "a/large").open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(1 << 20))
    tracemalloc.start()
    fs.cp_file("/a/large", "/b/copy")
    fs.mv("/a/large", "/b/moved")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 << 20
    assert (tmp_path / "b/copy").read_bytes() == (tmp_path / "b/moved").read_bytes()
    assert not (tmp_path / "a/large").exists()
    assert sorted(os.listdir(tmp_path / "b")) == ["copy", "moved"]


# ---- what fails


def test_a_full_target_leaves_everything_as_it_was() -> None:
    with stores(2) as names:
        fs = MountedFileSystem({"/a": chukmem(names[0]), "/b": chukmem(names[1], capacity=1 << 20)})
        fs.pipe_file("/b/old", b"old")
        data = os.urandom(2 << 20)
        fs.pipe_file("/a/f", data)
        for target in ("/b/new", "/b/old"):
            with fails_with(errno.ENOSPC):
                fs.mv("/a/f", target)
            with fails_with(errno.ENOSPC):
                fs.cp_file("/a/f", target)
            assert files_below(fs, "") == {"a/f": data, "b/old": b"old"}
            assert names_below(fs, "/b") == ["old"]


def test_a_tree_goes_on_where_it_stopped() -> None:
    with stores(2) as names:
        fs = MountedFileSystem({"/a": chukmem(names[0]), "/b": chukmem(names[1], capacity=2 << 20)})
        content = {f"/a/d/{number:02d}": os.urandom(100_000) for number in range(12)}
        fs.pipe(content)
        fs.pipe_file("/b/in-the-way", bytes(1 << 20))
        with fails_with(errno.ENOSPC, "/a/d", "/b/d"):
            fs.mv("/a/d", "/b/d")
        assert files_below(fs, "/a") == {path[3:]: data for path, data in content.items()}
        assert not fs.exists("/b/d")
        [staged] = [path for path in fs.ls("/b", detail=False) if path != "/b/in-the-way"]
        arrived = {path.rpartition("/")[2]: info["ino"] for path, info in fs.find(staged, detail=True).items()}
        assert 2 < len(arrived) < 12
        with pytest.raises(OSError, match=r"\d of 13 entries have arrived and the source is whole"):
            fs.mv("/a/d", "/b/d")
        fs.rm(["/b/in-the-way", "/a/d/00", "/a/d/11"])
        fs.mv("/a/d", "/b/d")
        assert files_below(fs, "/b/d") == {path[5:]: content[path] for path in sorted(content)[1:-1]}
        assert {name: fs.info(f"/b/d/{name}")["ino"] for name in ("01", "02", "03")}.items() <= arrived.items()
        assert names_below(fs, "/a") == []
        assert fs.ls("/b", detail=False) == ["/b/d"]


class Corrupting(FsspecMemory):
    """Keeps other bytes than it is given."""

    protocol = "corrupting"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        super().pipe_file(path, value[:-1] + b"?" if value else value, mode=mode, **kwargs)


class Changing(FsspecMemory):
    """Changes a file each time that somebody reads it."""

    protocol = "changing"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        file = super()._open(path, mode, **kwargs)
        if mode == "rb":
            super().pipe_file(path, super().cat_file(path) + b"!")
        return file


def test_what_is_not_read_back_as_it_was_is_no_copy(fs: MountedFileSystem) -> None:
    fs.mount("/bad", Corrupting())
    fs.pipe({"/a/f": b"content", "/a/d/f": b"content"})
    for path in ("/a/f", "/a/d"):
        with pytest.raises(OSError, match="other bytes") as caught:
            fs.mv(path, "/bad/new")
        assert caught.value.errno == errno.EIO
    assert files_below(fs, "/a") == {"f": b"content", "d/f": b"content"}


def test_a_source_that_changes_meanwhile_stays(fs: MountedFileSystem) -> None:
    fs.mount("/changing", Changing())
    fs.pipe({"/changing/f": b"content", "/changing/d/f": b"content"})
    for path in ("/changing/f", "/changing/d"):
        with fails_with(errno.EBUSY):
            fs.mv(path, "/a/new")
    assert fs.exists("/changing/f")
    assert fs.exists("/changing/d/f")
    assert not fs.exists("/a/new")
    Changing.store.clear()


def test_a_source_that_cannot_be_read(fs: MountedFileSystem) -> None:
    objects = AsyncObjectFileSystem(name="unreadable")
    fs.mount("/objects", objects)
    fs.pipe({"/objects/b/f": b"content", "/objects/b/d/g": b"more"})
    for path in ("/objects/b/f", "/objects/b/d"):
        objects.service.fail["cat_file"] = 10**6
        with pytest.raises(OSError) as caught:
            fs.mv(path, "/a/new")
        assert caught.value.filename == path
        objects.service.fail.clear()
        assert files_below(fs, "/objects") == {"b/f": b"content", "b/d/g": b"more"}
        assert not fs.exists("/a/new")


def test_objects_move_both_ways(fs: MountedFileSystem) -> None:
    objects = AsyncObjectFileSystem(name="moved")
    fs.mount("/objects", objects)
    fs.pipe({"/a/d/f": b"1", "/a/d/e/g": os.urandom(700_000), "/a/h": b"3"})
    content = files_below(fs, "/a")
    fs.mv("/a/d", "/objects/bucket/d")
    fs.mv("/a/h", "/objects/bucket/h")
    assert fs.cat("/objects/bucket", recursive=True) == {
        f"/objects/bucket/{path}": data for path, data in content.items()
    }
    assert sorted(objects.service.objects) == ["bucket/d/e/g", "bucket/d/f", "bucket/h"]
    fs.mv("/objects/bucket", "/b/back", recursive=True)
    assert files_below(fs, "/b/back") == content
    assert objects.service.objects == {}


class Choosy(AsyncObjectFileSystem):
    """Takes no object of a certain name."""

    refused = ""

    async def _complete_upload(self, upload: str, path: str, create: bool) -> None:
        if self.refused and path.endswith(self.refused):
            raise ConnectionError("refused")
        await super()._complete_upload(upload, path, create)


def test_a_move_to_objects_goes_on_where_it_stopped(fs: MountedFileSystem) -> None:
    objects = Choosy(name="resumed")
    fs.mount("/objects", objects)
    fs.pipe({f"/a/d/{number}": b"%d" % number for number in range(6)})
    fs.posix.symlink("0", "/a/d/zlink")
    with fails_with(errno.ENOTSUP, "/a/d", "/objects/bucket/d"):
        fs.mv("/a/d", "/objects/bucket/d")
    fs.rm("/a/d/zlink")
    fs.pipe_file("/a/d/zzz", os.urandom(300_000))
    objects.refused = "5"
    with pytest.raises(
        OSError, match=r"/objects/bucket/d/5: ConnectionError; 6 of 8 entries have arrived and the source is whole"
    ):
        fs.mv("/a/d", "/objects/bucket/d")
    assert len(files_below(fs, "/a/d")) == 7
    objects.refused = ""
    before = objects.service.calls.copy()
    fs.mv("/a/d", "/objects/bucket/d")
    assert (objects.service.calls - before)["complete_upload"] == 2
    assert sorted(files_below(fs, "/objects/bucket")) == ["d/0", "d/1", "d/2", "d/3", "d/4", "d/5", "d/zzz"]
    assert names_below(fs, "/a") == []


def test_special_files_and_links_need_a_target_that_keeps_them(fs: MountedFileSystem, tmp_path: Path) -> None:
    fs.mount("/host", f"file://{tmp_path}")
    fs.posix.mknod("/a/fifo", stat.S_IFIFO | 0o640)
    fs.posix.symlink("x", "/a/link")
    for path in ("/a/fifo", "/a/link"):
        with fails_with(errno.ENOTSUP, path, "/host/x"):
            fs.mv(path, "/host/x")
    assert os.listdir(tmp_path) == []


def test_a_source_that_cannot_be_deleted_is_not_copied(fs: MountedFileSystem) -> None:
    fs.pipe_file("/a/f", b"content")
    with stores(1) as [name]:
        MemoryFileSystem(name).pipe_file("/f", b"content")
        fs.mount("/ro", chukmem(name), read_only=True)
        with fails_with(errno.EROFS, "/ro/f", "/b/f"):
            fs.mv("/ro/f", "/b/f")
        with fails_with(errno.EROFS):
            fs.mv("/a/f", "/ro/g")
        fs.cp_file("/ro/f", "/b/f")
        assert files_below(fs, "") == {"a/f": b"content", "b/f": b"content", "ro/f": b"content"}


# ---- two mounts of one directory


def test_moving_onto_itself_by_another_name() -> None:
    with stores(1) as [name]:
        store = MemoryFileSystem(name)
        fs = MountedFileSystem({"/one": chukmem(name), "/two": chukmem(name), "/deep": {**chukmem(name), "root": "/d"}})
        store.pipe({"/f": b"1", "/d/g": b"2", "/d/e/h": b"3"})
        fs.mv("/one/f", "/two/f")
        fs.mv("/one/d/g", "/deep/g")
        with fails_with(errno.EINVAL):
            fs.mv("/one/d", "/two/d")
        assert files_below(store, "") == {"f": b"1", "d/g": b"2", "d/e/h": b"3"}
        fs.mv("/one/f", "/two/renamed")
        fs.mv("/deep/g", "/one/g")
        with fails_with(errno.EINVAL):
            fs.mv("/one/d", "/deep/inside")
        assert {path: store.cat_file(path) for path in store.find("/")} == {
            "/renamed": b"1",
            "/g": b"2",
            "/d/e/h": b"3",
        }


# ---- transactions


def test_a_transaction_undoes_moves_and_copies(fs: MountedFileSystem) -> None:
    fs.pipe({"/a/f": b"1", "/a/d/g": b"2", "/b/h": b"3"})
    before = fs.find("/", withdirs=True, detail=True)
    with failing(fs.transaction):
        fs.pipe_file("/a/new", b"new")
        fs.mv("/a/new", "/b/new")
        fs.cp_file("/a/f", "/b/copied")
        fs.mv("/a/d", "/b/d")
        fs.mv("/b/h", "/a/h")
        fs.rm("/a/f")
        assert fs.cat_file("/b/copied") == b"1"
    assert fs.find("/", withdirs=True, detail=True) == before
    with fs.transaction:
        fs.pipe_file("/a/new", b"new")
        fs.mv("/a/new", "/b/new")
        fs.mv("/a/d", "/b/d")
        fs.cp_file("/b/new", "/a/copied")
        fs.pipe_file("/a/last", b"last")
        assert not fs.exists("/a/last")
    assert files_below(fs, "") == {
        "a/f": b"1", "a/copied": b"new", "a/last": b"last", "b/d/g": b"2", "b/h": b"3", "b/new": b"new",
    }  # fmt: skip


def test_a_file_that_cannot_be_published_undoes_all_mounts(fs: MountedFileSystem, both: Both) -> None:
    with fails_with(errno.EEXIST, "/b/f"), fs.transaction:
        fs.pipe_file("/a/f", b"1")
        fs.mkdir("/a/d")
        fs.pipe_file("/b/f", b"2", mode="create")
        in_threads(1, lambda _: both[1]["/b"].posix.mknod("/f", stat.S_IFREG | 0o644))
    assert names_below(fs, "/a") == []
    assert names_below(fs, "/b") == ["f"]
