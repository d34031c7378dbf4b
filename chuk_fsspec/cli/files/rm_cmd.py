"""``chuk-fsspec rm``."""

from __future__ import annotations

import argparse
import errno
from typing import Any

from chuk_fsspec.cli.files.asking import ask
from chuk_fsspec.cli.files.each import for_each_location
from chuk_fsspec.cli.files.location import Location, add_options
from chuk_fsspec.cli.files.styling import shown
from chuk_fsspec.cli.output import CommandError, say, say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.links import without_links
from chuk_fsspec.trees.moving import remove_tree

_EXAMPLE = """
chuk-fsspec rm draft.txt
chuk-fsspec rm -r chuksqlite:///old::file://$PWD/work.db
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "rm",
        run,
        details="Remove files and, with -r, directories with all that is in them. A * in a name is\n"
        "a star. Links are removed, never followed. The root of a filesystem, . and .. are never removed.\n"
        "Exit code 1 if something could not be removed.",
        example=_EXAMPLE,
    )
    parser.add_argument("locations", nargs="*", metavar="URL", help="URLs or paths")
    parser.add_argument("-r", "-R", "--recursive", action="store_true", help="directories, with all that is in them")
    parser.add_argument("-f", "--force", action="store_true", help="what is missing is fine; ask nothing")
    parser.add_argument("-i", "--interactive", action="store_true", help="ask for each name on the command line")
    parser.add_argument("-v", "--verbose", action="store_true", help="name what is removed")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Remove each; 1 if one could not be removed."""
    if not args.locations and not args.force:
        raise CommandError("there is nothing to remove: chuk-fsspec rm URL ...")

    def remove(location: Location) -> None:
        if remove_location(location, recursive=args.recursive, force=args.force, asks=args.interactive):
            if args.json:
                say_json({"removed": location.text})
            elif args.verbose:
                say(f"removed {shown(location.text)}")

    return for_each_location(args.locations, dict(args.option), remove)


def remove_location(location: Location, *, recursive: bool, force: bool = False, asks: bool = False) -> bool:
    """Remove a file, or a directory with all that is in it.

    Args:
        location: what; a link itself.
        recursive: whether it may be a directory.
        force: whether it may be missing.
        asks: whether the person at the terminal is asked first.

    Returns:
        Whether it was removed.

    Raises:
        CommandError: for the root, ``.`` and ``..``.
        OSError: ENOENT; EISDIR unless ``recursive``.
    """
    if location.means_contents:
        raise CommandError(f"{location.text} stays: a root, . and .. are not removed; name what is in it")
    if not location.lexists():
        if force:
            return False
        raise os_error(errno.ENOENT, location.path)
    is_directory = location.attributes(follow=False).is_directory
    if is_directory and not recursive:
        raise os_error(errno.EISDIR, location.path, hint="-r removes it, and all that is in it")
    if asks and not force and not ask(f"remove {location.text}{' and all that is in it' if is_directory else ''}"):
        return False
    remove_tree(without_links(location.fs), location.path)
    return True
