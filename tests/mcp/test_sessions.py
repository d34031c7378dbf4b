"""A whole session of a client of the official SDK, over each transport, with every tool of the reference server."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from mcp import Client, types

from chuk_adapters.mcp import mcp_server
from tests.mcp.mcp_clients import text_of
from tests.mcp.mcp_talking import http_server, over_http, server_parameters, talk

WAYS = (("memory", "auto"), ("memory", "legacy"), ("stdio", "auto"), ("http", "legacy"))


@contextlib.contextmanager
def serving(transport: str, tmp_path: Path) -> Iterator[Any]:
    """A server of an empty filesystem, for a client."""
    if transport == "memory":
        yield mcp_server(fsspec.filesystem("chukmem", name=str(tmp_path)))
    elif transport == "stdio":
        yield server_parameters("chuksqlite://", "--option", f"database={tmp_path}/w.db")
    else:
        with http_server("chuksqlite://", "--option", f"database={tmp_path}/w.db") as url:
            yield over_http(url)


@pytest.mark.parametrize(("transport", "mode"), WAYS)
def test_a_session_with_every_tool(transport: str, mode: str, tmp_path: Path) -> None:
    with serving(transport, tmp_path) as server:
        used = talk(server, whole_session, mode=mode)
    assert len(used) == 14


async def whole_session(client: Client) -> set[str]:
    used: set[str] = set()

    async def ask(tool: str, **arguments: Any) -> str:
        used.add(tool)
        result = await client.call_tool(tool, arguments)
        assert not result.is_error, text_of(result)
        return text_of(result)

    assert await ask("list_allowed_directories") == "Allowed directories:\n/"
    assert await ask("create_directory", path="/src/deep") == "Successfully created directory /src/deep"
    assert await ask("write_file", path="/src/a.py", content="x = 1\ny = 2\n") == "Successfully wrote to /src/a.py"
    assert await ask("write_file", path="src/b.bin.txt", content="é") == "Successfully wrote to src/b.bin.txt"
    assert await ask("read_file", path="/src/a.py", head=1) == "x = 1"
    assert await ask("read_text_file", path="~/src/a.py", tail=2) == "y = 2\n"
    diff = await ask("edit_file", path="/src/a.py", edits=[{"oldText": "x = 1", "newText": "x = 3"}])
    assert "-x = 1\n+x = 3\n" in diff
    told = await ask("read_multiple_files", paths=["/src/a.py", "/none"])
    assert told == ("/src/a.py:\nx = 3\ny = 2\n\n\n---\n/none: Error - ENOENT: no such file or directory, open '/none'")
    assert await ask("list_directory", path="/src") == "[FILE] a.py\n[FILE] b.bin.txt\n[DIR] deep"
    assert "Total: 2 files, 1 directories\nCombined size: 14 B" in await ask("list_directory_with_sizes", path="/src")
    tree = json.loads(await ask("directory_tree", path="/"))
    assert [entry["name"] for entry in tree[0]["children"]] == ["a.py", "b.bin.txt", "deep"]
    assert await ask("move_file", source="/src/b.bin.txt", destination="/src/deep/b") == (
        "Successfully moved /src/b.bin.txt to /src/deep/b"
    )
    assert await ask("search_files", path="/", pattern="**/b") == "/src/deep/b"
    assert "isFile: true\npermissions: 644" in await ask("get_file_info", path="/src/a.py")
    media = await client.call_tool("read_media_file", {"path": "/src/deep/b"})
    used.add("read_media_file")
    [block] = media.content
    assert isinstance(block, types.EmbeddedResource)
    held = block.resource
    assert isinstance(held, types.BlobResourceContents)
    assert base64.b64decode(held.blob) == "é".encode()
    assert str(held.uri) == "file:///src/deep/b"
    return used
