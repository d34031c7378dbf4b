"""``chuk-fsspec serve webdav``."""

from __future__ import annotations

import argparse
import signal
from typing import Any

from fsspec import AbstractFileSystem

from chuk_adapters.webdav import WebDAVAdapter
from chuk_adapters.webdav.server import Limits
from chuk_adapters.webdav.users import Users
from chuk_adapters.webdav.users.users import read_users
from chuk_fsspec.cli.collector import calm_collector
from chuk_fsspec.cli.output import CommandError, is_json, say, say_json
from chuk_fsspec.cli.parsing import PORT, add_command, whole_number
from chuk_fsspec.cli.passwords import ENVIRONMENT, read_password
from chuk_fsspec.cli.serving import ENDING
from chuk_fsspec.cli.trees import Tree, open_tree
from chuk_fsspec.cli.urls import add_option
from chuk_fsspec.mounted import MountedFileSystem

_EXAMPLE = """
chuk-fsspec serve webdav chukmem:// --port 0
chuk-fsspec serve webdav /usr/share/doc --read-only --port 8080
chuk-fsspec serve webdav workspace.toml --user alice
chuk-fsspec serve webdav chuksqlite:///::file:///srv/work.db --host 0.0.0.0 --users users.txt \\
    --tls-cert server.pem --tls-key server.key
"""


def add_commands(commands: Any, group: str) -> None:
    """Add the command to its group."""
    parser = add_command(
        commands,
        "webdav",
        run,
        group=group,
        summary="serve a filesystem as a network drive (WebDAV)",
        details="Serve a filesystem or a workspace as a network drive, for Finder, Explorer, davfs2, rclone, curl and\n"
        "browsers, until Ctrl-C or SIGTERM. Without --host it can be reached from this machine only. A password\n"
        f"for --user is asked for, or comes from {ENVIRONMENT} or a file.",
        example=_EXAMPLE,
    )
    parser.add_argument(
        "url",
        metavar="URL",
        help="a directory, any fsspec URL, with a path to serve that directory, or a workspace file (*.toml)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="name or address to bind (default: %(default)s)")
    parser.add_argument("--port", type=PORT, default=8080, help="0 for any free one (default: %(default)s)")
    parser.add_argument("--read-only", action="store_true", help="refuse every change")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--user", metavar="NAME", help="let this user in, and nobody else")
    who.add_argument("--users", metavar="FILE", help="let the users of a file in; `serve passwd` makes it")
    parser.add_argument("--password-file", metavar="FILE", help="the password of --user, - for standard input")
    parser.add_argument("--tls-cert", metavar="FILE", help="serve https with this certificate (PEM)")
    parser.add_argument("--tls-key", metavar="FILE", help="its private key (default: in the same file)")
    parser.add_argument("--allow-anonymous", action="store_true", help="let everybody in from other machines, too")
    parser.add_argument(
        "--allow-plain-passwords", action="store_true", help="without TLS, too: only behind a proxy that has it"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="a further name of this server; repeatable"
    )
    parser.add_argument(
        "--allow-origin", action="append", default=[], metavar="ORIGIN", help="let pages of a site use it; repeatable"
    )
    parser.add_argument("--no-browser", action="store_true", help="show no pages of directories")
    parser.add_argument(
        "--max-body", type=whole_number(1), metavar="BYTES", help="largest file that may be sent (default: any)"
    )
    add_option(parser, "--option", "-o", what="a storage option of the filesystem, such as -o capacity=1000000")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal asks to end it; what is being answered then is answered."""
    tree = open_tree(args.url, dict(args.option))
    adapter = WebDAVAdapter(
        _rooted(tree),
        args.host,
        args.port,
        readonly=args.read_only,
        users=_users(args),
        tls=None if args.tls_cert is None else (args.tls_cert, args.tls_key or args.tls_cert),
        allow_anonymous=args.allow_anonymous,
        allow_plain_passwords=args.allow_plain_passwords,
        hosts=args.allow_host,
        origins=args.allow_origin,
        browser=not args.no_browser,
        limits=Limits(body_bytes=args.max_body),
    )
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    calm_collector()
    with adapter:
        if is_json():
            say_json({"serving": tree.name, "url": adapter.url})
        else:
            ends = "; its files end with this process" if tree.is_volatile else ""
            say(f"serving {tree.name} at {adapter.url}{ends}")
        signal.sigwait(ENDING)
    if not is_json():
        say("stopped")
    return 0


def _rooted(tree: Tree) -> AbstractFileSystem:
    """The tree as a filesystem of which it is the root: what lies above it cannot be named."""
    return MountedFileSystem({"/": (tree.fs, tree.path)}) if tree.path.strip("/") else tree.fs


def _users(args: argparse.Namespace) -> Users | None:
    if args.users is not None:
        return read_users(args.users)
    if args.user is not None:
        return Users.of_passwords({args.user: read_password(args.user, args.password_file)})
    if args.password_file is not None:
        raise CommandError("--password-file is the password of --user NAME; name the user")
    return None
