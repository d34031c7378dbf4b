"""``chuk-fsspec put``."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.cli.files.cp_cmd import DETAILS, add_copying, run
from chuk_fsspec.cli.files.transferring import add_arguments
from chuk_fsspec.cli.parsing import add_command

_EXAMPLE = """
chuk-fsspec put -r project chuksqlite:///project::file://$PWD/work.db
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "put",
        run,
        details="Copy files of this machine, or with -r directories, to a URL or into a directory there.\n" + DETAILS,
        example=_EXAMPLE,
    )
    parser.add_argument("locations", nargs="+", metavar="PATH", help="paths, and as the last a URL; - for a pipe")
    add_copying(parser)
    add_arguments(parser)
