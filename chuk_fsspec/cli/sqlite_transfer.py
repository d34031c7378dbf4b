"""``chuk-fsspec sqlite import`` and ``export``: whole trees from and to SQLite files of other programs."""

from __future__ import annotations

import argparse
from typing import Any

from chuk_fsspec.cli.files.location import open_whole
from chuk_fsspec.cli.output import CommandError
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.cli.reporting import tell
from chuk_fsspec.cli.urls import add_option, is_volatile

FORMATS = ("agentfs",)

_IMPORT_EXAMPLE = """
chuk-fsspec sqlite import agentfs .agentfs/my-agent.db chuksqlite:///::file://$PWD/work.db
chuk-fsspec sqlite import agentfs .agentfs/my-agent.db chuklocal:///my-agent::file://$PWD
"""
_EXPORT_EXAMPLE = """
chuk-fsspec sqlite export agentfs chuksqlite:///::file://$PWD/work.db agent.db
chuk-fsspec sqlite export agentfs chuklocal:///project::file://$PWD agent.db --force
"""


def add_commands(commands: Any, group: str) -> None:
    """Add both to the group."""
    parser = add_command(
        commands,
        "import",
        _import,
        group=group,
        summary="copy the files of another program's database into a filesystem",
        details="Copy all files of an AgentFS database, with modes, owners, times and links, to a URL.\n"
        "The database is only read. The directory must be empty or missing.\n"
        "Exit code 1 if something could not be copied, with one line for each.",
        example=_IMPORT_EXAMPLE,
    )
    _add_format(parser)
    parser.add_argument("file", metavar="FILE", help="the database")
    parser.add_argument("url", metavar="URL", help="where to: an empty or missing directory of any filesystem")
    add_option(parser, "--option", "-o", what="storage option of the URL's filesystem")
    parser = add_command(
        commands,
        "export",
        _export,
        group=group,
        summary="write a directory of a filesystem to a database of another program",
        details="Write all files below a URL to a new AgentFS database (specification 0.4).\n"
        "It appears under its name when it is whole.\n"
        "Exit code 1 if something could not be written, with one line for each.",
        example=_EXPORT_EXAMPLE,
    )
    _add_format(parser)
    parser.add_argument("url", metavar="URL", help="what: a directory of any filesystem")
    parser.add_argument("file", metavar="FILE", help="the database to be made")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    add_option(parser, "--option", "-o", what="storage option of the URL's filesystem")


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("format", metavar="FORMAT", choices=FORMATS, help=f"whose database: {', '.join(FORMATS)}")


def _import(args: argparse.Namespace) -> int:
    from chuk_fsspec.transfer import import_agentfs

    if is_volatile(args.url):
        raise CommandError(f"the files of {args.url} would end with this command; give a URL that lasts")
    target = open_whole(args.url, dict(args.option), may_create=True)
    try:
        with ProgressLine("imported") as progress:
            report = import_agentfs(args.file, target.fs, target.path, callback=progress)
    except ValueError as error:
        raise CommandError(str(error)) from error
    lost = (
        (report.copied_links, "hard links became files of their own, for the target has none"),
        (report.without_attributes, "entries without their modes and times, which the target does not keep"),
        (report.without_owners, "entries without their owners, which the target did not take (run as root?)"),
        (report.kv_entries, "entries of the key-value store stay behind: they are no files"),
        (report.tool_calls, "recorded tool calls stay behind: they are no files"),
        (report.whiteouts, "deletions in the base directory stay behind"),
    )
    notes = [f"{count} {what}" for count, what in lost if count]
    if report.overlay_base:
        notes.append(f"these are changes to the directory {report.overlay_base}, whose own files are not included")
    if report.changed_meanwhile:
        notes.append("another program changed the database meanwhile: import again when it has ended")
    return tell("imported", report, notes)


def _export(args: argparse.Namespace) -> int:
    from chuk_fsspec.transfer import export_agentfs

    source = open_whole(args.url, dict(args.option))
    try:
        with ProgressLine("exported") as progress:
            report = export_agentfs(source.fs, source.path, args.file, overwrite=args.force, callback=progress)
    except FileExistsError as error:
        raise CommandError(f"{args.file} exists: pass --force to replace it, or choose another name") from error
    notes = []
    if report.xattrs:
        notes.append(f"{report.xattrs} extended attributes of {report.with_xattrs} entries have no place in AgentFS")
    return tell("exported", report, notes)
