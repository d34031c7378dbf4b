"""``chuk-fsspec template``: trees of files from templates, and back. Each family of its commands has a file."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.cli import template_making, template_showing
from chuk_fsspec.cli.parsing import add_group

GROUP = "template"

_EXAMPLE = """
chuk-fsspec template make . starter.json
chuk-fsspec template show starter.json
chuk-fsspec template apply starter.json copy-of-it
"""


def add_parser(commands: Any) -> None:
    """Add the command, with its own commands, to the command line."""
    own = add_group(
        commands,
        GROUP,
        details="Make trees of files from templates: files in YAML, JSON or TOML, and directories of files with\n"
        "variables. What is made is made as a whole or not at all, and never outside of the target.",
        example=_EXAMPLE,
    )
    for family in (template_making, template_showing):
        family.add_commands(own, GROUP)
