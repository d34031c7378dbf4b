"""The commands of a service that has buckets. Each family of them has a file."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.cli.buckets import copying, emptying, looking, making
from chuk_fsspec.cli.buckets.service import Service
from chuk_fsspec.cli.parsing import add_group

_EXAMPLE = """
chuk-fsspec {service} list
chuk-fsspec {service} info my-bucket --show-top 5
chuk-fsspec {service} clear my-bucket --prefix tmp/ --dry-run
"""


def add_service(commands: Any, service: Service) -> None:
    """Add the command of a service, with its own commands, to the command line."""
    own = add_group(
        commands,
        service.name,
        details=f"Buckets of {service.title}, and the objects in them by their keys.\n"
        f"For paths, there are the other commands with {service.protocol}:// URLs.",
        example=_EXAMPLE.format(service=service.name),
    )
    for family in (looking, making, emptying, copying):
        family.add_commands(own, service)
