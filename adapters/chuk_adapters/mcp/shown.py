"""The allowed part of a workspace as a filesystem of its own, for what goes past the path rules."""

from __future__ import annotations

from fsspec import AbstractFileSystem

from chuk_adapters.mcp.workspace import Workspace, outermost
from chuk_fsspec.mounted import MountedFileSystem


def allowed_part(workspace: Workspace) -> AbstractFileSystem:
    """A filesystem with the allowed directories at their paths, and nothing beside them."""
    if workspace.allowed == ("/",):
        return workspace.fs
    return MountedFileSystem({directory: (workspace.fs, directory) for directory in outermost(workspace.allowed)})
