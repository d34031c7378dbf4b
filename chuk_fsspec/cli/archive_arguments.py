"""Arguments that ``chuk-fsspec export`` and ``import`` have in common."""

from __future__ import annotations

import argparse

from chuk_fsspec.cli.urls import add_option

FORMATS = ("tar", "tar.gz", "tar.zst", "zip", "json")


def add_special(parser: argparse.ArgumentParser, choices: tuple[str, ...]) -> None:
    """What is made of special files; the first choice is the default."""
    what = f"what of FIFOs and device nodes (default: {choices[0]})"
    parser.add_argument("--special", choices=choices, default=choices[0], help=what)


def add_common(parser: argparse.ArgumentParser) -> None:
    """The format of the archive, and storage options."""
    parser.add_argument("--format", choices=FORMATS, help="of the archive, where its name or content does not tell")
    add_option(parser, "--option", "-o", what="storage option of the URL's filesystem")
