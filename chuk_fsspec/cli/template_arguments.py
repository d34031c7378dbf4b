"""Arguments and answers that the commands of ``chuk-fsspec template`` have in common."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from chuk_fsspec.cli.urls import check_protocol

if TYPE_CHECKING:
    from chuk_fsspec.templates import Template
    from chuk_fsspec.templates.sources import Source


def add_template(parser: argparse.ArgumentParser) -> None:
    """The template itself."""
    parser.add_argument("template", metavar="TEMPLATE", help="a template file or directory: a path or a URL")


def add_values(parser: argparse.ArgumentParser) -> None:
    """Values of its variables."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=_value,
        metavar="NAME=VALUE",
        help="the value of a variable; may be repeated",
    )
    parser.add_argument("--values", metavar="FILE", help="a YAML, JSON or TOML file of values; --set comes before it")


def read(args: argparse.Namespace) -> tuple[Template, Source]:
    """Read the template, and say where its contents come from."""
    from chuk_fsspec.templates import read_template

    if "://" in args.template:
        for part in args.template.split("::"):
            check_protocol(part, is_alone=part == args.template)
    return read_template(args.template)


def values(args: argparse.Namespace) -> dict[str, Any]:
    """The values that were given, in a file and one by one."""
    from chuk_fsspec.templates.reading import read_values

    return {**(read_values(args.values) if args.values else {}), **dict(args.set)}


def _value(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
