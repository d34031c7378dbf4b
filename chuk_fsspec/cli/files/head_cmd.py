"""``chuk-fsspec head``."""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Iterator
from typing import Any

from chuk_fsspec.cli.files.ends import add_counts, show_each, without_last
from chuk_fsspec.cli.files.reading import LINE_MAX, Blocks, Source, lines_of
from chuk_fsspec.cli.parsing import add_command

_EXAMPLE = """
chuk-fsspec head -n 3 README.md
chuk-fsspec head -c 64K chuksqlite:///photo.jpg::file://$PWD/work.db
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "head",
        run,
        details="Write the beginning of files; no more of them is read. Exit code 1 if one could not be read.",
        example=_EXAMPLE,
    )
    add_counts(parser, "so many lines (default: 10); -N: all but the last N", "so many bytes; -N: all but the last N")


def run(args: argparse.Namespace) -> int:
    """Write the beginning of each; 1 if one could not be read."""

    def part(source: Source) -> Blocks:
        if args.bytes is None:
            return _lines(source, args.lines.number, but_last=args.lines.sign == "-")
        return _bytes(source, args.bytes.number, but_last=args.bytes.sign == "-")

    return show_each(args, part)


def _lines(source: Source, count: int, *, but_last: bool) -> Iterator[bytes]:
    if but_last:
        yield from _but_last(lines_of(source.blocks()), count)
        return
    pieces = lines_of(source.blocks(), LINE_MAX)
    while count and (piece := next(pieces, b"")):
        yield piece
        count -= piece.endswith(b"\n")


def _but_last(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    held: deque[bytes] = deque()
    for piece in pieces:
        held.append(piece)
        if len(held) > count:
            yield held.popleft()


def _bytes(source: Source, count: int, *, but_last: bool) -> Iterator[bytes]:
    if but_last:
        yield from without_last(source.blocks(), count)
        return
    for block in source.blocks():
        yield block[:count]
        count -= len(block)
        if count <= 0:
            return
