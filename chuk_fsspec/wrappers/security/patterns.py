"""Sets of paths, said by literal paths and by patterns, and followed one name at a time.

A path is in a set with all that is below it. A pattern without a slash, glob or regular expression, is about the name
of every component; a glob with one is a path from the root, in which ``**`` stands for any number of directories.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from chuk_fsspec.contract.paths import normalise
from chuk_fsspec.wrappers.security.automaton import Automaton, Choice, Expression, TooLargeError
from chuk_fsspec.wrappers.security.expressions import Fold, glob, regex

PATTERN_MAX = 1000
"""Longest pattern, in characters."""
GLOB = "glob:"
"""What a pattern begins with that is a glob; any other is a regular expression."""

_GLOB_CHARACTERS = frozenset("*?[")
_STATES_KEPT = 4096
_ANY_DEPTH = None
_ARRIVED = frozenset({(-1, -1)})
"""All places in the set are one: what is below them is in it too."""

Step = str | Automaton | None
"""How a pattern goes one level down: by a name, by a pattern of names, or (None) by any number of levels."""
Way = tuple[Step, ...]
Place = tuple[int, int]
"""Which way, and how many of its steps are done."""


def exact(name: str) -> str:
    """The form in which names are compared: canonically equal spellings of Unicode (NFC) are one name."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def caseless(name: str) -> str:
    """As ``exact``, for names in any case (Unicode's canonical caseless matching)."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


class PathSet:
    """Paths and patterns, compiled.

    Args:
        paths: absolute paths, taken as they are.
        patterns: regular expressions for ``re.search`` in a name, or globs after ``glob:``.
        fold: ``exact`` or ``caseless``.

    Raises:
        ValueError: for a path that is none; for a pattern that is not well formed, not supported or too large.
    """

    def __init__(self, paths: Iterable[str], patterns: Iterable[str], fold: Fold) -> None:
        self._ways = [_way_of_path(path, fold) for path in paths]
        names: list[Expression] = []
        for pattern in patterns:
            with _reading(pattern):
                if "/" in pattern and pattern.startswith(GLOB):
                    self._ways.append(_way_of_glob(pattern.removeprefix(GLOB), fold))
                else:
                    names.append(_name_expression(pattern, fold))
        self._ways += [(_ANY_DEPTH, automaton) for automaton in _united(names)]
        self._states: dict[frozenset[Place], PathState] = {}
        self.root = self.state({(way, 0) for way in range(len(self._ways))})

    def state(self, places: set[Place]) -> PathState:
        """The state of being at certain places."""
        reached = frozenset([further for place in places for further in self._without_going_down(*place)])
        if any(done == len(self._ways[way]) for way, done in reached):
            reached = _ARRIVED
        state = self._states.get(reached)
        if state is None:
            if len(self._states) >= _STATES_KEPT:
                self._states.clear()
            state = self._states[reached] = PathState(self, self._ways, reached)
        return state

    def _without_going_down(self, way: int, done: int) -> Iterator[Place]:
        yield way, done
        while done < len(self._ways[way]) and self._ways[way][done] is _ANY_DEPTH:
            done += 1
            yield way, done


class PathState:
    """A directory as a ``PathSet`` sees it.

    Attributes:
        matched: whether it is in the set.
        leads: whether a path, or a glob without ``**`` so far, goes on below it.
        is_decided: whether everything below is in the set, or nothing.
    """

    def __init__(self, paths: PathSet, ways: list[Way], places: frozenset[Place]) -> None:
        self._paths = paths
        self._names: dict[str, set[Place]] = {}
        self._patterns: list[tuple[Automaton, Place]] = []
        self._staying: set[Place] = set()
        self.matched = places == _ARRIVED
        ahead = () if self.matched else places
        self.leads = any(_ANY_DEPTH not in ways[way][: done + 1] for way, done in ahead)
        for way, done in ahead:
            step = ways[way][done]
            if step is _ANY_DEPTH:
                self._staying.add((way, done))
            elif isinstance(step, str):
                self._names.setdefault(step, set()).add((way, done + 1))
            else:
                self._patterns.append((step, (way, done + 1)))
        self.is_decided = not (self._names or self._patterns or self._staying)
        self._ordinary: PathState | None = None

    def minds(self, name: str) -> bool:
        """Whether an entry of this (folded) name may be in another state than ``ordinary``."""
        return name in self._names or any(pattern.matches(name) for pattern, _ in self._patterns)

    @property
    def ordinary(self) -> PathState:
        """The state of an entry whose name says nothing."""
        if self._ordinary is None:
            self._ordinary = self if self.is_decided else self._paths.state(self._staying)
        return self._ordinary

    def below(self, name: str) -> PathState:
        """The state of an entry; ``name`` is folded."""
        if self.is_decided:
            return self
        places = self._staying | self._names.get(name, set())
        places.update([place for pattern, place in self._patterns if pattern.matches(name)])
        return self._paths.state(places)


@contextmanager
def _reading(pattern: str) -> Iterator[None]:
    """Name the pattern in what is wrong with it."""
    if not isinstance(pattern, str):
        raise ValueError(f"{pattern!r} is not a pattern; write a string")
    try:
        if not pattern.removeprefix(GLOB):
            raise ValueError("it is empty and would match everything")
        if len(pattern) > PATTERN_MAX:
            raise ValueError(f"a pattern may have {PATTERN_MAX} characters")
        yield
    except ValueError as error:
        raise ValueError(f"the pattern {pattern!r} cannot be used: {error}") from None


def _name_expression(pattern: str, fold: Fold) -> Expression:
    is_glob = pattern.startswith(GLOB)
    expression = glob(pattern.removeprefix(GLOB), fold) if is_glob else regex(pattern, fold)
    Automaton(expression)  # too large a pattern is found here, where its name is known
    return expression


def _united(names: list[Expression]) -> list[Automaton]:
    """One automaton for all, which looks at a name once; several where one would be too large."""
    if not names:
        return []
    try:
        return [Automaton(Choice(tuple(names)))]
    except TooLargeError:
        return [Automaton(name) for name in names]


def _way_of_path(path: str, fold: Fold) -> Way:
    if not path.startswith("/"):
        raise ValueError(f"{path!r} is not an absolute path; write it from the root, as in '/home/agent'")
    try:
        normal = normalise(path)
    except OSError as error:
        raise ValueError(f"{path!r} cannot be a path: {error.strerror}") from None
    return tuple([fold(name) for name in normal.split("/") if name])


def _way_of_glob(pattern: str, fold: Fold) -> Way:
    steps: list[Step] = []
    for part in pattern.strip("/").split("/"):
        if part in ("", ".", ".."):
            raise ValueError("a glob of paths goes from the root down: it cannot hold '//', '.' or '..'")
        if part == "**":
            steps.append(_ANY_DEPTH)
        elif _GLOB_CHARACTERS.isdisjoint(part):
            steps.append(fold(part))
        else:
            steps.append(Automaton(glob(part, fold)))
    return tuple(steps)
