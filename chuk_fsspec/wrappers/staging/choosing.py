"""Which differences a commit of some paths takes, so that what it leaves in the base holds together."""

from __future__ import annotations

from collections.abc import Iterable

from chuk_fsspec.contract.changes import Changes, Kind
from chuk_fsspec.contract.paths import is_inside, split
from chuk_fsspec.wrappers.staging.differences import Difference, Place, Survey


def choose(found: list[Difference], paths: Iterable[str] | None) -> list[Difference]:
    """The differences at and below some paths, and those that these need.

    Args:
        found: all differences.
        paths: normal paths; None for everything.

    Returns:
        Those that are meant, with the directories above them that are new or renamed, and with what has to leave a
        place or a directory for them.
    """
    if paths is None:
        return found
    meant = {id(change) for change in Changes(tuple(one.change for one in found)).below(paths)}
    chosen = {id(one): one for one in found if id(one.change) in meant}
    pending = list(chosen.values())
    while pending:
        one = pending.pop()
        for other in found:
            if id(other) not in chosen and _needs(one, other):
                chosen[id(other)] = other
                pending.append(other)
    return list(chosen.values())


def _needs(one: Difference, other: Difference) -> bool:
    """Whether one difference cannot be carried out without another."""
    leaves = other.change.kind in (Kind.REMOVED, Kind.RENAMED)
    makes = other.change.kind in (Kind.ADDED, Kind.RENAMED)
    path, above = one.change.path, other.change.path
    if makes and one.place is not None and path != above and is_inside(path, above):
        return True
    if one.place is not None and leaves and one.place.below == other.origin and one is not other:
        return True
    if one.change.kind is Kind.REMOVED and leaves and one.origin is not None and other.origin is not None:
        return one.origin != other.origin and is_inside(other.origin, one.origin)
    return False


def touched(found: Survey, chosen: list[Difference]) -> list[Place]:
    """The directories of the stage whose entries a commit changes in the base."""
    paths = {split(one.change.path)[0] for one in chosen if one.place is not None}
    origins = {split(one.origin)[0] for one in chosen if one.origin is not None}
    there = {one.change.path for one in chosen if one.place is not None}
    return [
        place
        for place in found.places
        if (place.is_kept or place.path in there)
        and (place.path in paths or (place.record is not None and bool(origins & set(place.record.origins))))
    ]


def known_names(found: Survey, chosen: list[Difference], all_found: list[Difference]) -> dict[int, str]:
    """Where the inodes of the stage that the base has are in the base, as soon as the renames are done."""
    left = {id(one) for one in chosen}
    staying = [one.change.path for one in all_found if one.change.kind is Kind.RENAMED and id(one) not in left]
    names: dict[int, str] = {}
    for place in found.places:
        if place.is_kept and place.below is not None:
            is_moved = any(is_inside(place.path, path) for path in staying)
            names.setdefault(place.node.ino, place.below if is_moved else place.path)
    return names
