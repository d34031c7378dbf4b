"""Lines of a file that fit an expression, with those around them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from chuk_fsspec.cli.files.reading import LINE_MAX, Blocks, lines_of

_LOOKED_AT = 32 * 1024
"""A NUL in so many first bytes makes a file a binary one, as in GNU grep."""


@dataclass(frozen=True)
class Search:
    """What is looked for.

    Attributes:
        expression: what a line has to fit.
        inverted: what it must not fit.
        before: so many lines before each one are wanted, too.
        after: so many lines after it.
        first_only: one line is enough.
    """

    expression: re.Pattern[str]
    inverted: bool = False
    before: int = 0
    after: int = 0
    first_only: bool = False


@dataclass(frozen=True)
class Line:
    """A line to show.

    Attributes:
        number: counted from 1.
        text: without its end; bytes that are no UTF-8 are surrogate escapes.
        fits: whether it was looked for, or is only near one that was.
        binary: whether it stands for a binary file, whose lines are not shown.
    """

    number: int
    text: str
    fits: bool
    binary: bool = False


def search(blocks: Blocks, asked: Search) -> Iterator[Line]:
    """The lines to show, in order."""
    is_binary, blocks = _looked_into(blocks)
    before: deque[Line] = deque(maxlen=asked.before)
    after = 0
    for number, piece in enumerate(lines_of(blocks, LINE_MAX), 1):
        text = piece.removesuffix(b"\n").decode("utf-8", "surrogateescape")
        fits = (asked.expression.search(text) is None) == asked.inverted
        if fits:
            yield from before
            before.clear()
            yield Line(number, text, fits=True, binary=is_binary)
            if is_binary or asked.first_only:
                return
            after = asked.after
        elif after:
            after -= 1
            yield Line(number, text, fits=False)
        elif asked.before:
            before.append(Line(number, text, fits=False))


def _looked_into(blocks: Blocks) -> tuple[bool, Blocks]:
    """Whether content is binary, and the content."""
    rest = iter(blocks)
    first = next(rest, b"")

    def all_of_it() -> Iterator[bytes]:
        yield first
        yield from rest

    return b"\0" in first[:_LOOKED_AT], all_of_it()
