"""The JSON by which Claude Desktop and other clients start ``chuk-fsspec mcp``."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from chuk_fsspec.cli.mcp_environment import variables_of
from chuk_fsspec.cli.mcp_opening import url_of
from chuk_fsspec.cli.output import PROGRAM
from chuk_fsspec.cli.trees import directory_of_this_machine
from chuk_fsspec.cli.urls import is_workspace

_SECRET = re.compile(r"token|secret|passw|credential|(^|_)key", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^/@:]*):[^/@]*@")


def config_json(args: argparse.Namespace, environ: Mapping[str, str]) -> str:
    """The configuration of a client for this command line.

    Args:
        args: of the command line; paths are made absolute, as a client starts its servers anywhere.
        environ: of the process.

    Returns:
        JSON, in which a placeholder such as ``<VFS_TOKEN>`` stands for each secret.
    """
    env = {name: f"<{name}>" if _SECRET.search(name) else value for name, value in variables_of(environ).items()}
    config = client_config(args.name, ["mcp", *_arguments(args)], {} if args.sources else env)
    return json.dumps(config, indent=2)


def client_config(name: str, arguments: Sequence[str], env: Mapping[str, str]) -> dict[str, Any]:
    """The configuration of a client that starts this program.

    Args:
        name: of the server.
        arguments: of the command line; paths are absolute.
        env: variables for it.
    """
    command, *first = _command()
    server: dict[str, Any] = {"command": command, "args": [*first, *arguments]}
    if env:
        server["env"] = dict(env)
    return {"mcpServers": {name: server}}


def _command() -> list[str]:
    """How this program is started, from anywhere."""
    script = os.path.abspath(sys.argv[0])
    if os.path.basename(script) == PROGRAM and os.access(script, os.X_OK):
        return [script]
    return [sys.executable, "-m", "chuk_fsspec"]


def _arguments(args: argparse.Namespace) -> list[str]:
    told = [_absolute(source) for source in args.sources]
    for key, value in args.option:
        text = value if isinstance(value, str) else json.dumps(value)
        told += ["--option", f"{key}=<{key}>" if _SECRET.search(key) else f"{key}={text}"]
    told += [f"--{name}" for name in ("read-only", "trust-links", "ignore-roots") if getattr(args, _attribute(name))]
    told += ["--audit", os.path.abspath(args.audit)] if args.audit else []
    told += ["--snapshots", _PASSWORD.sub(r"\1:<password>@", url_of(args.snapshots))] if args.snapshots else []
    for name in ("tools", "exclude-tools"):
        told += _given(name, getattr(args, _attribute(name)))
    return told


def _attribute(name: str) -> str:
    return name.replace("-", "_")


def _given(name: str, names: Sequence[str] | None) -> list[str]:
    return [f"--{name}", ",".join(names)] if names else []


def _absolute(source: str) -> str:
    if is_workspace(source):
        return os.path.abspath(os.path.expanduser(source))
    if "://" not in source:
        return directory_of_this_machine(source) or source
    return _PASSWORD.sub(r"\1:<password>@", source)
