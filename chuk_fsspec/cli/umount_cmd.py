"""``chuk-fsspec umount``."""

from __future__ import annotations

import argparse
import errno
import os
from pathlib import Path
from typing import Any

from chuk_adapters.fuse.unmounting import unmount
from chuk_fsspec.cli.mounts import Mounted, find_mount, find_servers, watched
from chuk_fsspec.cli.output import CommandError, complain, say, say_json
from chuk_fsspec.cli.parsing import add_command

_EXAMPLE = """
chuk-fsspec umount /tmp/work
chuk-fsspec umount --lazy /tmp/work
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "umount",
        run,
        details="Unmount a directory. Returns when everything is written back and the server is gone.",
        example=_EXAMPLE,
    )
    parser.add_argument("mountpoint", metavar="MOUNTPOINT", help="the directory it is mounted on")
    parser.add_argument("--lazy", action="store_true", help="also while it is in use: its users keep it to their end")


def run(args: argparse.Namespace) -> int:
    """Unmount; a dead mount goes lazily if it does not go otherwise. 1 if its server could not write something back."""
    path = Path(os.path.realpath(args.mountpoint))
    check_is_fuse(find_mount(path), path)
    problems: list[str] = []
    with watched(find_servers(path)) as wait_for_servers:
        if not args.lazy and _unmount_unless_in_use(path):
            problems = wait_for_servers()
        else:
            unmount(path, lazy=True)
    if args.json:
        say_json({"unmounted": str(path), "written_back": not problems})
    else:
        say(f"unmounted {path}")
    for problem in problems:
        complain(problem)
    return 1 if problems else 0


def _unmount_unless_in_use(path: Path) -> bool:
    """Whether the mount could go; if not, it is dead. CommandError if it is in use."""
    try:
        unmount(path)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        if not is_dead(path):
            raise CommandError(f"{path} is in use; leave it with every shell and program, or add --lazy") from None
        return False
    return True


def check_is_fuse(mounted: Mounted | None, path: Path) -> None:
    """Refuse what is not ours to unmount. CommandError."""
    if mounted is None:
        raise CommandError(f"{path} is not a mount point; nothing to unmount")
    if mounted.kind and not mounted.kind.startswith("fuse"):
        raise CommandError(f"{path} is a mount of another kind ({mounted.kind}); use umount for it")


def is_dead(path: Path) -> bool:
    """Whether a mount point has lost its server. Asked for free space, the kernel never answers from its caches."""
    try:
        os.statvfs(path)
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False
