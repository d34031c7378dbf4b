"""Colours of names by what they are, where a person looks at them."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Callable

from chuk_fsspec.contract.attributes import Attributes
from chuk_fsspec.contract.display import printable

_RESET = "\033[0m"
_DIRECTORY = "\033[1;34m"
_LINK = "\033[36m"
_PROGRAM = "\033[32m"
_OTHER = "\033[33m"
MATCH = "\033[1;31m"

Style = Callable[[str, Attributes], str]


def add_color(parser: argparse.ArgumentParser) -> None:
    """Add ``--color``."""
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colours: on a terminal unless NO_COLOR is set (auto), always, or never",
    )


def uses_color(when: str = "auto") -> bool:
    """Whether standard output is to have colours (no-color.org, bixense.com/clicolors).

    Args:
        when: "always", "never", or "auto": on a terminal that has them, unless NO_COLOR or CLICOLOR=0 is set;
            CLICOLOR_FORCE asks for them on pipes too.
    """
    environment = os.environ
    if when != "auto":
        return when == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return environment.get("CLICOLOR") != "0" and environment.get("TERM") != "dumb" and sys.stdout.isatty()


def colored(text: str, color: str) -> str:
    """Text in a colour."""
    return f"{color}{text}{_RESET}"


def name_style(when: str = "auto") -> Style:
    """How names of files are written: in colours, and on a terminal without what it would obey.

    Args:
        when: as for ``uses_color``.
    """
    shown = printable if sys.stdout.isatty() else str
    if not uses_color(when):
        return lambda text, _: shown(text)
    return lambda text, attributes: _in_color(shown(text), attributes.mode)


def shown(text: str) -> str:
    """A name as standard output may have it: a terminal obeys control characters, a pipe gets all of it."""
    return printable(text) if sys.stdout.isatty() else text


def _in_color(text: str, mode: int) -> str:
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFREG:
        return colored(text, _PROGRAM) if mode & 0o111 else text
    return colored(text, {stat.S_IFDIR: _DIRECTORY, stat.S_IFLNK: _LINK}.get(kind, _OTHER))
