"""Steps that can be taken back, for filesystems without transactions."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from chuk_fsspec.contract.errors import os_error


class CommitIncomplete(OSError):  # noqa: N818 - it says what state things are in
    """EIO: a commit failed half-way, and not all of it could be taken back.

    Attributes:
        applied: what was done and still is, one line each.
        kept: the directory in the base that holds what was replaced and removed; empty if there is none.
    """

    def __init__(self, applied: list[str], kept: str, reason: str) -> None:
        hint = f"commit failed ({reason}); applied and not taken back: {', '.join(applied)}"
        if kept:
            hint += f"; what was there before is in {kept}"
        super().__init__(errno.EIO, f"{os.strerror(errno.EIO)}: {hint}")
        self.applied, self.kept = applied, kept


class UndoLog:
    """What was done, and how to take it back."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], object]]] = []

    def did(self, what: str, undo: Callable[[], object]) -> None:
        """A step was taken.

        Args:
            what: in a few words, for a person.
            undo: takes it back.
        """
        self._steps.append((what, undo))

    def take_back(self, error: Exception, kept: str) -> None:
        """Undo everything, last step first; what cannot be undone is told, and all else is undone all the same.

        Args:
            error: why.
            kept: the directory that holds what was replaced and removed.

        Raises:
            CommitIncomplete: if something could not be undone.
        """
        left: list[str] = []
        while self._steps:
            what, undo = self._steps.pop()
            try:
                undo()
            except Exception:  # noqa: BLE001 - it is told below, and the steps before it are undone too
                left.append(what)
        if left:
            raise CommitIncomplete(left[::-1], kept, _reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return os_error(error.errno).strerror or ""
    return type(error).__name__
