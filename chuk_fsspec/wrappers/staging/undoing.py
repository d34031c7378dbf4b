"""Steps that can be taken back, for filesystems without transactions."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.wrappers.staging.conflicts import StageConflict


class CommitIncomplete(OSError):  # noqa: N818 - it says what state things are in
    """EIO: a commit failed half-way, and not all of it could be taken back.

    Attributes:
        applied: what was done and still is, one line each.
        kept: the directory in the base that holds what was replaced and removed; empty if there is none, and several of
            them with commas between.
    """

    def __init__(self, applied: list[str], kept: str, reason: str) -> None:
        hint = f"commit failed ({reason}); applied and not taken back: {', '.join(applied)}"
        if kept:
            hint += f"; what was there before is in {kept}"
        super().__init__(errno.EIO, f"{os.strerror(errno.EIO)}: {hint}")
        self.applied, self.kept = applied, kept


Undo = Callable[[], object]


class UndoLog:
    """What was done, and how to take it back."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Undo]] = []

    def did(self, what: str, undo: Undo) -> None:
        """A step was taken.

        Args:
            what: in a few words, for a person.
            undo: takes it back.
        """
        self._steps.append((what, undo))

    def take_back(self) -> list[str]:
        """Undo everything, last step first; returns what could not be undone, the first step first."""
        left: list[str] = []
        while self._steps:
            what, undo = self._steps.pop()
            try:
                undo()
            except Exception:  # noqa: BLE001 - it is told, and the steps before it are undone too
                left.append(what)
        return left[::-1]


def reason_of(error: BaseException) -> str:
    """Why a commit failed, in a few words."""
    if isinstance(error, StageConflict):
        return ", ".join(f"{path} {what}" for path, what in sorted(error.conflicts.items()))
    if isinstance(error, OSError) and error.errno is not None:
        return os_error(error.errno).strerror or ""
    return type(error).__name__
