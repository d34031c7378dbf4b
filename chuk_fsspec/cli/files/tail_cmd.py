"""``chuk-fsspec tail``."""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from chuk_fsspec.cli.files.ends import add_counts, only_last, show_each
from chuk_fsspec.cli.files.reading import LINE_MAX, Blocks, Source, lines_of, write
from chuk_fsspec.cli.files.styling import shown
from chuk_fsspec.cli.output import CommandError, complain, say
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.urls import PIPE
from chuk_fsspec.transfer.nodes import BLOCK

_EXAMPLE = """
chuk-fsspec tail -n 3 README.md
chuk-fsspec tail -f chuksqlite:///log.txt::file://$PWD/work.db
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "tail",
        run,
        details="Write the end of files; only that is read where the size is known.\n"
        "With -f, go on with what is added to them, until Ctrl-C. Exit code 1 if one could not be read.",
        example=_EXAMPLE,
    )
    add_counts(parser, "so many lines (default: 10); +N: from line N on", "so many bytes; +N: from byte N on")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is added, until Ctrl-C")
    parser.add_argument(
        "-s", "--sleep-interval", type=float, default=1.0, metavar="S", help="with -f, seconds between looks (1)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the end of each, and follow; 1 if one could not be read."""
    sizes: dict[str, int] = {}

    def part(source: Source) -> Blocks:
        attributes = source.attributes()
        size = attributes.size if attributes is not None and attributes.sized and attributes.size else None
        sizes[source.text] = size or 0
        if args.bytes is None:
            return _lines(source, args.lines.number, size, from_start=args.lines.sign == "+")
        return _bytes(source, args.bytes.number, size, from_start=args.bytes.sign == "+")

    code = show_each(args, part)
    if args.follow:
        if PIPE in args.locations or not args.locations:
            raise CommandError("standard input cannot be followed; name a file")
        sources = [Source(text, dict(args.option)) for text in sizes]
        _follow([source for source in sources if source.location], sizes, args)
    return code


def _lines(source: Source, count: int, size: int | None, *, from_start: bool) -> Iterator[bytes]:
    if from_start:
        number = 1
        for piece in lines_of(source.blocks(), LINE_MAX):
            if number >= count:
                yield piece
            number += piece.endswith(b"\n")
    elif size is None:
        yield from deque(lines_of(source.blocks()), maxlen=count)
    elif count:
        yield from _ranges(source, _start_of_last_lines(source, count, size), size)


def _bytes(source: Source, count: int, size: int | None, *, from_start: bool) -> Iterator[bytes]:
    if size is not None:
        yield from _ranges(source, max(count - 1, 0) if from_start else max(size - count, 0), size)
        return
    if from_start:
        skipped = max(count - 1, 0)
        for block in source.blocks():
            yield block[skipped:]
            skipped = max(skipped - len(block), 0)
        return
    yield from only_last(source.blocks(), count)


def _start_of_last_lines(source: Source, count: int, size: int) -> int:
    """Where the last lines begin, found from the end of the file."""
    end = size
    wanted = count + (source.range(size - 1, size) == b"\n")
    while end:
        start = max(end - BLOCK, 0)
        block = source.range(start, end)
        place = len(block)
        while (place := block.rfind(b"\n", 0, place)) >= 0:
            wanted -= 1
            if wanted == 0:
                return start + place + 1
        end = start
    return 0


def _ranges(source: Source, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        data = source.range(start, min(start + BLOCK, end))
        if not data:
            return
        yield data
        start += len(data)


def _follow(sources: list[Source], sizes: dict[str, int], args: argparse.Namespace) -> None:
    """Look again and again, and write what was added; a file that became shorter begins anew."""
    last = sources[-1].text if sources else ""
    while sources:
        time.sleep(args.sleep_interval)
        for source in sources:
            assert source.location is not None
            source.location.fs.invalidate_cache(source.location.path)
            size = source.location.attributes().size
            if size < sizes[source.text]:
                complain(f"{source.text}: it became shorter; following it from its beginning")
                sizes[source.text] = 0
            if size > sizes[source.text]:
                if source.text != last and not args.quiet and not args.json:
                    say(f"\n==> {shown(source.title)} <==")
                last = source.text
                write(source.text, _ranges(source, sizes[source.text], size), as_json=args.json)
                sizes[source.text] = size
            sys.stdout.flush()
