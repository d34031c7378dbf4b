"""Serving over standard input and output."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server import Server
from mcp.server.stdio import stdio_server

from chuk_adapters.mcp.draining import Reading, Waiting, Writing


def run_stdio(server: Server[Any]) -> None:
    """Serve one client over standard input and output until it closes them; what it has asked before is answered.

    While it serves, what anything else prints goes to standard error: standard output belongs to the protocol.

    Args:
        server: from ``mcp_server``.
    """
    anyio.run(_serve, server)


async def _serve(server: Server[Any]) -> None:
    async with stdio_server() as (incoming, outgoing):
        waiting = Waiting()
        reading, writing = Reading(incoming, waiting), Writing(outgoing, waiting)
        await server.run(reading, writing, server.create_initialization_options())
