"""Argument parsers that speak like the rest of the command line."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable
from typing import Any, NoReturn

from chuk_fsspec.cli.commands import COMMANDS
from chuk_fsspec.cli.output import PROGRAM, complain

USAGE = 2
"""Exit code for a command line that cannot be understood."""
_CHOICES = re.compile(r"invalid choice: '([^']*)' (\(choose from .*\))")

FAILED = 1
"""Exit code for what went wrong, unless a command has another."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line that names the help, instead of the whole usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Write the one line and leave with exit code 2."""
        complain(f"{_nearest(message)} (see {self.prog} --help)")
        raise SystemExit(USAGE)


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """What reads an argument that is a whole number.

    Args:
        least: the smallest that is taken.
        most: the largest; None for any.
    """

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            until = "up" if most is None else f"to {most}"
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} {until}")
        return number

    return read


PORT = whole_number(0, 65535)
"""Reads the number of a port; 0 is for any free one."""


def _nearest(message: str) -> str:
    """A complaint about a word that is none of many: with the nearest of them in place of all."""
    found = _CHOICES.search(message)
    if found is None:
        return message
    near = difflib.get_close_matches(found[1], re.findall(r"[\w.-]+", found[2]), n=1)
    if near:
        return f"{message[: found.start(2)].rstrip('(')}; did you mean {near[0]}?".replace(" ;", ";")
    return message


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    summary: str = "",
    details: str,
    example: str,
    group: str = "",
    failed: int = FAILED,
    short_help: bool = True,
) -> argparse.ArgumentParser:
    """Add a command, with ``--json`` and ``--debug``.

    Args:
        commands: what ``add_subparsers`` gave.
        name: what the user types.
        run: carries it out and returns the exit code.
        summary: one line for the list of a group's commands; ``COMMANDS`` has those of the others.
        details: what its help says first.
        example: what its help ends with, without indentation.
        group: the command that it belongs to, if it is not one by itself.
        failed: exit code for errors.
        short_help: whether ``-h`` shows the help, and nothing else.

    Returns:
        The command's parser, to be given its arguments.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary or COMMANDS[name].summary,
        description=details,
        epilog=examples(example),
        prog=" ".join(filter(None, (PROGRAM, group, name))),
        add_help=False,
    )
    parser.add_argument(*["-h"] * short_help, "--help", action="help", help="show this help")
    parser.add_argument("--json", action="store_true", help="speak JSON Lines: one object for each result or problem")
    parser.add_argument("--debug", action="store_true", help="log what happens, and show where an error came from")
    parser.set_defaults(run=run, failed=failed, parser=parser)
    return parser


def add_group(commands: Any, name: str, *, details: str, example: str) -> Any:
    """Add a command that has commands of its own.

    Args:
        commands: what ``add_subparsers`` gave.
        name: what the user types.
        details: what its help says first.
        example: what its help ends with, without indentation.

    Returns:
        What its own commands are added to.
    """
    parser = commands.add_parser(
        name,
        help=COMMANDS[name].summary,
        description=details,
        epilog=examples(example),
        prog=f"{PROGRAM} {name}",
    )
    return parser.add_subparsers(title="commands", metavar="COMMAND", dest=f"{name}_command", required=True)


def examples(lines: str) -> str:
    """The end of a help text: commands to copy."""
    return "example:\n" + "\n".join(f"  {line}" for line in lines.strip().splitlines())
