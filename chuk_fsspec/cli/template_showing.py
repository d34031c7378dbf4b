"""``chuk-fsspec template show``, ``check`` and ``list``: what templates say, without applying them."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from chuk_fsspec.cli import template_arguments as arguments
from chuk_fsspec.cli.output import printable, say, say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.contract.display import amount

if TYPE_CHECKING:
    from chuk_fsspec.templates import Plan, Template

_SHOW_EXAMPLE = """
chuk-fsspec template show starter.yaml
"""
_CHECK_EXAMPLE = """
chuk-fsspec template check starter.yaml --set project=demo
"""
_LIST_EXAMPLE = """
chuk-fsspec template list templates/
"""


def add_commands(commands: Any, group: str) -> None:
    """Add them to the group."""
    _add_show(commands, group)
    _add_check(commands, group)
    _add_list(commands, group)


def _add_show(commands: Any, group: str) -> None:
    parser = add_command(
        commands,
        "show",
        _show,
        group=group,
        summary="show the variables and entries of a template",
        details="Show what a template is for, which variables it has and needs, and what it makes.",
        example=_SHOW_EXAMPLE,
    )
    arguments.add_template(parser)


def _add_check(commands: Any, group: str) -> None:
    parser = add_command(
        commands,
        "check",
        _check,
        group=group,
        summary="check a template without applying it",
        details="Check keys, types, paths, links and contents. Variables without a value are listed, and their names\n"
        "stand for their values meanwhile. Exit code 1 if something is wrong.",
        example=_CHECK_EXAMPLE,
    )
    arguments.add_template(parser)
    arguments.add_values(parser)


def _add_list(commands: Any, group: str) -> None:
    parser = add_command(
        commands,
        "list",
        _list,
        group=group,
        summary="list the templates in a directory",
        details="List the template files in a directory, and its directories that have a manifest (template.yaml, …).",
        example=_LIST_EXAMPLE,
    )
    parser.add_argument("directory", metavar="DIR", help="a directory of this machine, or a URL of one")


def _show(args: argparse.Namespace) -> int:
    from chuk_fsspec.templates import missing_values

    template, source = arguments.read(args)
    needed = missing_values(template, contents=source)
    if args.json:
        say_json({**_described(template), "needed": needed})
        return 0
    for line in (template.name, template.description):
        if line:
            say(printable(line))
    _show_variables(template, needed)
    for directory in template.directories:
        say(f"  make    {printable(directory.path)}")
    for file in template.files:
        origin = f" from {file.content_from}" if file.content_from is not None else ""
        say(f"  write   {printable(file.path + origin)}")
    for link in template.links:
        say(f"  link    {printable(f'{link.path} -> {link.target}')}")
    return 0


def _check(args: argparse.Namespace) -> int:
    from chuk_fsspec.templates import missing_values, plan

    template, source = arguments.read(args)
    values = arguments.values(args)
    needed = missing_values(template, values, contents=source)
    planned = plan(template, {**{name: name for name in needed}, **values}, contents=source)
    if args.json:
        say_json({"needed": needed, **_counts(planned)})
        return 0
    for name, why in needed.items():
        say(f"note: {name} has no value yet" + (f": {printable(why)}" if why else ""))
    counts = _counts(planned)
    say(
        f"{counts['directories']} directories, {counts['files']} files, {counts['links']} links, "
        f"{amount(counts['size'])}: nothing is wrong"
    )
    return 0


def _list(args: argparse.Namespace) -> int:
    from chuk_fsspec.templates import list_templates

    found = list_templates(args.directory)
    if args.json:
        say_json({"templates": {name: _described(template) for name, (template, _) in found.items()}})
        return 0
    for name, (template, _) in found.items():
        about = template.description or template.name
        say(printable(f"{name}  {about}" if about else name))
    return 0


def _show_variables(template: Template, needed: dict[str, str]) -> None:
    for variable in template.variables:
        value = "needs a value" if variable.default is None else f"{variable.default!r} unless set"
        about = f": {variable.description}" if variable.description else ""
        say(printable(f"  {variable.name}  ({value}){about}"))
    declared = {variable.name for variable in template.variables}
    for name, where in needed.items():
        if name not in declared:
            say(printable(f"  {name}  (needs a value): used in {where}"))


def _described(template: Template) -> dict[str, Any]:
    return {
        "name": template.name,
        "description": template.description,
        "variables": [dataclasses.asdict(variable) for variable in template.variables],
        "directories": [directory.path for directory in template.directories],
        "files": [file.path for file in template.files],
        "links": {link.path: link.target for link in template.links},
    }


def _counts(planned: Plan) -> dict[str, int]:
    return {
        "directories": len(planned.directories),
        "files": len(planned.files),
        "links": len(planned.links),
        "size": planned.size,
    }
