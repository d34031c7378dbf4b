"""Telling watchers of a stage what changed, once nobody is in the middle of a step.

A mount that is told waits for its kernel, which may be waiting for the step. And of what is only taken over from the
base, nobody has to be told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from chuk_fsspec.contract.nodes import Change, Node

Told = tuple[Change, tuple[Any, ...]]


class Step(threading.local):
    """What the calling thread is doing.

    Attributes:
        waiting: what watchers are to be told afterwards; None outside of a step.
        is_quiet: whether there is nothing to tell.
    """

    waiting: list[Told] | None = None
    is_quiet: bool = False


class Turns:
    """One step at a time, and what has to be told after it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._step = Step()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Keep others from changing what belongs together. Reentrant; watchers are told when the outermost one ends."""
        step = self._step
        if step.waiting is not None:
            yield
            return
        waiting: list[Told] = []
        with self._lock:
            step.waiting = waiting
            try:
                yield
            finally:
                step.waiting = None
        for callback, arguments in waiting:
            callback(*arguments)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """A step of which nobody has to be told."""
        with self.step():
            before, self._step.is_quiet = self._step.is_quiet, True
            try:
                yield
            finally:
                self._step.is_quiet = before

    def hold(self) -> Callable[[], None]:
        """Begin a step that goes on until the function that is returned is called, in the same thread."""
        step = ExitStack()
        step.enter_context(self.step())
        return step.close

    def deferred(self, callback: Change) -> Change:
        """A watcher that is told after the step."""

        def tell(directory: Node | None, name: str, node: Node | None) -> None:
            step = self._step
            if step.is_quiet:
                return
            if step.waiting is None:
                callback(directory, name, node)
            else:
                step.waiting.append((callback, (directory, name, node)))

        return tell
