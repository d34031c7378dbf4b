"""``chuk-fsspec get``."""

from __future__ import annotations

import argparse
from typing import Any

from chuk_fsspec.cli.files.cp_cmd import DETAILS, add_copying, copy
from chuk_fsspec.cli.files.transferring import add_arguments
from chuk_fsspec.cli.parsing import add_command

_EXAMPLE = """
chuk-fsspec get chuksqlite:///project/README.md::file://$PWD/work.db
chuk-fsspec get -r chuksqlite:///project::file://$PWD/work.db copy-of-project
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "get",
        run,
        details="Copy a file of a URL, or with -r a directory, to this machine.\n" + DETAILS,
        example=_EXAMPLE,
    )
    parser.add_argument("url", metavar="URL", help="the file or directory")
    parser.add_argument("path", nargs="?", default=".", metavar="PATH", help="where to (default: .); - for a pipe")
    add_copying(parser)
    add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Copy; 1 if something was not copied."""
    return copy([args.url], args.path, args)
