"""The ``chuk-fsspec`` command."""

from __future__ import annotations

import argparse
import logging
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from chuk_fsspec.cli import (
    archive_cmd,
    audit_cmd,
    doctor_cmd,
    mount_cmd,
    run_cmd,
    snapshot_cmd,
    sqlite_cmd,
    template_cmd,
    umount_cmd,
)
from chuk_fsspec.cli.output import PROGRAM, CommandError, complain, describe, say
from chuk_fsspec.cli.parsing import Parser, examples

FAILED = 1
INTERRUPTED = 130

EXAMPLE = """
mkdir -p /tmp/work
chuk-fsspec mount chukmem:// /tmp/work
chuk-fsspec umount /tmp/work
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
    args = build_parser().parse_args(arguments)
    args.argv = arguments
    if args.debug:
        logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s %(message)s")
    try:
        code: int = args.run(args)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        # A bug, ours or a backend's, still owes the user one line.
        logging.getLogger(PROGRAM).debug("what went wrong", exc_info=error)
        complain(_in_one_line(error))
        return FAILED
    return code


def build_parser() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(
        prog=PROGRAM,
        description="Filesystems by URL, as directories that every program can use.",
        epilog=examples(EXAMPLE),
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the versions a bug report needs")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for command in (
        mount_cmd,
        umount_cmd,
        archive_cmd,
        audit_cmd,
        sqlite_cmd,
        template_cmd,
        snapshot_cmd,
        run_cmd,
        doctor_cmd,
    ):
        command.add_parser(commands)
    return parser


def _in_one_line(error: Exception) -> str:
    if isinstance(error, (CommandError, OSError, ImportError, ValueError)):
        return describe(error)
    return f"unexpected {type(error).__name__}: {describe(error)} (--debug shows where)"


class _ShowVersion(argparse.Action):
    """Looks the versions up only when asked, which every other start of the program is spared."""

    def __call__(self, *_: object) -> NoReturn:
        say(f"{PROGRAM} {version('chuk-fsspec')} (fsspec {version('fsspec')}, Python {platform.python_version()})")
        raise SystemExit(0)
