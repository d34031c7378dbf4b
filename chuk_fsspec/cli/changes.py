"""Changes as a list for a terminal: what is new as a whole, or gone as a whole, takes one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from chuk_fsspec.contract.changes import Change, Changes, Kind
from chuk_fsspec.contract.display import amount, printable

FEW = 10
"""So many entries of a new or removed directory are shown one by one."""

_WHOLE = (Kind.ADDED, Kind.REMOVED)


@dataclass
class _Whole:
    """A directory that is new or gone with all that was in it."""

    change: Change
    below: list[Change] = field(default_factory=list)


def listing(changes: Changes, *, full: bool = False) -> Iterator[str]:
    """The lines to show, and how many changes there are of each kind.

    Args:
        changes: what changed.
        full: one line for each change.
    """
    for whole in _gathered(changes):
        if full or len(whole.below) <= FEW:
            yield str(whole.change)
            yield from map(str, whole.below)
        else:
            files = [change for change in whole.below if change.facts.type != "directory"]
            total = amount(sum(change.facts.size for change in files))
            yield f"{whole.change.kind.value} {printable(whole.change.path)}/ ({len(files)} files, {total})"
    yield changes.summary()


def as_record(changes: Changes) -> dict[str, Any]:
    """Changes for programs."""
    rows = [{**asdict(change), "kind": change.kind.name.lower()} for change in changes]
    return {"changes": rows, "summary": changes.summary()}


def _gathered(changes: Changes) -> list[_Whole]:
    gathered: list[_Whole] = []
    open_wholes: dict[Kind, _Whole] = {}
    for change in changes:
        above = open_wholes.get(change.kind)
        if above is not None and change.path.startswith(f"{above.change.path}/"):
            above.below.append(change)
            continue
        whole = _Whole(change)
        gathered.append(whole)
        if change.kind in _WHOLE and change.facts.type == "directory":
            open_wholes[change.kind] = whole
    return gathered
