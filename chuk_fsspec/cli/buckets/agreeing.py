"""What cannot be taken back is shown first, and done when the user has said yes."""

from __future__ import annotations

import argparse
import sys

from chuk_fsspec.cli.files.asking import ask
from chuk_fsspec.cli.output import CommandError, printable


def add_agreement(parser: argparse.ArgumentParser) -> None:
    """Add ``--dry-run`` and ``--yes``."""
    parser.add_argument("-n", "--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("-y", "--yes", action="store_true", help="do it without asking")


def agrees(args: argparse.Namespace, what: str) -> bool:
    """Whether to go on: nothing is to be done, the user has said yes, or says it now.

    Args:
        args: with the two options.
        what: is going to happen, such as "remove 3 objects".

    Raises:
        CommandError: nobody is there to be asked.
    """
    if args.dry_run or args.yes:
        return True
    if args.json or not sys.stdin.isatty():
        raise CommandError(f"this would {what}; add --yes to do it, or --dry-run to see more")
    return ask(f"{what[0].upper()}{printable(what[1:])}")
