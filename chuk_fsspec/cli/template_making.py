"""``chuk-fsspec template apply`` and ``make``: from a template to a tree of files, and back."""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import TYPE_CHECKING, Any

import fsspec

from chuk_fsspec.cli import template_arguments as arguments
from chuk_fsspec.cli.output import CommandError, printable, say, say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.cli.urls import add_option, is_volatile, open_url
from chuk_fsspec.contract.display import amount

if TYPE_CHECKING:
    from chuk_fsspec.templates import Report

_APPLY_EXAMPLE = """
chuk-fsspec template apply starter.yaml chuksqlite:///app::file://$PWD/work.db --set project=demo
chuk-fsspec template apply starter/ new-project --set project=demo --dry-run
"""
_MAKE_EXAMPLE = """
chuk-fsspec template make chuksqlite:///app::file://$PWD/work.db starter.yaml
"""


def add_commands(commands: Any, group: str) -> None:
    """Add both to the group."""
    _add_apply(commands, group)
    _add_make(commands, group)


def _add_apply(commands: Any, group: str) -> None:
    parser = add_command(
        commands,
        "apply",
        _apply,
        group=group,
        summary="make what a template says",
        details="Make the directories, files and links of a template below a URL: all of them, or nothing.\n"
        "Variables without a value are listed, and nothing is made.",
        example=_APPLY_EXAMPLE,
    )
    arguments.add_template(parser)
    parser.add_argument("url", metavar="URL", help="the target: a directory of any filesystem; made if it is missing")
    arguments.add_values(parser)
    parser.add_argument(
        "--on-existing",
        default="error",
        choices=("error", "keep", "replace"),
        help="what becomes of files and links that are there (default: error)",
    )
    parser.add_argument("--loose", action="store_true", help="leave ${name} as it is where there is no value")
    parser.add_argument("--dry-run", "-n", action="store_true", help="only list what would be done")
    add_option(parser, "--option", "-o", what="storage option of the URL's filesystem")


def _add_make(commands: Any, group: str) -> None:
    parser = add_command(
        commands,
        "make",
        _make,
        group=group,
        summary="write a template that makes a directory as it is",
        details="Write a template file with all contents, permission bits and links of a directory.\n"
        "It holds no variables yet: put them in with an editor.",
        example=_MAKE_EXAMPLE,
    )
    parser.add_argument("url", metavar="URL", help="a directory of any filesystem")
    parser.add_argument("file", metavar="FILE", help="the template: a name that ends with .yaml, .yml or .json")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    add_option(parser, "--option", "-o", what="storage option of the URL's filesystem")


def _apply(args: argparse.Namespace) -> int:
    from chuk_fsspec.templates import apply, plan, preview

    if is_volatile(args.url) and not args.dry_run:
        raise CommandError(f"the files of {args.url} would end with this command; give a URL that lasts")
    template, source = arguments.read(args)
    planned = plan(template, arguments.values(args), strict=not args.loose, contents=source)
    fs, path = open_url(args.url, dict(args.option))
    if args.dry_run:
        actions = preview(planned, fs, path, on_existing=args.on_existing)
        if args.json:
            say_json({"actions": [{"action": action, "path": path} for action, path in actions]})
        else:
            for action, where in actions:
                say(f"{action:8}{printable(where)}")
        return 0
    with ProgressLine("written") as progress:
        report = apply(planned, fs, path, on_existing=args.on_existing, callback=progress)
    if args.json:
        say_json(dataclasses.asdict(report))
    else:
        _tell(report)
    return 0


def _make(args: argparse.Namespace) -> int:
    from chuk_fsspec.templates import TemplateLoader, make_template
    from chuk_fsspec.templates.making import document_of

    directory, name = os.path.split(os.path.abspath(args.file))
    if os.path.lexists(args.file) and not args.force:
        raise CommandError(f"{args.file} exists: pass --force to replace it, or choose another name")
    fs, path = open_url(args.url, dict(args.option))
    text = document_of(make_template(fs, path), name)
    loader = TemplateLoader(fsspec.filesystem("file"), on_existing="replace" if args.force else "error")
    loader.quick_load({name: text}, directory)
    size = len(text.encode())
    if args.json:
        say_json({"template": args.file, "size": size})
    else:
        say(f"{args.file}: {amount(size)}")
    return 0


def _tell(report: Report) -> None:
    made = f"{report.directories} directories, {report.files} files, {report.links} links, {amount(report.size)}"
    say(f"made {made}")
    if report.replaced:
        say(f"note: {report.replaced} took the place of older ones")
    if report.kept:
        say(f"note: {report.kept} were there and stay as they are")
    if report.without_mode:
        say(f"note: {report.without_mode} lack their permission bits, which this filesystem does not keep")
