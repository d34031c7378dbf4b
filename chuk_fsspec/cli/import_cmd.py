"""``chuk-fsspec import``: the files of an archive into a filesystem."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from typing import Any

from chuk_fsspec.cli.archive_arguments import add_common, add_special
from chuk_fsspec.cli.files.location import open_whole
from chuk_fsspec.cli.output import CommandError
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.cli.reporting import tell
from chuk_fsspec.cli.urls import PIPE, is_volatile

_EXAMPLE = """
chuk-fsspec import project.tar.gz chuksqlite:///::file://$PWD/work.db
chuk-fsspec import download.zip chuklocal:///new::file://$PWD --links skip --limit max_total_size=1000000
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "import",
        run,
        details="Put all files of an archive into a directory of a URL: all of them or, if the archive breaks a rule,\n"
        "nothing. No member leads out of the directory, and limits are checked against what really comes out.\n"
        "Exit code 1 if something was left out, with one line for each.",
        example=_EXAMPLE,
    )
    parser.add_argument("archive", metavar="ARCHIVE", help="the archive: a path, a URL, or - for a pipe")
    parser.add_argument("url", metavar="URL", help="where to: a directory of any filesystem")
    existing = parser.add_mutually_exclusive_group()
    for name, what in (("merge", "keep what is there beside it"), ("replace", "remove what is there")):
        existing.add_argument(
            f"--{name}", action="store_const", dest="existing", const=name, default="refuse", help=what
        )
    parser.add_argument(
        "--links",
        choices=("inside", "skip", "keep", "refuse"),
        default="inside",
        help="symbolic links: refuse the archive for one that may lead outside (inside), leave such out (skip), make "
        "all (keep), refuse any (refuse)",
    )
    parser.add_argument(
        "--names", choices=("portable", "any"), default="portable", help="any: take backslashes and drive letters, too"
    )
    parser.add_argument("--owners", action="store_true", help="set owners, groups and set-ID bits, too")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        type=_limit,
        metavar="NAME=NUMBER",
        help="another limit, 0 for none: max_file_size, max_total_size, max_files, max_path_depth, name_bytes, ratio, "
        "ratio_from, header_bytes",
    )
    add_special(parser, ("refuse", "skip", "keep"))
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Make what the archive holds; 1 if something was left out."""
    from chuk_fsspec.archives import ArchiveLimits, import_archive

    if is_volatile(args.url):
        raise CommandError(f"the files of {args.url} would end with this command; give a URL that lasts")
    target = open_whole(args.url, dict(args.option), may_create=True)
    with ProgressLine("imported") as progress:
        report = import_archive(
            sys.stdin.buffer if args.archive == PIPE else args.archive,
            target.fs,
            target.path,
            format=args.format,
            limits=ArchiveLimits(**dict(args.limit)),
            existing=args.existing,
            links=args.links,
            names=args.names,
            special=args.special,
            owners=args.owners,
            callback=progress,
        )
    lost = (
        (report.copied_links, "hard links became files of their own, for the target has none"),
        (report.without_attributes, "entries without their modes and times, which the target does not keep"),
        (report.without_owners, "entries without their owners, which the target did not take (run as root?)"),
        (report.without_xattrs, "extended attributes were not set"),
    )
    return tell("imported", report, [f"{count} {what}" for count, what in lost if count])


def _limit(text: str) -> tuple[str, int]:
    from chuk_fsspec.archives import ArchiveLimits

    name, _, number = text.partition("=")
    names = [field.name for field in fields(ArchiveLimits)]
    if name not in names or not number.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(names)} with = and a number")
    return name, int(number)
