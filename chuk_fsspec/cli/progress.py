"""How far a long command is, on a terminal that is watched."""

from __future__ import annotations

import shutil
import sys
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType

from fsspec.callbacks import Callback

from chuk_fsspec.contract.display import amount

_PAUSE = 0.2
_SAMPLES = 25
"""How many moments the rate is measured over: five seconds, so that it follows the network without trembling."""
_MEASURED = 1.0
"""Seconds without which a rate says nothing."""
_BAR = 20


class ProgressLine(Callback):
    """One line on standard error that counts bytes, and is gone in the end; nothing where that is no terminal.

    With a size (``set_size``) it has a bar and the time that is left.
    """

    def __init__(self, done: str, size: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin.

        Args:
            done: what happened to the bytes, such as "copied".
            size: how many there are in all, in bytes; None if nobody knows.
            clock: tells the time, in seconds.
        """
        super().__init__(size=size)
        self.shows = sys.stderr.isatty()
        self._done = done
        self._clock = clock
        self._next = 0.0
        self._moments: deque[tuple[float, int]] = deque([(clock(), 0)], maxlen=_SAMPLES)

    def relative_update(self, inc: int = 1) -> None:
        """Count bytes."""
        self.value += inc
        if self.shows and self._clock() >= self._next:
            self.show()

    def show(self) -> None:
        """Draw the line anew."""
        now = self._clock()
        self._next = now + _PAUSE
        self._moments.append((now, self.value))
        then, before = self._moments[0]
        rate = (self.value - before) / (now - then) if now - then >= _MEASURED else 0.0
        text = progress_text(self._done, self.value, self.size, rate)
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{text[:width]}\033[K")
        sys.stderr.flush()

    def hide(self) -> None:
        """Take the line away, so that another one can be written."""
        if self.shows:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def __enter__(self) -> ProgressLine:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hide()


def progress_text(done: str, value: int, size: int | None, rate: float) -> str:
    """How far it is, in words.

    Args:
        done: what happened to the bytes.
        value: how many, so far.
        size: how many in all; None or 0 if nobody knows.
        rate: bytes in a second, of late.
    """
    speed = f"  {amount(rate)}/s" if rate else ""
    if not size:
        return f"{done} {amount(value)}{speed}"
    part = min(value / size, 1.0)
    bar = "#" * int(part * _BAR)
    left = f"  {duration((size - value) / rate)} left" if rate and value <= size else ""
    return f"{done} {amount(value)} of {amount(size)} [{bar:.<{_BAR}}] {part:4.0%}{speed}{left}"


def duration(seconds: float) -> str:
    """A time for people: 0:07, 12:30, 1:02:03.

    Args:
        seconds: how long.
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def short_amount(count: int) -> str:
    """A number of bytes in a column, as ``ls -h`` and ``du -h`` have it, rounded up: 999, 1.5K, 12M.

    Args:
        count: bytes.
    """
    power, unit = 1, ""
    for larger in "KMGTPE":
        if count < 1024 * power:
            break
        power, unit = power * 1024, larger
    if not unit:
        return str(count)
    tenths = -(-count * 10 // power)
    return f"{tenths // 10}.{tenths % 10}{unit}" if tenths < 100 else f"{-(-count // power)}{unit}"
