"""``chuk-fsspec cp``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from chuk_fsspec.cli.files.location import Location, open_location
from chuk_fsspec.cli.files.transferring import (
    Transfer,
    add_arguments,
    each_pair,
    manner_of,
    read_from_pipe,
    require_target,
)
from chuk_fsspec.cli.output import CommandError, say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.cli.urls import PIPE
from chuk_fsspec.transfer.copying import blocks_of, write_stream

_EXAMPLE = """
chuk-fsspec cp notes.txt notes.bak
chuk-fsspec cp -rp project chuksqlite:///project::file://$PWD/work.db
date | chuk-fsspec cp - chuksqlite:///date.txt::file://$PWD/work.db
"""

DETAILS = (
    "Each file appears under its name whole, in one step; a file that is there is replaced then. What Ctrl-C finds\n"
    "half done is not there afterwards; to go on, copy again with -n. (sync resumes large files.)\n"
    "Permission bits are copied where both filesystems have them, as cp does. Exit code 1 if something was not copied."
)


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "cp",
        run,
        details="Copy files, or with -r directories, to a name or into a directory.\n" + DETAILS,
        example=_EXAMPLE,
    )
    parser.add_argument("locations", nargs="+", metavar="URL", help="sources, and the target as the last; - for a pipe")
    add_copying(parser)
    add_arguments(parser)


def add_copying(parser: argparse.ArgumentParser) -> None:
    """Add what is copied, and how much of it."""
    parser.add_argument("-r", "-R", "--recursive", action="store_true", help="directories, with all that is in them")
    parser.add_argument(
        "-p", "--preserve", action="store_true", help="keep times, owners, extended attributes and hard links, too"
    )
    parser.add_argument("-a", "--archive", action="store_true", help="the same as -r -p")


def run(args: argparse.Namespace) -> int:
    """Copy; 1 if something was not copied."""
    return copy(*require_target(args), args)


def copy(sources: Sequence[str], target: str, args: argparse.Namespace) -> int:
    """Copy sources to a target, or into it if it is a directory.

    Args:
        sources: as they were typed; ``-`` for standard input.
        target: as it was typed; ``-`` for standard output.
        args: the options.

    Returns:
        The exit code: 1 if something was not copied.
    """
    if target == PIPE:
        return _to_pipe(sources, args)
    manner = manner_of(args, recursive=args.recursive or args.archive, preserve=args.preserve or args.archive)

    def act(text: str, end: Location) -> bool:
        with ProgressLine("copied") as progress:
            if text == PIPE:
                count = write_stream(read_from_pipe(end), end.fs, end.path, progress)
                figures: dict[str, Any] = {"files": 1, "bytes": count}
            else:
                transfer = Transfer(open_location(text, dict(args.option)), end, manner, progress)
                transfer.copy()
                figures = transfer.figures()
        if args.json:
            say_json({"source": text, "target": end.text, **figures})
        return not figures.get("failed")

    return each_pair(sources, target, args, act)


def _to_pipe(sources: Sequence[str], args: argparse.Namespace) -> int:
    if args.json:
        raise CommandError("the result cannot go where the content goes: leave out --json")
    for text in sources:
        location = open_location(text, dict(args.option))
        for data in blocks_of(location.fs, location.path, location.attributes()):
            sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return 0
