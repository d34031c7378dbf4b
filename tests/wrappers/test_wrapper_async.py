"""A wrapper over an asynchronous filesystem of others: bulk calls stay concurrent, paths are translated."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any, NoReturn

import pytest
from fsspec.callbacks import Callback
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.tests import abstract

from tests.wrappers.async_fs import PART, AsyncObjectFileSystem
from tests.wrappers.passing_fs import PassingFileSystem

FILES = 30


@pytest.fixture
def objects() -> AsyncObjectFileSystem:
    return AsyncObjectFileSystem(name=uuid.uuid4().hex, latency=0.002)


@pytest.fixture
def fs(objects: AsyncObjectFileSystem) -> PassingFileSystem:
    return PassingFileSystem(fs=objects)


@pytest.fixture
def contents(fs: PassingFileSystem) -> dict[str, bytes]:
    contents = {f"/bucket/d{number % 3}/f{number:02d}": b"%d" % number for number in range(FILES)}
    fs.pipe(contents)
    return contents


def test_paths_are_in_the_normal_form(fs: PassingFileSystem, contents: dict[str, bytes]) -> None:
    assert fs.find("bucket") == sorted(contents)
    assert fs.ls("/bucket", detail=False) == ["/bucket/d0", "/bucket/d1", "/bucket/d2"]
    assert fs.info("bucket/d0/f00")["name"] == "/bucket/d0/f00"
    assert [top for top, _, _ in fs.walk("/")] == ["/", "/bucket", "/bucket/d0", "/bucket/d1", "/bucket/d2"]
    assert fs.glob("/bucket/d1/f0*") == ["/bucket/d1/f01", "/bucket/d1/f04", "/bucket/d1/f07"]


@pytest.mark.parametrize("operation", ["pipe", "cat", "get", "put", "copy", "rm"])
def test_bulk_operations_stay_concurrent(
    operation: str, fs: PassingFileSystem, objects: AsyncObjectFileSystem, contents: dict[str, bytes], tmp_path: Path
) -> None:
    fs.get("/bucket", str(tmp_path / "there"), recursive=True)
    objects.service.most_running = 0
    if operation == "pipe":
        fs.pipe({f"{path}-2": data for path, data in contents.items()})
    elif operation == "cat":
        assert fs.cat("/bucket", recursive=True) == contents
    elif operation == "get":
        fs.get("/bucket", str(tmp_path / "here"), recursive=True)
        assert len([path for path in (tmp_path / "here").rglob("*") if path.is_file()]) == FILES
    elif operation == "put":
        fs.put(str(tmp_path / "there"), "/copy", recursive=True)
        assert fs.cat("/copy", recursive=True) == {k.replace("bucket", "copy"): v for k, v in contents.items()}
    elif operation == "copy":
        fs.copy("/bucket", "/copy", recursive=True)
        assert fs.cat("/copy", recursive=True) == {k.replace("bucket", "copy"): v for k, v in contents.items()}
    else:
        fs.rm(list(contents))
        assert fs.find("/bucket") == []
    assert objects.service.most_running > FILES // 3


def test_errors_of_a_bulk_read_stand_in_their_places(fs: PassingFileSystem, contents: dict[str, bytes]) -> None:
    first, second = list(contents)[:2]
    found = fs.cat([first, "/bucket/none", second], on_error="return")
    assert isinstance(found.pop("/bucket/none"), FileNotFoundError)
    assert found == fs.cat([first, "/bucket/none", second], on_error="omit")
    with pytest.raises(FileNotFoundError):
        fs.cat([first, "/bucket/none"])
    assert fs.cat_ranges([first, second], 0, [1, 1]) == [contents[first][:1], contents[second][:1]]


def test_progress_is_told(fs: PassingFileSystem, contents: dict[str, bytes], tmp_path: Path) -> None:
    heard = Callback()
    fs.get("/bucket/d0", str(tmp_path / "here"), recursive=True, callback=heard)
    assert heard.value == heard.size
    assert heard.size in (FILES // 3, FILES // 3 + 1)  # some releases count the directory


def test_a_failing_block_uploads_nothing(fs: PassingFileSystem, objects: AsyncObjectFileSystem) -> None:
    def fail(path: str, size: int, mode: str = "wb") -> NoReturn:
        with fs.open(path, mode) as file:
            file.write((b"x" if "b" in mode else "x") * size)
            raise InterruptedError

    fs.pipe_file("/b/old", b"old")
    for size in (10, PART * 3):
        for path, mode in (("/b/old", "wb"), ("/b/new", "wb"), ("/b/new.gz", "wt")):
            with pytest.raises(InterruptedError):
                fail(path, size, mode)
    assert fs.cat("/b", recursive=True) == {"/b/old": b"old"}
    assert objects.service.uploads == {}
    with fs.open("/b/old", "wb") as file:
        file.write(b"n" * PART * 3)
    assert fs.cat_file("/b/old") == b"n" * PART * 3


def test_a_transaction_is_that_of_the_filesystem_below(fs: PassingFileSystem) -> None:
    def fail() -> NoReturn:
        with fs.open("/b/dropped", "wb") as file:
            file.write(b"1")
        raise InterruptedError

    with fs.transaction, fs.open("/b/kept", "wb") as file:
        file.write(b"1")
    with pytest.raises(InterruptedError), fs.transaction:
        fail()
    assert fs.find("/b") == ["/b/kept"]


def test_asynchronous_files(fs: PassingFileSystem) -> None:
    async def work() -> Any:
        async with await fs.open_async("/b/f", "wb") as file:
            await file.write(b"written")
        async with await fs.open_async("/b/f") as stream:
            assert not hasattr(stream, "fs")
            return await stream.read()

    assert asyncio.run(work()) == b"written"


def test_an_instance_bound_to_a_loop_is_refused() -> None:
    with pytest.raises(ValueError, match="asynchronous"):
        PassingFileSystem(fs=AsyncObjectFileSystem(asynchronous=True))


class PlainMemory(abstract.AbstractFixtures):
    """fsspec's memory: with a slash in front, and nothing declared."""

    @pytest.fixture
    def fs(self) -> PassingFileSystem:
        return PassingFileSystem(fs=MemoryFileSystem(global_store=False, skip_instance_cache=True))

    @pytest.fixture
    def fs_path(self) -> str:
        return "/m"

    @pytest.fixture
    def fs_join(self) -> Any:
        return lambda *parts: "/".join(parts)


class PlainLocal(abstract.AbstractFixtures):
    @pytest.fixture
    def fs(self) -> PassingFileSystem:
        return PassingFileSystem(fs=LocalFileSystem(auto_mkdir=True))

    @pytest.fixture
    def fs_path(self, tmpdir: Any) -> str:
        return str(tmpdir)


class TestCopyInMemory(abstract.AbstractCopyTests, PlainMemory): ...


class TestGetFromMemory(abstract.AbstractGetTests, PlainMemory): ...


class TestPutIntoMemory(abstract.AbstractPutTests, PlainMemory): ...


class TestCopyLocally(abstract.AbstractCopyTests, PlainLocal): ...


class TestGetLocally(abstract.AbstractGetTests, PlainLocal): ...


class TestPutLocally(abstract.AbstractPutTests, PlainLocal): ...
