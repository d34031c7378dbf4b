"""From what a server is asked to show to a workspace."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence

from fsspec import AbstractFileSystem

from chuk_adapters.mcp.workspace import Audit, Limits, Workspace, outermost
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.paths import normalise
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.mounted.config import protocol_of

log = logging.getLogger("chuk_adapters.mcp")

_LINKS_LEAD_OUT = frozenset(("file", "local"))
"""fsspec's names of the filesystem of this machine, in which symbolic links lead out of any directory."""


def workspace_of(
    fs: AbstractFileSystem,
    path: str = "/",
    *,
    read_only: bool = False,
    limits: Limits | None = None,
    audit: Audit | None = None,
) -> Workspace:
    """A workspace that shows a filesystem.

    Args:
        fs: any fsspec filesystem; one of others is shown with absolute paths, and fsspec's own of this machine as
            ``workspace_of_directories`` does it.
        path: an absolute path in it: this directory may be used, with all below it.
        read_only: tools that change files are refused.
        limits: how much one call may take.
        audit: told of every call.

    Raises:
        ValueError: for a directory of this machine that cannot be used.
    """
    directory = normalise(path)
    if protocol_of(fs) in _LINKS_LEAD_OUT:
        return workspace_of_directories([directory], read_only=read_only, limits=limits, audit=audit)
    if not isinstance(getattr(fs, "capabilities", None), Capabilities):
        fs = MountedFileSystem({"/": fs})
    return Workspace(fs, (directory,), home=directory, read_only=read_only, limits=limits or Limits(), audit=audit)


def workspace_of_directories(
    directories: Sequence[str],
    *,
    read_only: bool = False,
    trust_links: bool = False,
    limits: Limits | None = None,
    audit: Audit | None = None,
) -> Workspace:
    """A workspace of directories of this machine, under the absolute paths that they have there.

    One that cannot be used is left out with a warning. Where a directory was named by a symbolic link, it has both
    names.

    Args:
        directories: paths, absolute, relative to the working directory, or from ``~``.
        read_only: tools that change files are refused.
        trust_links: files with several names (hard links) may be read though some may lie outside.
        limits: how much one call may take.
        audit: told of every call.

    Raises:
        ValueError: if none can be used.
    """
    real = real_directories(directories)
    if not real:
        raise ValueError("None of the specified directories are accessible")
    allowed = tuple(dict.fromkeys(real.values()))
    mounts = {one: {"protocol": "chuklocal", "options": {"root": one}} for one in outermost(allowed)}
    return Workspace(
        MountedFileSystem(mounts),
        allowed,
        aliases={given: meant for given, meant in real.items() if given != meant},
        home=os.path.expanduser("~"),
        read_only=read_only,
        trust_links=trust_links,
        limits=limits or Limits(),
        audit=audit,
    )


def empty_workspace() -> Workspace:
    """A workspace of no directories, which says how those are shown that a client names later."""
    return Workspace(MountedFileSystem({}), ())


def real_directories(directories: Iterable[str]) -> dict[str, str]:
    """The absolute path of each directory that can be used, and the one without symbolic links.

    Args:
        directories: as for ``workspace_of_directories``.
    """
    absolute = [os.path.abspath(os.path.expanduser(directory)) for directory in directories]
    return {given: os.path.realpath(given) for given in absolute if _is_usable(given)}


def _is_usable(directory: str) -> bool:
    if not os.path.exists(directory):
        log.warning("Cannot access directory %s, skipping", directory)
        return False
    if not os.path.isdir(directory):
        log.warning("%s is not a directory, skipping", directory)
        return False
    return True
