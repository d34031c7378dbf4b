"""``chuk-fsspec tree``."""

from __future__ import annotations

import argparse
from typing import Any

from chuk_fsspec.cli.files.each import Complaints, for_each_location
from chuk_fsspec.cli.files.location import Location, add_options
from chuk_fsspec.cli.files.records import record
from chuk_fsspec.cli.files.styling import add_color, name_style, shown
from chuk_fsspec.cli.output import say, say_json
from chuk_fsspec.cli.parsing import add_command, whole_number
from chuk_fsspec.cli.progress import short_amount
from chuk_fsspec.contract.display import amount
from chuk_fsspec.trees.walking import Found, walk

_EXAMPLE = """
chuk-fsspec tree -L 2 .
chuk-fsspec tree work.toml:/ --json
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "tree",
        run,
        details="Show directories as indented trees, with the sizes of files. Links are shown, not followed.\n"
        "Exit code 1 if something could not be listed.",
        example=_EXAMPLE,
        short_help=False,
    )
    parser.add_argument("locations", nargs="*", default=["."], metavar="URL", help="URLs or paths (default: .)")
    parser.add_argument("-L", dest="depth", type=whole_number(1), metavar="N", help="go down N levels (default: all)")
    parser.add_argument("-a", dest="all", action="store_true", help="also names that begin with a dot")
    parser.add_argument("-d", dest="directories", action="store_true", help="directories only")
    parser.add_argument("-h", dest="human", action="store_true", help="sizes such as 1.5K and 12M")
    add_color(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Show each; 1 if something could not be listed."""
    complaints = Complaints()

    def show(top: Location) -> None:
        counts = {"directories": 0, "files": 0, "bytes": 0}
        for found in walk(top.fs, top.path, depth=args.depth, on_error=complaints):
            is_directory = found.attributes.is_directory
            if (not args.all and _is_hidden(found)) or (args.directories and not is_directory):
                continue
            if args.json:
                say_json(record(top.below(found.path).text, found.attributes))
            else:
                _tell(top, found, args)
            if found.depth:
                counts["directories" if is_directory else "files"] += 1
                counts["bytes"] += found.attributes.size
        if not args.json:
            say(f"{counts['directories']} directories, {counts['files']} files, {amount(counts['bytes'])}")

    code = for_each_location(args.locations, dict(args.option), show)
    return 1 if complaints.count else code


def _is_hidden(found: Found) -> bool:
    return any(name.startswith(".") for name in found.path.split("/"))


def _tell(top: Location, found: Found, args: argparse.Namespace) -> None:
    attributes = found.attributes
    name = name_style(args.color)(found.name if found.depth else top.text, attributes)
    if attributes.is_directory:
        end = "/" if found.depth else ""
    elif attributes.target is not None:
        end = f" -> {shown(attributes.target)}"
    else:
        end = f"  {short_amount(attributes.size) if args.human else attributes.size}"
    say(f"{'    ' * found.depth}{name}{end}")
