"""``chuk-fsspec cat``."""

from __future__ import annotations

import argparse
from typing import Any

from chuk_fsspec.cli.files.location import add_options
from chuk_fsspec.cli.files.reading import Source, for_each_source, write
from chuk_fsspec.cli.parsing import add_command

_EXAMPLE = """
chuk-fsspec cat README.md
chuk-fsspec cat chuksqlite:///a.csv::file://$PWD/work.db chuksqlite:///b.csv::file://$PWD/work.db
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "cat",
        run,
        details="Write the content of files to standard output, one after the other, however large they are.\n"
        "Exit code 1 if one could not be read.",
        example=_EXAMPLE,
    )
    parser.add_argument("locations", nargs="*", metavar="URL", help="URLs or paths; - or nothing for standard input")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Write each; 1 if one could not be read."""

    def show(source: Source) -> None:
        write(source.text, source.blocks(), as_json=args.json)

    return for_each_source(args.locations, dict(args.option), show)
