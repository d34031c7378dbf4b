"""``chuk-fsspec mv``."""

from __future__ import annotations

import argparse
import errno
from typing import Any

from chuk_fsspec.cli.files.asking import ask
from chuk_fsspec.cli.files.location import Location, open_location, same_filesystem
from chuk_fsspec.cli.files.rm_cmd import remove_location
from chuk_fsspec.cli.files.styling import shown
from chuk_fsspec.cli.files.transferring import (
    Transfer,
    add_arguments,
    each_pair,
    manner_of,
    refuse_missing,
    require_target,
)
from chuk_fsspec.cli.output import CommandError, complain, say, say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.trees.moving import entries_of, renames
from chuk_fsspec.trees.walking import walk

_EXAMPLE = """
chuk-fsspec mv draft.txt report.txt
chuk-fsspec mv report.txt figures chuksqlite:///archive::file://$PWD/work.db
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "mv",
        run,
        details="Move files and directories to a name or into a directory. In one filesystem that can rename, that is\n"
        "one step; elsewhere all is copied first, with times, owners and attributes, and then removed.\n"
        "After Ctrl-C, everything is still where it was. Exit code 1 if something was not moved.",
        example=_EXAMPLE,
    )
    parser.add_argument("locations", nargs="+", metavar="URL", help="sources, and the target as the last")
    add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Move; 1 if something was not moved."""
    sources, target = require_target(args)
    manner = manner_of(args, recursive=True, preserve=True)

    def act(text: str, end: Location) -> bool:
        source = open_location(text, dict(args.option))
        refuse_missing(source)
        if source.means_contents:
            raise CommandError(f"{text} cannot be moved; name what is in it")
        if not _may_replace(end, manner.clobber):
            return True
        if same_filesystem(source.fs, end.fs) and renames(source.fs):
            _rename(source, end)
            figures: dict[str, Any] = {}
        else:
            with ProgressLine("moved") as progress:
                transfer = Transfer(source, end, manner, progress)
                transfer.copy()
                figures = transfer.figures()
            if transfer.failures.count or transfer.kept or not _is_all_there(source, end):
                complain(f"{text} stays, as not all of it was copied")
                return False
            remove_location(source, recursive=True)
        if args.json:
            say_json({"source": text, "target": end.text, "renamed": not figures, **figures})
        elif args.verbose and not figures:
            say(f"{shown(text)} -> {shown(end.text)}")
        return True

    return each_pair(sources, target, args, act)


def _may_replace(end: Location, clobber: str) -> bool:
    if clobber == "replace" or not end.lexists():
        return True
    return clobber == "ask" and ask(f"replace {end.text}")


def _is_all_there(source: Location, end: Location) -> bool:
    """Whether the copy has every file in its full size, before the only other one is removed."""
    copies = {found.path: found.attributes for found in walk(end.fs, end.path)}
    for found in walk(source.fs, source.path):
        copy, original = copies.get(found.path), found.attributes
        if (
            copy is None
            or copy.is_directory != original.is_directory
            or (original.sized and copy.size != original.size)
        ):
            return False
    return True


def _rename(source: Location, end: Location) -> None:
    """rename(2), by way of fsspec's ``mv``, which would put a directory into an empty one of the same name."""
    if source.path == end.path:
        raise CommandError(f"{source.text} and {end.text} are the same file")
    is_directory = source.attributes(follow=False).is_directory
    if is_directory and is_inside(end.path, source.path):
        raise CommandError(f"{end.text} is inside of {source.text}, which cannot be moved into itself")
    if end.lexists() and end.attributes(follow=False).is_directory:
        if not is_directory:
            raise os_error(errno.EISDIR, end.path)
        if entries_of(end.fs, end.path):
            raise os_error(errno.ENOTEMPTY, end.path)
        end.fs.rmdir(end.path)
    elif is_directory and end.lexists():
        raise os_error(errno.ENOTDIR, end.path)
    try:
        source.fs.mv(source.path, end.path)
    except FileNotFoundError:
        if source.lexists():
            raise os_error(errno.ENOENT, end.path, hint="its directory is missing; mkdir -p makes it") from None
        raise
