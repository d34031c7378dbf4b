"""``chuk-fsspec mkdir``."""

from __future__ import annotations

import argparse
import errno
from typing import Any

from chuk_fsspec.cli.files.each import for_each
from chuk_fsspec.cli.files.location import add_options, open_target
from chuk_fsspec.cli.output import say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.contract.errors import os_error

_EXAMPLE = """
chuk-fsspec mkdir -p reports/2026
chuk-fsspec mkdir -p chuksqlite:///reports/2026::file://$PWD/work.db
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "mkdir",
        run,
        details="Make directories. Exit code 1 if one could not be made.\n"
        "Stores of objects have no empty directories: there, a directory is made with the first file in it.",
        example=_EXAMPLE,
    )
    parser.add_argument("locations", nargs="+", metavar="URL", help="URLs or paths")
    parser.add_argument("-p", dest="parents", action="store_true", help="those above, too; one that is there is fine")
    parser.add_argument("-m", dest="mode", type=_mode, metavar="MODE", help="permission bits in octal digits, as 750")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Make each; 1 if one could not be made."""

    def make(text: str) -> None:
        location = open_target(text, dict(args.option))
        fs, path = location.fs, location.path
        is_new = not location.isdir()
        if args.parents:
            fs.makedirs(path, exist_ok=True)
        elif location.lexists():
            raise os_error(errno.EEXIST, path)
        elif location.can.directories and not fs.isdir(fs._parent(path)):
            raise os_error(errno.ENOENT, path, hint="its parent is missing; -p makes it, too")
        else:
            fs.mkdir(path, create_parents=False)
        if is_new and args.mode is not None:
            fs.posix.chmod(path, args.mode)
        if args.json:
            say_json({"path": text, "made": is_new})

    return for_each(args.locations, make)


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o7777:
        raise argparse.ArgumentTypeError(f"{text!r} is no mode in octal digits, such as 750")
    return mode
