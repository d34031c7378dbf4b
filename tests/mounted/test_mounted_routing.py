"""Which mount answers for a path, and what a mount makes of the directories around it."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem as FsspecMemory
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.mounted.config import MountConfig
from chuk_fsspec.mounted.names import Names
from chuk_fsspec.mounted.table import Mount, MountTable
from chuk_fsspec.testing.checks import fails_with, files_below, names_below
from tests.mounted.mounted_trees import chukmem, stores, tree


@pytest.fixture
def mounted() -> Iterator[tuple[MountedFileSystem, dict[str, MemoryFileSystem]]]:
    with tree("/", "/data", "/data2", "/data/deep/er", "/a/b/c") as made:
        yield made


@pytest.fixture
def fs(mounted: tuple[MountedFileSystem, dict[str, MemoryFileSystem]]) -> MountedFileSystem:
    return mounted[0]


@pytest.fixture
def below(mounted: tuple[MountedFileSystem, dict[str, MemoryFileSystem]]) -> dict[str, MemoryFileSystem]:
    return mounted[1]


# ---- the longest prefix wins


@pytest.mark.parametrize(
    ("path", "point", "inner"),
    [
        ("/f", "/", "/f"),
        ("/datum", "/", "/datum"),
        ("/dat", "/", "/dat"),
        ("/data3", "/", "/data3"),
        ("/data/f", "/data", "/f"),
        ("/data2/f", "/data2", "/f"),
        ("/data//f", "/data", "/f"),
        ("//data/./f", "/data", "/f"),
        ("/./data/f/", "/data", "/f"),
        ("/data/../f", "/", "/f"),
        ("/data/../data2/f", "/data2", "/f"),
        ("/data2/../data/f", "/data", "/f"),
        ("/x/../data/deep/../f", "/data", "/f"),
        ("/data/deep/f", "/data", "/deep/f"),
        ("/data/deep/err/f", "/data", "/deep/err/f"),
        ("/data/deep/er/f", "/data/deep/er", "/f"),
        ("/data/deep/er/data/f", "/data/deep/er", "/data/f"),
        ("/data%2ff", "/", "/data%2ff"),
        ("/data%2e%2e/f", "/", "/data%2e%2e/f"),
        ("/Data/f", "/", "/Data/f"),
        ("/data /f", "/", "/data /f"),
        ("/data\\f", "/", "/data\\f"),
        ("/a/f", "/", "/a/f"),
        ("/a/b/f", "/", "/a/b/f"),
        ("/a/b/c/f", "/a/b/c", "/f"),
        ("chukmount:///data/f", "/data", "/f"),
        ("chukmount://data/f", "/data", "/f"),
    ],
)
def test_where_a_file_lands(
    fs: MountedFileSystem, below: dict[str, MemoryFileSystem], path: str, point: str, inner: str
) -> None:
    fs.pipe_file(path, b"content")
    assert {place: one.find("/") for place, one in below.items() if one.find("/")} == {point: [inner]}
    assert fs.cat_file(path) == b"content"
    [shown] = fs.find("/")
    assert shown == fs.info(path)["name"] == fs._strip_protocol(path)


@pytest.mark.parametrize("path", ["/..", "/data/../..", "/data/../../f", "../f", "/data/deep/er/../../../../f"])
def test_nothing_climbs_above_the_root(fs: MountedFileSystem, below: dict[str, MemoryFileSystem], path: str) -> None:
    with fails_with(errno.EINVAL, path):
        fs.pipe_file(path, b"")
    assert all(one.find("/") == [] for one in below.values())


NAMES = st.sampled_from(["a", "b", "ab", "a.b", "aa"])
PATHS = st.lists(NAMES, max_size=4).map(lambda names: "/" + "/".join(names))


@given(st.sets(PATHS, min_size=1, max_size=6), PATHS)
def test_routing_is_longest_prefix(points: set[str], path: str) -> None:
    inner = FsspecMemory()
    mounts = {
        point: Mount(point, number, inner, Names(point, inner, ""), Capabilities(), MountConfig())
        for number, point in enumerate(points)
    }
    table = MountTable(mounts)
    holding = [point for point in points if path == point or path.startswith(point.rstrip("/") + "/")]
    route = table.route(path)
    assert table.route(path) == route  # the second time it is remembered
    assert (route.mount.path if route.mount else None) == max(holding, key=len, default=None)
    on_the_way = any(point == path or point.startswith(path.rstrip("/") + "/") for point in points)
    assert (route.point is not None) == (on_the_way or path == "/")
    if route.mount is not None:
        rest = path[len(route.mount.path.rstrip("/")) :]
        assert route.inner == (rest or "/")
        assert route.mount.names.outward(route.inner) == path


# ---- mount points show up, and cover


def test_mount_points_are_directories_everywhere(fs: MountedFileSystem) -> None:
    points = ["/a", "/a/b", "/a/b/c", "/data", "/data/deep", "/data/deep/er", "/data2"]
    assert fs.ls("/", detail=False) == ["/a", "/data", "/data2"]
    assert fs.ls("/a", detail=False) == ["/a/b"]
    assert names_below(fs, "")[1:] == [point[1:] for point in points]
    assert [top for top, _, _ in fs.walk("/")] == ["/", *points]
    assert fs.glob("/*") == ["/a", "/data", "/data2"]
    assert fs.glob("/**/er") == ["/data/deep/er"]
    assert fs.find("/", maxdepth=1, withdirs=True) == ["/", "/a", "/data", "/data2"]
    assert fs.find("/data", maxdepth=1, withdirs=True) == ["/data", "/data/deep"]
    for point in points:
        info = fs.info(point)
        assert (info["name"], info["type"], info["size"]) == (point, "directory", 0)
        assert fs.ls(point[: point.rindex("/")] or "/")[0].keys() == info.keys()
        assert fs.find("/", withdirs=True, detail=True)[point] == info
        assert fs.exists(point)
        assert fs.lexists(point)
        assert fs.isdir(point)
        assert not fs.isfile(point)
        assert fs.modified(point).timestamp() <= time.time()
        assert fs.posix.stat(point).st_ino == info["ino"]
        with fails_with(errno.EISDIR, point):
            fs.cat_file(point)
        with fails_with(errno.EISDIR, point):
            fs.open(point, "wb")
        with fails_with(errno.EINVAL, point):
            fs.posix.readlink(point)


def test_sizes_and_depths_count_through_mounts(fs: MountedFileSystem) -> None:
    fs.pipe({"/f": b"1", "/data/f": b"22", "/data/deep/er/f": b"333", "/a/b/c/d/f": b"4444"})
    assert fs.du("/") == 10
    assert fs.du("/data", total=False) == {"/data/deep/er/f": 3, "/data/f": 2}
    assert fs.find("/", maxdepth=1) == ["/f"]
    assert fs.find("/", maxdepth=2) == ["/data/f", "/f"]
    assert fs.find("/", maxdepth=4) == ["/data/deep/er/f", "/data/f", "/f"]
    assert fs.glob("/**/f", maxdepth=3) == ["/data/f", "/f"]
    assert fs.find("/data/deep", maxdepth=1) == []
    assert fs.find("/data/deep", maxdepth=2) == ["/data/deep/er/f"]


def test_a_mount_covers_what_is_below(fs: MountedFileSystem, below: dict[str, MemoryFileSystem]) -> None:
    below["/"].pipe({"/data/f": b"covered", "/data/g": b"covered", "/datum": b"seen", "/a/b/c/f": b"covered"})
    below["/data"].pipe({"/f": b"seen", "/deep/er/f": b"covered", "/deep/f": b"seen"})
    assert files_below(fs, "") == {"datum": b"seen", "data/f": b"seen", "data/deep/f": b"seen"}
    assert not fs.exists("/data/g")
    assert fs.ls("/a/b/c") == []
    fs.unmount("/data/deep/er")
    assert fs.cat_file("/data/deep/er/f") == b"covered"
    fs.unmount("/data")
    assert fs.cat_file("/data/g") == b"covered"


def test_a_file_at_a_mount_point_is_covered_too(fs: MountedFileSystem, below: dict[str, MemoryFileSystem]) -> None:
    below["/"].pipe({"/data": b"covered", "/a": b"covered"})
    assert fs.info("/data")["type"] == fs.info("/a")["type"] == "directory"
    assert fs.find("/") == []
    assert fs.ls("/a", detail=False) == ["/a/b"]
    fs.pipe_file("/data/f", b"content")
    assert fs.find("/") == ["/data/f"]


# ---- directories on the way to a mount point


def test_a_directory_on_the_way_has_no_attributes_of_its_own(fs: MountedFileSystem) -> None:
    assert fs.posix.listxattr("/a") == []
    with fails_with(errno.ENODATA, "/a"):
        fs.posix.getxattr("/a", "user.x")
    fs.posix.setxattr("/a", "user.x", b"1")  # which makes it
    assert fs.posix.listxattr("/a") == ["user.x"]
    assert fs.posix.getxattr("/a", "user.x") == b"1"


def test_a_directory_on_the_way_takes_files(fs: MountedFileSystem, below: dict[str, MemoryFileSystem]) -> None:
    fs.pipe_file("/a/f", b"1")
    fs.posix.mkdir("/a/b/d")
    with fs.open("/data/deep/g", "wb") as file:
        file.write(b"2")
    fs.mkdir("/a/e/f")
    assert below["/"].find("/", withdirs=True) == ["/", "/a", "/a/b", "/a/b/d", "/a/e", "/a/e/f", "/a/f"]
    assert fs.ls("/a", detail=False) == ["/a/b", "/a/e", "/a/f"]
    assert fs.ls("/a/b", detail=False) == ["/a/b/c", "/a/b/d"]
    assert fs.cat_file("/data/deep/g") == b"2"
    fs.posix.chmod("/a", 0o700)
    assert fs.posix.stat("/a").st_mode == below["/"].posix.stat("/a").st_mode == 0o040700


def test_without_a_root_such_directories_are_read_only() -> None:
    with tree("/some/where", "/else") as (fs, below):
        assert fs.ls("/", detail=False) == ["/else", "/some"]
        assert fs.find("/", withdirs=True) == ["/", "/else", "/some", "/some/where"]
        assert fs.info("/")["type"] == "directory"
        for act in (
            lambda: fs.pipe_file("/f", b""),
            lambda: fs.open("/some/f", "wb"),
            lambda: fs.mkdir("/some/d"),
            lambda: fs.makedirs("/new/d"),
            lambda: fs.posix.symlink("x", "/link"),
            lambda: fs.posix.chmod("/some", 0o700),
            lambda: fs.cp_file("/else/f", "/f"),
            lambda: fs.mv("/else/f", "/f"),
            lambda: fs.put_file(__file__, "/some/f"),
            lambda: fs.pipe({"/x": b"", "/y": b""}),
        ):
            fs.pipe_file("/else/f", b"content")
            with fails_with(errno.EROFS):
                act()
        with fails_with(errno.ENOENT, "/missing"):
            fs.cat_file("/missing")
        with fails_with(errno.ENOENT, "/missing"):
            fs.ls("/missing")
        with fails_with(errno.ENOENT, "/missing"):
            fs.rm("/missing")
        with fails_with(errno.ENOTSUP, "/"):
            fs.posix.statvfs()
        assert fs.find("/missing") == []
        assert files_below(fs, "") == {"else/f": b"content"}
        assert below["/some/where"].find("/") == []


# ---- mount points stay where they are


@pytest.mark.parametrize("path", ["/", "/data", "/data/deep", "/data/deep/er", "/a", "/a/b"])
def test_a_mount_point_and_what_holds_one_stay(fs: MountedFileSystem, path: str) -> None:
    fs.pipe({"/f": b"1", "/data/f": b"2", "/data/deep/f": b"3", "/data/deep/er/f": b"4", "/a/f": b"5", "/a/b/f": b"6"})
    before = files_below(fs, "")
    acts: list[Any] = [
        lambda: fs.rm(path, recursive=True),
        lambda: fs.rm(["/f", path], recursive=True),
        lambda: fs.delete(path, recursive=True),
        lambda: fs.rm(path),
        lambda: fs.rmdir(path),
        lambda: fs.posix.rmdir(path),
        lambda: fs.posix.rename(path, "/new"),
        lambda: fs.posix.rename("/f", path),
        lambda: fs.posix.rename(path, "/new", 2),
    ]
    for act in acts:
        with fails_with(errno.EBUSY):
            act()
    if path != "/":
        with fails_with(errno.EBUSY):
            fs.mv(path, "/new")
    for act in (lambda: fs.rm_file(path), lambda: fs.posix.unlink(path), lambda: fs.pipe_file(path, b"")):
        with fails_with(errno.EISDIR, path):
            act()
    for act in (lambda: fs.mkdir(path), lambda: fs.posix.mkdir(path), lambda: fs.posix.symlink("x", path)):
        with fails_with(errno.EEXIST, path):
            act()
    with fails_with(errno.EEXIST, path):
        fs.makedirs(path)
    fs.makedirs(path, exist_ok=True)
    assert files_below(fs, "") == before


def test_a_pattern_that_meets_a_mount_removes_nothing(fs: MountedFileSystem) -> None:
    fs.pipe({"/data1": b"1", "/f": b"2"})
    with fails_with(errno.EBUSY, "/data"):
        fs.rm("/d*", recursive=True)
    assert files_below(fs, "") == {"data1": b"1", "f": b"2"}
    fs.rm("/*1")
    assert files_below(fs, "") == {"f": b"2"}


# ---- roots inside a filesystem


def test_a_mount_may_show_a_directory_of_its_filesystem() -> None:
    with stores(1) as [name]:
        below = MemoryFileSystem(name)
        fs = MountedFileSystem({"/one": {**chukmem(name), "root": "/a/b"}, "/two": (below, "/a")})
        assert below.isdir("/a/b")
        fs.pipe_file("/one/f", b"content")
        assert fs.find("/") == ["/one/f", "/two/b/f"]
        assert below.find("/") == ["/a/b/f"]
        with fails_with(errno.EINVAL):
            fs.cat_file("/one/../../f")
        with fails_with(errno.ENOENT, "/one/missing"):
            fs.cat_file("/one/missing")
        with fails_with(errno.ENOENT, "/one/missing", "/one/new"):
            fs.posix.rename("/one/missing", "/one/new")


def test_inode_numbers_are_unique_in_the_tree(fs: MountedFileSystem, below: dict[str, MemoryFileSystem]) -> None:
    fs.pipe({f"{point.rstrip('/')}/f{number}": b"" for point in below for number in range(5)})
    infos = fs.find("/", withdirs=True, detail=True)
    assert len({info["ino"] for info in infos.values()}) == len(infos)
    for path, info in infos.items():
        assert fs.posix.lstat(path).st_ino == info["ino"]
    with closing(fs.posix.open_handle("/data/f1")) as handle:
        assert handle.stat().st_ino == infos["/data/f1"]["ino"]
