"""Streams of coroutines: the same promises, from a running event loop, also when the task is cancelled."""

from __future__ import annotations

import asyncio
import contextvars
import io
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec.callbacks import Callback

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.wrappers.streaming import StreamFileSystem, aio
from tests.streaming.stream_kinds import (
    CHUNK,
    KINDS,
    ProducerError,
    failing_after,
    in_coroutine,
    names,
    open_kind,
    sha256,
)

DATA = os.urandom(40 * CHUNK + 7)


@pytest.fixture(params=list(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[StreamFileSystem, Any, str]:
    fs, inner, root = open_kind(request.param, tmp_path)
    inner.makedirs(root, exist_ok=True)
    return fs, inner, root


def pieces(size: int = 10_000) -> Iterator[bytes]:
    return (DATA[at : at + size] for at in range(0, len(DATA), size))


def leftovers(inner: Any, root: str) -> list[str]:
    uploads = getattr(getattr(inner, "service", None), "uploads", ())
    return [name for name in names(inner, root) if name != "f"] + list(uploads)


@pytest.mark.parametrize("source", [pieces, lambda: in_coroutine(pieces()), lambda: io.BytesIO(DATA), lambda: DATA])
def test_any_source_comes_back(place: tuple[StreamFileSystem, Any, str], source: Callable[[], Any]) -> None:
    fs, inner, root = place

    async def main() -> None:
        result = await fs.astream_write(f"{root}/f", source(), checksum="sha256")
        assert (result.path, result.bytes, result.checksum) == (f"{root}/f", len(DATA), sha256(DATA))
        stream = fs.astream_read(f"{root}/f", chunk_size=10_000, checksum="sha256", expected=sha256(DATA))
        read = [piece async for piece in stream]
        assert b"".join(read) == DATA
        assert {len(piece) for piece in read[:-1]} == {10_000}
        assert (stream.size, stream.checksum) == (len(DATA), sha256(DATA))

    asyncio.run(main())
    assert inner.cat_file(f"{root}/f") == DATA
    assert leftovers(inner, root) == []


def test_files_whose_read_is_awaited(chukmem: MemoryFileSystem) -> None:
    class AsyncFile:
        """As those of aiofiles, and as asyncio's StreamReader, which is iterated by lines."""

        def __init__(self) -> None:
            self.file = io.BytesIO(DATA)
            self.asked: set[int] = set()

        async def read(self, size: int) -> bytes:
            self.asked.add(size)
            return self.file.read(size)

        def __aiter__(self) -> AsyncIterator[bytes]:
            raise AssertionError("a line may be of any length")

    file = AsyncFile()
    asyncio.run(StreamFileSystem(chukmem).astream_write("/f", file, chunk_size=1000))
    assert chukmem.cat_file("/f") == DATA
    assert file.asked == {1000}


def test_an_empty_stream_and_an_empty_file(place: tuple[StreamFileSystem, Any, str]) -> None:
    fs, inner, root = place
    seen: list[tuple[int, int]] = []

    async def main() -> None:
        result = await fs.astream_write(f"{root}/f", in_coroutine([]), progress_callback=lambda *t: seen.append(t))
        assert result.bytes == 0
        stream = fs.astream_read(f"{root}/f", progress_callback=lambda *t: seen.append(t))
        assert [piece async for piece in stream] == []

    asyncio.run(main())
    assert inner.cat_file(f"{root}/f") == b""
    assert seen == [(0, -1), (0, 0)]


@pytest.mark.parametrize("source", [pieces, lambda: in_coroutine(pieces())])
def test_progress_is_told_in_order_and_in_the_loop(chukmem: MemoryFileSystem, source: Callable[[], Any]) -> None:
    fs = StreamFileSystem(chukmem)
    seen: list[tuple[int, int]] = []
    threads = set()

    async def awaited(done: int, total: int) -> None:
        await asyncio.sleep(0)
        threads.add(threading.get_ident())
        seen.append((done, total))

    def plain(done: int, total: int) -> None:
        threads.add(threading.get_ident())
        seen.append((done, total))

    async def main() -> None:
        for listener in (awaited, plain):
            seen.clear()
            await fs.astream_write("/f", source(), progress_callback=listener, total=len(DATA))
            assert seen == [(min(CHUNK * step, len(DATA)), len(DATA)) for step in range(1, 42)]
            seen.clear()
            async for _ in fs.astream_read("/f", progress_callback=listener):
                pass
            assert seen == [(min(CHUNK * step, len(DATA)), len(DATA)) for step in range(1, 42)]
        callback = Callback()
        await fs.astream_write("/f", source(), progress_callback=callback)
        assert callback.value == len(DATA)

    asyncio.run(main())
    assert threads == {threading.get_ident()}


def test_many_streams_at_once(place: tuple[StreamFileSystem, Any, str]) -> None:
    fs, _, root = place

    async def main() -> None:
        writes = [fs.astream_write(f"{root}/{n}", in_coroutine([bytes([n]) * CHUNK] * 5)) for n in range(8)]
        await asyncio.gather(*writes)

        async def whole(number: int) -> bytes:
            return b"".join([piece async for piece in fs.astream_read(f"{root}/{number}")])

        assert await asyncio.gather(*map(whole, range(8))) == [bytes([n]) * CHUNK * 5 for n in range(8)]

    asyncio.run(main())


def test_the_loop_goes_on_while_the_filesystem_is_slow(tmp_path: Path) -> None:
    fs, inner, root = open_kind("objects", tmp_path)
    inner.service.latency = 0.02

    async def main() -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        ticking = asyncio.create_task(tick())
        await fs.astream_write(f"{root}/f", pieces())
        assert ticks > 100
        ticking.cancel()

    asyncio.run(main())


def test_the_sync_methods_work_inside_a_running_loop(place: tuple[StreamFileSystem, Any, str]) -> None:
    fs, _, root = place

    async def main() -> None:
        fs.stream_write(f"{root}/f", pieces())
        assert b"".join(fs.stream_read(f"{root}/f")) == DATA

    asyncio.run(main())


def test_context_variables_reach_the_producer(chukmem: MemoryFileSystem) -> None:
    actor: contextvars.ContextVar[bytes] = contextvars.ContextVar("actor")

    async def main() -> None:
        actor.set(b"agent 7")
        await StreamFileSystem(chukmem).astream_write("/f", (actor.get() for _ in range(2)))

    asyncio.run(main())
    assert chukmem.cat_file("/f") == b"agent 7" * 2


# ---- memory


def test_a_slow_filesystem_holds_a_fast_producer_back(
    chukmem: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any time no more than two batches are on their way."""
    given = written = most = 0
    fs = StreamFileSystem(chukmem)
    original = aio._Pipe._write

    async def slowly(pipe: Any, batch: Any) -> None:
        nonlocal written, most
        await asyncio.sleep(0.001)
        await original(pipe, batch)
        written += sum(map(len, batch))

    monkeypatch.setattr(aio._Pipe, "_write", slowly)

    async def producer() -> AsyncIterator[bytes]:
        nonlocal given, most
        for _ in range(400):
            given += 50_000
            most = max(most, given - written)
            yield bytes(50_000)

    asyncio.run(fs.astream_write("/f", producer()))
    assert written == given == 20_000_000
    assert most <= 2 * aio.BATCH_BYTES + 2 * CHUNK


@pytest.mark.parametrize("chunk_size", [1, 1000])
def test_small_pieces_are_few_at_a_time(chukmem: MemoryFileSystem, chunk_size: int) -> None:
    data = os.urandom(5000)
    fs = StreamFileSystem(chukmem)

    async def main() -> None:
        await fs.astream_write("/f", in_coroutine([data]), chunk_size=chunk_size)
        await fs.astream_write("/g", data, chunk_size=chunk_size)
        assert b"".join([piece async for piece in fs.astream_read("/f", chunk_size=chunk_size)]) == data

    asyncio.run(main())
    assert chukmem.cat_file("/f") == chukmem.cat_file("/g") == data


# ---- what an error leaves


async def fail_in_producer(fs: StreamFileSystem, path: str, asynchronous: bool, after: int) -> None:
    source = failing_after(after)
    with pytest.raises(ProducerError):
        await fs.astream_write(path, in_coroutine(source) if asynchronous else source)


async def fail_in_callback(fs: StreamFileSystem, path: str, asynchronous: bool, after: int) -> None:
    async def callback(done: int, total: int) -> None:
        if done >= after * CHUNK:
            raise ProducerError

    source = [bytes(CHUNK)] * (after + 1)
    with pytest.raises(ProducerError):
        await fs.astream_write(path, in_coroutine(source) if asynchronous else source, progress_callback=callback)


async def fail_by_type(fs: StreamFileSystem, path: str, asynchronous: bool, after: int) -> None:
    source = [*[bytes(CHUNK)] * after, "text"]
    with pytest.raises(TypeError, match="encode"):
        await fs.astream_write(path, in_coroutine(source) if asynchronous else iter(source))


async def fail_by_checksum(fs: StreamFileSystem, path: str, asynchronous: bool, after: int) -> None:
    source = [bytes(CHUNK)] * after
    with pytest.raises(OSError, match="expected"):
        await fs.astream_write(
            path, in_coroutine(source) if asynchronous else source, checksum="md5", expected="0" * 32
        )


async def fail_by_cancelling(fs: StreamFileSystem, path: str, asynchronous: bool, after: int) -> None:
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()
    stop = threading.Event()

    async def waiting() -> AsyncIterator[bytes]:
        for _ in range(after):
            yield bytes(CHUNK)
        reached.set()
        await asyncio.sleep(60)

    def blocking() -> Iterator[bytes]:
        yield from [bytes(CHUNK)] * after
        loop.call_soon_threadsafe(reached.set)
        while not stop.wait(0.001):
            yield b"more"

    task = asyncio.create_task(fs.astream_write(path, waiting() if asynchronous else blocking()))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stop.set()


@pytest.mark.parametrize("asynchronous", [True, False], ids=["async", "sync"])
@pytest.mark.parametrize("after", [0, 1, 40])
@pytest.mark.parametrize(
    "fail", [fail_in_producer, fail_in_callback, fail_by_type, fail_by_checksum, fail_by_cancelling]
)
def test_a_failing_stream_leaves_the_old_file(
    place: tuple[StreamFileSystem, Any, str],
    fail: Callable[..., Coroutine[Any, Any, None]],
    after: int,
    asynchronous: bool,
) -> None:
    fs, inner, root = place
    inner.pipe_file(f"{root}/f", b"old")
    asyncio.run(fail(fs, f"{root}/f", asynchronous, after))
    assert inner.cat_file(f"{root}/f") == b"old"
    assert leftovers(inner, root) == []


def test_cancelled_again_and_again(tmp_path: Path) -> None:
    """Whenever it comes, and however often: nothing half done, nothing left, nothing still running."""
    fs, inner, root = open_kind("objects", tmp_path)
    inner.service.latency = 0.001
    inner.pipe_file(f"{root}/f", b"old")

    async def main() -> None:
        for step in range(30):
            task = asyncio.create_task(fs.astream_write(f"{root}/f", in_coroutine([b"n" * CHUNK] * 20)))
            await asyncio.sleep(step * 0.0007)
            for _ in range(3):
                task.cancel()
                await asyncio.sleep(0)
            await asyncio.wait([task])
            assert inner.service.running == 0
            assert inner.service.uploads == {}
            assert set(inner.service.objects[f"{root}/f".strip("/")][0]) in ({*b"old"}, {*b"n"})

    asyncio.run(main())


def test_a_source_is_not_read_after_the_task_is_cancelled(chukmem: MemoryFileSystem) -> None:
    taken = 0

    def producer() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            time.sleep(0.0005)
            yield bytes(100)

    async def main() -> None:
        task = asyncio.create_task(StreamFileSystem(chukmem).astream_write("/f", producer(), chunk_size=100))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
        before = taken
        await asyncio.sleep(0.02)
        assert taken == before

    asyncio.run(main())
    assert not chukmem.exists("/f")


def test_one_huge_chunk_is_told_of_and_stopped_on_the_way(chukmem: MemoryFileSystem) -> None:
    seen: list[int] = []

    async def main() -> None:
        for source in (bytes(20_000_000), in_coroutine([bytes(20_000_000)])):
            begun = asyncio.Event()

            def listener(done: int, total: int, begun: asyncio.Event = begun) -> None:
                seen.append(done)
                begun.set()

            task = asyncio.create_task(
                StreamFileSystem(chukmem).astream_write("/f", source, progress_callback=listener)
            )
            await begun.wait()
            task.cancel()
            await asyncio.wait([task])
            assert seen[-1] < 20_000_000

    asyncio.run(main())
    assert not chukmem.exists("/f")


# ---- reading, stopped early


def open_files(fs: MemoryFileSystem) -> int:
    return len(fs.inodes.shared.open_counts)


def test_an_early_end_closes_the_file(chukmem: MemoryFileSystem) -> None:
    with chukmem.posix.open_handle("/f", os.O_RDWR | os.O_CREAT) as handle:
        handle.pwrite(DATA, 0)
    fs = StreamFileSystem(chukmem)

    async def main() -> None:
        stream = fs.astream_read("/f")
        await anext(stream)
        assert open_files(chukmem) == 1
        await stream.aclose()
        assert open_files(chukmem) == 0
        assert [piece async for piece in stream] == []
        async with fs.astream_read("/f") as block:
            await anext(block)
        assert open_files(chukmem) == 0
        async for _ in fs.astream_read("/f"):
            break
        while open_files(chukmem):  # noqa: ASYNC110 - the thread that read last may still be letting go of it
            await asyncio.sleep(0.001)
        with pytest.raises(ZeroDivisionError):
            async for _ in fs.astream_read("/f", progress_callback=lambda done, total: 1 // 0):
                pass
        assert open_files(chukmem) == 0

    asyncio.run(main())


def test_a_cancelled_reader_closes_the_file(tmp_path: Path) -> None:
    fs, inner, root = open_kind("objects", tmp_path)
    inner.pipe_file(f"{root}/f", DATA)
    inner.service.latency = 0.005

    async def main() -> None:
        for step in range(10):
            stream = fs.astream_read(f"{root}/f")

            async def read(stream: Any = stream) -> None:
                async for _ in stream:
                    pass

            task = asyncio.create_task(read())
            await asyncio.sleep(step * 0.003)
            task.cancel()
            await asyncio.wait([task])
            assert inner.service.running == 0

    asyncio.run(main())


def test_errors_reach_the_reader(chukmem: MemoryFileSystem) -> None:
    fs = StreamFileSystem(chukmem)
    chukmem.pipe_file("/f", b"content")

    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            await anext(fs.astream_read("/none"))
        with pytest.raises(OSError, match="expected"):
            async for _ in fs.astream_read("/f", checksum="md5", expected="0" * 32):
                pass
        with pytest.raises(TypeError, match="progress_callback"):
            await anext(fs.astream_read("/f", progress_callback=5))

    asyncio.run(main())
    assert open_files(chukmem) == 0


def test_without_threads_it_works_inline(chukmem: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    fs = StreamFileSystem(chukmem)

    async def main() -> None:
        async def refuse(*args: Any) -> None:
            raise AssertionError("there are no threads here")

        monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", refuse)
        await fs.astream_write("/f", in_coroutine(pieces()))
        assert b"".join([piece async for piece in fs.astream_read("/f")]) == DATA

    asyncio.run(main())
