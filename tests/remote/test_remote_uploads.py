"""Files that are sent in parts: bounded memory, nothing half there, nothing left behind."""

from __future__ import annotations

import asyncio
import errno
import gc
import io
import os
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from fsspec.callbacks import Callback

from chuk_fsspec.contract.errors import PreconditionFailed, os_error
from chuk_fsspec.testing.checks import failing, fails_with
from tests.remote.dict_store import PART, DictFileSystem, Service

LARGE = random.Random(7).randbytes(10 * PART + 123)


@pytest.fixture
def fs(name: str) -> DictFileSystem:
    return DictFileSystem(name)


def _write(fs: DictFileSystem, path: str, data: bytes, **options: Any) -> None:
    with fs.open(path, "wb", **options) as file:
        for place in range(0, len(data), 10_000):
            file.write(data[place : place + 10_000])


def _put(fs: DictFileSystem, path: str, data: bytes, **options: Any) -> None:
    with NamedTemporaryFile() as local:
        local.write(data)
        local.flush()
        fs.put_file(local.name, path, **options)


WAYS: dict[str, Callable[..., Any]] = {
    "pipe_file": lambda fs, path, data, **options: fs.pipe_file(path, data, **options),
    "open": _write,
    "put_file": _put,
}


def is_clean(service: Service) -> bool:
    """Whether nothing is under way, and nothing waits for its end."""
    return not service.uploads and not service.running


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [0, 1, PART, 2 * PART, 2 * PART + 1, 3 * PART, 4 * PART - 1, len(LARGE)])
def test_every_size_arrives(fs: DictFileSystem, way: str, size: int):
    WAYS[way](fs, "/d/f", LARGE[:size])
    assert fs.cat_file("/d/f") == LARGE[:size]
    assert is_clean(fs.service)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("request_name", ["upload", "send", "finish"])
def test_a_failed_upload_leaves_nothing(fs: DictFileSystem, way: str, request_name: str):
    fs.pipe_file("/f", b"old")
    fs.service.failures[request_name] = [os_error(errno.EIO, "/f")]
    with fails_with(errno.EIO, "/f"):
        WAYS[way](fs, "/f", LARGE)
    assert fs.cat_file("/f") == b"old"
    assert is_clean(fs.service)


@pytest.mark.parametrize("way", WAYS)
def test_an_abort_that_fails_does_not_hide_why(fs: DictFileSystem, way: str):
    fs.service.failures["finish"] = [os_error(errno.EACCES, "/f")]
    fs.service.failures["abort"] = [os_error(errno.EIO, "/f")]
    with pytest.raises(PermissionError) as caught:
        WAYS[way](fs, "/f", LARGE)
    assert isinstance(caught.value.__context__, OSError)
    assert not fs.exists("/f")


@pytest.mark.parametrize("way", WAYS)
def test_a_condition_that_is_no_longer_met_publishes_nothing(fs: DictFileSystem, way: str):
    etag = fs.pipe_file("/f", b"old")
    theirs = fs.pipe_file("/f", b"theirs")
    for options in ({"if_match": etag}, {"if_none_match": "*"}, {"if_none_match": theirs}):
        with pytest.raises(PreconditionFailed):
            WAYS[way](fs, "/f", LARGE, **options)
        assert fs.cat_file("/f") == b"theirs"
        assert is_clean(fs.service)


@pytest.mark.parametrize("parallel_parts", [1, 4])
def test_no_more_parts_are_on_their_way_than_the_service_takes(name: str, parallel_parts: int):
    fs = DictFileSystem(name, parallel_parts=parallel_parts)
    fs.service.latency = 0.002
    fs.pipe_file("/f", LARGE)
    assert fs.service.most_running == parallel_parts
    assert fs.cat_file("/f") == LARGE


@pytest.mark.parametrize("way", ["open", "put_file"])
def test_memory_is_bounded(fs: DictFileSystem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str):
    size, kept = 40 << 20, 0

    async def send(self: Any, number: int, data: bytes) -> None:
        nonlocal kept
        kept += len(data)
        await asyncio.sleep(0)

    async def finish(self: Any) -> Any:
        self._store.service.uploads.clear()
        return self._store.service.put("/f", b"", self._besides)

    monkeypatch.setattr("tests.remote.dict_store.DictUpload.send", send)
    monkeypatch.setattr("tests.remote.dict_store.DictUpload.finish", finish)
    piece, local = bytes(1 << 20), tmp_path / "local"
    local.touch()
    os.truncate(local, size)
    tracemalloc.start()
    try:
        if way == "open":
            with fs.open("/f", "wb") as file:
                for _ in range(size >> 20):
                    file.write(piece)
        else:
            fs.put_file(str(local), "/f")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept == size
    assert most < 6 << 20


def test_a_failed_block_aborts(fs: DictFileSystem):
    with failing(fs.open("/f", "wb")) as file:
        file.write(LARGE * 20)
        assert fs.service.uploads
    assert file.closed
    assert fs.find("/") == []
    assert is_clean(fs.service)


def test_a_task_that_is_cancelled_aborts(name: str):
    async def cancel() -> None:
        fs = DictFileSystem(name, asynchronous=True, skip_instance_cache=True)
        fs.service.latency = 0.03
        task = asyncio.ensure_future(fs._pipe_file("/f", LARGE))
        while not fs.service.uploads:  # noqa: ASYNC110 - the service tells nobody that one has begun
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert is_clean(fs.service)
        assert await fs._find("/") == []

    asyncio.run(cancel())


def test_a_file_is_written_by_coroutines(name: str):
    async def write() -> None:
        fs = DictFileSystem(name, asynchronous=True, skip_instance_cache=True)
        async with await fs.open_async("/f", "wb") as file:
            assert await file.write(LARGE) == len(LARGE)
            assert file.tell() == len(LARGE)
        assert file.etag == (await fs._info("/f"))["etag"]
        with pytest.raises(io.UnsupportedOperation):
            await file.write(b"more")
        async with await fs.open_async("/f", "rb") as reading:
            assert await reading.read(10) == LARGE[:10]
            assert reading.seek(-5, 2) == len(LARGE) - 5 == reading.tell()
            assert await reading.read() == LARGE[-5:]
            assert await reading.read() == b""
        with pytest.raises(FileExistsError):
            await fs.open_async("/f", "xb")
        broken = await fs.open_async("/g", "wb", if_none_match="*")
        await broken.write(LARGE)
        await broken.__aexit__(RuntimeError, RuntimeError("by the way"), None)
        with pytest.raises(ValueError, match="open_async knows"):
            await fs.open_async("/f", "r+b")
        assert await fs._find("/") == ["/f"]
        assert is_clean(fs.service)

    asyncio.run(write())


class Told(Callback):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []

    def relative_update(self, inc: int = 1) -> None:
        self.steps.append(inc)
        super().relative_update(inc)


def test_progress_is_told(fs: DictFileSystem, tmp_path: Path):
    (tmp_path / "f").write_bytes(LARGE)
    up, down = Told(), Told()
    fs.put_file(str(tmp_path / "f"), "/f", callback=up)
    fs.get_file("/f", str(tmp_path / "g"), callback=down)
    for told in (up, down):
        assert (told.size, told.value, sum(told.steps)) == (len(LARGE),) * 3
        assert len(told.steps) > 5


def test_what_is_appended_at_once_is_all_there(fs: DictFileSystem):
    with fs.open("/f", "ab") as one, fs.open("/f", "ab") as other:
        one.write(b"one ")
        other.write(LARGE)
    assert fs.cat_file("/f") == LARGE + b"one "


@pytest.mark.parametrize("mode", ["r+b", "w+b", "a+b"])
def test_large_files_are_edited_here_and_sent_whole(fs: DictFileSystem, mode: str):
    large = LARGE * 8
    fs.pipe_file("/f", large)
    with fs.open("/f", mode) as file:
        file.write(b"new")
        assert file.readable()
        assert fs.cat_file("/f") == large
    expected = {"r+b": b"new" + large[3:], "w+b": b"new", "a+b": large + b"new"}
    assert fs.cat_file("/f") == expected[mode]
    assert is_clean(fs.service)


@pytest.mark.parametrize("mode", ["r+b", "a+b"])
def test_a_file_that_cannot_be_read_is_not_opened_for_editing(fs: DictFileSystem, mode: str):
    fs.pipe_file("/f", b"content")
    fs.service.failures["stream"] = [os_error(errno.EIO, "/f")]
    with fails_with(errno.EIO, "/f"):
        fs.open("/f", mode)
    gc.collect()
    assert fs.cat_file("/f") == b"content"


def test_an_addition_to_a_file_that_is_replaced_meanwhile_is_made_to_the_new_one(fs: DictFileSystem):
    fs.pipe_file("/f", b"old ")
    fs.service.failures["stream"] = [os_error(errno.ESTALE, "/f")]
    with fs.open("/f", "ab") as file:
        file.write(b"added")
    assert fs.cat_file("/f") == b"old added"


def test_the_modes_with_a_plus(fs: DictFileSystem):
    fs.pipe_file("/f", b"0123456789")
    with fs.open("/f", "r+b") as file:
        assert file.read(2) == b"01"
        file.write(b"XX")
        file.seek(-1, 2)
        file.write(b"YZ")
        assert file.truncate(13) == 13
        assert file.tell() == 11
    assert fs.cat_file("/f") == b"01XX45678YZ\0\0"
    with failing(fs.open("/f", "r+b")) as file:
        file.write(b"lost")
    with fails_with(errno.ENOENT, "/missing"):
        fs.open("/missing", "r+b")
    with fails_with(errno.EEXIST, "/f"):
        fs.open("/f", "x+b")
    assert fs.cat_file("/f") == b"01XX45678YZ\0\0"


def test_a_transaction_publishes_at_its_end_or_never(fs: DictFileSystem):
    with fs.transaction:
        fs.pipe_file("/small", b"1")
        fs.pipe({"/d/a": b"2", "/large": LARGE})
        assert fs.find("/") == []
    assert fs.find("/") == ["/d/a", "/large", "/small"]
    etag = fs.info("/small")["etag"]
    with pytest.raises(PreconditionFailed), fs.transaction:
        fs.pipe({"/large2": LARGE, "/small": b"2"}, if_match={"/large2": None, "/small": etag + "0"})
    with failing(fs.transaction):
        fs.pipe_file("/large2", LARGE)
        with fs.open("/a", "ab") as file:
            file.write(b"lost")
    assert fs.find("/") == ["/d/a", "/large", "/small"]
    assert is_clean(fs.service)
    fs.pipe_file("/after", b"")
    assert fs.exists("/after")
