"""The asynchronous facade: the same methods, any number of them at once, and a loop that goes on."""

from __future__ import annotations

import asyncio
import inspect
import threading
import typing
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec import (
    AsyncSnapshotManager,
    AsyncTemplateLoader,
    AsyncVirtualFileSystem,
    MemoryFileSystem,
    PreconditionFailed,
    SnapshotManager,
    TemplateLoader,
    VirtualFileSystem,
)
from tests.facade.facade_kinds import KINDS, arguments
from tests.sqlite.sqlite_async import held, in_loop, names_in, statements
from tests.wrappers.async_fs import AsyncObjectFileSystem

TASKS = 20

AT_ONCE = {
    *("pwd", "resolve_path", "split_path", "list_mounts", "get_provider_name", "get_security_violations"),
    *("fs", "provider", "stream_read", "sync"),
}
"""What is not awaited."""
ONLY_SYNC = {"calls", "streams"}
"""Steps that the asynchronous facade makes use of."""


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def open_facade(kind: str, tmp_path: Path) -> AsyncVirtualFileSystem:
    provider, options = arguments(kind, tmp_path)
    return AsyncVirtualFileSystem(provider, **options)


# ---- two faces of one thing


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (VirtualFileSystem, AsyncVirtualFileSystem),
        (TemplateLoader, AsyncTemplateLoader),
        (SnapshotManager, AsyncSnapshotManager),
    ],
)
def test_both_have_the_same_methods(one: type, other: type) -> None:
    assert public(one) - ONLY_SYNC == public(other) - {"initialize"}
    for name in public(one) & public(other):
        sync, bridged = inspect.getattr_static(one, name), inspect.getattr_static(other, name)
        assert sync.__doc__ == bridged.__doc__, name
        if callable(sync):
            assert inspect.signature(sync).parameters == inspect.signature(bridged).parameters, name
            assert inspect.iscoroutinefunction(bridged) == (name not in AT_ONCE), name
            if name != "stream_read":
                assert typing.get_type_hints(sync)["return"] == typing.get_type_hints(bridged)["return"], name


def test_both_are_made_alike() -> None:
    assert inspect.signature(VirtualFileSystem) == inspect.signature(AsyncVirtualFileSystem)


# ---- on every place


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with open_facade(kind, tmp_path) as fs:
            await fs.initialize()
            await fs.write_file("/d/f", "text")
            await fs.cd("/d")
            assert fs.pwd() == "/d"
            assert await fs.read_file("f") == "text"
            assert await fs.batch_read_files(["f"]) == {"f": b"text"}
            assert await fs.find() == ["/d/f"]
            assert await fs.search(".", "ex") == [("/d/f", 1, "text")]
            with pytest.raises(FileNotFoundError):
                await fs.read_file("missing")
            info = await fs.get_node_info("f", sha256=True)
            assert info is not None
            assert info.size == await fs.get_size("f") == 4
            assert (await fs.get_fs_info())["cwd"] == "/d"
            assert repr(fs).startswith("AsyncVirtualFileSystem(")
        with pytest.raises(ValueError, match="closed"):
            await fs.ls("/")

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_many_write_to_one_new_path(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with open_facade(kind, tmp_path) as fs:
            contents = [f"{number} " * 1000 for number in range(TASKS)]
            await asyncio.gather(*[fs.write_file("/new/f", content) for content in contents])
            assert await fs.read_file("/new/f") in contents
            assert await fs.ls("/new") == ["f"]

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_many_streams_to_one_new_path(kind: str, tmp_path: Path) -> None:
    async def chunks(number: int) -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes([number]) * 5000
            await asyncio.sleep(0)

    async def main() -> None:
        async with open_facade(kind, tmp_path) as fs:
            results = await asyncio.gather(*[fs.stream_write("/new/f", chunks(number)) for number in range(8)])
            assert {one.bytes for one in results} == {25_000}
            received = b"".join([piece async for piece in fs.stream_read("/new/f")])
            assert received in [bytes([number]) * 25_000 for number in range(8)]
            assert await fs.ls("/new") == ["f"]

    asyncio.run(main())


def test_threads_share_one_facade(tmp_path: Path) -> None:
    """Eight threads write 25 files each, with the sync facade."""
    for kind in ("memory", "sqlite", "filesystem", "mounted and secured"):
        provider, options = arguments(kind, tmp_path)
        with VirtualFileSystem(provider, **options) as fs:
            errors: list[BaseException] = []

            def write(thread: int, fs: VirtualFileSystem = fs, errors: list[BaseException] = errors) -> None:
                try:
                    for number in range(25):
                        fs.write_file(f"/d/{thread}-{number}", "x")
                except BaseException as error:  # noqa: BLE001 - told below
                    errors.append(error)

            threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
            for one in threads:
                one.start()
            for one in threads:
                one.join()
            assert errors == []
            assert len(fs.ls("/d")) == 200


# ---- how calls are made


@in_loop
async def test_calls_that_wait_together_share_a_commit(database: str) -> None:
    async with AsyncVirtualFileSystem("sqlite", db_path=database) as fs:
        await fs.mkdir("/d")
        with statements(fs.fs) as told:
            async with held(fs.fs):
                writing = [asyncio.ensure_future(fs.write_file(f"/d/{number}", "x")) for number in range(100)]
                await asyncio.sleep(0)
            await asyncio.gather(*writing)
        assert 1 <= sum(one.startswith("COMMIT") for one in told) < 20
        assert {str(number) for number in range(100)} <= names_in(database)


@in_loop
async def test_one_that_fails_leaves_the_others_of_its_commit(database: str) -> None:
    async with AsyncVirtualFileSystem("sqlite", db_path=database) as fs:
        await fs.write_file("/d/f", "x")
        calls = [fs.write_file("/1", "a"), fs.write_file("/d", "b"), fs.mv("/d", "/d/in"), fs.write_file("/2", "c")]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in done] == [str, IsADirectoryError, OSError, str]
        assert await fs.find() == ["/1", "/2", "/d", "/d/f"]


@in_loop
async def test_memory_needs_no_thread() -> None:
    async with AsyncVirtualFileSystem() as fs:
        before = threading.active_count()
        await fs.write_file("/d/f", "x")
        assert await fs.read_file("/d/f") == "x"
        assert threading.active_count() == before


@in_loop
async def test_the_loop_goes_on_while_a_service_is_slow() -> None:
    slow = AsyncObjectFileSystem(name="slow facade")
    slow.service.latency = 0.3
    async with AsyncVirtualFileSystem(slow) as fs:
        assert await ticks_during(fs.write_file("/f", "x")) > 10
        assert await ticks_during(fs.read_file("/f")) > 10


@in_loop
async def test_a_slow_service_is_asked_many_things_at_once() -> None:
    slow = AsyncObjectFileSystem(name="slow facade, many calls")
    async with AsyncVirtualFileSystem(slow) as fs:
        paths = [f"/{number}" for number in range(TASKS)]
        await fs.batch_write_files(dict.fromkeys(paths, "x"))
        slow.service.latency, slow.service.most_running = 0.5, 0
        assert await asyncio.gather(*[fs.read_file(path) for path in paths]) == ["x"] * TASKS
        assert slow.service.most_running > TASKS // 2


async def ticks_during(call: Coroutine[Any, Any, Any]) -> int:
    """How often another task had its turn during a call."""
    task, ticks = asyncio.ensure_future(call), 0
    while not task.done():
        await asyncio.sleep(0)
        ticks += 1
    await task
    return ticks


@in_loop
async def test_a_search_leaves_the_loop_alone() -> None:
    async with AsyncVirtualFileSystem() as fs:
        await fs.batch_write_files({f"/{number}": "line\n" * 20_000 for number in range(20)})
        assert await ticks_during(fs.search("/", "nothing")) > 10


@in_loop
async def test_a_call_that_is_cancelled_is_not_half_done(tmp_path: Path) -> None:
    async with AsyncVirtualFileSystem("filesystem", root_path=tmp_path / "root") as fs:
        task = asyncio.ensure_future(fs.write_file("/f", "x" * 1_000_000))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        found = await fs.get_node_info("/f")
        assert found is None or found.size == 1_000_000


@pytest.mark.parametrize("kind", ["memory", "sqlite", "filesystem", "mounted and secured"])
def test_no_update_is_lost(kind: str, tmp_path: Path) -> None:
    """Tasks count in one file: each reads, and writes if nobody else has written since."""

    async def count(fs: AsyncVirtualFileSystem) -> None:
        while True:
            info = await fs.get_node_info("/count")
            number = int(await fs.read_text("/count"))
            assert info is not None
            try:
                await fs.write_file("/count", str(number + 1), if_match=info.etag)
            except PreconditionFailed:
                continue
            return

    async def main() -> None:
        async with open_facade(kind, tmp_path) as fs:
            await fs.write_file("/count", "0")
            await asyncio.gather(*[count(fs) for _ in range(TASKS)])
            assert await fs.read_text("/count") == str(TASKS)

    asyncio.run(main())


# ---- streams


@in_loop
async def test_progress_is_told_of_each_chunk() -> None:
    async def lines() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 999 + b"\n"

    async with AsyncVirtualFileSystem() as fs:
        told: list[tuple[int, int]] = []

        async def progress(done: int, total: int) -> None:
            await asyncio.sleep(0)
            told.append((done, total))

        await fs.stream_write("/f", lines(), progress_callback=progress, total=30_000, author="Ada")
        assert told == [(1000 * number, 30_000) for number in range(1, 31)]
        assert (await fs.get_metadata("/f"))["custom_meta"] == {"author": "Ada"}
        told.clear()
        await fs.stream_write("/f", [b"ab", b"c"], progress_callback=lambda *one: told.append(one))
        assert told == [(2, 3), (3, 3)]
        told.clear()
        await fs.stream_write("/f", b"x" * 20_000, progress_callback=lambda *one: told.append(one))
        assert told[-1] == (20_000, 20_000)


def test_a_sync_stream_takes_nothing_asynchronous() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    async def progress(done: int, total: int) -> None:
        raise AssertionError

    fs = VirtualFileSystem()
    with pytest.raises(TypeError, match="asynchronous"):
        fs.stream_write("/f", chunks())
    with pytest.raises(TypeError, match="asynchronous"):
        fs.stream_write("/f", chunks(), progress_callback=lambda *one: None)
    with pytest.raises(TypeError, match="asynchronous"):
        fs.stream_write("/f", [b"x"], progress_callback=progress)
    assert fs.ls() == []


# ---- what else has a twin


@in_loop
async def test_templates(tmp_path: Path) -> None:
    async with AsyncVirtualFileSystem() as fs:
        loader = AsyncTemplateLoader(fs)
        await fs.mkdir("/work")
        await fs.cd("/work")
        template = {"files": [{"path": "${name}/README", "content": "# ${name}"}]}
        await loader.apply_template(template, ".", {"name": "app"})
        assert await fs.read_file("/work/app/README") == "# app"
        assert await loader.quick_load({"a": "1", "b": b"\0"}, "/quick") == 2
        (tmp_path / "x.bin").write_bytes(bytes(range(256)))
        assert await loader.preload_directory(str(tmp_path), "/loaded") == 1
        assert await fs.read_binary("/loaded/x.bin") == bytes(range(256))


@in_loop
async def test_mounts() -> None:
    async with AsyncVirtualFileSystem(enable_mounts=True) as fs, AsyncVirtualFileSystem() as other:
        await other.write_file("/f", "theirs")
        await fs.mount("/other", other, read_only=True)
        assert await fs.read_file("/other/f") == "theirs"
        assert [one["mount_point"] for one in fs.list_mounts()] == ["/other"]
        with pytest.raises(OSError, match="Read-only"):
            await fs.write_file("/other/f", "mine")
        await fs.unmount("/other")
        assert not await fs.exists("/other/f")


def test_memory_of_a_facade_ends_with_it() -> None:
    fs = VirtualFileSystem()
    name = fs.fs.name
    fs.write_file("/f", "x")
    assert MemoryFileSystem(name=name, skip_instance_cache=True).cat_file("/f") == b"x"
    fs.close()
    assert MemoryFileSystem(name=name, skip_instance_cache=True).find("/") == []
