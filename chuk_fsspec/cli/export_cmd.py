"""``chuk-fsspec export``: a whole tree to an archive."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from chuk_fsspec.cli.archive_arguments import add_common, add_special
from chuk_fsspec.cli.files.location import open_whole
from chuk_fsspec.cli.output import CommandError
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.cli.reporting import name_left_out, tell
from chuk_fsspec.cli.urls import PIPE

_EXAMPLE = """
chuk-fsspec export chuklocal:///::file://$PWD project.tar.gz
chuk-fsspec export chuksqlite:///src::file://$PWD/work.db src.zip --mtime 0
chuk-fsspec export chuksqlite:///::file://$PWD/work.db - --format tar | tar -t
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "export",
        run,
        details="Write all files below a URL to an archive, with modes, owners, times, links and extended attributes\n"
        "as far as the format has them. It appears under its name when it is whole. The same files give the\n"
        "same bytes. Exit code 1 if something was left out, with one line for each.",
        example=_EXAMPLE,
    )
    parser.add_argument("url", metavar="URL", help="what: a directory or file of any filesystem")
    parser.add_argument("archive", metavar="ARCHIVE", help="the archive to be made: a path, a URL, or - for a pipe")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--mtime", type=int, metavar="SECONDS", help="one time for all entries, since 1970")
    parser.add_argument("--no-owners", action="store_true", help="write 0 for all owners and groups")
    add_special(parser, ("skip", "refuse", "keep"))
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Write the archive; 1 if something was left out."""
    from chuk_fsspec.archives import export_archive

    source = open_whole(args.url, dict(args.option))
    is_pipe = args.archive == PIPE
    if is_pipe and not args.format:
        raise CommandError("a pipe has no name that tells the format: pass --format")
    if is_pipe and args.json:
        raise CommandError("the result cannot go where the archive goes: leave out --json, or write to a file")
    try:
        with ProgressLine("exported") as progress:
            report = export_archive(
                source.fs,
                source.path,
                sys.stdout.buffer if is_pipe else args.archive,
                format=args.format,
                overwrite=args.force,
                mtime_ns=None if args.mtime is None else args.mtime * 10**9,
                owners=not args.no_owners,
                special=args.special,
                callback=progress,
            )
    except FileExistsError as error:
        raise CommandError(f"{args.archive} exists: pass --force to replace it, or choose another name") from error
    if is_pipe:
        return name_left_out(report)
    lost = (
        (report.copied_links, "further names of files are in it as files of their own"),
        (report.without_attributes, "entries without their modes and times, which the format has no place for"),
        (report.xattrs, "extended attributes have no place in the format"),
    )
    return tell("exported", report, [f"{count} {what}" for count, what in lost if count])
