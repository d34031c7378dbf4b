"""The server: MCP's requests, answered by the tools."""

from __future__ import annotations

import atexit
import dataclasses
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

import anyio
from fsspec import AbstractFileSystem
from mcp import types
from mcp.server import Server
from mcp.server.context import ServerRequestContext

from chuk_adapters.facades import Facade, filesystem_of
from chuk_adapters.mcp.calling import Caller, failure
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.opening import workspace_of
from chuk_adapters.mcp.progress import reporter
from chuk_adapters.mcp.resource_server import ResourceServer
from chuk_adapters.mcp.roots import WithRoots
from chuk_adapters.mcp.session import Session, Sessions
from chuk_adapters.mcp.threads import in_thread
from chuk_adapters.mcp.tool import Tool
from chuk_adapters.mcp.tools import TOOLS
from chuk_adapters.mcp.workspace import Audit, Limits

NAME = "chuk-fsspec"
_INSTRUCTIONS = (
    "Files are named by absolute paths; list_allowed_directories says where they may be. A result that is too long is "
    "cut, and says how to get the rest."
)

Context = ServerRequestContext[Any]


def mcp_server(
    fs: AbstractFileSystem | Facade,
    path: str = "/",
    *,
    read_only: bool = False,
    tools: Collection[str] | None = None,
    exclude_tools: Collection[str] = (),
    trust_links: bool = False,
    limits: Limits | None = None,
    audit: Audit | None = None,
    snapshots: str = "",
) -> Server[Any]:
    """An MCP server whose tools work on a filesystem.

    Args:
        fs: any fsspec filesystem, or a facade of one.
        path: an absolute path in it: this directory is shown, with all below it.
        read_only: refuse tools that change files.
        tools: the names of those that it has; None for all.
        exclude_tools: the names of those that it has not.
        trust_links: let files be read that have other names (hard links) outside of what is shown.
        limits: how much one call may take.
        audit: keeps a record of every call, such as ``audit.Trail``; None for none.
        snapshots: URL of the directory that keeps snapshots, where the filesystem takes none of itself; empty for a
            temporary one, which ends with the session.

    Returns:
        A server of the official SDK: give it to ``run_stdio``, to ``run_http`` or to ``mcp.Client``.

    Raises:
        ValueError: for the name of a tool that there is not.
    """
    workspace = workspace_of(filesystem_of(fs), path, read_only=read_only, limits=limits, audit=audit)
    workspace = dataclasses.replace(workspace, snapshots=snapshots, trust_links=trust_links)
    return server_of(WithRoots(workspace), chosen(tools, exclude_tools))


def chosen(names: Collection[str] | None, excluded: Collection[str] = ()) -> tuple[Tool, ...]:
    """The tools of these names, without those of the others, in the order in which they are listed. ValueError."""
    known = {tool.name for tool in TOOLS}
    for name in (*(names or ()), *excluded):
        if name not in known:
            raise ValueError(f"there is no tool {name!r}; there are {', '.join(tool.name for tool in TOOLS)}")
    wanted = known if names is None else set(names)
    return tuple(tool for tool in TOOLS if tool.name in wanted and tool.name not in excluded)


def server_of(workspaces: WithRoots, tools: tuple[Tool, ...]) -> Server[Any]:
    """An MCP server of some tools.

    Args:
        workspaces: what each client may see.
        tools: those that it has; others are neither listed nor carried out.
    """
    caller = Caller({tool.name: tool for tool in tools})
    resources = ResourceServer(lambda context: session_of(context, workspaces))

    async def list_tools(context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        shown = [tool for tool in tools if not (workspaces.read_only and tool.hints.changes)]
        return types.ListToolsResult(tools=[described(tool) for tool in shown])

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            session = await session_of(context, workspaces)
        except ToolError as error:
            return failure(str(error))
        return await caller.call(
            session, params.name, params.arguments or {}, report=reporter(context.session), client=_client(context)
        )

    @asynccontextmanager
    async def lifespan(server: Server[Any]) -> AsyncIterator[Sessions]:
        sessions = Sessions()
        atexit.register(sessions.close)
        try:
            yield sessions
        finally:
            atexit.unregister(sessions.close)
            with anyio.CancelScope(shield=True):
                await in_thread(sessions.close)

    return Server(
        NAME,
        version=version("chuk-fsspec"),
        instructions=_INSTRUCTIONS,
        lifespan=lifespan,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        **resources.handlers(),
    )


async def session_of(context: Context, workspaces: WithRoots) -> Session:
    """The session of whoever sent a request: that of the connection, which over HTTP goes on from request to request.

    One over HTTP ends when its client says so, or was not heard of for too long.

    Args:
        context: of the request.
        workspaces: what each client may see.

    Raises:
        ToolError: if the client may see nothing.
    """
    workspace = await workspaces.of(context.session)
    sessions: Sessions = context.lifespan_context
    if context.request is None:
        return sessions.of("", workspace)
    connection = context.session._connection  # noqa: SLF001 - the SDK hands it to no handler by a public name
    key = connection.session_id or ""
    if key and key not in sessions:
        connection.exit_stack.push_async_callback(in_thread, partial(sessions.end, key))
    return sessions.of(key, workspace, is_shared=not key)


def described(tool: Tool) -> types.Tool:
    """What clients are told of a tool."""
    hints = tool.hints
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input,
        output_schema=tool.output,
        execution=types.ToolExecution(task_support="forbidden"),
        annotations=types.ToolAnnotations(
            read_only_hint=not hints.changes,
            destructive_hint=hints.destructive,
            idempotent_hint=hints.idempotent,
            open_world_hint=False,
        ),
    )


def _client(context: Context) -> str:
    told = context.session.client_params
    return f"{told.client_info.name} {told.client_info.version}" if told is not None else ""
