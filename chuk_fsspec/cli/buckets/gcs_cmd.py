"""``chuk-fsspec gcs``."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.cli.buckets.group import add_service
from chuk_fsspec.cli.buckets.service import Service


def add_parser(commands: Any) -> None:
    """Add the command, with its own commands, to the command line."""
    add_service(commands, Service("gcs", "chukgcs", "Google Cloud Storage", "EUROPE-WEST1"))
