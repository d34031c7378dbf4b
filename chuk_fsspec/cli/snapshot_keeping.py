"""``chuk-fsspec snapshot create``, ``list``, ``delete``, ``prune`` and ``verify``: snapshots come and go."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from chuk_fsspec.cli.output import CommandError, complain, printable, say, say_json
from chuk_fsspec.cli.parsing import whole_number
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.cli.snapshot_target import add_snapshot_command, as_dict, as_line, open_snapshots
from chuk_fsspec.contract.display import amount

_CREATE_EXAMPLE = """
chuk-fsspec snapshot create ./project before --store ./snapshots --description "before the upgrade"
chuk-fsspec snapshot create chuksqlite:///::file://$PWD/work.db before
"""
_LIST_EXAMPLE = """
chuk-fsspec snapshot list ./project --store ./snapshots
"""
_DELETE_EXAMPLE = """
chuk-fsspec snapshot delete ./project before --store ./snapshots
"""
_PRUNE_EXAMPLE = """
chuk-fsspec snapshot prune ./project --store ./snapshots --keep-last 3 --keep-daily 7 --dry-run
chuk-fsspec snapshot prune ./project --store ./snapshots --keep-last 3 --keep-daily 7
"""
_VERIFY_EXAMPLE = """
chuk-fsspec snapshot verify ./project --store ./snapshots --deep
"""
_RULES = ("last", "hourly", "daily", "weekly", "monthly", "yearly")


def add_commands(commands: Any, group: str) -> None:
    """Add them to the group."""
    parser = add_snapshot_command(
        commands,
        group,
        "create",
        _create,
        summary="take a snapshot",
        details="Take a snapshot. In a store, only what is new is read and kept; an interrupted run can be repeated,\n"
        "and does not send again what is there.",
        example=_CREATE_EXAMPLE,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="its name (default: the time)")
    parser.add_argument("--description", default="", metavar="TEXT", help="what it is for")
    parser.add_argument(
        "--workers", type=whole_number(0), default=0, metavar="N", help="files to read at once (default: what suits)"
    )
    add_snapshot_command(
        commands,
        group,
        "list",
        _list,
        summary="list snapshots, oldest first",
        details="List all snapshots, one line each, oldest first.",
        example=_LIST_EXAMPLE,
    )
    parser = add_snapshot_command(
        commands,
        group,
        "delete",
        _delete,
        summary="forget a snapshot",
        details="Forget a snapshot and give back the space that only it needs.",
        example=_DELETE_EXAMPLE,
    )
    parser.add_argument("name", metavar="NAME", help="its name")
    parser = add_snapshot_command(
        commands,
        group,
        "prune",
        _prune,
        summary="forget old snapshots",
        details="Forget all snapshots but those that some rule keeps: the newest ones, and the last one of each of\n"
        "the newest hours, days (in UTC), weeks, months and years that have one.",
        example=_PRUNE_EXAMPLE,
    )
    for rule in _RULES:
        parser.add_argument(
            f"--keep-{rule}", type=whole_number(0), default=0, metavar="N", help=f"how many {rule} ones to keep"
        )
    parser.add_argument("--dry-run", action="store_true", help="only say which ones would be forgotten")
    parser = add_snapshot_command(
        commands,
        group,
        "verify",
        _verify,
        summary="check that every snapshot can be brought back",
        details="Look whether everything that snapshots need is there; with --deep, whether every byte is as it was.\n"
        "Exit code 0 if nothing is damaged; otherwise 1, with one line for each file that is.",
        example=_VERIFY_EXAMPLE,
    )
    parser.add_argument("--deep", action="store_true", help="read everything, and compare checksums")


def _create(args: argparse.Namespace) -> int:
    fs = open_snapshots(args, may_begin=True)
    with ProgressLine("read") as progress:
        snapshot = fs.create_snapshot(args.name, args.description, progress)
    for path in getattr(snapshot, "read_again", ()):
        complain(f"{printable(path)}: changed while it was read, and was read again")
    if args.json:
        say_json(as_dict(snapshot))
    else:
        added = f"; {amount(snapshot.added)} new in the store" if hasattr(snapshot, "added") else ""
        say(f"{as_line(snapshot)}{added}")
    return 0


def _list(args: argparse.Namespace) -> int:
    snapshots = open_snapshots(args).list_snapshots()
    if args.json:
        for snapshot in snapshots:
            say_json(as_dict(snapshot))
        return 0
    for snapshot in snapshots:
        say(as_line(snapshot))
    if not snapshots:
        say("there are no snapshots yet")
    return 0


def _delete(args: argparse.Namespace) -> int:
    open_snapshots(args).delete_snapshot(args.name)
    if args.json:
        say_json({"deleted": [args.name]})
    else:
        say(f"deleted {printable(args.name)}")
    return 0


def _prune(args: argparse.Namespace) -> int:
    rules = {f"keep_{rule}": getattr(args, f"keep_{rule}") for rule in _RULES}
    if not any(rules.values()):
        raise CommandError("say what to keep, such as --keep-last 10 or --keep-daily 7; all would be deleted otherwise")
    gone = open_snapshots(args).prune(**rules, dry_run=args.dry_run)
    if args.json:
        say_json({"deleted": [snapshot.name for snapshot in gone], "dry_run": args.dry_run})
        return 0
    done = "would delete" if args.dry_run else "deleted"
    for snapshot in gone:
        say(f"{done} {as_line(snapshot)}")
    if not gone:
        say("nothing to delete")
    return 0


def _verify(args: argparse.Namespace) -> int:
    fs = open_snapshots(args)
    count = len(fs.list_snapshots())
    if not count:
        raise CommandError("there are no snapshots, so nothing was verified")
    with ProgressLine("read") as progress:
        damages = fs.verify(args.deep, progress)
    if args.json:
        say_json({"damages": [asdict(damage) for damage in damages]})
    for damage in damages:
        complain(printable(str(damage)))
    if not args.json:
        found = f"{len(damages)} files or directories are damaged" if damages else "nothing is damaged"
        say(f"{count} snapshot{'' if count == 1 else 's'}: {found}")
    return 1 if damages else 0
