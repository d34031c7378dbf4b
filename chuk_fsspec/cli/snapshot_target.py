"""What all ``chuk-fsspec snapshot`` commands need: the filesystem, the store, and how a snapshot is shown."""

from __future__ import annotations

import argparse
import errno
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from chuk_fsspec.cli.output import CommandError, printable
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.trees import Tree, directory_of_this_machine, open_tree
from chuk_fsspec.cli.urls import add_option, check_url, is_volatile, without_creation
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
    add_option(parser, "--option", "-o", what="storage option of the filesystem")
    add_option(parser, "--store-option", what="storage option of the store")
    return parser


def open_snapshots(args: argparse.Namespace, *, may_begin: bool = False) -> SnapshotFileSystem:
    """The filesystem that was asked for, with its snapshots.

    Args:
        args: of the command line.
        may_begin: a store that is not there is made when something is kept in it.

    Raises:
        CommandError: without a store where one is needed, and for one that is not there; for files that end with this
            command.
        OSError: EINVAL for a store inside of the directory.
    """
    from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem

    if is_volatile(args.url):
        raise CommandError(f"the files of {args.url} end with this command; give a URL that lasts")
    tree = open_tree(args.url, dict(args.option), may_create=False)
    options = _store(args, tree, may_begin=may_begin) if args.store else {}
    fs = SnapshotFileSystem(tree.fs, root=tree.path, **options)
    try:
        fs.list_snapshots()
    except OSError as error:
        if error.errno == errno.ENOTSUP and not args.store:
            raise CommandError(f"{args.url} keeps no snapshots itself: say where to keep them with --store") from error
        raise
    return fs


def _store(args: argparse.Namespace, tree: Tree, *, may_begin: bool) -> dict[str, Any]:
    """The options that name the store."""
    from chuk_fsspec.wrappers.snapshots.repository import Repository
    from chuk_fsspec.wrappers.snapshots.taking import store_inside

    directory = directory_of_this_machine(args.store)
    if directory is not None and tree.inward(directory) is not None:
        raise store_inside(args.store)
    check_url(args.store)
    if is_volatile(args.store):
        raise CommandError(f"--store {args.store}: its files end with this command; give a URL that lasts")
    store, options = directory or args.store, dict(args.store_option)
    if not may_begin:
        options = without_creation(args.store, options)
        if not Repository(store, options).is_there():
            raise CommandError(
                f"--store {args.store}: there is no store of snapshots; the first `snapshot create` makes one"
            )
    return {"store": store, "store_options": options}


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
