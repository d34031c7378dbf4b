"""``chuk-fsspec gdrive login``."""

from __future__ import annotations

import argparse
import json
import os
import webbrowser
from typing import Any

from chuk_fsspec.cli.mcp_config import client_config
from chuk_fsspec.cli.mcp_environment import PROVIDER
from chuk_fsspec.cli.oauth import authorize, read_client
from chuk_fsspec.cli.output import CommandError, is_json, say, say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.contract.private import write_private

_OWN_FILES = "https://www.googleapis.com/auth/drive.file"
_ALL_FILES = "https://www.googleapis.com/auth/drive"
_SERVER = "vfs"
_SECONDS = 300.0

_EXAMPLE = """
chuk-fsspec gdrive login
chuk-fsspec gdrive login --client-secrets client_secret.json --credentials drive.json --no-browser
"""


def add_commands(commands: Any, group: str) -> None:
    """Add the command to its group."""
    parser = add_command(
        commands,
        "login",
        run,
        group=group,
        summary="log in to Google Drive in a browser, and keep the credentials in a file",
        details="Log in to Google Drive in a browser. The credentials go to a file that only you may read; what is\n"
        "printed is the configuration by which Claude Desktop serves the files of the Drive.\n"
        "For the client secrets: Google Cloud console, enable the Google Drive API, Credentials,\n"
        "create an OAuth client ID of the type Desktop app, and download its JSON.",
        example=_EXAMPLE,
    )
    parser.add_argument(
        "--client-secrets",
        default="client_secret.json",
        metavar="FILE",
        help="who asks, as downloaded (default: client_secret.json)",
    )
    parser.add_argument(
        "--credentials",
        default="google_drive_credentials.json",
        metavar="FILE",
        help="where the credentials go (default: google_drive_credentials.json)",
    )
    parser.add_argument(
        "--all-files",
        action="store_true",
        help="see all files of the Drive, and not only those that were made through this program",
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address, and open no browser")
    parser.add_argument(
        "--timeout", type=float, default=_SECONDS, metavar="S", help="seconds to wait for the browser (default: 300)"
    )


def run(args: argparse.Namespace) -> int:
    """Log in, keep the credentials, and say how they are used."""
    client = read_client(args.client_secrets)
    file = os.path.abspath(args.credentials)
    if not os.access(os.path.dirname(file), os.W_OK):
        raise CommandError(f"{args.credentials} cannot be written: its directory is missing, or not yours")

    def show(address: str) -> None:
        if is_json():
            say_json({"open": address})
        else:
            say(f"Open this address in a browser of this machine, and agree:\n\n  {address}\n")
        if not args.no_browser:
            webbrowser.open(address)

    granted = authorize(client, _ALL_FILES if args.all_files else _OWN_FILES, show, args.timeout)
    write_private(file, f"{json.dumps(granted, indent=2)}\n")
    config = client_config(_SERVER, ["mcp"], {PROVIDER: "google_drive", "GOOGLE_DRIVE_CREDENTIALS": file})
    if is_json():
        say_json({"credentials": file, "scopes": granted["scopes"], "config": config})
    else:
        say(f"The credentials are in {file}, which only you may read.\n")
        say(f"For Claude Desktop, in claude_desktop_config.json:\n\n{json.dumps(config, indent=2)}")
    return 0
