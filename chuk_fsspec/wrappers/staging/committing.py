"""From a stage into its base: all that was chosen, or nothing."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.utils import tokenize

from chuk_fsspec.contract.changes import Changes
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.wrappers.staging.applying import Applying
from chuk_fsspec.wrappers.staging.choosing import choose, known_names, touched
from chuk_fsspec.wrappers.staging.conflicts import StageConflict, conflicts_of
from chuk_fsspec.wrappers.staging.differences import Difference, Survey, differences, survey
from chuk_fsspec.wrappers.staging.overlay import Overlay
from chuk_fsspec.wrappers.staging.record import Seen
from chuk_fsspec.wrappers.staging.renewing import renew
from chuk_fsspec.wrappers.staging.settling import Settling
from chuk_fsspec.wrappers.staging.undoing import CommitIncomplete, UndoLog, reason_of

_turns: dict[str, AbstractContextManager[Any]] = {}


def diff(overlay: Overlay) -> Changes:
    """What differs from the base."""
    with overlay.turns.step():
        return Changes.of(one.change for one in differences(overlay, survey(overlay)))


def commit(overlay: Overlay, paths: Iterable[str] | None) -> Changes:
    """Carry changes out in the base. Returns what was carried out.

    Args:
        overlay: the stage.
        paths: normal paths; what they and all below them have changed is taken. None for everything.

    Raises:
        StageConflict: if somebody else changed the base there.
        CommitIncomplete: if it failed half-way in a base without transactions, and could not be taken back.
        OSError: of the base, in which then nothing has changed; EROFS.
    """
    with overlay.turns.step():
        found = survey(overlay)
        everything = differences(overlay, found)
        chosen = choose(everything, paths)
        if not chosen:
            return Changes()
        if not overlay.base.capabilities.write:
            raise os_error(errno.EROFS, chosen[0].change.path, hint="what lies below the stage takes no changes")
        plan = _Plan(overlay, found, everything, chosen)
        with _turn_of(overlay.base.fs):
            if overlay.base.capabilities.isolated_transactions:
                with overlay.base.fs.transaction:
                    committed = plan.carry_out(None)
            else:
                committed = plan.carry_out(UndoLog())
        with overlay.turns.quiet():
            Settling(overlay, found, chosen, committed).run()
        return Changes.of(one.change for one in chosen)


def _turn_of(base: AbstractFileSystem) -> AbstractContextManager[Any]:
    """What one stage at a time has: of two that commit at once, the second one must see what the first one did."""
    try:
        name = base.fsid
    except NotImplementedError:  # then what is the same by its options counts as the same
        name = tokenize(base)
    return _turns.setdefault(str(name), threading.RLock())


class _Plan:
    """What is to be done, and how it is known."""

    def __init__(self, overlay: Overlay, found: Survey, everything: list[Difference], chosen: list[Difference]) -> None:
        self._overlay, self._found, self._everything, self._chosen = overlay, found, everything, chosen

    def carry_out(self, undo: UndoLog | None) -> dict[str, Seen]:
        """Check, do it, and if that fails take it back.

        Args:
            undo: takes note of what is done; None where the base takes it back, and lets nobody come between.

        Returns:
            What is in the base by now, by path.
        """
        conflicts = conflicts_of(self._overlay, self._chosen)
        if conflicts:
            raise StageConflict(conflicts)
        names = known_names(self._found, self._chosen, self._everything)
        applying = Applying(self._overlay, self._chosen, touched(self._found, self._chosen), names, undo)
        stamps = {} if undo is None else self._stamps()
        try:
            applying.run()
        except BaseException as error:
            if undo is not None:
                left = undo.take_back()
                kept = applying.aside.kept() if left else ""
                applying.aside.remove()
                with self._overlay.turns.quiet():
                    renew(self._overlay, self._found, applying.restored)
                for path, times in stamps.items():
                    self._overlay.base.stamp(path, times)
                if left:
                    raise CommitIncomplete(left, kept, reason_of(error)) from error
            raise
        applying.finish()
        return applying.outcome()

    def _stamps(self) -> dict[str, tuple[int, int]]:
        """The times of the directories of the base in which something is going to change, the lowest ones first."""
        below = (one.place.below for one in self._chosen if one.place is not None)
        paths = {split(path)[0] for path in (*below, *(one.origin for one in self._chosen)) if path is not None}
        found = {path: self._overlay.base.times(path) for path in sorted(paths, key=len, reverse=True)}
        return {path: times for path, times in found.items() if times is not None}
