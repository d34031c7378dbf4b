"""``chuk-fsspec mcp``."""

from __future__ import annotations

import argparse
import atexit
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from chuk_fsspec.cli.mcp_config import config_json
from chuk_fsspec.cli.mcp_opening import open_workspaces
from chuk_fsspec.cli.output import PROGRAM, CommandError, say
from chuk_fsspec.cli.parsing import PORT, add_command, whole_number
from chuk_fsspec.cli.urls import add_option

if TYPE_CHECKING:
    from mcp.server import Server

TOKEN = "CHUK_FSSPEC_MCP_TOKEN"  # noqa: S105 - the name of a variable
_SECONDS = 120.0
_CHARACTERS = 100_000
_SESSION_SECONDS = 1800.0
_MAX_SESSIONS = 256

_EXAMPLE = """
mkdir -p /tmp/work
chuk-fsspec mcp /tmp/work --print-config
chuk-fsspec mcp /tmp/work < /dev/null
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "mcp",
        run,
        details="Serve directories of this machine, a filesystem or a workspace as the tools of an MCP server.\n"
        "Clients such as Claude Desktop start it themselves: --print-config writes what they need to know.\n"
        "Without a source, VFS_PROVIDER and its options VFS_... say what is served; without these, the roots that the\n"
        "client tells.",
        example=_EXAMPLE,
    )
    parser.add_argument(
        "sources", nargs="*", metavar="SOURCE", help="directories; or any fsspec URL; or a workspace file (*.toml)"
    )
    parser.add_argument("--read-only", action="store_true", help="refuse every change")
    parser.add_argument("--tools", type=_names, metavar="NAME,...", help="have these tools alone")
    parser.add_argument("--exclude-tools", type=_names, default=[], metavar="NAME,...", help="do not have these tools")
    parser.add_argument(
        "--trust-links",
        action="store_true",
        help="let files be read that have other names (hard links) outside of the directories",
    )
    parser.add_argument(
        "--ignore-roots", action="store_true", help="show the directories whatever roots the client tells"
    )
    parser.add_argument(
        "--timeout", type=_positive, default=_SECONDS, metavar="S", help="seconds until a call is given up"
    )
    parser.add_argument(
        "--max-result",
        type=whole_number(1),
        default=_CHARACTERS,
        metavar="N",
        help="characters after which a result is cut",
    )
    parser.add_argument(
        "--audit",
        default="",
        metavar="FILE",
        help="record every call in this log (.jsonl or .db), which `chuk-fsspec audit verify` checks",
    )
    parser.add_argument(
        "--snapshots",
        default="",
        metavar="URL",
        help="the directory of snapshots, where the files keep none themselves (default: a temporary one)",
    )
    add_option(parser, "--option", "-o", what="a storage option of the URL")
    parser.add_argument("--http", action="store_true", help="serve over streamable HTTP, not standard input and output")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: 127.0.0.1)")
    parser.add_argument("--port", type=PORT, default=8000, help="the port; 0 for a free one (default: 8000)")
    parser.add_argument(
        "--token-file", metavar="FILE", help=f"the token that HTTP clients must send (or in the variable {TOKEN})"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="another name by which HTTP clients call this server; may be repeated",
    )
    parser.add_argument(
        "--session-timeout",
        type=_positive,
        default=_SESSION_SECONDS,
        metavar="S",
        help="seconds after which the session of an HTTP client that is gone ends (default: 1800)",
    )
    parser.add_argument(
        "--max-sessions",
        type=whole_number(1),
        default=_MAX_SESSIONS,
        metavar="N",
        help="how many HTTP clients may have a session at once (default: 256)",
    )
    parser.add_argument(
        "--print-config", action="store_true", help="write the JSON for the configuration of a client, and leave"
    )
    parser.add_argument("--name", default="chuk-fsspec", help="of the server in that JSON (default: chuk-fsspec)")


def run(args: argparse.Namespace) -> int:
    """Serve until the client is gone, or over HTTP until a signal; or write the configuration."""
    if args.print_config:
        say(config_json(args, os.environ))
        return 0
    if not args.debug:
        logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format=f"{PROGRAM}: %(message)s")
    server = server_for(args)
    from chuk_adapters.mcp import run_http, run_stdio

    if args.http:
        token = _token(args)
        run_http(
            server,
            args.host,
            args.port,
            token=token,
            allowed_hosts=args.allow_host,
            session_seconds=args.session_timeout,
            max_sessions=args.max_sessions,
            ready=_say_where,
        )
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    run_stdio(server)
    return 0


def server_for(args: argparse.Namespace) -> Server[Any]:
    """The server that a command line asks for.

    Args:
        args: what the parser made of it.

    Raises:
        CommandError: for sources that do not go together, or that are not there, and without the packages it needs.
        ValueError: for the name of a tool that there is not.
    """
    try:
        from chuk_adapters.mcp.server import chosen, server_of
    except ImportError as error:
        missing = f"the MCP server needs more packages ({error.name})"
        raise CommandError(f"{missing}: pip install 'chuk-fsspec[mcp]'") from error
    return server_of(open_workspaces(args), chosen(args.tools, args.exclude_tools))


def _say_where(url: str) -> None:
    sys.stderr.write(f"{PROGRAM}: serving MCP at {url}\n")
    sys.stderr.flush()


def _leave(number: int, frame: FrameType | None) -> None:
    """End at once: a thread that waits for standard input would keep the interpreter from doing so."""
    atexit._run_exitfuncs()  # noqa: SLF001 - what is mounted is taken down, and no thread is waited for
    os._exit(128 + number)


def _token(args: argparse.Namespace) -> str:
    if args.token_file is None:
        return os.environ.get(TOKEN, "")
    token = Path(args.token_file).read_text(encoding="utf-8").strip()
    if not token:
        raise CommandError(f"{args.token_file} is empty")
    return token


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number
