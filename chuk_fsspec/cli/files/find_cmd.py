"""``chuk-fsspec find``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from chuk_fsspec.cli.files import conditions
from chuk_fsspec.cli.files.each import Complaints, for_each_location
from chuk_fsspec.cli.files.location import Location, add_options, open_location
from chuk_fsspec.cli.files.records import record
from chuk_fsspec.cli.files.rm_cmd import remove_location
from chuk_fsspec.cli.files.styling import add_color, name_style
from chuk_fsspec.cli.output import CommandError, say_json
from chuk_fsspec.cli.parsing import add_command, whole_number
from chuk_fsspec.trees.walking import Found, listed, walk

_EXAMPLE = """
chuk-fsspec find . -name '*.py' -size +10k
chuk-fsspec find chuksqlite:///::file://$PWD/work.db -type f -mtime -7 -print0 | xargs -0 chuk-fsspec stat
"""
_SIGNED = ("-size", "-mtime", "-mmin")
"""Options whose value may begin with a minus, which argparse would take for the next option."""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "find",
        run,
        details="List files below directories that meet all conditions. Each is written so that another command takes\n"
        "it. Links are not followed. Exit code 1 if something could not be looked at; 0 if nothing was found.\n"
        "A number N means just that; +N more, -N less.",
        example=_EXAMPLE,
    )
    _take_signed_values(parser)
    parser.add_argument("locations", nargs="*", default=["."], metavar="URL", help="URLs or paths (default: .)")
    parser.add_argument("-name", metavar="PATTERN", help="the name fits, with * ? [...]")
    parser.add_argument("-iname", metavar="PATTERN", help="the same, capital or small")
    parser.add_argument("-type", type=conditions.of_types, metavar="T", help="f file, d directory, l link, p s c b")
    parser.add_argument(
        "-size", type=conditions.of_size, metavar="N[ckMG]", help="so many units, rounded up: 512 bytes, or c k M G"
    )
    parser.add_argument("-mtime", type=conditions.of_age, metavar="N", help="changed N days ago")
    parser.add_argument(
        "-mmin", type=lambda text: conditions.of_age(text, minutes=True), metavar="N", help="changed N minutes ago"
    )
    parser.add_argument("-newer", metavar="URL", help="changed later than this file")
    parser.add_argument("-empty", action="store_true", help="a file without bytes, or a directory without entries")
    parser.add_argument("-mindepth", type=whole_number(0), default=0, metavar="N", help="at least N levels below")
    parser.add_argument("-maxdepth", type=whole_number(0), metavar="N", help="at most N levels below")
    parser.add_argument("-print0", action="store_true", help="end each name with NUL, for xargs -0")
    parser.add_argument("-delete", action="store_true", help="remove what was found; directories must be empty by then")
    add_color(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """List each tree; 1 if something could not be looked at."""
    asked = [condition for condition in (args.type, args.size, args.mtime, args.mmin) if condition is not None]
    if args.name is not None:
        asked.append(conditions.named(args.name))
    if args.iname is not None:
        asked.append(conditions.named(args.iname, ignore_case=True))
    if args.newer is not None:
        asked.append(conditions.newer_than(_time_of(open_location(args.newer, dict(args.option)))))
    complaints = Complaints()

    def show(top: Location) -> None:
        # A directory can go only after what is in it, and nothing may change while it is looked at.
        found = _matching(top, asked, args, complaints)
        for one in reversed(list(found)) if args.delete else found:
            try:
                if args.delete:
                    _delete(top.below(one.path), one)
            except OSError as error:
                complaints(error)
                continue
            _tell(top.below(one.path), one, args)

    code = for_each_location(args.locations, dict(args.option), show)
    return 1 if complaints.count else code


def _matching(
    top: Location, asked: Sequence[conditions.Condition], args: argparse.Namespace, complaints: Complaints
) -> Iterator[Found]:
    for found in walk(top.fs, top.path, depth=args.maxdepth, on_error=complaints):
        if found.depth < args.mindepth or not all(condition(found) for condition in asked):
            continue
        if not args.empty or _is_empty(top, found):
            yield found


def _is_empty(top: Location, found: Found) -> bool:
    if found.attributes.is_directory:
        return not listed(top.fs, found.place)
    return found.attributes.size == 0 and found.attributes.target is None


def _delete(location: Location, found: Found) -> None:
    if found.attributes.is_directory:
        if location.means_contents:
            raise CommandError(f"{location.text} stays: a root, . and .. are not removed")
        location.fs.rmdir(location.path)
    else:
        remove_location(location, recursive=False)


def _tell(location: Location, found: Found, args: argparse.Namespace) -> None:
    if args.json:
        say_json(record(location.text, found.attributes))
    elif args.print0:
        sys.stdout.buffer.write(os.fsencode(location.text) + b"\0")
    else:
        sys.stdout.write(f"{name_style(args.color)(location.text, found.attributes)}\n")


def _time_of(location: Location) -> int:
    mtime_ns = location.attributes().mtime_ns
    if mtime_ns is None:
        raise CommandError(f"{location.text} has no time to compare with")
    return mtime_ns


def _take_signed_values(parser: argparse.ArgumentParser) -> None:
    """Let the value of some options begin with a minus, as in ``-size -10k``."""
    parse = parser.parse_known_args

    def parse_glued(args: Sequence[str] | None = None, namespace: Any = None) -> Any:
        return parse(_glued(list(args or ())), namespace)

    parser.parse_known_args = parse_glued  # type: ignore[method-assign,assignment]


def _glued(words: list[str]) -> list[str]:
    glued: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            return [*glued, word, *rest]
        value = next(rest, None) if word in _SIGNED else None
        glued.append(word if value is None else f"{word}={value}")
    return glued
