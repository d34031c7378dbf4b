"""``chuk-fsspec completion``: what a shell offers when the tab key is pressed."""

from __future__ import annotations

import argparse
from typing import Any

from chuk_fsspec.cli.completing import SCRIPTS, after_breaks, candidates
from chuk_fsspec.cli.output import say, say_json
from chuk_fsspec.cli.parsing import add_command

_EXAMPLE = """
source <(chuk-fsspec completion bash)
chuk-fsspec completion fish > ~/.config/fish/completions/chuk-fsspec.fish
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "completion",
        run,
        details="Print a script for a shell. With it, the tab key completes commands, options, protocols and paths:\n"
        "chuk-fsspec ls chuksqlite:///<TAB>::file:///w.db completes once the database is named.\n"
        "To keep it, put the line into ~/.bashrc, or with zsh in place of bash into ~/.zshrc.",
        example=_EXAMPLE,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("shell", nargs="?", choices=tuple(SCRIPTS), help="for which shell")
    what.add_argument("--words", metavar="LINE", help="instead, list what can stand at the end of this command line")
    parser.add_argument("--rest", default="", metavar="LINE", help="with --words: what stands after the cursor")
    parser.add_argument(
        "--breaks", default="", metavar="CHARS", help="with --words: list what comes after the last of these in a word"
    )


def run(args: argparse.Namespace) -> int:
    """Print the script, or what can stand at the end of a line."""
    if args.words is not None:
        found = after_breaks(candidates(args.words, args.rest), args.words, args.rest, args.breaks)
        if args.json:
            say_json({"line": args.words, "candidates": found})
        for one in found if not args.json else ():
            say(one)
    elif args.json:
        say_json({"shell": args.shell, "script": SCRIPTS[args.shell]})
    else:
        say(SCRIPTS[args.shell].rstrip())
    return 0
