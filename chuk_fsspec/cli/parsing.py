"""Argument parsers that speak like the rest of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from chuk_fsspec.cli.output import PROGRAM, complain

USAGE = 2
"""Exit code for a command line that cannot be understood."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line that names the help, instead of the whole usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Write the one line and leave with exit code 2."""
        complain(f"{message} (see {self.prog} --help)")
        raise SystemExit(USAGE)


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    summary: str,
    details: str,
    example: str,
    group: str = "",
) -> argparse.ArgumentParser:
    """Add a command.

    Args:
        commands: what ``add_subparsers`` gave.
        name: what the user types.
        run: carries it out and returns the exit code.
        summary: one line for the list of commands.
        details: what its help says first.
        example: what its help ends with, without indentation.
        group: the command that it belongs to, if it is not one by itself.

    Returns:
        The command's parser, to be given its arguments.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=details,
        epilog=examples(example),
        prog=" ".join(filter(None, (PROGRAM, group, name))),
    )
    parser.add_argument("--debug", action="store_true", help="log what happens, and show where an error came from")
    parser.set_defaults(run=run)
    return parser


def examples(lines: str) -> str:
    """The end of a help text: commands to copy."""
    return "example:\n" + "\n".join(f"  {line}" for line in lines.strip().splitlines())
