"""The thread of a database that makes the calls of coroutines.

It is started by the first call, takes all that waits at once, and wakes each event loop once for all its calls that are
done. It ends with the last filesystem object on the database, and when Python exits.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any
from weakref import WeakKeyDictionary

from chuk_fsspec.backends.sqlite.aio_batch import Operation, refuse, run_some
from chuk_fsspec.backends.sqlite.session import Session

BATCH_MAX = 1024
"""Calls that are taken at once."""
_LAST_PATIENCE = 5.0
"""Seconds that Python's exit waits for calls that nobody awaits any more."""

_Queue = SimpleQueue["Operation | None"]
"""What waits; None ends the thread. Such a queue may be put to by a finalizer, whatever it interrupts."""


class Worker:
    """One thread. It does not keep the database open: only calls that wait do."""

    def __init__(self) -> None:
        self._queue: _Queue = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.RLock()

    def submit(self, session: Session, work: Callable[[], Any], writes: bool) -> Future[Any]:
        """Let the thread make a call, after those that were submitted before.

        Args:
            session: of the database.
            work: the call.
            writes: whether it may change something.

        Returns:
            The outcome, in the running event loop. Cancelled before the call has begun, it is not made.
        """
        future = get_running_loop().create_future()
        if self._thread is None:
            self._start()
        self._queue.put(Operation(future, session, work, writes))
        return future

    def end(self) -> None:
        """Make the calls that wait, and end the thread, unless something keeps it."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join(_LAST_PATIENCE)

    def forget(self) -> None:
        """Begin anew in the child of a fork, where the thread is not."""
        self.__init__()  # type: ignore[misc]

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=_serve, args=(self._queue,), name="chuksqlite", daemon=True)
                thread.start()
                weakref.finalize(self, self._queue.put, None).atexit = False
                atexit.unregister(_end_all)
                atexit.register(_end_all)  # anew, so that it comes before the connections are closed
                self._thread = thread


_workers: WeakKeyDictionary[Session, Worker] = WeakKeyDictionary()
_workers_lock = threading.RLock()


def worker_of(session: Session) -> Worker:
    """The thread for a database: one, however many filesystem objects and event loops use it."""
    with _workers_lock:
        worker = _workers.get(session)
        if worker is None:
            worker = _workers[session] = Worker()
        return worker


def _serve(queue: _Queue) -> None:
    while _serve_once(queue):
        pass


def _serve_once(queue: _Queue) -> bool:
    """Wait for calls and make all that wait; False at the end. What it holds meanwhile is let go of on return."""
    operation = queue.get()
    more = min(queue.qsize(), BATCH_MAX)
    waiting: list[Operation] = []
    while operation is not None:
        waiting.append(operation)
        if len(waiting) > more:
            break
        operation = queue.get()
    while waiting := [one for one in waiting if not one.future.cancelled()]:
        try:
            done = run_some(waiting)
        except BaseException as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever
            refuse(waiting, error)
            done = len(waiting)
        _hand_over(waiting[:done])
        del waiting[:done]
    return operation is not None


def _hand_over(operations: Sequence[Operation]) -> None:
    """Wake each event loop once."""
    by_loop: dict[AbstractEventLoop, list[Operation]] = {}
    for operation in operations:
        by_loop.setdefault(operation.future.get_loop(), []).append(operation)
    for loop, done in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, done)
        except RuntimeError:  # noqa: PERF203 - the loop is closed: nobody waits there any more
            continue


def _settle(operations: Sequence[Operation]) -> None:
    for operation in operations:
        future = operation.future
        if not future.cancelled():
            if operation.error is None:
                future.set_result(operation.result)
            else:
                future.set_exception(operation.error)
        del operation.future, operation.error, operation.result  # an error's traceback leads back here


def _end_all() -> None:
    for worker in list(_workers.values()):
        worker.end()


def _after_fork_in_child() -> None:
    global _workers_lock  # noqa: PLW0603 - the child is a process of its own
    _workers_lock = threading.RLock()
    for worker in list(_workers.values()):
        worker.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
