"""``chuk-fsspec snapshot log``, ``diff`` and ``restore``: what changed, and back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from chuk_fsspec.cli.changes import as_record
from chuk_fsspec.cli.output import printable, say, say_json
from chuk_fsspec.cli.parsing import whole_number
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.cli.snapshot_target import add_snapshot_command, as_dict, open_snapshots

if TYPE_CHECKING:
    from chuk_fsspec.contract.changes import Changes

_LOG_EXAMPLE = """
chuk-fsspec snapshot log ./project --store ./snapshots --limit 5
"""
_DIFF_EXAMPLE = """
chuk-fsspec snapshot diff ./project before --store ./snapshots
chuk-fsspec snapshot diff ./project before after --store ./snapshots --text
"""
_RESTORE_EXAMPLE = """
chuk-fsspec snapshot restore ./project before --store ./snapshots --dry-run
chuk-fsspec snapshot restore ./project before /src /README.md --store ./snapshots
"""


def add_commands(commands: Any, group: str) -> None:
    """Add them to the group."""
    parser = add_snapshot_command(
        commands,
        group,
        "log",
        _log,
        summary="list snapshots with what changed, newest first",
        details="List snapshots, newest first, with how much had changed since the one before each.",
        example=_LOG_EXAMPLE,
    )
    parser.add_argument("--limit", type=whole_number(0), metavar="N", help="how many (default: all)")
    parser = add_snapshot_command(
        commands,
        group,
        "diff",
        _diff,
        summary="show what changed since a snapshot",
        details="Show what changed from one snapshot to another, or to now: A added, D removed, M modified,\n"
        "R renamed, P other properties. The exit code is 0 in any case.",
        example=_DIFF_EXAMPLE,
    )
    parser.add_argument("a", metavar="A", help="name of the first snapshot")
    parser.add_argument("b", nargs="?", default="now", metavar="B", help="name of the second (default: now)")
    parser.add_argument("--text", action="store_true", help="compare the contents of files line by line too")
    parser = add_snapshot_command(
        commands,
        group,
        "restore",
        _restore,
        summary="make files what they were",
        details="Make the directory what it was, or only some paths in it. Files that were made later are removed.\n"
        "An interrupted restore can be repeated. To be able to go back once more, take a snapshot first.",
        example=_RESTORE_EXAMPLE,
    )
    parser.add_argument("name", metavar="NAME", help="name of the snapshot")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="absolute paths in the filesystem (default: all)")
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")


def _log(args: argparse.Namespace) -> int:
    entries = open_snapshots(args).log(args.limit)
    if args.json:
        for one in entries:
            summary = one.changes.summary() if one.changes is not None else None
            say_json({**as_dict(one.snapshot), "summary": summary})
        return 0
    for one in entries:
        say(str(one))
    return 0


def _diff(args: argparse.Namespace) -> int:
    _show(open_snapshots(args).diff(args.a, args.b, text=args.text), as_json=args.json)
    return 0


def _restore(args: argparse.Namespace) -> int:
    fs = open_snapshots(args)
    if args.dry_run:
        paths = args.paths or ["/"]
        _show(fs.diff("now", args.name).below(paths), as_json=args.json)
        return 0
    with ProgressLine("restored") as progress:
        fs.restore(args.name, args.paths or None, progress)
    if args.json:
        say_json({"restored": args.name, "paths": args.paths})
    else:
        say(f"restored {' '.join(map(printable, args.paths)) or 'everything'} as of {printable(args.name)}")
    return 0


def _show(changes: Changes, *, as_json: bool) -> None:
    if not as_json:
        say(str(changes))
        return
    say_json({**as_record(changes), "text": getattr(changes, "text", None)})
