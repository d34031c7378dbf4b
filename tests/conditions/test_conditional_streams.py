"""Conditions of streams and of coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.wrappers.streaming import StreamFileSystem
from chuk_fsspec.wrappers.streaming.chunks import DEFAULT_CHUNK


@pytest.fixture(params=["chukmem", "chuklocal", "chuksqlite"])
def below(
    request: pytest.FixtureRequest, chukmem: MemoryFileSystem, database: str, tmp_path: Path
) -> AbstractFileSystem:
    """What the streams go to."""
    if request.param == "chuklocal":
        return LocalFileSystem(root=str(tmp_path / "root"), create=True)
    return chukmem if request.param == "chukmem" else SqliteFileSystem(database=database)


@pytest.fixture
def fs(below: AbstractFileSystem) -> StreamFileSystem:
    return StreamFileSystem(below)


@pytest.fixture(params=["at once", "as a coroutine"])
def write(request: pytest.FixtureRequest, fs: StreamFileSystem) -> Callable[..., Any]:
    """``stream_write``, or its asynchronous twin."""
    if request.param == "at once":
        return fs.stream_write

    async def awrite(*arguments: Any, **options: Any) -> Any:
        return await fs.astream_write(*arguments, **options)

    return lambda *arguments, **options: asyncio.run(awrite(*arguments, **options))


def test_a_chain_of_versions(fs: StreamFileSystem, write: Callable[..., Any]) -> None:
    first = write("/d/f", [b"1" * 100_000], if_none_match="*")
    second = write("/d/f", [b"2" * 100_000] * 60, if_match=first.etag)
    assert second.etag == fs.info("/d/f")["etag"] != first.etag
    with pytest.raises(PreconditionFailed):
        write("/d/f", [b"late"], if_match=first.etag)
    with pytest.raises(FileExistsError):
        write("/d/f", [b"late"], if_none_match="*")
    assert fs.size("/d/f") == 6_000_000


def test_a_file_that_changes_while_it_is_streamed(
    fs: StreamFileSystem, below: AbstractFileSystem, write: Callable[..., Any]
) -> None:
    etag = fs.pipe_file("/f", b"old")

    def chunks() -> Iterator[bytes]:
        yield b"mine"
        below.pipe_file("/f", b"theirs")
        yield b"mine"

    with pytest.raises(PreconditionFailed) as caught:
        write("/f", chunks(), if_match=etag)
    assert caught.value.path == "/f"
    assert {path: below.cat_file(path) for path in below.find("/")} == {"/f": b"theirs"}


def test_what_cannot_be_published_is_not_read(fs: StreamFileSystem, write: Callable[..., Any]) -> None:
    chunks = iter([b"all of it"])
    with pytest.raises(PreconditionFailed):
        write("/f", chunks, if_match="*")
    assert list(chunks) == [b"all of it"]


def test_an_upload_that_is_resumed(fs: StreamFileSystem, below: AbstractFileSystem) -> None:
    etag = fs.pipe_file("/f", b"old")
    upload = fs.start_upload("/f")

    def stops() -> Iterator[bytes]:
        yield bytes(DEFAULT_CHUNK)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        fs.stream_write("/f", stops(), resume=upload, if_match=etag)
    result = fs.stream_write("/f", [b"!"], resume=upload, if_match=etag)
    assert below.cat_file("/f") == bytes(DEFAULT_CHUNK) + b"!"
    assert result.etag == below.info("/f")["etag"]
    another = fs.start_upload("/f")
    with pytest.raises(PreconditionFailed):
        fs.stream_write("/f", [b"late"], resume=another, if_match=etag)

    def changes() -> Iterator[bytes]:
        yield b"late"
        below.pipe_file("/f", b"theirs")

    with pytest.raises(PreconditionFailed):
        fs.stream_write("/f", changes(), resume=another, if_match=result.etag)
    assert below.cat_file("/f") == b"theirs"
    assert fs.upload_status("/f", another) == 4
    fs.abort_upload("/f", another)
    assert below.find("/") == ["/f"]


def test_coroutines_of_chuksqlite(database: str) -> None:
    async def count(fs: SqliteFileSystem) -> None:
        for _ in range(10):
            while True:
                etag = (await fs._info("/counter"))["etag"]
                value = b"%d" % (int(await fs._cat_file("/counter")) + 1)
                try:
                    await fs._pipe_file("/counter", value, if_match=etag)
                    break
                except PreconditionFailed:
                    continue

    async def work() -> None:
        fs = SqliteFileSystem(database=database)
        made = await asyncio.gather(
            *[fs._pipe_file("/counter", b"0", if_none_match="*") for _ in range(5)], return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in made) == ["AlreadyThere"] * 4 + ["str"]
        await asyncio.gather(*[count(fs) for _ in range(6)])
        assert await fs._cat_file("/counter") == b"60"
        etag = (await fs._info("/counter"))["etag"]
        removed = await asyncio.gather(
            *[fs._rm_file("/counter", if_match=etag) for _ in range(5)], return_exceptions=True
        )
        assert removed.count(None) == 1
        assert sum(isinstance(one, PreconditionFailed) for one in removed) == 4

    asyncio.run(work())
