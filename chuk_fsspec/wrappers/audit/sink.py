"""Where lines are kept: what a log needs of a file of lines and of a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chuk_fsspec.wrappers.audit.record import NOTHING, Head


@dataclass(frozen=True)
class Tail:
    """How a log ends.

    Attributes:
        head: of the last whole record; ``NOTHING`` if there is none.
        torn: what a writer that died left behind the last whole line.
        segment: which file of the log is written now, from 1.
        is_new: whether that file has no record yet.
    """

    head: Head = NOTHING
    torn: bytes = b""
    segment: int = 1
    is_new: bool = True


class Sink(Protocol):
    """A place for lines. Every call is made under the lock of the log."""

    def tail(self) -> Tail:
        """How the log ends now; quick if nobody else has written. ValueError if what is there is no log."""

    def append(self, lines: Sequence[tuple[bytes, Head]]) -> int:
        """Add lines, each with the head that it makes.

        Returns:
            How many were kept, the first ones, at least one.

        Raises:
            OSError: if not one was kept; part of it may stand there as a torn line.
        """

    def first_line(self) -> bytes:
        """The first line of what is written now; empty if there is none."""

    def descriptor(self) -> int | None:
        """A file descriptor to fsync and close, which makes the lines durable; None where they are already."""

    def before_fork(self) -> None:
        """Let go of what must not be open in two processes; the next ``tail`` opens it again."""

    def reopen(self) -> None:
        """Open again, in a child after a fork."""

    def close(self) -> None:
        """Let go; a second time does nothing."""
