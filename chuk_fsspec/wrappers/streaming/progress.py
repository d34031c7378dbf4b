"""Telling a listener how far a stream is: a function, fsspec's ``Callback``, or a progress bar like tqdm's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, Protocol, TypeAlias

from fsspec.callbacks import Callback

UNKNOWN = -1
"""What a function is told as the total where nobody knows it."""


class ProgressBar(Protocol):
    """What is asked of tqdm, without importing it."""

    total: float | None

    def update(self, n: int) -> object:
        """Count ``n`` bytes more."""


Listener: TypeAlias = Callable[[int, int], object] | Callback | ProgressBar


class Progress:
    """How many bytes have passed, and who is told.

    Args:
        listener: a function ``(bytes_done, total)``, sync or async, with a total of -1 where it is unknown; an fsspec
            ``Callback``; an object with ``update(n)`` and ``total``, such as a tqdm bar; or None.
        total: bytes that the stream will have in the end, if known.

    Raises:
        TypeError: for any other listener.
    """

    def __init__(self, listener: Listener | None, total: int | None) -> None:
        self.done = 0
        self._total = total
        self._told = False
        self._tell = self._choose(listener)

    def _choose(self, listener: Any) -> Callable[[int], object]:
        if listener is None:
            return lambda count: None
        if isinstance(listener, Callback):
            if self._total is not None:
                listener.set_size(self._total)
            relative_update: Callable[[int], object] = listener.relative_update
            return relative_update
        if callable(listener):
            total = UNKNOWN if self._total is None else self._total
            return lambda count: listener(self.done, total)
        if callable(getattr(listener, "update", None)) and hasattr(listener, "total"):
            if self._total is not None and not listener.total:
                listener.total = self._total
            return lambda count: _update(listener, count)
        raise TypeError(
            "progress_callback must be a function (bytes_done, total), an fsspec Callback, or a bar like tqdm's, "
            f"not {type(listener).__name__}"
        )

    def advance(self, count: int) -> object:
        """Count bytes and tell. What a function returned is returned: a coroutine is for the caller to await."""
        self.done += count
        self._told = True
        return self._tell(count)

    def end(self) -> object:
        """Tell of an empty stream too, so that every stream is told of at least once."""
        return None if self._told else self.advance(0)


def _update(bar: ProgressBar, count: int) -> None:
    bar.update(count)


def refuse_coroutine(answer: object) -> None:
    """TypeError for a listener that has to be awaited where nothing can be."""
    if isawaitable(answer):
        if hasattr(answer, "close"):
            answer.close()
        raise TypeError("the progress callback is asynchronous: use astream_write() or astream_read()")


async def settle(answer: object) -> None:
    """Await what a listener returned, if it is to be awaited."""
    if isinstance(answer, Awaitable):
        await answer
