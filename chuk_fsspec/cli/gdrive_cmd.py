"""``chuk-fsspec gdrive``: what a Google Drive needs before it is a filesystem."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.cli import gdrive_login
from chuk_fsspec.cli.parsing import add_group

GROUP = "gdrive"

_EXAMPLE = """
chuk-fsspec gdrive login --client-secrets client_secret.json
"""


def add_parser(commands: Any) -> None:
    """Add the command, with its own commands, to the command line."""
    own = add_group(commands, GROUP, details="Log in to Google Drive, for chukgdrive://.", example=_EXAMPLE)
    gdrive_login.add_commands(own, GROUP)
