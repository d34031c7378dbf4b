"""A client of the official SDK that is called like a function, from any thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, types


class Talker:
    """A client in a session of its own."""

    def __init__(self, client: Client, portal: BlockingPortal) -> None:
        self.client = client
        self.portal = portal

    def result(self, tool: str, **arguments: Any) -> types.CallToolResult:
        """What a tool answers, errors too."""

        async def call() -> types.CallToolResult:
            return await self.client.call_tool(tool, arguments)

        return self.portal.call(call)

    def call(self, tool: str, **arguments: Any) -> str:
        """The text of an answer that is no error."""
        result = self.result(tool, **arguments)
        assert not result.is_error, text_of(result)
        return text_of(result)

    def facts(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured content of an answer that is no error."""
        result = self.result(tool, **arguments)
        assert not result.is_error, text_of(result)
        facts = result.structured_content
        assert isinstance(facts, dict)
        return facts

    def refused(self, tool: str, **arguments: Any) -> str:
        """The text of an answer that is an error."""
        result = self.result(tool, **arguments)
        assert result.is_error, text_of(result)
        return text_of(result)


def text_of(result: types.CallToolResult) -> str:
    """The text of an answer."""
    return "".join(block.text for block in result.content if isinstance(block, types.TextContent))


@contextmanager
def talking_to(server: Any, **options: Any) -> Iterator[Talker]:
    """A client of a server in this process, of a command (``StdioServerParameters``), or of a URL.

    Args:
        server: what ``mcp.Client`` takes.
        options: of ``mcp.Client``.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(server, **options)) as client,
    ):
        yield Talker(client, portal)
