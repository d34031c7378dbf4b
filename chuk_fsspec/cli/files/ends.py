"""Counts of ``head`` and ``tail``, and what both write around several files."""

from __future__ import annotations

import argparse
import re
from collections import deque
from collections.abc import Callable, Iterator

from chuk_fsspec.cli.files.location import add_options
from chuk_fsspec.cli.files.reading import Blocks, Source, for_each_source, write
from chuk_fsspec.cli.files.styling import shown
from chuk_fsspec.cli.output import say

_COUNT = re.compile(r"([+-]?)([0-9]+)([KMGTkmgt]?)")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class Count:
    """A number of lines or bytes, and the sign before it."""

    def __init__(self, text: str) -> None:
        """Read one.

        Args:
            text: a number, with + or - before it, and K, M, G or T (powers of 1024) after it.

        Raises:
            ArgumentTypeError: for anything else.
        """
        match = _COUNT.fullmatch(text)
        if match is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 10, -10, +10 or 64K")
        self.sign = match[1]
        self.number = int(match[2]) * _UNITS[match[3].upper()]


def add_counts(parser: argparse.ArgumentParser, lines: str, size: str) -> None:
    """Add files and counts.

    Args:
        parser: of the command.
        lines: help for ``-n``.
        size: help for ``-c``.
    """
    parser.add_argument("locations", nargs="*", metavar="URL", help="URLs or paths; - or nothing for standard input")
    count = parser.add_mutually_exclusive_group()
    count.add_argument("-n", "--lines", type=Count, default=Count("10"), metavar="N", help=lines)
    count.add_argument("-c", "--bytes", type=Count, metavar="N", help=size)
    parser.add_argument("-q", "--quiet", action="store_true", help="no headings")
    add_options(parser)


def without_last(blocks: Blocks, count: int) -> Iterator[bytes]:
    """Content without its last ``count`` bytes, of which no more are held than that and a block."""
    held: deque[bytes] = deque()
    yield from _pushed_out(blocks, count, held)
    size = sum(map(len, held))
    if size > count:
        yield held[0][: size - count]


def only_last(blocks: Blocks, count: int) -> Iterator[bytes]:
    """The last ``count`` bytes of content, of which no more are held than that and a block."""
    held: deque[bytes] = deque()
    for _ in _pushed_out(blocks, count, held):
        pass
    size = sum(map(len, held))
    if size > count:
        held[0] = held[0][size - count :]
    yield from held


def _pushed_out(blocks: Blocks, count: int, held: deque[bytes]) -> Iterator[bytes]:
    """Whole blocks before the last ``count`` bytes; those from there on are held."""
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        while held and size - len(held[0]) >= count:
            size -= len(held[0])
            yield held.popleft()


def show_each(args: argparse.Namespace, part: Callable[[Source], Blocks]) -> int:
    """Write a part of each file, under a heading if there are several; 1 if one could not be read."""
    has_headings = len(args.locations) > 1 and not args.quiet and not args.json
    written = 0

    def show(source: Source) -> None:
        nonlocal written
        source.attributes()
        if has_headings:
            say(f"{chr(10) * bool(written)}==> {shown(source.title)} <==")
        written += 1
        write(source.text, part(source), as_json=args.json)

    return for_each_source(args.locations, dict(args.option), show)
