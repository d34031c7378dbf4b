"""What all ``chuk-fsspec snapshot`` commands need: the filesystem, the store, and how a snapshot is shown."""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from chuk_fsspec.cli.output import CommandError, printable
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.urls import add_option, is_volatile, open_tree
from chuk_fsspec.contract.display import amount

if TYPE_CHECKING:
    from chuk_fsspec.contract.snapshots import Snapshot
    from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem


def add_snapshot_command(
    commands: Any,
    group: str,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    summary: str,
    details: str,
    example: str,
) -> argparse.ArgumentParser:
    """Add a command that takes a URL, a store and their options."""
    parser = add_command(commands, name, run, group=group, summary=summary, details=details, example=example)
    parser.add_argument("url", metavar="URL", help="a directory of any filesystem; a plain path is one of this machine")
    parser.add_argument(
        "--store", default="", metavar="URL", help="the directory that snapshots are kept in, of any filesystem"
    )
    for option, what in (("--option", "the filesystem"), ("--store-option", "the store")):
        add_option(parser, option, what=f"storage option of {what}")
    return parser


def open_snapshots(args: argparse.Namespace) -> SnapshotFileSystem:
    """The filesystem that was asked for, with its snapshots.

    Raises:
        CommandError: without a store where one is needed; for files that end with this command.
    """
    from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem

    if is_volatile(args.url):
        raise CommandError(f"the files of {args.url} end with this command; give a URL that lasts")
    store = os.path.abspath(args.store) if args.store and "://" not in args.store else args.store
    options: dict[str, Any] = {"store": store, "store_options": dict(args.store_option)} if store else {}
    options["fs"], options["root"] = open_tree(args.url, dict(args.option))
    fs = SnapshotFileSystem(**options)
    try:
        fs.list_snapshots()
    except OSError as error:
        if error.errno == errno.ENOTSUP and not store:
            raise CommandError(f"{args.url} keeps no snapshots itself: say where to keep them with --store") from error
        raise
    return fs


def as_dict(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot for programs."""
    found: dict[str, Any] = {
        "name": snapshot.name,
        "description": snapshot.description,
        "created": moment_of(snapshot),
        "created_ns": snapshot.created_ns,
    }
    known = ("files", "bytes", "added", "seconds", "read_again")
    return {**found, **{name: getattr(snapshot, name) for name in known if hasattr(snapshot, name)}}


def as_line(snapshot: Snapshot) -> str:
    """A snapshot for people."""
    parts = [printable(snapshot.name), moment_of(snapshot)]
    if hasattr(snapshot, "files"):
        parts.append(f"{snapshot.files} files, {amount(getattr(snapshot, 'bytes', 0))}")
    return "  ".join(filter(None, (*parts, printable(snapshot.description))))


def moment_of(snapshot: Snapshot) -> str:
    """When it was taken, in UTC."""
    return datetime.fromtimestamp(snapshot.created_ns / 1e9, timezone.utc).isoformat(timespec="seconds")
