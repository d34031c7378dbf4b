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
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")

_here = threading.local()
"""Of a thread that works for another one: ``given_up``, an event that tells that nobody waits any more."""

_idle: list[SimpleQueue[Callable[[], None] | None]] = []
"""Threads that wait for steps of the main thread."""

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
    helper = _idle.pop() if _idle else _start_helper()
    future: Future[Result] = Future()
    context, given_up = contextvars.copy_context(), threading.Event()

    def step() -> None:
        _here.given_up = given_up
        try:
            future.set_result(context.run(run, work))
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            future.set_exception(error)

    try:
        helper.put(step)
        result = future.result()
    except BaseException:
        given_up.set()
        if not future.done():
            helper.put(None)
            raise
        _idle.append(helper)
        raise
    _idle.append(helper)
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


def _start_helper() -> SimpleQueue[Callable[[], None] | None]:
    steps: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def take_steps() -> None:
        while (step := steps.get()) is not None:
            step()

    # A daemon: a request that was given up must not keep the process from ending.
    threading.Thread(target=take_steps, name="chuk-fsspec requests", daemon=True).start()
    return steps
