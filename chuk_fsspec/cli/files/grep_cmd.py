"""``chuk-fsspec grep``."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from chuk_fsspec.cli.files.each import Complaints, for_each
from chuk_fsspec.cli.files.grep_lines import Search
from chuk_fsspec.cli.files.grep_writing import Shown, Writer
from chuk_fsspec.cli.files.location import add_options, open_location
from chuk_fsspec.cli.files.reading import Blocks, Source
from chuk_fsspec.cli.files.styling import add_color, uses_color
from chuk_fsspec.cli.output import CommandError, OutputError
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.urls import PIPE
from chuk_fsspec.transfer.copying import blocks_of
from chuk_fsspec.trees.walking import Found, walk

_EXAMPLE = """
chuk-fsspec grep -rn --include '*.py' 'def main' .
chuk-fsspec grep -i -C 2 error chuksqlite:///log.txt::file://$PWD/work.db
"""
_NOTHING_MATCHED = 1
_ERROR = 2


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "grep",
        run,
        details="Find lines that a pattern fits. The pattern is a regular expression as Python has it, or with -F a\n"
        "text. A file with a NUL in it is a binary one: it is only said whether it matches.\n"
        "Exit code 0 if a line was found, 1 if none was, 2 if something went wrong, as grep has it.",
        example=_EXAMPLE,
        failed=_ERROR,
        short_help=False,
    )
    parser.add_argument("pattern", nargs="?", metavar="PATTERN", help="what to look for, unless -e names it")
    parser.add_argument("locations", nargs="*", metavar="URL", help="URLs or paths; - or nothing for standard input")
    parser.add_argument("-e", dest="patterns", action="append", default=[], metavar="PATTERN", help="one of several")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("-F", "--fixed-strings", action="store_true", help="patterns are texts")
    kind.add_argument("-E", "--extended-regexp", action="store_true", help="patterns are regular expressions (default)")
    for names, what in (
        (("-i", "--ignore-case"), "capital and small letters are the same"),
        (("-w", "--word-regexp"), "only whole words"),
        (("-v", "--invert-match"), "lines that do not fit"),
        (("-r", "-R", "--recursive"), "directories, with all that is in them; links are not followed"),
        (("-n", "--line-number"), "with the number of each line"),
        (("-l", "--files-with-matches"), "only the names of files"),
        (("-c", "--count"), "only how many lines of each file"),
        (("-q", "--quiet"), "nothing; only the exit code tells"),
        (("-H", "--with-filename"), "with the name of the file, even of a single one"),
        (("-h", "--no-filename"), "without names of files"),
    ):
        parser.add_argument(*names, action="store_true", help=what)
    for name, what in (("-A", "after"), ("-B", "before"), ("-C", "before and after")):
        parser.add_argument(name, type=_count, default=None, metavar="N", help=f"N lines {what} each one, too")
    for name, what in (("--include", "only"), ("--exclude", "no")):
        parser.add_argument(
            name, action="append", default=[], metavar="GLOB", help=f"with -r, {what} files of such names"
        )
    add_color(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Search each; 0 if a line was found, 1 if none was, 2 if something went wrong."""
    patterns, texts = _patterns(args)
    asked = Search(
        _expression(patterns, args),
        inverted=args.invert_match,
        before=args.B if args.B is not None else args.C or 0,
        after=args.A if args.A is not None else args.C or 0,
        first_only=args.files_with_matches or args.quiet,
    )
    texts = texts or (["."] if args.recursive else [PIPE])
    has_names = (len(texts) > 1 or args.with_filename or _is_tree(texts[0], args)) and not args.no_filename
    what = Shown.NOTHING if args.quiet else Shown.NAMES if args.files_with_matches else Shown.LINES
    writer = Writer(
        what=Shown.COUNTS if args.count and what is Shown.LINES else what,
        names=has_names,
        numbers=args.line_number,
        contexts=bool(asked.before or asked.after),
        color=uses_color(args.color) and not args.json and not args.invert_match,
        as_json=args.json,
    )
    complaints = Complaints()
    count = 0

    def look(source: Source) -> None:
        nonlocal count
        for text, blocks in _files(source, args, complaints):
            if count and args.quiet:
                return
            count += _tried(partial(writer.write, text, blocks, asked), complaints)

    code = for_each(texts, lambda text: look(Source(text, dict(args.option))), _ERROR)
    if count and args.quiet:
        return 0
    return _ERROR if code or complaints.count else 0 if count else _NOTHING_MATCHED


def _is_tree(text: str, args: argparse.Namespace) -> bool:
    return args.recursive and text != PIPE and open_location(text, dict(args.option)).isdir()


def _tried(write: Callable[[], int], complaints: Complaints) -> int:
    """How many lines of a file were found; one that cannot be read is said, and has none."""
    try:
        return write()
    except (BrokenPipeError, OutputError):
        raise
    except OSError as error:
        complaints(error)
        return 0


def _files(source: Source, args: argparse.Namespace, complaints: Complaints) -> Iterator[tuple[str, Blocks]]:
    location = source.location
    if location is None or not location.isdir():
        yield ("(standard input)" if source.text == PIPE else source.text), source.blocks()
        return
    if not args.recursive:
        raise CommandError(f"{source.text} is a directory; -r searches all that is in it")
    for found in walk(location.fs, location.path, on_error=complaints):
        if _is_wanted(found, args):
            yield location.below(found.path).text, blocks_of(location.fs, found.place, found.attributes)


def _is_wanted(found: Found, args: argparse.Namespace) -> bool:
    if found.attributes.is_directory or found.attributes.target is not None or found.info["type"] != "file":
        return False
    if any(fnmatchcase(found.name, pattern) for pattern in args.exclude):
        return False
    return not args.include or any(fnmatchcase(found.name, pattern) for pattern in args.include)


def _patterns(args: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Patterns and files; without -e, the first word is the pattern."""
    if args.patterns:
        return args.patterns, [*([] if args.pattern is None else [args.pattern]), *args.locations]
    if args.pattern is None:
        raise CommandError("there is no pattern: chuk-fsspec grep PATTERN URL ...")
    return [args.pattern], args.locations


def _expression(patterns: list[str], args: argparse.Namespace) -> re.Pattern[str]:
    """One expression for all patterns; each line of a pattern is one of its own, as POSIX has it."""
    lines = [line for pattern in patterns for line in pattern.split("\n")]
    if args.fixed_strings:
        lines = [re.escape(line) for line in lines]
    text = "|".join(f"(?:{line})" for line in lines)
    try:
        for line in lines:
            re.compile(line)
        return re.compile(rf"(?<!\w)(?:{text})(?!\w)" if args.word_regexp else text, re.IGNORECASE * args.ignore_case)
    except re.error as error:
        raise CommandError(f"{' '.join(patterns)} is no regular expression: {error} (-F looks for a text)") from None


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines")
    return int(text)
