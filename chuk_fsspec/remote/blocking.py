"""Coroutines run without an event loop, for stores whose requests block the thread that makes them.

To the loop of another thread and back is a longer way than a small request. A coroutine in which nothing waits for a
loop runs to its end where it is called.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from chuk_fsspec.remote.waiting import MISSED_SIGNAL_SECONDS

Result = TypeVar("Result")

_here = threading.local()
"""Of a thread that works for another one: ``given_up``, an event that tells that nobody waits any more."""

_idle: list[_Helper] = []
"""Threads that wait for requests of the main thread."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)


def is_in_loop() -> bool:
    """Whether the caller is run by an event loop, which must not be blocked."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end in this thread.

    Raises:
        RuntimeError: if it waits for an event loop.
    """
    try:
        work.send(None)
    except StopIteration as ended:
        result: Result = ended.value
        return result
    work.close()
    raise RuntimeError("this coroutine waits for an event loop")


def interruptibly(request: Callable[[], Result]) -> Result:
    """Make a request that blocks. For the main thread another one makes it: signals do not interrupt what blocks.

    Whoever is interrupted does not wait for the request that is on its way.
    """
    if threading.get_ident() != threading.main_thread().ident:
        return request()
    helper = _idle.pop() if _idle else _Helper()
    try:
        result, error = helper.outcome_of(request)
    except BaseException:
        helper.give_up()
        raise
    _idle.append(helper)
    try:
        if error is not None:
            raise error
    finally:
        del error  # its traceback holds what is here
    return result


def run_together(work: Sequence[Coroutine[Any, Any, Result]], count: int) -> list[Result]:
    """Run coroutines in so many threads at once; the first error ends the others, after what they are at.

    Whoever is interrupted does not wait for the requests that are on their way; none is made after them.
    """
    results: dict[int, Result] = {}
    failures: list[BaseException] = []
    given_up = getattr(_here, "given_up", None) or threading.Event()
    turns, lock = iter(enumerate(work)), threading.RLock()

    def take_turns() -> None:
        _here.given_up = given_up
        while True:
            with lock:
                number, coroutine = next(turns, (-1, None))
            if coroutine is None:
                return
            if failures or given_up.is_set():
                coroutine.close()
                continue
            try:
                results[number] = run(coroutine)
            except BaseException as error:  # noqa: BLE001 - raised again below
                failures.append(error)

    # Daemons: requests that were given up must not keep the process from ending.
    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(take_turns,), daemon=True)
        for _ in range(min(count, len(work)))
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            _join(thread)
    except BaseException:
        given_up.set()
        raise
    if failures:
        raise failures[0]
    return [results[number] for number in range(len(work))]


def pause(seconds: float) -> None:
    """Wait before the next attempt. InterruptedError if nobody waits for it any more."""
    given_up = getattr(_here, "given_up", None)
    if given_up is None:
        time.sleep(seconds)
    elif given_up.wait(seconds):
        raise InterruptedError("nobody waits for this request any more")


class _Helper:
    """A thread that makes requests of the main thread, one after the other."""

    def __init__(self) -> None:
        """Start it."""
        self._requests: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        # A daemon: a request that was given up must not keep the process from ending.
        threading.Thread(target=self._make_requests, name="chuk-fsspec requests", daemon=True).start()

    def outcome_of(self, request: Callable[[], Result]) -> tuple[Result, BaseException | None]:
        """Make a request there; what it returns, or raises."""
        self._requests.put(request)
        while True:
            with contextlib.suppress(Empty):
                return self._outcomes.get(timeout=MISSED_SIGNAL_SECONDS)

    def give_up(self) -> None:
        """Nobody waits for what it does, and it ends after that."""
        self._requests.put(None)

    def _make_requests(self) -> None:
        while (request := self._requests.get()) is not None:
            self._outcomes.put(_outcome(request))
            del request


def _join(thread: threading.Thread) -> None:
    while thread.is_alive():
        thread.join(MISSED_SIGNAL_SECONDS)


def _outcome(request: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return request(), None
    except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
        return None, error
