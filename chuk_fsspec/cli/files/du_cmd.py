"""``chuk-fsspec du``."""

from __future__ import annotations

import argparse
import stat
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.cli.files.each import Complaints, for_each_location
from chuk_fsspec.cli.files.location import Location, add_options
from chuk_fsspec.cli.files.styling import shown
from chuk_fsspec.cli.output import say, say_json
from chuk_fsspec.cli.parsing import add_command, whole_number
from chuk_fsspec.cli.progress import short_amount
from chuk_fsspec.trees.walking import Found, walk

_EXAMPLE = """
chuk-fsspec du -h --max-depth 1 .
chuk-fsspec du -s chuksqlite:///::file://$PWD/work.db --json
"""


@dataclass
class _Sum:
    """What an entry holds, itself included."""

    path: str
    depth: int
    is_directory: bool
    bytes: int = 0
    files: int = 0


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "du",
        run,
        details="Add up the sizes of files in directories, in bytes: what they hold (du --apparent-size), not what\n"
        "the storage takes; directories themselves count nothing. A file with several names is counted once.\n"
        "Exit code 1 if something could not be looked at.",
        example=_EXAMPLE,
        short_help=False,
    )
    parser.add_argument("locations", nargs="*", default=["."], metavar="URL", help="URLs or paths (default: .)")
    parser.add_argument("-s", "--summarize", action="store_true", help="only what was named")
    parser.add_argument("-a", "--all", action="store_true", help="files, too")
    parser.add_argument("-c", "--total", action="store_true", help="the total in the end")
    parser.add_argument("-h", dest="human", action="store_true", help="sizes such as 1.5K and 12M")
    parser.add_argument(
        "-d", "--max-depth", type=whole_number(0), metavar="N", help="show only N levels below what was named"
    )
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Show each; 1 if something could not be looked at."""
    complaints = Complaints()
    seen: set[tuple[int, int]] = set()
    total = _Sum("total", 0, is_directory=True)

    def show(top: Location) -> None:
        depth = 0 if args.summarize else args.max_depth
        for one in _sums(top, seen, complaints):
            if (one.is_directory or args.all or not one.depth) and (depth is None or one.depth <= depth):
                _tell(top.below(one.path).text, one, args)
            if not one.depth:
                total.bytes += one.bytes
                total.files += one.files

    code = for_each_location(args.locations, dict(args.option), show)
    if args.total:
        _tell(total.path, total, args)
    return 1 if complaints.count else code


def _sums(top: Location, seen: set[tuple[int, int]], complaints: Complaints) -> Any:
    """Each entry after all that is in it."""
    above: list[_Sum] = []
    for found in walk(top.fs, top.path, on_error=complaints):
        while above and above[-1].depth >= found.depth:
            yield _closed(above)
        one = _Sum(found.path, found.depth, found.attributes.is_directory)
        if not one.is_directory:
            one.bytes = 0 if _was_seen(top, found, seen) else found.attributes.size
            one.files = 1
        above.append(one)
    while above:
        yield _closed(above)


def _closed(above: list[_Sum]) -> _Sum:
    one = above.pop()
    if above:
        above[-1].bytes += one.bytes
        above[-1].files += one.files
    return one


def _was_seen(top: Location, found: Found, seen: set[tuple[int, int]]) -> bool:
    attributes = found.attributes
    if attributes.nlink < 2 or attributes.file_id is None or not stat.S_ISREG(attributes.mode):
        return False
    key = (id(top.fs), attributes.file_id)
    if key in seen:
        return True
    seen.add(key)
    return False


def _tell(text: str, one: _Sum, args: argparse.Namespace) -> None:
    if args.json:
        say_json({"path": text, "bytes": one.bytes, "files": one.files})
    else:
        say(f"{short_amount(one.bytes) if args.human else one.bytes}\t{shown(text)}")
