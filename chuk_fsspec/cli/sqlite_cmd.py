"""``chuk-fsspec sqlite``: work with filesystems that are SQLite files. Each family of its commands has a file."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.cli import sqlite_care, sqlite_transfer
from chuk_fsspec.cli.parsing import add_group

GROUP = "sqlite"

_EXAMPLE = """
chuk-fsspec sqlite check w.db
chuk-fsspec sqlite import agentfs agent.db chuksqlite:///::file://$PWD/work.db
chuk-fsspec sqlite export agentfs chuksqlite:///::file://$PWD/work.db agent.db
"""


def add_parser(commands: Any) -> None:
    """Add the command, with its own commands, to the command line."""
    own = add_group(
        commands,
        GROUP,
        details="Work with filesystems that are SQLite files, ours and AgentFS's.",
        example=_EXAMPLE,
    )
    for family in (sqlite_care, sqlite_transfer):
        family.add_commands(own, GROUP)
