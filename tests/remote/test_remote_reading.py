"""Reading files that others replace meanwhile: one version, or an error; and what comes to this machine."""

from __future__ import annotations

import asyncio
import errno
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.remote.store import Attributes, Entry
from chuk_fsspec.testing.checks import fails_with
from tests.remote.dict_store import PART, DictFileSystem, DictStore

DATA = random.Random(8).randbytes(5 * PART + 17)
BLOCK = PART


@pytest.fixture(params=["bare", "bucket"])
def fs(name: str, request: pytest.FixtureRequest) -> DictFileSystem:
    fs = DictFileSystem(name, request.param, block_size=BLOCK)
    fs.pipe_file("/f", DATA)
    return fs


def pieces(file: Any, size: int) -> Iterator[bytes]:
    """A file from its place on, in pieces."""
    while piece := file.read(size):
        yield piece


def test_in_order_in_pieces_of_any_size(fs: DictFileSystem):
    for size in (1000, BLOCK, 3 * BLOCK, 10 * BLOCK):
        with fs.open("/f", "rb") as file:
            assert b"".join(pieces(file, size)) == DATA


def test_here_and_there(fs: DictFileSystem):
    places = random.Random(9)
    with fs.open("/f", "rb") as file:
        for _ in range(300):
            start, size = places.randrange(len(DATA) + 10), places.choice([0, 1, 100, 5000, 2 * BLOCK])
            file.seek(start)
            assert file.read(size) == DATA[start : start + size]


@settings(deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 3000), st.integers(-1, 1500)), max_size=15),
    size=st.integers(0, 2500),
    block=st.integers(1, 3000),
)
def test_any_reads_give_what_is_there(steps: list[tuple[int, int]], size: int, block: int):
    fs = DictFileSystem("windows")
    data = DATA[:size]
    fs.pipe_file("/f", data)
    with fs.open("/f", "rb", block_size=block) as file:
        for start, count in steps:
            if start < 2800:
                file.seek(start)
            place = file.tell()
            expected = data[place:] if count < 0 else data[place : place + count]
            assert file.read(count) == expected


def test_what_comes_next_is_fetched_before_it_is_asked_for(fs: DictFileSystem):
    fs.service.latency = 0.001
    fs.service.most_running = 0
    with fs.open("/f", "rb") as file:
        file.read(10)
        file.read(BLOCK)
        fs.service.requests.clear()
        file.read(BLOCK)
        assert fs.service.requests["read"] <= 2
    assert fs.service.running == 0


def test_a_file_that_is_replaced_while_it_is_read_is_an_error(fs: DictFileSystem):
    with fs.open("/f", "rb") as file:
        assert file.read(100) == DATA[:100]
        fs.pipe_file("/f", DATA[::-1])
        with fails_with(errno.ESTALE, "/f"):
            while file.read(BLOCK):
                pass


def test_a_file_that_was_replaced_before_it_is_read_is_the_new_one(fs: DictFileSystem):
    with fs.open("/f", "rb") as file:
        fs.pipe_file("/f", b"another")
        assert file.read() == b"another"
        assert file.size == 7


@pytest.mark.parametrize("size", [10, 5 * BLOCK])
def test_a_file_that_is_replaced_all_the_time_is_read_from_one_version(
    fs: DictFileSystem, monkeypatch: pytest.MonkeyPatch, size: int
):
    """It is another one whenever somebody has looked what it is, until a version is in hand."""
    if not fs.capabilities.versioned_reads:
        pytest.skip("what is replaced all the time is ESTALE without versions")
    look = DictStore.look

    async def look_and_replace(self: DictStore, path: str) -> Entry | None:
        found = await look(self, path)
        number = self.service.requests["look"]
        self.service.put("/f", bytes([number]) * (size + number), Attributes())
        return found

    monkeypatch.setattr(DictStore, "look", look_and_replace)
    with fs.open("/f", "rb") as file:
        data = file.read()
    assert len(set(data)) == 1
    assert len(data) == size + data[0] == file.size


def test_a_small_file_is_read_on_when_it_is_gone(fs: DictFileSystem):
    fs.pipe_file("/small", b"content")
    with fs.open("/small", "rb") as file:
        assert file.read(3) == b"con"
        fs.pipe_file("/small", b"another")
        fs.rm_file("/small")
        assert file.read() == b"tent"


def test_a_truncated_reply_is_an_error(fs: DictFileSystem, monkeypatch: pytest.MonkeyPatch):
    read = fs._stores._make().__class__.read

    async def shorter(self, path: str, start: int, stop: int | None, etag: str = "") -> bytes:
        return (await read(self, path, start, stop, etag))[:-1]

    monkeypatch.setattr("tests.remote.dict_store.DictStore.read", shorter)
    with fs.open("/f", "rb") as file, fails_with(errno.EIO, "/f"):
        file.read()


def test_the_end_of_a_file_that_shrinks_at_the_same_time(fs: DictFileSystem):
    fs.service.failures["read"] = [os_error(errno.ESTALE, "/f")]
    assert fs.cat_file("/f", -5) == DATA[-5:]


def test_an_error_on_the_way_leaves_the_local_file_alone(fs: DictFileSystem, tmp_path: Path):
    local = tmp_path / "local"
    local.write_bytes(b"mine")
    fs.service.failures["stream"] = [os_error(errno.EIO, "/f")]
    with fails_with(errno.EIO, "/f"):
        fs.get_file("/f", str(local))
    with fails_with(errno.ENOENT, "/missing"):
        fs.get_file("/missing", str(local))
    assert [path.name for path in tmp_path.iterdir()] == ["local"]
    assert local.read_bytes() == b"mine"


def test_a_stream_that_breaks_leaves_nothing(fs: DictFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def broken(self, path: str):
        yield DATA[:PART]
        yield b"x" * (2 << 20)
        raise os_error(errno.ECONNRESET, path)

    monkeypatch.setattr("tests.remote.dict_store.DictStore.stream", broken)
    with fails_with(errno.ECONNRESET):
        fs.get("/f", str(tmp_path / "f"))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told(fs: DictFileSystem):
    with pytest.raises(OSError) as caught:
        fs.get_file("/f", "/dev/full")
    assert caught.value.errno == errno.ENOSPC


def test_a_download_keeps_the_mode_of_what_it_replaces_and_follows_links(fs: DictFileSystem, tmp_path: Path):
    local, link = tmp_path / "local", tmp_path / "link"
    local.write_bytes(b"old")
    local.chmod(0o640)
    link.symlink_to("local")
    fs.get_file("/f", link)
    assert link.is_symlink()
    assert local.read_bytes() == DATA
    assert local.stat().st_mode & 0o777 == 0o640


def test_a_download_that_is_cancelled_leaves_nothing(name: str, tmp_path: Path):
    async def cancel() -> None:
        fs = DictFileSystem(name, asynchronous=True, skip_instance_cache=True)
        await fs._pipe_file("/f", DATA)
        fs.service.latency = 5
        task = asyncio.ensure_future(fs._get_file("/f", str(tmp_path / "f")))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert list(tmp_path.iterdir()) == []
