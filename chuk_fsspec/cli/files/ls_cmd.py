"""``chuk-fsspec ls``."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.cli.files.each import for_each, for_each_location
from chuk_fsspec.cli.files.location import Location, add_options
from chuk_fsspec.cli.files.records import group_name, mode_column, owner_name, record, time_column
from chuk_fsspec.cli.files.styling import Style, add_color, name_style, shown
from chuk_fsspec.cli.output import say, say_json
from chuk_fsspec.cli.parsing import FAILED, add_command
from chuk_fsspec.cli.progress import short_amount
from chuk_fsspec.contract.attributes import Attributes, attributes_of
from chuk_fsspec.trees.walking import listed

_EXAMPLE = """
chuk-fsspec ls -lh
chuk-fsspec ls -R chuksqlite:///src::file://$PWD/work.db
chuk-fsspec ls work.toml:/data --json
"""


@dataclass(frozen=True)
class _Row:
    """A line: how it is called here, where it is, and what it is."""

    name: str
    location: Location
    attributes: Attributes


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "ls",
        run,
        details="List what is in directories, in the order of names. Exit code 1 if something could not be listed.",
        example=_EXAMPLE,
        short_help=False,
    )
    parser.add_argument("locations", nargs="*", default=["."], metavar="URL", help="URLs or paths (default: .)")
    parser.add_argument("-l", action="store_true", help="with mode, names, owner, group, size and time")
    parser.add_argument("-1", dest="one", action="store_true", help="one name on each line, as on a pipe")
    parser.add_argument("-a", "-A", dest="all", action="store_true", help="also names that begin with a dot")
    parser.add_argument("-h", dest="human", action="store_true", help="with -l, sizes such as 1.5K and 12M")
    parser.add_argument("-R", dest="recursive", action="store_true", help="directories below, too")
    parser.add_argument("-d", dest="directory", action="store_true", help="the directories themselves")
    parser.add_argument("-t", dest="by_time", action="store_true", help="in the order of time, newest first")
    parser.add_argument("-S", dest="by_size", action="store_true", help="in the order of size, largest first")
    parser.add_argument("-r", dest="reverse", action="store_true", help="in the opposite order")
    add_color(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """List files first and directories after them, as ls does; 1 if something could not be listed."""
    files: list[_Row] = []
    directories: list[Location] = []

    def sort_out(location: Location) -> None:
        attributes = location.attributes(follow=False)
        if not args.directory and (attributes.is_directory or (attributes.target is not None and location.isdir())):
            directories.append(location)
        else:
            files.append(_Row(location.text, location, attributes))

    code = for_each_location(args.locations, dict(args.option), sort_out)
    _show(files, args)
    has_headings = args.recursive or len(args.locations) > 1
    shown_before = bool(files)
    for directory in directories:
        code = _show_directory(directory, args, heading=has_headings, gap=shown_before) or code
        shown_before = True
    return code


def _show_directory(directory: Location, args: argparse.Namespace, *, heading: bool, gap: bool) -> int:
    rows: list[_Row] = []

    def read(location: Location) -> None:
        fs = location.fs.posix.nofollow if location.can.symlinks and not _is_link(location) else location.fs
        for name, info in listed(fs, location.path):
            if args.all or not name.startswith("."):
                rows.append(_Row(name, location.below(name), attributes_of(info)))

    code = for_each([directory], read)
    if heading and not args.json:
        say(f"{chr(10) * gap}{shown(directory.text)}:")
    _show(rows, args)
    if not args.recursive or code:
        return code
    for row in _sorted(rows, args):
        if row.attributes.is_directory:
            code = _show_directory(row.location, args, heading=True, gap=True) or code
    return FAILED if code else 0


def _is_link(location: Location) -> bool:
    return location.attributes(follow=False).target is not None


def _sorted(rows: list[_Row], args: argparse.Namespace) -> list[_Row]:
    if args.by_time:
        rows = sorted(rows, key=lambda row: -(row.attributes.mtime_ns or 0))
    elif args.by_size:
        rows = sorted(rows, key=lambda row: -row.attributes.size)
    return rows[::-1] if args.reverse else rows


def _show(rows: list[_Row], args: argparse.Namespace) -> None:
    rows = _sorted(rows, args)
    style = name_style(args.color)
    if args.json:
        for row in rows:
            say_json(record(row.location.text, row.attributes))
    elif args.l:
        _show_long(rows, style, human=args.human)
    elif args.one or not sys.stdout.isatty():
        for row in rows:
            say(style(row.name, row.attributes))
    else:
        for line in _in_columns(rows, style):
            say(line)


def _show_long(rows: list[_Row], style: Style, *, human: bool) -> None:
    columns = []
    for row in rows:
        one = row.attributes
        size = (short_amount(one.size) if human else str(one.size)) if one.sized else "?"
        owner, group = (owner_name(one.uid), group_name(one.gid)) if one.keeps_mode else ("?", "?")
        columns.append((mode_column(one), str(one.nlink), owner, group, size, time_column(one.mtime_ns)))
    widths = [max(map(len, column)) for column in zip(*columns, strict=True)]
    for row, (mode, nlink, owner, group, size, when) in zip(rows, columns, strict=True):
        target = f" -> {shown(row.attributes.target)}" if row.attributes.target is not None else ""
        say(
            f"{mode} {nlink:>{widths[1]}} {owner:<{widths[2]}} {group:<{widths[3]}} {size:>{widths[4]}} "
            f"{when:<{widths[5]}} {style(row.name, row.attributes)}{target}"
        )


def _in_columns(rows: list[_Row], style: Style) -> list[str]:
    """Names from top to bottom in as many columns as fit the terminal."""
    if not rows:
        return []
    cell = max(len(shown(row.name)) for row in rows) + 2
    count = max(1, shutil.get_terminal_size().columns // cell)
    height = -(-len(rows) // count)
    lines = []
    for number in range(height):
        row_of_line = rows[number::height]
        lines.append(
            "".join(
                style(row.name, row.attributes) + " " * (cell - len(shown(row.name))) for row in row_of_line
            ).rstrip()
        )
    return lines
