"""Roots: the directories of its machine that a client works in; of what it was given, a server shows these alone."""

from __future__ import annotations

import dataclasses
import logging
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import anyio
from mcp import types
from mcp.server.session import ServerSession
from mcp.shared.exceptions import MCPError, NoBackChannelError

from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.opening import real_directories, workspace_of_directories
from chuk_adapters.mcp.workspace import Workspace
from chuk_fsspec.contract.paths import is_inside

log = logging.getLogger("chuk_adapters.mcp")

_PATIENCE = 5.0


class WithRoots:
    """What each client may see: what the server was given, without what lies outside the roots of the client.

    Roots are asked for with each call, so that they are never those of yesterday. Clients can only be asked by
    protocols before 2026-07-28, where roots are deprecated; others see all that the server was given.

    Args:
        workspace: what the server was given; one without allowed directories is nothing, so that roots alone say what
            is seen, and it says how.
        ask: False never asks for roots.
    """

    def __init__(self, workspace: Workspace, *, ask: bool = False) -> None:
        self._workspace = workspace
        self._ask = ask or not workspace.allowed
        self._inside = lru_cache(maxsize=16)(self._inside_roots)

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed."""
        return self._workspace.read_only

    async def of(self, session: ServerSession) -> Workspace:
        """What a client may see.

        Args:
            session: of its request.

        Raises:
            ToolError: if there is nothing.
        """
        roots = await _roots_of(session) if self._ask else None
        if roots is not None:
            return await anyio.to_thread.run_sync(self._inside, roots)
        if not self._workspace.allowed:
            raise ToolError("No allowed directories: the server was given none, and the client tells no roots")
        return self._workspace

    def _inside_roots(self, uris: tuple[str, ...]) -> Workspace:
        paths = [path for path in map(_path_of, uris) if path is not None]
        if not self._workspace.allowed:
            try:
                found = workspace_of_directories(paths)
            except ValueError as error:
                raise ToolError(f"No allowed directories: {error}") from None
            return dataclasses.replace(
                self._workspace, fs=found.fs, allowed=found.allowed, aliases=found.aliases, home=found.home
            )
        return narrowed(self._workspace, list(real_directories(paths).values()))


def narrowed(workspace: Workspace, roots: list[str]) -> Workspace:
    """A workspace without what lies outside some directories.

    Args:
        workspace: of directories of this machine.
        roots: absolute paths without symbolic links.

    Raises:
        ToolError: if nothing is left.
    """
    allowed = [root for root in roots if workspace.allows(root)]
    allowed += [directory for directory in workspace.allowed if any(is_inside(directory, root) for root in roots)]
    if not allowed:
        raise ToolError(
            f"No allowed directories: the roots of the client ({', '.join(roots) or 'none'}) and the directories of "
            f"the server ({', '.join(workspace.names)}) have nothing in common"
        )
    return dataclasses.replace(workspace, allowed=tuple(dict.fromkeys(allowed)))


async def _roots_of(session: ServerSession) -> tuple[str, ...] | None:
    """The URIs of a client's roots; None from one that has none to tell."""
    capabilities = session.client_capabilities
    if capabilities is None or capabilities.roots is None:
        return None
    try:
        with anyio.fail_after(_PATIENCE):
            answer = await session.send_request(types.ListRootsRequest(), types.ListRootsResult)
    except NoBackChannelError:
        return None
    except (MCPError, TimeoutError) as error:
        log.warning("the client does not tell its roots: %s", error)
        return None
    return tuple(str(root.uri) for root in answer.roots)


def _path_of(uri: str) -> str | None:
    """The path of a root; None for one that is not of this machine."""
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return unquote(parts.path)
    return None if parts.scheme else uri
