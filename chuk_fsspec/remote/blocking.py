"""Coroutines run without an event loop, for stores whose requests block the thread that makes them.

To the loop of another thread and back is a longer way than a small request. A coroutine in which nothing waits for a
loop runs to its end where it is called.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import time
from collections.abc import Coroutine, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")

_here = threading.local()
"""Of a thread that works for another one: ``given_up``, an event that tells that nobody waits any more."""

_idle: list[_Helper] = []
"""Threads that wait for what the main thread has to do."""

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


def run_interruptibly(work: Coroutine[Any, Any, Result]) -> Result:
    """The same. From the main thread it is run by another one: signals do not interrupt a request that blocks.

    Whoever is interrupted does not wait for the request that is on its way; none is made after it.
    """
    if threading.current_thread() is not threading.main_thread():
        return run(work)
    helper = _idle.pop() if _idle else _Helper()
    try:
        result, error = helper.outcome_of(work)
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
    """Run coroutines in so many threads at once; the first error ends the others, after what they are at."""
    results: dict[int, Result] = {}
    failures: list[BaseException] = []
    turns, lock = iter(enumerate(work)), threading.RLock()
    given_up = getattr(_here, "given_up", None)

    def take_turns() -> None:
        _here.given_up = given_up
        while not failures:
            with lock:
                number, coroutine = next(turns, (-1, None))
            if coroutine is None:
                return
            try:
                results[number] = run(coroutine)
            except BaseException as error:  # noqa: BLE001 - raised again below
                failures.append(error)

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(take_turns,), daemon=True)
        for _ in range(min(count, len(work)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        for coroutine in work:
            coroutine.close()
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
    """A thread that runs coroutines of the main thread, one after the other."""

    def __init__(self) -> None:
        """Start it."""
        self._steps: SimpleQueue[tuple[contextvars.Context, Coroutine[Any, Any, Any]] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._given_up = threading.Event()
        # A daemon: a request that was given up must not keep the process from ending.
        threading.Thread(target=self._take_steps, name="chuk-fsspec requests", daemon=True).start()

    def outcome_of(self, work: Coroutine[Any, Any, Result]) -> tuple[Result, BaseException | None]:
        """Run a coroutine to its end there; what it returns, or raises."""
        self._steps.put((contextvars.copy_context(), work))
        return self._outcomes.get()

    def give_up(self) -> None:
        """Nobody waits for what it does, and it ends as soon as it can."""
        self._given_up.set()
        self._steps.put(None)

    def _take_steps(self) -> None:
        _here.given_up = self._given_up
        while (step := self._steps.get()) is not None:
            self._outcomes.put(_outcome(*step))
            del step


def _outcome(context: contextvars.Context, work: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
    try:
        return context.run(run, work), None
    except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
        return None, error
