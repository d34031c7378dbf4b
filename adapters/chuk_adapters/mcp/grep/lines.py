"""The lines of one file that match, with some around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from chuk_adapters.mcp.grep.blocks import BLOCK, blocks_of
from chuk_adapters.mcp.grep.finders import Finder


class Line(NamedTuple):
    """A line that is worth showing.

    Attributes:
        number: counted from 1.
        text: without its end.
        is_match: whether it is one, or stands near one.
    """

    number: int
    text: str
    is_match: bool


def lines_of(file: Any, path: str, finder: Finder, context: int = 0, size: int = BLOCK) -> Iterator[Line]:
    """The lines of a file that match, each once, in order.

    Args:
        file: open for reading bytes, at its start.
        path: where it is, for messages.
        finder: what finds them.
        context: how many lines before and after each are wanted too.
        size: bytes that are held at once; what is wanted may lie in several blocks of so many.
    """
    view = _View()
    for block in blocks_of(file, size):
        found = finder.find(block, path)
        if found or context:
            view.show(_text_of(block).split("\n"))
            yield from view.lines(found, context)
        else:
            view.skip(block.count(b"\n") + 1)


class _View:
    """One block of lines, and before it the end of the one before."""

    def __init__(self) -> None:
        self._first = 1
        self._kept: list[str] = []
        self._lines: list[str] = []
        self._last_shown = 0
        self._last_wanted = 0

    def show(self, lines: list[str]) -> None:
        self._lines = self._kept + lines

    def skip(self, count: int) -> None:
        self._first += count

    def lines(self, found: list[int], context: int) -> Iterator[Line]:
        """Those that are wanted, by number; ``found`` counts from the start of the block."""
        start = self._first - len(self._kept)
        end = start + len(self._lines)
        matches = {self._first + number for number in found}
        wanted = set(range(self._first, self._last_wanted + 1))
        for number in matches:
            wanted.update(range(number - context, number + context + 1))
            self._last_wanted = max(self._last_wanted, number + context)
        for number in sorted(wanted):
            if max(start, self._last_shown + 1) <= number < end:
                self._last_shown = number
                yield Line(number, self._lines[number - start].removesuffix("\r"), number in matches)
        self._kept = self._lines[-context:] if context else []
        self._first = end


def _text_of(block: bytes) -> str:
    return block.decode("utf-8", "replace")
