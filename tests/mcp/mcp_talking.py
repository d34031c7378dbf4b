"""Clients of the official SDK, and servers for them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar

import anyio
import httpx2
from mcp import Client, StdioServerParameters, types
from mcp.client.streamable_http import streamable_http_client
from pydantic import FileUrl

from chuk_fsspec.cli.main import build_parser
from chuk_fsspec.cli.mcp_cmd import server_for

COMMAND = [sys.executable, "-m", "chuk_fsspec", "mcp"]
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
PATIENCE = 60.0
"""Seconds, more than anything here takes on a busy machine."""

_T = TypeVar("_T")


def served(*arguments: object) -> Any:
    """The server of ``chuk-fsspec mcp`` in this process."""
    return server_for(build_parser().parse_args(["mcp", *map(str, arguments)]))


def server_parameters(*arguments: object, env: Mapping[str, str] | None = None) -> StdioServerParameters:
    """How a client starts ``chuk-fsspec mcp``."""
    command, *first = [*COMMAND, *map(str, arguments)]
    return StdioServerParameters(command=command, args=first, env={**os.environ, **(env or {})})


def talk(server: Any, conversation: Callable[[Client], Awaitable[_T]], **options: Any) -> _T:
    """Have a conversation with a server: one of this process, or the parameters of one that is started."""

    async def whole() -> _T:
        async with Client(server, **options) as client:
            return await conversation(client)

    return anyio.run(whole)


def with_roots(*paths: object) -> dict[str, Any]:
    """Options of a client of the protocol before 2026-07-28 that tells its roots."""

    async def told(_: Any) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root(uri=FileUrl(f"file://{path}")) for path in paths])

    return {"mode": "legacy", "list_roots_callback": told}


@contextlib.contextmanager
def http_server(*arguments: object, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """``chuk-fsspec mcp --http`` in a process of its own; the URL, once it can be used."""
    command = [*COMMAND, *map(str, arguments), "--http", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            assert "serving MCP at" in line, line
            yield line.split()[-1]
        finally:
            process.terminate()
            process.wait(10)


@contextlib.asynccontextmanager
async def over_http(url: str, token: str = "") -> AsyncIterator[Any]:
    """What a client is given to use a server over HTTP."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        streamable_http_client(url, http_client=http) as streams,
    ):
        yield streams


def post(url: str, **headers: str) -> httpx2.Response:
    """The answer to a client that begins a session over HTTP, and says no more."""
    own = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    return httpx2.post(url, content=json.dumps(HELLO), headers={**own, **headers}, timeout=30)
