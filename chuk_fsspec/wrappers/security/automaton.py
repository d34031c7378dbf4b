"""Matching text against patterns in linear time: a nondeterministic automaton, run as a deterministic one made lazily.

Whatever the pattern, a text of n characters takes n steps: there is no backtracking, so no pattern can stall a check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

INSTRUCTIONS_MAX = 4000
"""Largest program; counted repetitions are written out, so ``(a{99}){99}`` would be larger."""
_STEPS_KEPT = 20_000

Test = Callable[[str], bool]
"""Whether a character is one of a set."""


@dataclass(frozen=True)
class Character:
    """Takes one character that passes a test."""

    test: Test


@dataclass(frozen=True)
class Edge:
    """Takes nothing, and only at the start or the end of the text."""

    at_end: bool


@dataclass(frozen=True)
class Sequence:
    """One after the other."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Choice:
    """One of several."""

    options: tuple[Expression, ...]


@dataclass(frozen=True)
class Repeat:
    """As often as allowed; ``most`` None is without end."""

    part: Expression
    least: int
    most: int | None


Expression = Character | Edge | Sequence | Choice | Repeat

ANYTHING = Repeat(Character(lambda character: True), 0, None)
START, END = Edge(at_end=False), Edge(at_end=True)


class TooLargeError(ValueError):
    """A pattern whose program would have more than ``INSTRUCTIONS_MAX`` instructions."""


class _State:
    """What may come next after some text, and whether the text matches already."""

    __slots__ = ("accepts", "accepts_at_end", "following", "pending")

    def __init__(self, accepts: bool, accepts_at_end: bool, pending: tuple[tuple[Test, int], ...]) -> None:
        self.accepts = accepts
        self.accepts_at_end = accepts_at_end
        self.pending = pending
        self.following: dict[str, _State] = {}


class Automaton:
    """Finds out whether an expression occurs somewhere in a text. Safe to use from several threads.

    Args:
        expression: what to look for; ``START`` and ``END`` tie it to the ends of the text.

    Raises:
        TooLargeError: if it is too large.
    """

    def __init__(self, expression: Expression) -> None:
        self._program = _Program()
        self._entry = self._program.add(Sequence((ANYTHING, expression)), self._program.accepting)
        self._forget()

    def matches(self, text: str) -> bool:
        """Whether the expression occurs in a text."""
        state = self._first
        if state.accepts:
            return True
        for character in text:
            following = state.following.get(character)
            state = following if following is not None else self._step(state, character)
            if state.accepts:
                return True
        return state.accepts_at_end

    def _forget(self) -> None:
        self._states: dict[frozenset[int], _State] = {}
        self._steps = 0
        self._first = self._state((self._entry,), at_start=True)

    def _step(self, state: _State, character: str) -> _State:
        if self._steps >= _STEPS_KEPT:
            self._forget()
        self._steps += 1
        entries = [entry for test, entry in state.pending if test(character)]
        following = state.following[character] = self._state(entries, at_start=False)
        return following

    def _state(self, entries: Iterable[int], at_start: bool) -> _State:
        program = self._program
        reached = program.reach(entries, at_start=at_start, at_end=False)
        state = self._states.get(reached)
        if state is None or at_start:
            at_end = program.reach(entries, at_start=at_start, at_end=True)
            accepting = program.accepting
            state = _State(accepting in reached, accepting in at_end, program.pending(reached))
            if not at_start:
                self._states[reached] = state
        return state


class _Program:
    """Instructions, each known by its number, written from the end of the expression to its start."""

    accepting = 0

    def __init__(self) -> None:
        self._takes: list[Test | None] = [None]
        self._edges: list[bool | None] = [None]
        self._next: list[tuple[int, ...]] = [()]
        self._parts = 0

    def add(self, expression: Expression, after: int) -> int:
        """Write an expression that goes on at ``after``; returns where it begins."""
        self._parts += 1
        self._require(self._parts)
        if isinstance(expression, Character):
            return self._instruction((after,), takes=expression.test)
        if isinstance(expression, Edge):
            return self._instruction((after,), edge=expression.at_end)
        if isinstance(expression, Sequence):
            for part in reversed(expression.parts):
                after = self.add(part, after)
            return after
        if isinstance(expression, Choice):
            return self._instruction(tuple([self.add(option, after) for option in expression.options]))
        return self._repeat(expression, after)

    def _repeat(self, repeat: Repeat, after: int) -> int:
        entry = after
        if repeat.most is None:
            entry = self._instruction((after,))
            self._next[entry] = (self.add(repeat.part, entry), after)
        for _ in range((repeat.most or repeat.least) - repeat.least):
            entry = self._instruction((self.add(repeat.part, entry), after))
        for _ in range(repeat.least):
            entry = self.add(repeat.part, entry)
        return entry

    def _instruction(self, following: tuple[int, ...], takes: Test | None = None, edge: bool | None = None) -> int:
        self._require(len(self._next))
        self._takes.append(takes)
        self._edges.append(edge)
        self._next.append(following)
        return len(self._next) - 1

    def _require(self, size: int) -> None:
        if size > INSTRUCTIONS_MAX:
            raise TooLargeError(f"written out, it has more than {INSTRUCTIONS_MAX} steps")

    def reach(self, entries: Iterable[int], at_start: bool, at_end: bool) -> frozenset[int]:
        """The instructions that take a character or accept, and are reached without taking one."""
        reached: set[int] = set()
        seen: set[int] = set()
        pending = list(entries)
        while pending:
            number = pending.pop()
            if number in seen:
                continue
            seen.add(number)
            edge = self._edges[number]
            if number == self.accepting or self._takes[number] is not None:
                reached.add(number)
            elif edge is None or (at_end if edge else at_start):
                pending += self._next[number]
            elif edge:
                reached.add(number)  # it tells two states apart that differ only at the end of the text
        return frozenset(reached)

    def pending(self, reached: frozenset[int]) -> tuple[tuple[Test, int], ...]:
        """What the reached instructions take, and where each goes on."""
        return tuple([(test, self._next[number][0]) for number in reached if (test := self._takes[number]) is not None])
