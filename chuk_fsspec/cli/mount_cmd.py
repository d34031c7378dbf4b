"""``chuk-fsspec mount``."""

from __future__ import annotations

import argparse
from typing import Any

from chuk_adapters.fuse import MountOptions
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.serving import serve, start_server
from chuk_fsspec.cli.urls import add_option

_EXAMPLE = """
mkdir -p /tmp/work
chuk-fsspec mount chukmem:// /tmp/work
chuk-fsspec mount /usr/share/doc /tmp/doc --read-only --foreground
chuk-fsspec mount workspace.toml /tmp/work
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "mount",
        run,
        details="Mount a filesystem or a workspace on an empty directory, and return when it can be used.\n"
        "It is served by a process in the background until `chuk-fsspec umount`, or by this one with --foreground.",
        example=_EXAMPLE,
    )
    parser.add_argument(
        "url",
        metavar="URL",
        help="a directory, any fsspec URL, with a path to mount that directory, or a workspace file (*.toml)",
    )
    parser.add_argument("mountpoint", metavar="MOUNTPOINT", help="an existing, empty directory")
    parser.add_argument("--read-only", action="store_true", help="refuse every change")
    parser.add_argument("--foreground", action="store_true", help="serve from this process until Ctrl-C or SIGTERM")
    parser.add_argument("--allow-other", action="store_true", help="let other users in, with the usual permissions")
    parser.add_argument(
        "--cache-timeout",
        type=_seconds,
        metavar="S",
        help="seconds that names and attributes are believed (default: as long as they are known to be right, or one)",
    )
    parser.add_argument(
        "--writeback",
        action=argparse.BooleanOptionalAction,
        default=MountOptions.writeback,
        help="let the kernel gather writes until fsync or close: faster for many small ones (kernel transport only)",
    )
    parser.add_argument(
        "--direct-io",
        action="store_true",
        help="bypass the kernel's page cache for content: slower, but lines appended by several mounts stay whole",
    )
    parser.add_argument(
        "--transport",
        choices=("kernel", "fusepy"),
        default="auto",
        help="kernel: talk to Linux directly; fusepy: through libfuse (default: kernel on Linux)",
    )
    add_option(parser, "--option", "-o", what="a storage option of the filesystem, such as -o capacity=1000000")
    parser.add_argument("--log", metavar="FILE", help="append the messages of the background process to a file")


def run(args: argparse.Namespace) -> int:
    """Serve here, or start a background process that does, and say where it is."""
    if args.foreground:
        return serve(args, dict(args.option))
    return start_server(args)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 on")
    return seconds
