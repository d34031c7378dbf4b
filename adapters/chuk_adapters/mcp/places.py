"""From a path as a client gives it to a path of the filesystem: the path rules."""

from __future__ import annotations

import errno
import posixpath
import re
import unicodedata

from fsspec import AbstractFileSystem

from chuk_adapters.mcp.failures import ToolError, spoken
from chuk_adapters.mcp.workspace import Workspace
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import LinkInTheWay, os_error
from chuk_fsspec.contract.paths import join, normalise, split

_WINDOWS = re.compile(r"[A-Za-z]:(?:[\\/]|$)")
_MOST_LINKS = 40


def resolve(workspace: Workspace, asked: str, *, follow: bool = True) -> str:
    """Where a path leads; ``Call.path`` says the rest."""
    absolute = _absolute(workspace, asked)
    path = workspace.meant(absolute)
    if "\0" in path or not workspace.allows(path):
        raise ToolError(f"Access denied - path outside allowed directories: {absolute} not in {_list(workspace)}")
    with spoken("realpath", path):
        normalise(path)
        if follow or path in workspace.allowed:
            return _without_links(workspace, path)
        parent, name = split(path)
        parent = _without_links(workspace, parent)
        path = join(parent, _equivalent(workspace.view, parent, name))
        _first_link(workspace.view, path)  # raises where the parent is no directory
        return path


def _list(workspace: Workspace) -> str:
    return ", ".join(workspace.names)


def _absolute(workspace: Workspace, asked: str) -> str:
    """The absolute path that is meant by text, before anything is looked up."""
    path = workspace.home + asked[1:] if asked == "~" or asked.startswith("~/") else asked
    if _WINDOWS.match(path):
        raise ToolError(f"Access denied - Windows-style path received on a POSIX host: {asked}")
    if path.startswith("/"):
        return _normal(path)
    candidates = [_normal(f"{directory}/{path}") for directory in workspace.names]
    inside = (candidate for candidate in candidates if workspace.allows(workspace.meant(candidate)))
    return next(inside, candidates[0] if candidates else _normal(f"/{path}"))


def _normal(path: str) -> str:
    """As ``normalise``, for paths of any length and content; ``..`` stops at the root."""
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _without_links(workspace: Workspace, path: str) -> str:
    """Follow all links of an allowed path. ToolError where they lead out of the allowed directories; OSError."""
    asked, view = path, workspace.view
    for _ in range(_MOST_LINKS):
        link = _first_link(view, path)
        if link is None:
            found = _equivalent_path(view, path)
            if found == path:
                return path
            path = found
            continue
        target = posixpath.join(posixpath.dirname(link), view.posix.readlink(link))
        path = workspace.meant(_normal(f"{target}/{path[len(link) :]}"))
        if not workspace.allows(path):
            raise ToolError(
                f"Access denied - symlink target outside allowed directories: {path} not in {_list(workspace)}"
            )
    raise os_error(errno.ELOOP, asked)


def _first_link(view: AbstractFileSystem, path: str) -> str | None:
    """The first symbolic link on a path, its last component included; None if there is none."""
    if not capabilities_of(view).symlinks:
        return None
    try:
        info = view.info(path)
    except LinkInTheWay as met:
        return str(met.filename)
    except FileNotFoundError:
        return None
    return path if info["type"] == "link" else None


def _equivalent_path(view: AbstractFileSystem, path: str) -> str:
    """A path without links, with the names that are there where these differ only in how Unicode composes them."""
    if path.isascii() or view.exists(path):
        return path
    parent, name = split(path)
    parent = _equivalent_path(view, parent)
    return join(parent, _equivalent(view, parent, name))


def _equivalent(view: AbstractFileSystem, directory: str, name: str) -> str:
    """The name in a directory that is the same text (Unicode NFC); the name itself if there is none. ToolError."""
    if name.isascii():
        return name
    try:
        names = [posixpath.basename(entry) for entry in view.ls(directory, detail=False)]
    except OSError:
        return name
    same = unicodedata.normalize("NFC", name)
    found = [name] if name in names else [one for one in names if unicodedata.normalize("NFC", one) == same]
    if len(found) > 1:
        raise ToolError(f"Ambiguous Unicode path component: {name}")
    return found[0] if found else name
