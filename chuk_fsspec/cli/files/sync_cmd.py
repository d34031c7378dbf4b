"""``chuk-fsspec sync``: make one directory like another."""

from __future__ import annotations

import argparse
import os
from typing import Any

from chuk_fsspec.cli.collector import calm_collector
from chuk_fsspec.cli.files.location import add_options, open_location, open_target, same_filesystem
from chuk_fsspec.cli.output import CommandError, is_json, printable, say, say_json
from chuk_fsspec.cli.parsing import add_command, whole_number
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.cli.reporting import tell

EXAMPLE = """
chuk-fsspec sync project chuksqlite:///project::file://$PWD/backup.db
chuk-fsspec sync --delete --dry-run project chuksqlite:///project::file://$PWD/backup.db
chuk-fsspec sync --checksum --exclude '*.pyc' chuksqlite:///project::file://$PWD/backup.db copy
"""

_DETAILS = """\
Make TARGET hold what SOURCE holds, both of them directories: what is new or has changed is copied, with modes, times,
owners, links and extended attributes as far as the target has them. What only TARGET has stays, unless you say
--delete.

Files of one size and time are taken to be the same. Where a target cannot keep times, as an object store, a file is
the same that has the size of its original and was written after it; --checksum reads both. Each file appears whole, so
you can interrupt it at any time: the same command copies the rest.

exit codes: 0 when TARGET is like SOURCE, 1 when something could not be copied, with one line for each"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "sync", run, details=_DETAILS, example=EXAMPLE)
    parser.add_argument("source", metavar="SOURCE", help="a directory: a path of this machine, or any URL")
    parser.add_argument("target", metavar="TARGET", help="a directory, which is made if it is missing")
    parser.add_argument("--delete", action="store_true", help="remove from TARGET what SOURCE does not have")
    parser.add_argument("-n", "--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("-c", "--checksum", action="store_true", help="compare contents, not times")
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="neither copy nor remove what has such a name or, if PATTERN has a /, such a path; may be repeated",
    )
    parser.add_argument(
        "-j", "--workers", type=whole_number(0), default=0, metavar="N", help="files to copy at the same time"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="name each file that is copied or removed")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Make the target like the source; 1 if something could not be copied."""
    from chuk_fsspec.transfer.sync import Step, SyncOptions, sync

    source, target = open_location(args.source, dict(args.option)), open_target(args.target, dict(args.option))
    names_all = args.verbose or args.dry_run
    calm_collector()

    def name(step: Step) -> None:
        if not names_all:
            return
        progress.hide()
        if is_json():
            say_json({"act": step.act.name.lower(), "path": step.path or ".", "size": step.attributes.size})
        else:
            say(printable(str(step)))

    try:
        options = SyncOptions(
            delete=args.delete,
            checksum=args.checksum,
            owners=os.name == "posix" and os.geteuid() == 0,
            exclude=tuple(args.exclude),
            dry_run=args.dry_run,
            workers=args.workers,
        )
        with ProgressLine("copied") as progress:
            report = sync(
                (source.fs, source.path),
                (target.fs, target.path),
                options,
                same=same_filesystem(source.fs, target.fs),
                tell=name,
                callback=progress,
            )
    except ValueError as error:
        raise CommandError(str(error)) from error
    figures = ((report.removed, "removed"), (report.adjusted, "with other attributes"), (report.unchanged, "the same"))
    notes = [", ".join(f"{count} {what}" for count, what in figures if count)]
    return tell("would copy" if args.dry_run else "copied", report, [note for note in notes if note])
