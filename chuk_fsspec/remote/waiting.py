"""Coroutines for callers that do not await: made in the event loop of another thread, and waited for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from functools import wraps
from typing import Any, TypeVar

Result = TypeVar("Result")

MISSED_SIGNAL_SECONDS = 0.5
"""How long one wait lasts: a signal that comes just before it begins does not interrupt it, and is seen at its end."""


def wait_for(loop: asyncio.AbstractEventLoop | None, work: Coroutine[Any, Any, Result]) -> Result:
    """Have a coroutine run by the loop of another thread. If the caller is interrupted, so is the coroutine.

    Args:
        loop: a running one; None for a filesystem that has none of its own.
        work: what is run.

    Returns:
        What it returns.

    Raises:
        RuntimeError: where there is nobody to run it.
    """
    if loop is None:
        work.close()
        raise RuntimeError(
            "this filesystem was made with asynchronous=True: await the method with an underscore before it"
        )
    if _is_running_here(loop):
        work.close()
        raise RuntimeError("an event loop cannot wait for itself: await the method of this name with an underscore")
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        while not future.done():
            with contextlib.suppress(FutureTimeout):
                return future.result(MISSED_SIGNAL_SECONDS)
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _is_running_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def waiting(coroutine_method: Callable[..., Any]) -> Callable[..., Any]:
    """The method that waits for a coroutine method of the same name with an underscore before it."""
    name = coroutine_method.__name__

    @wraps(coroutine_method)
    def method(self: Any, *arguments: Any, **options: Any) -> Any:
        return wait_for(self.loop, getattr(self, name)(*arguments, **options))

    method.__name__ = name[1:]
    return method


def waiting_briefly(coroutine_method: Callable[..., Any]) -> Callable[..., Any]:
    """The same for coroutines about one small file, for which some stores need no loop (``remote.blocking``)."""
    name = coroutine_method.__name__

    @wraps(coroutine_method)
    def method(self: Any, *arguments: Any, **options: Any) -> Any:
        return self._wait_briefly(getattr(self, name)(*arguments, **options))

    method.__name__ = name[1:]
    return method
