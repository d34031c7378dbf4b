"""Steps that are taken to their end, whoever cancels: those that block, in worker threads, and others."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

Result = TypeVar("Result")


async def in_thread(step: Callable[[], Result], executor: Executor | None = None) -> Result:
    """Run a step in a worker thread to its end, even if the task is cancelled meanwhile.

    Args:
        step: what to do.
        executor: whose threads; None for those of the event loop, which are few.
    """
    if sys.platform == "emscripten":
        return step()
    context = contextvars.copy_context()
    return await to_its_end(asyncio.get_running_loop().run_in_executor(executor, lambda: context.run(step)))


async def to_its_end(work: Awaitable[Result]) -> Result:
    """Await what must not be left in the middle: whoever is cancelled meanwhile is told so afterwards."""
    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await ended(running)
        raise


async def ended(running: asyncio.Future[Any]) -> None:
    """Wait for a future, whoever cancels. What came of it does not matter any more."""
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:  # noqa: PERF203 - one more: the step has to end all the same
            continue
    if not running.cancelled():
        running.exception()
