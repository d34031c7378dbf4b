"""The ``chuk-fsspec`` command."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from chuk_fsspec.cli.commands import COMMANDS
from chuk_fsspec.cli.output import (
    PROGRAM,
    CommandError,
    OutputError,
    complain_of,
    describe,
    reader_is_gone,
    say,
    speaking_json,
)
from chuk_fsspec.cli.parsing import FAILED, Parser
from chuk_fsspec.cli.starting import INTERRUPTED

EPILOG = f"""
exit codes:
  0    done
  1    something went wrong or was left out, with one line for each; or, where a command compares or searches,
       differences or nothing found (a command's own help says so)
  2    the command line cannot be understood; grep: an error, as 1 means that nothing matched
  130  interrupted by Ctrl-C; no file is left half written

example:
  {PROGRAM} ls -l ~
  {PROGRAM} cp -r ~/project chuksqlite:///project::file:///tmp/work.db
  {PROGRAM} mount chuksqlite://::file:///tmp/work.db /mnt
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments; None for those of the process.

    Returns:
        The exit code: 0, 1 for a failure that was described in one line, 130 for Ctrl-C.

    Raises:
        SystemExit: 0 after --help and --version, 2 for a command line that cannot be understood.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files are bytes, whatever the language is
    with speaking_json(arguments):
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    args = argparse.Namespace(failed=FAILED)
    try:
        try:
            args, unknown = build_parser(_command_of(arguments)).parse_known_args(arguments)
            if unknown:
                args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
            args.argv = arguments
            return _carry_out(args)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a bug, ours or a backend's, still owes the user one line
        return _explain(error, args.failed)


def _carry_out(args: argparse.Namespace) -> int:
    if args.debug:
        logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s %(message)s")
    code: int = args.run(args)
    return code


def _explain(error: Exception, failed: int) -> int:
    """Say what went wrong; returns the exit code."""
    is_read_enough = isinstance(error, BrokenPipeError) and reader_is_gone()
    if is_read_enough or isinstance(error, OutputError):
        # What is still buffered has to go somewhere when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if is_read_enough:
        return 0
    logging.getLogger(PROGRAM).debug("what went wrong", exc_info=error)
    complain_of(error, _surprise(error))
    return failed


def _surprise(error: Exception) -> str:
    """What to say of an error that nobody expects; nothing for those that have words of their own."""
    if isinstance(error, (CommandError, OSError, ImportError, ValueError)):
        return ""
    return f"unexpected {type(error).__name__}: {describe(error)} (--debug shows where)"


def build_parser(command: str | None = None) -> Parser:
    """The parser of the command line.

    Args:
        command: the only one whose arguments are needed; None for all.
    """
    parser = Parser(
        prog=PROGRAM,
        description="Filesystems by URL: commands for their files, and directories that every program can use.",
        epilog=EPILOG.strip(),
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the versions a bug report needs")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name, known in COMMANDS.items():
        if command in (None, name):
            import_module(f"chuk_fsspec.cli.{known.module}").add_parser(commands)
        else:
            commands.add_parser(name, help=known.summary)
    return parser


def _command_of(arguments: Sequence[str]) -> str:
    return next((word for word in arguments if not word.startswith("-")), "")


class _ShowVersion(argparse.Action):
    """Looks the versions up only when asked, which every other start of the program is spared."""

    def __call__(self, *_: object) -> NoReturn:
        import platform
        from importlib.metadata import version

        say(f"{PROGRAM} {version('chuk-fsspec')} (fsspec {version('fsspec')}, Python {platform.python_version()})")
        raise SystemExit(0)
