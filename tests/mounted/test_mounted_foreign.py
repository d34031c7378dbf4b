"""Filesystems of others in a tree: their paths, their errors and their concurrency."""

from __future__ import annotations

import asyncio
import errno
import uuid
from pathlib import Path
from typing import Any

import pytest
from fsspec.callbacks import Callback
from fsspec.implementations.memory import MemoryFileSystem as FsspecMemory

from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing.checks import failing, fails_with, files_below
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.mounted.mounted_trees import chukmem, stores
from tests.wrappers.async_fs import PART, AsyncObjectFileSystem

FILES = 30


class PrivateMemory(FsspecMemory):
    """fsspec's memory filesystem, but each one for itself."""

    cachable = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.store: dict[str, Any] = {}
        self.pseudo_dirs = [""]


@pytest.fixture
def objects() -> AsyncObjectFileSystem:
    return AsyncObjectFileSystem(name=uuid.uuid4().hex, latency=0.002)


@pytest.fixture
def fs(objects: AsyncObjectFileSystem, tmp_path: Path) -> Any:
    (tmp_path / "host").mkdir()
    with stores(1) as [name]:
        yield MountedFileSystem(
            {
                "/": chukmem(name),
                "/objects": (objects, "bucket"),
                "/memory": (PrivateMemory(), "/some/where"),
                "/host": f"file://{tmp_path / 'host'}",
            }
        )


PLACES = ["/objects", "/memory", "/host"]


@pytest.mark.parametrize("place", PLACES)
def test_paths_are_those_of_the_tree(fs: MountedFileSystem, place: str) -> None:
    fs.makedirs(f"{place}/d/e", exist_ok=True)
    fs.pipe({f"{place}/d/e/f": b"1", f"{place}/d/g": b"22", f"{place}/h [1]*?": b"333"})
    assert fs.find(place) == [f"{place}/d/e/f", f"{place}/d/g", f"{place}/h [1]*?"]
    assert fs.ls(f"{place}/d", detail=False) == [f"{place}/d/e", f"{place}/d/g"]
    assert fs.info(f"{place}/d/g")["name"] == f"{place}/d/g"
    assert {info["name"]: info["type"] for info in fs.ls(f"{place}/d")} == {
        f"{place}/d/e": "directory",
        f"{place}/d/g": "file",
    }
    assert [top for top, _, _ in fs.walk(place)] == [place, f"{place}/d", f"{place}/d/e"]
    assert fs.glob(f"{place}/**/f") == [f"{place}/d/e/f"]
    assert list(fs.find(place, detail=True)) == fs.find(place)
    assert fs.du(place) == 6
    assert fs.cat(f"{place}/d", recursive=True) == {f"{place}/d/e/f": b"1", f"{place}/d/g": b"22"}
    assert fs.expand_path(f"{place}/d", recursive=True)[0] == f"{place}/d"
    assert fs.isfile(f"{place}/d/g")
    assert not fs.lexists(f"{place}/none")
    fs.mv(f"{place}/h [1]*?", f"{place}/i")
    fs.mv(f"{place}/d", f"{place}/j", recursive=True)
    fs.cp_file(f"{place}/i", f"{place}/k")
    assert files_below(fs, place) == {"i": b"333", "j/e/f": b"1", "j/g": b"22", "k": b"333"}
    with fs.open(f"{place}/text", "w") as file:
        file.write("line\n" * 3)
    assert fs.read_text(f"{place}/text") == "line\n" * 3
    with fs.open(f"{place}/text", "rb") as file:
        assert file.readline() == b"line\n"
        assert file.path == f"{place}/text"
    assert fs.size(f"{place}/text") == 15
    fs.rm_file(f"{place}/text")
    fs.rm([f"{place}/i", f"{place}/k"])
    assert sorted(files_below(fs, place)) == ["j/e/f", "j/g"]


@pytest.mark.parametrize("place", PLACES)
def test_errors_are_those_of_the_tree(fs: MountedFileSystem, place: str, tmp_path: Path) -> None:
    fs.pipe_file(f"{place}/f", b"1")
    for act in (fs.cat_file, fs.info, fs.rm_file, lambda path: fs.open(path, "rb").read(), fs.checksum):
        with pytest.raises(OSError) as caught:
            act(f"{place}/missing")
        assert caught.value.errno == errno.ENOENT
        assert caught.value.filename == f"{place}/missing"
        for inner in ("bucket", "some/where", str(tmp_path)):
            assert inner not in str(caught.value)
    with fails_with(errno.ENOENT, f"{place}/missing"):
        fs.mv(f"{place}/missing", f"{place}/new")
    assert isinstance(fs.cat([f"{place}/f", f"{place}/missing"], on_error="return")[f"{place}/missing"], OSError)
    for posix in ("stat", "readlink", "nodes"):
        with pytest.raises(OSError) as caught:
            getattr(fs.posix, posix)(f"{place}/f")
        assert caught.value.errno in (errno.ENOTSUP, errno.EINVAL)


class ServiceError(Exception):
    """As a client library has it."""


class Refusing(AsyncObjectFileSystem):
    """Shows keys to nobody, and says too much about it."""

    async def _cat_file(self, path: str, *args: Any, **kwargs: Any) -> bytes:
        raise ServiceError(f"no access to {path} for AKIA1234")


def test_what_a_service_raises_is_an_oserror(fs: MountedFileSystem) -> None:
    fs.mount("/refusing", Refusing(name=uuid.uuid4().hex), "bucket")
    fs.pipe_file("/refusing/f", b"1")
    for act in (fs.cat_file, lambda path: fs.open(path, "rb").read()):
        with pytest.raises(OSError) as caught:
            act("/refusing/f")
        assert (caught.value.errno, caught.value.filename) == (errno.EIO, "/refusing/f")
        assert "ServiceError" in str(caught.value)
        assert "AKIA" not in str(caught.value)
        assert "bucket" not in str(caught.value)
        assert isinstance(caught.value.__cause__, ServiceError)


@pytest.mark.parametrize("operation", ["pipe", "cat", "get", "put", "copy", "rm"])
def test_bulk_operations_stay_concurrent(
    operation: str, fs: MountedFileSystem, objects: AsyncObjectFileSystem, tmp_path: Path
) -> None:
    """Those on one mount, and those on several, of which one is the root."""
    here = {f"/objects/d{number % 3}/f{number:02d}": b"%d" % number for number in range(FILES)}
    both = {**here, "/f": b"in memory", "/memory/f": b"in another"}
    fs.pipe(both)
    fs.get("/objects", str(tmp_path / "there"), recursive=True)
    for contents in (here, both):
        objects.service.most_running = 0
        if operation == "pipe":
            fs.pipe({f"{path}-2": data for path, data in contents.items()})
            assert fs.cat([f"{path}-2" for path in contents]) == {f"{path}-2": data for path, data in contents.items()}
        elif operation == "cat":
            assert fs.cat(list(contents)) == contents
        elif operation == "get":
            heard = Callback()
            fs.get(list(contents), [str(tmp_path / path[1:]) for path in contents], callback=heard)
            assert {path: (tmp_path / path[1:]).read_bytes() for path in contents} == contents
            assert heard.value == heard.size == len(contents)
        elif operation == "put":
            fs.get(list(contents), [str(tmp_path / path[1:]) for path in contents])
            fs.put([str(tmp_path / path[1:]) for path in contents], [f"{path}-3" for path in contents])
            assert fs.cat([f"{path}-3" for path in contents]) == {f"{path}-3": data for path, data in contents.items()}
        elif operation == "copy":
            fs.copy(list(contents), [f"{path}-4" for path in contents])
            assert fs.cat([f"{path}-4" for path in contents]) == {f"{path}-4": data for path, data in contents.items()}
        else:
            fs.rm(list(contents))
            assert not any(fs.exists(path) for path in contents)
            fs.pipe(both)
        assert objects.service.most_running > FILES // 3


def test_ranges_of_files_in_all_mounts(fs: MountedFileSystem) -> None:
    paths = ["/a", "/objects/a", "/memory/a", "/host/a"]
    fs.pipe(dict.fromkeys(paths, b"0123456789"))
    fs.posix.symlink("/objects/a", "/link")
    asked = ["/link", *paths, "/objects/none", "/none", "/objects"]
    found = fs.cat_ranges(asked, [1] * 8, [3] * 8)
    assert found[:5] == [b"12"] * 5
    assert [error.errno for error in found[5:]] == [errno.ENOENT, errno.ENOENT, errno.EISDIR]
    assert [error.filename for error in found[5:]] == ["/objects/none", "/none", "/objects"]
    with fails_with(errno.ENOENT, "/objects/none"):
        fs.cat_ranges(asked, [1] * 8, [3] * 8, on_error="raise")


def test_names_that_look_like_patterns_are_removed_alone(fs: MountedFileSystem) -> None:
    for place in PLACES:
        fs.makedirs(f"{place}/d[12]", exist_ok=True)
        fs.makedirs(f"{place}/d1", exist_ok=True)
        fs.pipe({f"{place}/{name}": b"" for name in ("w[1]", "w1", "star*", "stars", "d[12]/f", "d1/f")})
        fs.rm(f"{place}/w[1]")
        fs.rm([f"{place}/star*"])
        fs.rm(f"{place}/d[12]", recursive=True)
        assert sorted(files_below(fs, place)) == ["d1/f", "stars", "w1"]


def test_a_failing_block_uploads_nothing(fs: MountedFileSystem, objects: AsyncObjectFileSystem) -> None:
    with failing(fs.open("/objects/f", "wb")) as file:
        file.write(b"x" * PART * 3)
    assert (objects.service.objects, objects.service.uploads) == ({}, {})
    with fails_with(errno.ENOENT, "/missing"):
        fs.cp_file("/missing", "/objects/g")
    assert (objects.service.objects, objects.service.uploads) == ({}, {})


def test_a_transaction_is_one_of_each_mount(fs: MountedFileSystem) -> None:
    with failing(fs.transaction):
        for place in ("", *PLACES):
            with fs.open(f"{place}/dropped", "wb") as file:
                file.write(b"1")
    with fs.transaction:
        for place in ("", *PLACES):
            with fs.open(f"{place}/kept", "wb") as file:
                file.write(b"1")
            assert not fs.exists(f"{place}/kept")
    assert fs.find("/") == ["/host/kept", "/kept", "/memory/kept", "/objects/kept"]


def test_asynchronous_files(fs: MountedFileSystem) -> None:
    fs.pipe_file("/objects/f", b"content")

    async def read() -> bytes:
        async with await fs.open_async("/objects/f", "rb") as file:
            data: bytes = await file.read()
            return data

    assert asyncio.run(read()) == b"content"

    async def refused() -> None:
        await fs.open_async("/f", "rb")

    with fails_with(errno.ENOTSUP):
        asyncio.run(refused())


def test_a_filesystem_that_is_bound_to_a_loop() -> None:
    with pytest.raises(ValueError, match="asynchronous=True"):
        MountedFileSystem({"/a": AsyncObjectFileSystem(asynchronous=True, skip_instance_cache=True)})


def test_objects_with_odd_keys_are_left_out(fs: MountedFileSystem, objects: AsyncObjectFileSystem) -> None:
    for key in ("bucket/./c", "bucket/../d", "bucket/ok", "elsewhere/x", "bucket2/y"):
        objects.service.objects[key] = (b"", 0.0)
    assert fs.find("/objects") == ["/objects/ok"]
    assert fs.ls("/objects", detail=False) == ["/objects/ok"]
    for path in ("/objects/../elsewhere/x", "/objects/../../elsewhere/x"):
        with pytest.raises(OSError):
            fs.cat_file(path)


class TestFsspecAbstract(FsspecAbstractSuite):
    """fsspec's own suite from one mount of others into the root and back."""

    @pytest.fixture(scope="class", params=["/memory/base", "/host/base"])
    def fs_and_path(self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
        with stores(1) as [name]:
            host = f"file://{tmp_path_factory.mktemp('host')}"
            local = {"url": host, "options": {"auto_mkdir": True}}
            yield MountedFileSystem({"/": chukmem(name), "/memory": PrivateMemory(), "/host": local}), request.param

    @pytest.fixture(scope="class")
    def fs(self, fs_and_path: Any) -> Any:
        return fs_and_path[0]

    @pytest.fixture
    def fs_path(self, fs_and_path: Any) -> str:
        return str(fs_and_path[1])
