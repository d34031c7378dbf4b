"""MCP: any fsspec filesystem as the tools of a model."""

from __future__ import annotations

from chuk_adapters.mcp.http import run_http
from chuk_adapters.mcp.server import mcp_server
from chuk_adapters.mcp.stdio import run_stdio
from chuk_adapters.mcp.workspace import Limits, Record

__all__ = ["Limits", "Record", "mcp_server", "run_http", "run_stdio"]
