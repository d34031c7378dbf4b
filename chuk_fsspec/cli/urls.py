"""From what the user typed to a filesystem, with help where it was a typo."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
from typing import Any

from fsspec import AbstractFileSystem, available_protocols
from fsspec.core import split_protocol, url_to_fs

from chuk_fsspec.cli.output import CommandError
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.registry import PROTOCOLS

PIPE = "-"
"""What stands for standard input or output in the place of a URL."""

_DATABASE = "chuksqlite"
"""The protocol of which a mistyped URL would make an empty file."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?!:)(/*)(.*)", re.DOTALL)


def open_url(url: str, options: dict[str, Any], *, may_create: bool = True) -> tuple[AbstractFileSystem, str]:
    """Open the filesystem of a URL, or the tree of a workspace file.

    Args:
        url: any fsspec URL, chained ones included; a plain path is a local one, or that of a workspace file.
        options: storage options.
        may_create: a database that is not there is made.

    Returns:
        The filesystem, and the path in it.

    Raises:
        CommandError: for a URL that cannot be meant, with the nearest one that can, and for options of the wrong kind.
        FileNotFoundError: for a database that is not there and is not to be made.
        ImportError: for a protocol whose package is not installed.
    """
    if is_workspace(url):
        if options:
            raise CommandError(f"{url} says itself how its mounts are opened; write the options into it")
        from chuk_fsspec.mounted.workspace import open_workspace

        file, path = split_workspace(url)
        return open_workspace(file), path
    check_url(url)
    kind = PROTOCOLS.get(url.rpartition("::")[2].partition("://")[0])
    if kind is not None and kind.wraps and not options:
        raise CommandError(f"{url} has nothing below it: chain a URL to it, such as {kind.name}::file:///data")
    try:
        fs, path = url_to_fs(url, **(options if may_create else without_creation(url, options)))
    except TypeError as error:
        known = f"{', '.join(options)} (a name that it does not know, or a value of the wrong kind)"
        raise CommandError(f"{url} does not take these options: {known if options else error}") from error
    return fs, path


def without_creation(url: str, options: dict[str, Any]) -> dict[str, Any]:
    """Storage options with which a URL makes no database that is not there.

    Args:
        url: chained or not.
        options: those that were given; ``create`` among them decides.
    """
    links = url.split("::")[:-1]
    if "create" in options or not any(part.partition("://")[0] == _DATABASE for part in links):
        return options
    return {**options, _DATABASE: {"create": False}}


def check_url(url: str) -> None:
    """Refuse a URL that cannot be meant, chained or not. CommandError."""
    *links, last = url.split("::")
    for part in links:
        check_link(part, url)
    check_protocol(last, is_alone=not links)


def check_link(part: str, url: str) -> None:
    """Refuse a part of a chained URL that nothing can be chained to. CommandError."""
    check_protocol(part, is_alone=False)
    if "://" not in part and part not in _known_protocols():
        raise CommandError(f"{part} in {url} is no protocol; a name that has :: in it cannot stand in a chained URL")


def check_protocol(part: str, *, is_alone: bool = True) -> None:
    """Refuse an unknown protocol or a mistyped URL. CommandError, with a suggestion."""
    known = _known_protocols()
    match = _SCHEME.match(part)
    if match is None:
        if is_alone and part in known:
            raise CommandError(f"{part} is not a URL; did you mean {part}:// ?")
        return
    name, slashes, path = match.groups()
    if name in known:
        if len(slashes) < 2:
            raise CommandError(f"{part} is not a URL; did you mean {name}://{path} ?")
        return
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        raise CommandError(f"unknown protocol {name}; did you mean {near[0]}://{path} ?")
    if slashes:
        ours = ", ".join(PROTOCOLS)
        raise CommandError(f"unknown protocol {name}; there are {ours}, and fsspec's own: file, memory, s3 and others")


def parse_option(text: str) -> tuple[str, Any]:
    """One storage option, KEY=VALUE; the value is JSON where it can be read as such, otherwise text.

    Raises:
        ValueError: without a key or ``=``.
    """
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise ValueError(f"{text!r} is not KEY=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def add_option(parser: argparse.ArgumentParser, *names: str, what: str) -> None:
    """Add a storage option, KEY=VALUE, which may be repeated.

    Args:
        parser: of the command.
        names: how it is spelled, as ``--option``.
        what: what its help says before "may be repeated".
    """
    help_text = f"{what}; may be repeated"
    parser.add_argument(*names, action="append", default=[], type=_option, metavar="KEY=VALUE", help=help_text)


def _option(text: str) -> tuple[str, Any]:
    try:
        return parse_option(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def is_workspace(url: str) -> bool:
    """Whether what the user typed is a workspace file, or a path in one: ``work.toml:/src``."""
    file = split_workspace(url)[0]
    return "://" not in url and file.endswith(".toml") and not os.path.isdir(file)


def split_workspace(url: str) -> tuple[str, str]:
    """A workspace file, and the absolute path in it: ``/`` where none is named."""
    file, colon, path = url.rpartition(":/")
    return (file, f"/{path}") if colon and file.endswith(".toml") else (url, "/")


def is_volatile(url: str) -> bool:
    """Whether files of a URL, a workspace or a path in one end with the process that holds them."""
    if is_workspace(url):
        from chuk_fsspec.mounted.workspace import read_workspace

        file, path = split_workspace(url)
        mounts = read_workspace(file).mounts
        holding = max((point for point in mounts if is_inside(path, point)), key=len, default="/")
        concerned = mounts.values() if path == "/" else [mounts[holding]] if holding in mounts else []
        return any(is_volatile(config.url or f"{config.protocol}://") for config in concerned)
    protocol, _ = split_protocol(url.rsplit("::", maxsplit=1)[-1])
    return protocol in PROTOCOLS and PROTOCOLS[protocol].volatile


def _known_protocols() -> list[str]:
    return [*PROTOCOLS, *(name for name in available_protocols() if name not in PROTOCOLS)]
