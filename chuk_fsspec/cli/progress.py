"""How far a long command is, on a terminal that is watched."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from fsspec.callbacks import Callback

_PAUSE = 0.2
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class ProgressLine(Callback):
    """One line on standard error that counts bytes, and is gone in the end; nothing where that is no terminal."""

    def __init__(self, done: str) -> None:
        """Begin.

        Args:
            done: what happened to the bytes, such as "copied".
        """
        super().__init__()
        self._done = done
        self._shows = sys.stderr.isatty()
        self._next = 0.0

    def relative_update(self, inc: int = 1) -> None:
        """Count bytes."""
        self.value += inc
        if self._shows and time.monotonic() >= self._next:
            self._next = time.monotonic() + _PAUSE
            sys.stderr.write(f"\r{self._done} {amount(self.value)}\033[K")
            sys.stderr.flush()

    def __enter__(self) -> ProgressLine:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shows:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def amount(count: float) -> str:
    """A number of bytes for people.

    Args:
        count: bytes.
    """
    for unit in _UNITS[:-1]:
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {_UNITS[-1]}"
