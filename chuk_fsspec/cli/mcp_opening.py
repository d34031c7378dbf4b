"""From the arguments of ``chuk-fsspec mcp`` to what its server shows."""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import TYPE_CHECKING

from chuk_fsspec.cli.mcp_environment import PROVIDER, open_environment
from chuk_fsspec.cli.output import CommandError
from chuk_fsspec.cli.trees import directory_of_this_machine, open_tree

if TYPE_CHECKING:
    from chuk_adapters.mcp.roots import WithRoots
    from chuk_adapters.mcp.workspace import Audit, Workspace


def open_workspaces(args: argparse.Namespace) -> WithRoots:
    """What each client may see.

    Args:
        args: the ``sources`` and options of the command line.

    Raises:
        CommandError: for sources that do not go together, or that are not there.
    """
    from chuk_adapters.mcp.opening import empty_workspace, workspace_of_directories
    from chuk_adapters.mcp.roots import WithRoots

    directories = [directory_of_this_machine(source) for source in args.sources]
    if directories and None not in directories:
        if args.option:
            raise CommandError("--option is for a URL, and these are directories")
        try:
            workspace = workspace_of_directories([one for one in directories if one is not None])
        except ValueError as error:
            raise CommandError(str(error)) from error
        return WithRoots(_settled(workspace, args), ask=not args.ignore_roots)
    if len(args.sources) > 1:
        raise CommandError("several sources must all be directories; put others into a workspace file")
    if not args.sources and PROVIDER not in os.environ:
        if args.http:
            raise CommandError(f"nothing to serve: name a URL, a workspace file or directories, or set {PROVIDER}")
        return WithRoots(_settled(empty_workspace(), args))
    return WithRoots(_settled(_open(args), args))


def _open(args: argparse.Namespace) -> Workspace:
    from chuk_adapters.mcp.opening import workspace_of

    if not args.sources:
        return workspace_of(open_environment(os.environ))
    [source] = args.sources
    tree = open_tree(source, dict(args.option))
    if not tree.fs.isdir(tree.path):
        raise CommandError(f"{source} is not a directory that is there")
    return workspace_of(tree.fs, f"/{tree.path.lstrip('/')}")


def _settled(workspace: Workspace, args: argparse.Namespace) -> Workspace:
    limits = dataclasses.replace(workspace.limits, seconds=args.timeout, characters=args.max_result)
    store = url_of(args.snapshots) if args.snapshots else ""
    return dataclasses.replace(
        workspace,
        read_only=args.read_only,
        trust_links=args.trust_links,
        limits=limits,
        audit=_audit(args.audit),
        snapshots=store,
    )


def _audit(path: str) -> Audit | None:
    if not path:
        return None
    from chuk_adapters.mcp.audit import Trail

    try:
        return Trail(path)
    except ValueError as error:
        raise CommandError(f"--audit {path}: {error}") from error


def url_of(place: str) -> str:
    """The URL of a place that is one already, or a directory of this machine."""
    return place if "://" in place else f"file://{os.path.abspath(os.path.expanduser(place))}"
