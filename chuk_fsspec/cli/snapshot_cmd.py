"""``chuk-fsspec snapshot``: points in time of any filesystem. Each family of its commands has a file."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.cli import snapshot_keeping, snapshot_using
from chuk_fsspec.cli.parsing import add_group

GROUP = "snapshot"

_EXAMPLE = """
chuk-fsspec snapshot create ./project before --store ./snapshots
chuk-fsspec snapshot diff ./project before --store ./snapshots
chuk-fsspec snapshot restore ./project before --store ./snapshots
"""


def add_parser(commands: Any) -> None:
    """Add the command, with its own commands, to the command line."""
    own = add_group(
        commands,
        GROUP,
        details="Take snapshots of a directory of any filesystem, compare them, and go back.\n"
        "Filesystems that take snapshots of themselves (chuksqlite) keep them; for others, --store says where to.\n"
        "To export one, export its URL, such as chuksnap://?at=before::chuksqlite:///::file:///w.db.",
        example=_EXAMPLE,
    )
    for family in (snapshot_keeping, snapshot_using):
        family.add_commands(own, GROUP)
