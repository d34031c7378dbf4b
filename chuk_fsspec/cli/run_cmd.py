"""``chuk-fsspec run``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from chuk_adapters.fuse import Mount, MountOptions
from chuk_adapters.fuse.mounting import check_mountpoint
from chuk_fsspec.cli.changes import as_record, listing
from chuk_fsspec.cli.collector import calm_collector
from chuk_fsspec.cli.directories import open_directory
from chuk_fsspec.cli.guarding import guarded
from chuk_fsspec.cli.output import CommandError, complain
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.serving import check_is_free
from chuk_fsspec.cli.trees import Tree, open_tree
from chuk_fsspec.cli.urls import add_option
from chuk_fsspec.contract.changes import Changes
from chuk_fsspec.wrappers.staging import StageFileSystem

_EXAMPLE = """
chuk-fsspec run -- make
chuk-fsspec run --on /srv/project --yes -- npm install
chuk-fsspec run --on chuksqlite://::file:///data/w.db --discard -- ls -l
"""

_NOT_FOUND = 127
_NOT_EXECUTABLE = 126
_BY_SIGNAL = 128
_FAILED = 1
_DATABASE_FILES = ("", "-wal", "-shm", "-journal")
"""Endings of the names of the files that a SQLite database is."""
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "run",
        run,
        details="Run a command in a mount that shows a directory or filesystem. What it changes there is kept apart;\n"
        "when it has ended, the changes are shown, and carried out if you say so. Its exit code is passed on.\n"
        "With --json, the changes and what became of them are one object on standard error.",
        example=_EXAMPLE,
    )
    parser.add_argument(
        "--on",
        metavar="WHAT",
        default=".",
        help="a directory, a workspace file (*.toml) or any fsspec URL (default: the current directory)",
    )
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument("--yes", action="store_true", help="commit without asking, if the command succeeds")
    decision.add_argument("--discard", action="store_true", help="show the changes and drop them")
    parser.add_argument(
        "--keep",
        metavar="FILE",
        help="keep the changes in this file until they are committed; another run with it goes on from there",
    )
    parser.add_argument("--at", metavar="DIR", help="mount here, on an empty directory (default: a temporary one)")
    parser.add_argument("--full", action="store_true", help="show each file of new and removed directories")
    add_option(parser, "--option", "-o", what="a storage option of the filesystem")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND ...", help="what to run, after --")


def run(args: argparse.Namespace) -> int:
    """Stage, mount, run, show, ask, commit. Returns the exit code of the command; 1 if a commit is refused."""
    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    if not words:
        raise CommandError("there is no command to run: chuk-fsspec run -- COMMAND ...")
    if not (args.yes or args.discard or args.keep or sys.stdin.isatty()):
        raise CommandError("there is no terminal to ask on: add --yes, --discard or --keep FILE")
    if args.keep and os.path.isdir(args.keep):
        raise CommandError(f"--keep {args.keep} is a directory; name a file, which is made if it is not there")
    tree = open_tree(args.on, dict(args.option))
    upper = os.path.abspath(args.keep) if args.keep else ""
    stage = StageFileSystem(fs=tree.fs, upper=upper, hidden_paths=_own_files(tree, upper))
    code = _run_staged(stage, tree, words, args)
    changes = stage.diff()
    if not args.json:
        for line in listing(changes, full=args.full):
            _tell(line)
    outcome = _decide(stage, changes, code, args)
    if args.json:
        _tell(json.dumps({**as_record(changes), "outcome": outcome, "exit_code": code}))
    if not args.keep:
        stage.close()
    return code


def _own_files(tree: Tree, upper: str) -> list[str]:
    """Where the files that keep the changes would be seen in the tree."""
    inside = tree.inward(upper) if upper else None
    return [] if inside is None else [f"{inside}{ending}" for ending in _DATABASE_FILES]


# ---- running


def _run_staged(stage: StageFileSystem, tree: Tree, words: list[str], args: argparse.Namespace) -> int:
    """Run a command in a mount of the stage; nothing is mounted any more when this returns."""
    _look_around(stage, tree, args.at or tempfile.gettempdir())
    nodes = open_directory(stage, tree.path)
    options = MountOptions(debug=args.debug, fsname="chuk-fsspec-run")
    with ExitStack() as stack:
        point = check_mountpoint(args.at or stack.enter_context(_temporary_directory()))
        check_is_free(Path(os.path.realpath(point)))
        stack.enter_context(guarded(point, temporary=not args.at))
        calm_collector()
        mounted = stack.enter_context(Mount(nodes, point, options))
        code = _run_command(words, point)
        if not mounted.is_live:
            raise CommandError(f"the mount on {point} ended while the command ran; nothing is committed")
    return code


def _look_around(stage: StageFileSystem, tree: Tree, place: str) -> None:
    """Have a stage look at a place of the tree before it is mounted there: later, it would wait for its own answer."""
    inside = tree.inward(place)
    if inside is not None and stage.isdir(inside):
        stage.ls(inside)


@contextmanager
def _temporary_directory() -> Iterator[str]:
    path = tempfile.mkdtemp(prefix="chuk-run-")
    try:
        yield path
    finally:
        if os.path.isdir(path):
            os.rmdir(path)


def _run_command(words: list[str], point: Path) -> int:
    """The exit code of a command, as a shell has it.

    Ctrl-C is for the command, which has it from the terminal; a signal that ends this process is handed on to it.
    """
    child: subprocess.Popen[bytes] | None = None

    def hand_on(number: int, _frame: object) -> None:
        if child is not None and number in _PASSED_ON:
            child.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, *_PASSED_ON)}
    try:
        child = subprocess.Popen(words, cwd=point, env={**os.environ, "PWD": str(point)})
        code = child.wait()
    except FileNotFoundError:
        complain(f"{words[0]}: command not found")
        return _NOT_FOUND
    except OSError as error:
        complain(f"{words[0]}: {error.strerror}")
        return _NOT_EXECUTABLE
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else _BY_SIGNAL - code


# ---- deciding


def _is_approved(args: argparse.Namespace, code: int) -> bool:
    if args.yes and code:
        complain(f"the command failed with exit code {code}, so --yes commits nothing")
    if args.yes or args.discard or not sys.stdin.isatty():
        return bool(args.yes) and not code
    sys.stderr.write("commit these changes? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _decide(stage: StageFileSystem, changes: Changes, code: int, args: argparse.Namespace) -> str:
    """Ask if need be, and do it; returns what became of the changes in one word."""
    outcome, told = "unchanged", ""
    if changes and _is_approved(args, code):
        stage.commit()
        outcome, told = "committed", f"committed: {changes.summary()}"
    elif changes and args.keep:
        outcome, told = "kept", f"kept in {args.keep}"
    elif changes:
        outcome = told = "discarded"
    if told and not args.json:
        _tell(told)
    return outcome


def _tell(line: str) -> None:
    """Write a line beside what the command has written to standard output."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
