"""Requests that block the thread that makes them: no event loop is needed, and signals still come through."""

from __future__ import annotations

import _thread
import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fsspec.asyn import get_loop

from chuk_fsspec.remote.blocking import interruptibly, pause, run, run_together
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


def interrupt_main_thread() -> None:
    """By a signal, which interrupts a wait as well, where ``_thread.interrupt_main`` does not."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


class Hanging:
    """A request that hangs, interrupts the main thread, and is lost in the end."""

    def __init__(self, hung: threading.Event) -> None:
        self.made_by: list[threading.Thread] = []
        self._hung = hung
        self._calls = BlockingCalls(lambda error, path: Verdict(OSError(str(error)), is_passing=True), Patience(), 1)

    async def __call__(self) -> None:
        """Make it, and again if it is lost."""

        async def request() -> None:
            interruptibly(self._request)

        await self._calls("/f", request)

    def _request(self) -> None:
        self.made_by.append(threading.current_thread())
        while not self._hung.wait(0.01):  # one that comes just before the main thread waits is seen with the next
            interrupt_main_thread()
        raise ConnectionResetError


def test_the_main_thread_leaves_to_another_what_blocks_and_others_do_not() -> None:
    assert interruptibly(threading.current_thread) is not threading.current_thread()
    made_by: list[threading.Thread] = []
    thread = threading.Thread(target=lambda: made_by.append(interruptibly(threading.current_thread)))
    thread.start()
    thread.join()
    assert made_by == [thread]
    with pytest.raises(ZeroDivisionError):
        interruptibly(lambda: 1 // 0)


@pytest.mark.usefixtures("one_interrupt")
def test_an_interrupt_does_not_wait_for_the_request_and_none_follows(hung: threading.Event) -> None:
    hanging = Hanging(hung)
    with pytest.raises(KeyboardInterrupt):
        run(hanging())
    hung.set()
    hanging.made_by[0].join(30)
    assert not hanging.made_by[0].is_alive()
    assert len(hanging.made_by) == 1
    assert interruptibly(lambda: "done") == "done"


@pytest.mark.usefixtures("one_interrupt")
def test_nor_does_it_when_there_are_several_at_once(hung: threading.Event) -> None:
    hanging = Hanging(hung)
    with pytest.raises(KeyboardInterrupt):
        run_together([hanging() for _ in range(20)], 1)
    hung.set()
    hanging.made_by[0].join(30)
    assert not hanging.made_by[0].is_alive()
    assert len(hanging.made_by) == 1


@pytest.mark.parametrize("interrupt", [_thread.interrupt_main, interrupt_main_thread])
def test_who_has_given_up_is_not_waited_for(interrupt: Callable[[], None]) -> None:
    begun, outcomes = threading.Event(), []

    async def work() -> None:
        begun.set()
        try:
            pause(600)
        except InterruptedError as error:
            outcomes.append(error)
            raise

    def end_it() -> None:
        begun.wait(30)
        interrupt()

    other = threading.Thread(target=end_it)
    other.start()
    with pytest.raises(KeyboardInterrupt):
        run_together([work()], 1)
    other.join(30)
    deadline = time.monotonic() + 30
    while not outcomes and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(outcomes) == 1


def test_a_signal_that_interrupts_no_wait_ends_it_soon(hung: threading.Event) -> None:
    def request() -> None:
        _thread.interrupt_main()
        hung.wait(60)

    with pytest.raises(KeyboardInterrupt):
        interruptibly(request)
    assert not hung.is_set()


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
