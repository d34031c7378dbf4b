"""``chuk-fsspec export`` and ``import``: whole trees to archives, and from them."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from chuk_fsspec.cli.output import CommandError, say
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.cli.transfers import add_option, name_left_out, tell
from chuk_fsspec.cli.urls import is_volatile, open_url

if TYPE_CHECKING:
    from chuk_fsspec.archives import ExportReport, ImportReport

FORMATS = ("tar", "tar.gz", "tar.zst", "zip", "json")
PIPE = "-"

_EXPORT_EXAMPLE = """
chuk-fsspec export chuklocal:///::file://$PWD project.tar.gz
chuk-fsspec export chuksqlite:///src::file://$PWD/work.db src.zip --mtime 0
chuk-fsspec export chuksqlite:///::file://$PWD/work.db - --format tar | tar -t
"""
_IMPORT_EXAMPLE = """
chuk-fsspec import project.tar.gz chuksqlite:///::file://$PWD/work.db
chuk-fsspec import download.zip chuklocal:///new::file://$PWD --links skip --limit total_bytes=1000000
"""


def add_parser(commands: Any) -> None:
    """Add both commands to the command line."""
    _add_export(commands)
    _add_import(commands)


def _add_export(commands: Any) -> None:
    parser = add_command(
        commands,
        "export",
        _export,
        summary="write a directory of a filesystem to a tar, zip or JSON archive",
        details="Write all files below a URL to an archive, with modes, owners, times, links and extended attributes\n"
        "as far as the format has them. It appears under its name when it is whole. The same files give the\n"
        "same bytes. Exit code 1 if something was left out, with one line for each.",
        example=_EXPORT_EXAMPLE,
    )
    parser.add_argument("url", metavar="URL", help="what: a directory or file of any filesystem")
    parser.add_argument("archive", metavar="ARCHIVE", help="the archive to be made: a path, a URL, or - for a pipe")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--mtime", type=int, metavar="SECONDS", help="one time for all entries, since 1970")
    parser.add_argument("--no-owners", action="store_true", help="write 0 for all owners and groups")
    _add_special(parser, ("skip", "refuse", "keep"))
    _add_common(parser)


def _add_import(commands: Any) -> None:
    parser = add_command(
        commands,
        "import",
        _import,
        summary="put the files of a tar, zip or JSON archive into a filesystem",
        details="Put all files of an archive into a directory of a URL: all of them or, if the archive breaks a rule,\n"
        "nothing. No member leads out of the directory, and limits are checked against what really comes out.\n"
        "Exit code 1 if something was left out, with one line for each.",
        example=_IMPORT_EXAMPLE,
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
        help="another limit, 0 for none: total_bytes, file_bytes, members, depth, name_bytes, ratio, ratio_from, "
        "header_bytes",
    )
    _add_special(parser, ("refuse", "skip", "keep"))
    _add_common(parser)


def _add_special(parser: argparse.ArgumentParser, choices: tuple[str, ...]) -> None:
    what = f"what of FIFOs and device nodes (default: {choices[0]})"
    parser.add_argument("--special", choices=choices, default=choices[0], help=what)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=FORMATS, help="of the archive, where its name or content does not tell")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    add_option(parser)


def _export(args: argparse.Namespace) -> int:
    from chuk_fsspec.archives import export_archive

    fs, path = open_url(args.url, dict(args.option))
    is_pipe = args.archive == PIPE
    if is_pipe and not args.format:
        raise CommandError("a pipe has no name that tells the format: pass --format")
    if is_pipe and args.json:
        raise CommandError("the result cannot go where the archive goes: leave out --json, or write to a file")
    try:
        with ProgressLine("exported") as progress:
            report = export_archive(
                fs,
                path,
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
    return _tell("exported", report, lost, as_json=args.json)


def _import(args: argparse.Namespace) -> int:
    from chuk_fsspec.archives import ArchiveLimits, import_archive

    if is_volatile(args.url):
        raise CommandError(f"the files of {args.url} would end with this command; give a URL that lasts")
    fs, path = open_url(args.url, dict(args.option))
    with ProgressLine("imported") as progress:
        report = import_archive(
            sys.stdin.buffer if args.archive == PIPE else args.archive,
            fs,
            path,
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
    return _tell("imported", report, lost, as_json=args.json)


def _tell(done: str, report: ExportReport | ImportReport, lost: tuple[tuple[int, str], ...], *, as_json: bool) -> int:
    if as_json:
        say(json.dumps(asdict(report)))
        return 1 if report.left_out_count else 0
    return tell(done, report, [f"{count} {what}" for count, what in lost if count])


def _limit(text: str) -> tuple[str, int]:
    from chuk_fsspec.archives import ArchiveLimits

    name, _, number = text.partition("=")
    names = [field.name for field in fields(ArchiveLimits)]
    if name not in names or not number.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(names)} with = and a number")
    return name, int(number)
