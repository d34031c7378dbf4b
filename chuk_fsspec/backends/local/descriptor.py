"""Owned file descriptors."""

from __future__ import annotations

import os
from collections.abc import Callable


class Descriptor:
    """A file descriptor that is closed when the last reference to it goes.

    Several threads may share one. Whoever works with its number holds a reference to this object as long, a variable of
    its own: else the number may be closed meanwhile and come to stand for another file.
    """

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def stat(self) -> os.stat_result:
        """The attributes of what it is open on."""
        return os.fstat(self.number)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.number)
