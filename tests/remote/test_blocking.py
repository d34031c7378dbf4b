"""Requests that block the thread that makes them: no event loop is needed, and signals still come through."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fsspec.asyn import get_loop

from chuk_fsspec.remote.blocking import pause, run, run_interruptibly, run_together
from chuk_fsspec.remote.calling import BlockingCalls, Patience, Verdict
from chuk_fsspec.remote.store import Entry, RemoteStore
from tests.remote.dict_store import DictFileSystem, DictStore


class ThreadNotingStore(DictStore):
    """Notes who makes requests."""

    threads: set[int | None]

    async def look(self, path: str) -> Entry | None:
        self.threads.add(threading.get_ident())
        return await super().look(path)


class BlockingFileSystem(DictFileSystem):
    """A filesystem with a store for threads without a loop."""

    protocol = "chukdictblocking"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.threads: set[int | None] = set()

    @property
    def _blocks(self) -> bool:
        return True

    def _make_store(self) -> RemoteStore:
        store = ThreadNotingStore(self.service, self._given)
        store.threads = self.threads
        return store

    _make_blocking_store = _make_store


@pytest.fixture
def fs(name: str) -> BlockingFileSystem:
    return BlockingFileSystem(name, "bucket", skip_instance_cache=True)


@pytest.fixture
def loop_thread() -> int | None:
    async def ident() -> int:
        return threading.get_ident()

    return asyncio.run_coroutine_threadsafe(ident(), get_loop()).result()


def test_one_small_file_is_worked_on_without_the_loop(fs: BlockingFileSystem, loop_thread: int | None) -> None:
    etag = fs.pipe_file("/d/f", b"content")
    fs.pipe({f"/d/{number}": b"%d" % number for number in range(30)})
    assert fs.cat_file("/d/f", 3, -1) == b"ten"
    assert fs.info("/d/f")["etag"] == etag
    assert [fs.exists(path) for path in ("/d", "/d/29", "/d/30")] == [True, True, False]
    with pytest.raises(FileNotFoundError, match="/d/30"):
        fs.info("/d/30")
    assert fs.threads
    assert loop_thread not in fs.threads
    assert threading.get_ident() not in fs.threads  # signals would wait for the request


def test_another_thread_makes_its_requests_itself(fs: BlockingFileSystem) -> None:
    fs.pipe_file("/f", b"x")
    fs.threads.clear()
    thread = threading.Thread(target=fs.info, args=("/f",))
    thread.start()
    ident = thread.ident
    thread.join()
    assert fs.threads == {ident}


def test_from_a_running_loop_the_other_loop_is_asked(fs: BlockingFileSystem, loop_thread: int | None) -> None:
    async def notebook() -> bool:
        return bool(fs.exists("/f"))

    fs.pipe_file("/f", b"x")
    fs.threads.clear()
    assert asyncio.run(notebook())
    assert fs.threads == {loop_thread}


def test_coroutines_are_for_loops(name: str) -> None:
    fs = BlockingFileSystem(name, "bucket", asynchronous=True, skip_instance_cache=True)
    with pytest.raises(RuntimeError, match="asynchronous=True"):
        fs.info("/f")


def test_what_waits_for_a_loop_is_told() -> None:
    with pytest.raises(RuntimeError, match="waits for an event loop"):
        run(asyncio.sleep(0))


def test_several_at_once_in_order_and_the_first_error() -> None:
    both = threading.Barrier(2, timeout=30)
    ran: list[int] = []

    async def work(number: int) -> int:
        ran.append(number)
        if number < 2:
            both.wait()  # neither goes on before the other has begun
        if number == 5:
            raise LookupError(number)
        return number

    assert run_together([work(number) for number in range(5)], 2) == [0, 1, 2, 3, 4]
    ran.clear()
    with pytest.raises(LookupError):
        run_together([work(number) for number in range(100)], 2)
    assert len(ran) < 100


@pytest.fixture
def hung() -> Iterator[threading.Event]:
    """What a request waits for that nobody answers, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def one_interrupt() -> Iterator[None]:
    """The first SIGINT interrupts, and those after it do nothing."""
    seen: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        seen.append(number)
        if len(seen) == 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("one_interrupt")
def test_an_interrupt_does_not_wait_for_the_request_and_none_follows(hung: threading.Event) -> None:
    attempts: list[threading.Thread] = []
    over = threading.Event()

    async def request() -> None:
        attempts.append(threading.current_thread())
        while not hung.wait(0.01):  # one that comes just before the main thread waits is seen with the next
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        raise ConnectionResetError

    async def work() -> None:
        try:
            await calls("/f", request)
        finally:
            over.set()

    calls = BlockingCalls(lambda error, path: Verdict(OSError(str(error)), is_passing=True), Patience(), 1)
    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(work())
    hung.set()
    assert over.wait(30)
    assert len(attempts) == 1
    attempts[0].join(30)
    assert not attempts[0].is_alive()

    async def next_one() -> str:
        pause(0)
        return "done"

    assert run_interruptibly(next_one()) == "done"


def test_not_more_requests_at_once_than_said() -> None:
    running = most = 0
    lock = threading.Lock()

    async def request() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1

    calls = BlockingCalls(lambda error, path: Verdict(OSError()), Patience(), 2)
    run_together([calls("/f", request) for _ in range(50)], 8)
    assert 1 <= most <= 2
