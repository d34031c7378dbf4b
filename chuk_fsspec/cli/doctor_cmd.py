"""``chuk-fsspec doctor``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from chuk_fsspec.cli.checks import all_checks
from chuk_fsspec.cli.output import say, say_json
from chuk_fsspec.cli.parsing import add_command


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    add_command(
        commands,
        "doctor",
        run,
        details="Look at everything that mounting needs, and mount a filesystem for a moment to be sure.\n"
        "Exit code 0 if mounting works; what is missing besides is optional.",
        example="chuk-fsspec doctor",
    )


def run(args: argparse.Namespace) -> int:
    """Write one line for each check; 1 if something is missing that mounting needs."""
    works = True
    for check in all_checks():
        if args.json:
            say_json(asdict(check))
        else:
            word = "ok" if check.ok else "missing"
            say(f"{word:<8} {check.what:<15} {check.detail}")
        works = works and (check.ok or not check.needed)
    return 0 if works else 1
