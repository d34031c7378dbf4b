"""``chuk-fsspec serve``: filesystems on the network. Each of its commands has a file."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.cli import serve_passwd, serve_webdav
from chuk_fsspec.cli.parsing import add_group

GROUP = "serve"

_EXAMPLE = """
chuk-fsspec serve webdav chukmem:// --port 0
chuk-fsspec serve passwd users.txt alice
"""


def add_parser(commands: Any) -> None:
    """Add the command, with its own commands, to the command line."""
    own = add_group(
        commands,
        GROUP,
        details="Serve filesystems on the network, and say who may log in.",
        example=_EXAMPLE,
    )
    for family in (serve_webdav, serve_passwd):
        family.add_commands(own, GROUP)
