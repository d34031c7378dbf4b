"""Unified diffs as the reference server writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_CONTEXT = 4
_RULE = "=" * 67
_NO_END = "\\ No newline at end of file"
_MOST_CHANGES = 1_000
"""Where two texts differ in more lines, the shortest diff is not searched for: its time grows with the square."""

_EQUAL, _REMOVED, _ADDED = " ", "-", "+"


@dataclass(frozen=True)
class _Run:
    """Lines of one kind that follow one another in a diff.

    Attributes:
        sign: what stands before each.
        lines: with their line breaks.
    """

    sign: str
    lines: Sequence[str]


@dataclass(frozen=True)
class _Path:
    """A way through the edit graph: how many old lines it has used, its last run, and the way before that."""

    used: int
    sign: str = _EQUAL
    count: int = 0
    before: _Path | None = None


def unified(old: str, new: str, path: str) -> str:
    """A unified diff with its header, also where nothing changed.

    Args:
        old: the text before.
        new: the text after.
        path: what the header calls the file.

    Returns:
        Lines, the last with a line break too.
    """
    header = [f"Index: {path}", _RULE, f"--- {path}\toriginal", f"+++ {path}\tmodified"]
    return "\n".join([*header, *_hunks(_runs(_lines(old), _lines(new)))]) + "\n"


def fenced(text: str, language: str) -> str:
    """A text as a block of Markdown, in a fence that is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}{fence}\n\n"


def _lines(text: str) -> list[str]:
    """A text's lines with their line feeds; only line feeds end lines."""
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _runs(old: Sequence[str], new: Sequence[str]) -> list[_Run]:
    path = _shortest(old, new)
    if path is None:
        return _as_one_change(old, new)
    counts: list[tuple[str, int]] = []
    while path is not None:
        if path.count:
            counts.append((path.sign, path.count))
        path = path.before
    runs: list[_Run] = []
    x = y = 0
    for sign, count in reversed(counts):
        lines = new[y : y + count] if sign == _ADDED else old[x : x + count]
        x += 0 if sign == _ADDED else count
        y += 0 if sign == _REMOVED else count
        # What is removed stands before what is added in its place.
        place = len(runs) - 1 if sign == _REMOVED and runs and runs[-1].sign == _ADDED else len(runs)
        runs.insert(place, _Run(sign, lines))
    return runs


def _shortest(old: Sequence[str], new: Sequence[str]) -> _Path | None:
    """The shortest edit script (Myers, "An O(ND) Difference Algorithm", 1986); None where it is too long."""
    best: dict[int, _Path | None] = {0: _along(_Path(0), 0, old, new)}
    if _is_end(best[0], 0, old, new):
        return best[0]
    for changes in range(1, min(len(old) + len(new), _MOST_CHANGES) + 1):
        for diagonal in range(-changes, changes + 1, 2):
            step = _step(best.get(diagonal - 1), best.get(diagonal + 1), diagonal, len(old), len(new))
            best[diagonal] = step and _along(step, diagonal, old, new)
            if _is_end(best[diagonal], diagonal, old, new):
                return best[diagonal]
    return None


def _step(left: _Path | None, above: _Path | None, diagonal: int, old: int, new: int) -> _Path | None:
    """The better of removing a line and adding one, to come to a diagonal (old lines used minus new ones)."""
    removes = left is not None and left.used < old
    adds = above is not None and 0 <= above.used - diagonal - 1 < new
    if above is not None and adds and not (left is not None and removes and left.used >= above.used):
        return _longer(above, _ADDED, above.used)
    if left is not None and removes:
        return _longer(left, _REMOVED, left.used + 1)
    return None


def _longer(path: _Path, sign: str, used: int, count: int = 1) -> _Path:
    if path.sign == sign:
        return _Path(used, sign, path.count + count, path.before)
    return _Path(used, sign, count, path)


def _along(path: _Path, diagonal: int, old: Sequence[str], new: Sequence[str]) -> _Path:
    """As far as lines are equal."""
    x = path.used
    while x < len(old) and x - diagonal < len(new) and old[x] == new[x - diagonal]:
        x += 1
    return path if x == path.used else _longer(path, _EQUAL, x, x - path.used)


def _is_end(path: _Path | None, diagonal: int, old: Sequence[str], new: Sequence[str]) -> bool:
    return path is not None and path.used >= len(old) and path.used - diagonal >= len(new)


def _as_one_change(old: Sequence[str], new: Sequence[str]) -> list[_Run]:
    """All between the first and the last difference removed and added."""
    most = min(len(old), len(new))
    first = next((place for place in range(most) if old[place] != new[place]), most)
    last = next((place for place in range(most - first) if old[-1 - place] != new[-1 - place]), most - first)
    runs = [
        _Run(_EQUAL, old[:first]),
        _Run(_REMOVED, old[first : len(old) - last]),
        _Run(_ADDED, new[first : len(new) - last]),
        _Run(_EQUAL, old[len(old) - last :]),
    ]
    return [run for run in runs if run.lines]


def _hunks(runs: Sequence[_Run]) -> list[str]:
    """The changed lines with a few around them; changes that stand close together share a hunk."""
    told: list[str] = []
    hunk = _Hunk(1, 1)
    x = y = 1
    for number, run in enumerate(runs):
        is_last = number == len(runs) - 1
        if run.sign != _EQUAL:
            hunk.add(run.sign, run.lines)
        elif not hunk.changed:
            kept = run.lines[-_CONTEXT:]
            hunk = _Hunk(x + len(run.lines) - len(kept), y + len(run.lines) - len(kept))
            hunk.add(_EQUAL, kept)
        elif len(run.lines) <= 2 * _CONTEXT and not is_last:
            hunk.add(_EQUAL, run.lines)
        else:
            hunk.add(_EQUAL, run.lines[:_CONTEXT])
            told += hunk.told()
            kept = run.lines[-_CONTEXT:]
            hunk = _Hunk(x + len(run.lines) - len(kept), y + len(run.lines) - len(kept))
            hunk.add(_EQUAL, kept)
        x += 0 if run.sign == _ADDED else len(run.lines)
        y += 0 if run.sign == _REMOVED else len(run.lines)
    return told + (hunk.told() if hunk.changed else [])


class _Hunk:
    """Changed lines that stand together.

    Args:
        old: the number of its first line before, from 1.
        new: the same afterwards.
    """

    def __init__(self, old: int, new: int) -> None:
        self.changed = False
        self._old, self._new = old, new
        self._lines: list[str] = []
        self._counts = {_EQUAL: 0, _REMOVED: 0, _ADDED: 0}

    def add(self, sign: str, lines: Sequence[str]) -> None:
        """Add lines of one kind."""
        self.changed = self.changed or sign != _EQUAL
        self._counts[sign] += len(lines)
        for line in lines:
            self._lines.append(sign + line.removesuffix("\n"))
            if not line.endswith("\n"):
                self._lines.append(_NO_END)

    def told(self) -> list[str]:
        """Its lines, after the line that says where they are; an empty side is named by the line before it."""
        old = self._counts[_EQUAL] + self._counts[_REMOVED]
        new = self._counts[_EQUAL] + self._counts[_ADDED]
        first_old, first_new = self._old - (old == 0), self._new - (new == 0)
        return [f"@@ -{first_old},{old} +{first_new},{new} @@", *self._lines]
