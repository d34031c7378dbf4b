"""Ranges of files, put together where they lie near one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """One range that is asked for: as in a slice, negative numbers count from the end."""

    number: int
    path: str
    start: int | None
    end: int | None


@dataclass(frozen=True)
class Merged:
    """One request for the ranges in it.

    Attributes:
        path: of the file.
        start: its first byte.
        end: the byte before which it ends.
        parts: of every range its number, and where it lies in what comes.
    """

    path: str
    start: int | None
    end: int | None
    parts: tuple[tuple[int, int | None, int | None], ...]


def ranges_of(paths: list[str], starts: Any, ends: Any) -> list[Range]:
    """The ranges that the arguments of ``cat_ranges`` ask for.

    Raises:
        TypeError: if ``paths`` is no list.
        ValueError: for lists of different length.
    """
    if not isinstance(paths, list):
        raise TypeError(f"paths must be a list, not {type(paths).__name__}")
    firsts = list(starts) if isinstance(starts, Iterable) else [starts] * len(paths)
    stops = list(ends) if isinstance(ends, Iterable) else [ends] * len(paths)
    if not len(paths) == len(firsts) == len(stops):
        raise ValueError(f"{len(paths)} paths, {len(firsts)} starts and {len(stops)} ends do not fit one another")
    return [Range(number, *one) for number, one in enumerate(zip(paths, firsts, stops, strict=True))]


def merge(ranges: list[Range], max_gap: int | None) -> list[Merged]:
    """The requests that ranges take.

    Args:
        ranges: in any order.
        max_gap: bytes that may lie between two ranges of one request; None for a request for each.
    """
    if max_gap is None:
        return [_alone(one) for one in ranges]
    apart = [one for one in ranges if _is_open(one)]
    near = sorted((one for one in ranges if not _is_open(one)), key=lambda one: (one.path, one.start or 0))
    groups: list[list[Range]] = []
    stop = 0
    for one in near:
        if groups and groups[-1][0].path == one.path and (one.start or 0) <= stop + max_gap:
            groups[-1].append(one)
        else:
            groups.append([one])
            stop = 0
        stop = max(stop, one.end or 0)
    return [_alone(one) for one in apart] + [_together(group) for group in groups]


def _is_open(one: Range) -> bool:
    """Whether it takes the size of the file to say where a range is, or nothing is in it."""
    return one.end is None or one.end < 0 or (one.start or 0) < 0 or one.end <= (one.start or 0)


def _alone(one: Range) -> Merged:
    return Merged(one.path, one.start, one.end, ((one.number, None, None),))


def _together(group: list[Range]) -> Merged:
    start = group[0].start or 0
    end = max(one.end or 0 for one in group)
    parts = tuple((one.number, (one.start or 0) - start, (one.end or 0) - start) for one in group)
    return Merged(group[0].path, start, end, parts)
