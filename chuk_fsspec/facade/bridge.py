"""From coroutines to calls: inline where a call is short, in a worker where it may wait, never in steps."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from chuk_fsspec.contract.threads import in_thread
from chuk_fsspec.facade.place import Place
from chuk_fsspec.facade.providers import Calls

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

CALLS_AT_ONCE = 64
"""Calls of one facade that wait in threads at the same time. A thread is made when a call finds none that is free."""


class Bridge:
    """Makes calls of a facade for coroutines. A call that has begun goes on to its end if its task is cancelled.

    Args:
        place: the facade.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._threads: ThreadPoolExecutor | None = None
        self._process = os.getpid()

    async def look(
        self, call: Callable[Arguments, Result], *arguments: Arguments.args, **options: Arguments.kwargs
    ) -> Result:
        """Make a short call that changes nothing."""
        return await self._make(partial(call, *arguments, **options), writes=False)

    async def change(
        self, call: Callable[Arguments, Result], *arguments: Arguments.args, **options: Arguments.kwargs
    ) -> Result:
        """Make a short call that may change something."""
        return await self._make(partial(call, *arguments, **options), writes=True)

    async def _make(self, call: Callable[[], Result], *, writes: bool) -> Result:
        calls = self._place.calls
        if calls is Calls.INLINE:
            return call()
        if calls is Calls.OWN_WORKER:
            result: Result = await self._place.fs.awaited(call, writes=writes)
            return result
        return await in_thread(call, self._own_threads())

    def _own_threads(self) -> ThreadPoolExecutor:
        """Threads for short calls, of which many wait for a service; a forked child has none of those of its parent."""
        if self._threads is None or self._process != os.getpid():
            self._process = os.getpid()
            self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="facade")
        return self._threads

    async def close(self) -> None:
        """Close the facade, and let the threads end once they have nothing to do."""
        await work(self._place.close)
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None


async def work(call: Callable[Arguments, Result], *arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
    """Make a call that may take long on any filesystem, since it goes through many files: in a thread, to its end."""
    return await in_thread(partial(call, *arguments, **options))


def documented_by(origin: type) -> Callable[[type], type]:
    """Give the methods of a class the docstrings of those of the same name in another."""

    def document(bridged: type) -> type:
        for name, one in vars(bridged).items():
            told: Any = getattr(origin, name, None)
            if not name.startswith("_") and told is not None and not one.__doc__:
                one.__doc__ = told.__doc__
        return bridged

    return document
