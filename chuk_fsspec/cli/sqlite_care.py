"""``chuk-fsspec sqlite check``, ``size`` and ``vacuum``: care of a chuksqlite file."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from typing import Any

from chuk_fsspec.cli.output import CommandError, complain, describe, printable, say, say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.contract.display import amount
from chuk_fsspec.registry import PROTOCOLS

_CHECK_EXAMPLE = """
chuk-fsspec sqlite check w.db
chuk-fsspec sqlite check w.db --repair
"""
_SIZE_EXAMPLE = """
chuk-fsspec sqlite size w.db
chuk-fsspec sqlite size w.db --largest 3 --json
"""
_VACUUM_EXAMPLE = """
chuk-fsspec sqlite vacuum w.db
"""
_DAMAGED = (
    "SQLite cannot read the whole file. Take your last backup, or save what can be read: "
    "sqlite3 FILE .recover | sqlite3 NEW, and then check NEW"
)
_REPAIRABLE = "make a copy of the file, and then repair what can be repaired: chuk-fsspec sqlite check --repair"
_BEYOND = "of the files named above, copy what can be read, and remove them"


def add_commands(commands: Any, group: str) -> None:
    """Add the three to the group."""
    parser = add_command(
        commands,
        "check",
        _check,
        group=group,
        summary="look for everything that can be wrong in a chuksqlite file",
        details="Check the SQLite file, and that names, links, sizes and contents in it agree. Others may use it.\n"
        "With --repair, put right what can be put right without losing anything, while nobody else uses it:\n"
        "what has no path any more gets one in /lost+found.\n"
        "Exit code 0 if nothing is wrong, or is any more; otherwise 1, with one line for each problem.",
        example=_CHECK_EXAMPLE,
    )
    _add_file(parser)
    parser.add_argument("--repair", action="store_true", help="put right what can be put right")
    parser = add_command(
        commands,
        "size",
        _size,
        group=group,
        summary="say what a chuksqlite file holds, and what takes the space",
        details="Count files and bytes, and name the largest files. Others may use it.",
        example=_SIZE_EXAMPLE,
    )
    _add_file(parser)
    parser.add_argument("--largest", type=_count, default=10, metavar="COUNT", help="how many files to name (10)")
    parser = add_command(
        commands,
        "vacuum",
        _vacuum,
        group=group,
        summary="give back the space of what was removed",
        details="Write a chuksqlite file anew, without free pages. It takes as much free space as the file has,\n"
        "and fails while other programs write to it.",
        example=_VACUUM_EXAMPLE,
    )
    _add_file(parser)


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the database, as database= has it")


def _check(args: argparse.Namespace) -> int:
    with _about(args.file), _steps() as on_step:
        report = _maintenance().check(os.path.abspath(args.file), on_step=on_step)
        found = report
        if args.repair and (report.count or report.leftovers):
            report = _maintenance().repair(os.path.abspath(args.file), on_step=on_step)
    if args.json:
        say_json({**asdict(report), "ok": report.ok, "repaired": found.count - report.count})
        return 0 if report.ok else 1
    for problem in found.problems:
        complain(f"{args.file}: {printable(str(problem))}")
    if found.count > len(found.problems):
        complain(f"{args.file}: there are more problems; only the first {len(found.problems)} are shown")
    _tell(report, found)
    return 0 if report.ok else 1


def _tell(report: Any, found: Any) -> None:
    """The last lines: how many problems there are, and how to get out of it."""
    if found.count > report.count:
        say(f"{_problems(found.count - report.count)} repaired")
    if report.leftovers:
        say(f"note: {report.leftovers} files or contents without a name: open in a program, or left by a killed one")
    say("nothing is wrong" if report.ok else _problems(report.count))
    if report.is_damaged:
        say(f"what to do: {_DAMAGED}")
    elif any(problem.can_be_repaired for problem in report.problems):
        say(f"what to do: {_REPAIRABLE}")
    elif not report.ok:
        say(f"what to do: {_BEYOND}")


def _size(args: argparse.Namespace) -> int:
    with _about(args.file):
        size = _maintenance().measure(os.path.abspath(args.file), largest=args.largest)
    if args.json:
        say_json(asdict(size))
        return 0
    say(f"{size.files} files, {size.directories} directories, {size.others} links and special files")
    for what, count in (
        ("content", size.content),
        ("content without holes", size.stored),
        ("database file", size.file),
        ("free pages in it", size.free),
        ("write-ahead log", size.log),
        ("of equal chunks kept once", size.saved),
        (f"kept for {'1 snapshot' if size.snapshots == 1 else f'{size.snapshots} snapshots'}", size.kept or None),
    ):
        if count is not None:
            say(f"{amount(count):>12}  {what}")
    if size.largest:
        say("largest files:")
    for one in size.largest:
        say(f"{amount(one.size):>12}  {printable(one.path)}")
    return 0


def _vacuum(args: argparse.Namespace) -> int:
    with _about(args.file), _steps() as on_step:
        on_step("writing the file anew")
        saved = _maintenance().vacuum(os.path.abspath(args.file))
    if args.json:
        say_json({"file": args.file, "saved": saved})
        return 0
    say(f"{args.file}: {amount(saved)} smaller" if saved > 0 else f"{args.file}: no smaller")
    return 0


def _maintenance() -> Any:
    """The backend's module for the care of its files. It is found as its class is: no backend is imported by name."""
    package, _, _ = PROTOCOLS["chuksqlite"].home.partition(":")
    return import_module(f"{package}.maintenance")


@contextmanager
def _about(file: str) -> Iterator[None]:
    """Say of which file an error is."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise CommandError(f"{file}: {describe(error)}") from error


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """A line on a terminal that says what is being done, and is gone in the end."""
    shows = sys.stderr.isatty()

    def show(step: str) -> None:
        if shows:
            sys.stderr.write(f"\r{step} …\033[K")
            sys.stderr.flush()

    try:
        yield show
    finally:
        if shows:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def _problems(count: int) -> str:
    return "1 problem" if count == 1 else f"{count} problems"


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError("it must be 0 or more")
    return count
