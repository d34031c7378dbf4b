"""The store of each event loop: connections belong to the loop that made them."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from functools import cached_property

from chuk_fsspec.remote.store import RemoteStore, Traits

_CLOSING_SECONDS = 5.0

_left_to_the_parent: list[object] = []
"""After a fork, what the parent process goes on using: to be closed by it alone, not when nobody here needs it."""


class Stores:
    """The stores of one filesystem, made when they are first used, closed with it."""

    def __init__(
        self,
        make: weakref.WeakMethod[Callable[[], RemoteStore]],
        make_blocking: weakref.WeakMethod[Callable[[], RemoteStore]],
    ) -> None:
        """Begin without any.

        Args:
            make: makes one for the loop that is going to use it, without any request; a method of the filesystem, which
                nothing here keeps alive.
            make_blocking: likewise, one for threads that run no loop.
        """
        self._make_method = make
        self._make_blocking = make_blocking
        self._blocking: RemoteStore | None = None
        self._spare: RemoteStore | None = None
        self._last: tuple[asyncio.AbstractEventLoop, RemoteStore] | None = None
        self._open: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, RemoteStore] = weakref.WeakKeyDictionary()
        self._pid = os.getpid()
        self._lock = threading.RLock()

    @cached_property
    def traits(self) -> Traits:
        """What all of them have in common."""
        with self._lock:
            if self._spare is None:
                self._spare = self._make()
            return self._spare.traits

    def _make(self) -> RemoteStore:
        return _made(self._make_method)

    def here(self) -> RemoteStore:
        """The store of the running loop; in a thread that runs none, the one whose requests block."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._without_loop()
        last = self._last
        if last is not None and last[0] is loop:
            return last[1]
        with self._lock:
            store = self._open.get(loop)
            if store is None:
                self._forget_those_of_closed_loops()
                store = self._make() if self._spare is None else self._spare
                self._spare = None
                self.traits = store.traits
                self._open[loop] = store
            self._last = loop, store
        return store

    def _without_loop(self) -> RemoteStore:
        if self._blocking is None:
            with self._lock:
                if self._blocking is None:
                    self._blocking = _made(self._make_blocking)
        return self._blocking

    def _forget_those_of_closed_loops(self) -> None:
        for loop in [loop for loop in self._open if loop.is_closed()]:
            del self._open[loop]

    async def close(self) -> None:
        """Close the store of the running loop. One that is used later is a new one."""
        store = self._open.pop(asyncio.get_running_loop(), None)
        self._last = None
        if store is not None:
            await store.close()

    def close_all(self) -> None:
        """Close those whose loops run in other threads, when nobody uses the filesystem any more."""
        if self._pid != os.getpid():
            _left_to_the_parent.append(self._open)
            return
        self._last = None
        for loop, store in list(self._open.items()):
            del self._open[loop]
            if loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(store.close(), loop)
                if not _is_this_thread(loop):
                    with suppress(TimeoutError, FutureTimeoutError, OSError):
                        closing.result(_CLOSING_SECONDS)

    def leave_to_the_parent(self) -> None:
        """After a fork: keep what there is, untouched."""
        _left_to_the_parent.append((self._open, self._spare, self._last))


def _made(method: weakref.WeakMethod[Callable[[], RemoteStore]]) -> RemoteStore:
    make = method()
    if make is None:
        raise RuntimeError("the filesystem of this store is gone")
    return make()


def _is_this_thread(loop: asyncio.AbstractEventLoop) -> bool:
    with suppress(RuntimeError):
        return asyncio.get_running_loop() is loop
    return False
