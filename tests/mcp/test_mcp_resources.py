"""Resources: reading and watching files by their URIs, and no way out through them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client, ClientSession, types
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated

from chuk_adapters.mcp import mcp_server
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.uris import path_of, uri_of
from chuk_adapters.mcp.workspace import Limits
from tests.mcp.mcp_clients import Talker, talking_to
from tests.mcp.mcp_kinds import KINDS
from tests.mcp.mcp_talking import PATIENCE, server_parameters


@pytest.fixture(params=sorted(KINDS))
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return KINDS[request.param](tmp_path)


@pytest.fixture
def talker(files: Any) -> Iterator[Talker]:
    with talking_to(mcp_server(files)) as talker:
        yield talker


def read(talker: Talker, uri: str) -> Any:
    [contents] = talker.portal.call(talker.client.read_resource, uri).contents
    return contents


def test_reads_text_bytes_and_directories(files: Any, talker: Talker):
    files.pipe({"/dir/a b#?.md": "h\u00e9llo".encode(), "/dir/pixel.png": b"\x89PNG\0", "/dir/data": b"\xff"})
    text = read(talker, "file:///dir/a%20b%23%3F.md")
    assert (text.text, text.mime_type) == ("h\u00e9llo", "text/markdown")
    image = read(talker, uri_of("/dir/pixel.png"))
    assert (base64.b64decode(image.blob), image.mime_type) == (b"\x89PNG\0", "image/png")
    assert read(talker, "file:///dir/data").mime_type == "application/octet-stream"
    assert read(talker, "file://localhost/dir").text == "[FILE] a b#?.md\n[FILE] data\n[FILE] pixel.png"


def test_lists_roots_and_the_template(talker: Talker):
    [root] = talker.portal.call(talker.client.list_resources).resources
    assert (str(root.uri), root.mime_type) == ("file:///", "inode/directory")
    [template] = talker.portal.call(talker.client.list_resource_templates).resource_templates
    assert template.uri_template == "file:///{+path}"


@pytest.mark.parametrize(
    "uri",
    [
        "file:///../etc/passwd",
        "file:///a/%2e%2e/%2e%2e/etc/passwd",
        "file:///a/..%2f..%2fetc/passwd",
        "file:///a%00b",
        "file://example.com/etc/passwd",
        "http:///etc/passwd",
        "file:///a?b",
        "file:///none",
    ],
)
def test_refuses_all_else(chukmem: Any, uri: str):
    with talking_to(mcp_server(chukmem)) as talker, pytest.raises(MCPError):
        read(talker, uri)


def test_percents_are_decoded_once(chukmem: Any):
    chukmem.pipe_file("/%2e%2e", b"just a name")
    with talking_to(mcp_server(chukmem)) as talker:
        assert read(talker, "file:///%252e%252e").text == "just a name"


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_uris_name_paths(name: str):
    if name not in (".", ".."):
        assert path_of(uri_of(f"/{name}/x")) == f"/{name}/x"


def test_what_is_not_allowed_is_no_resource(files: Any):
    files.pipe({"/in/file": b"inside", "/outside": b"canary"})
    with talking_to(mcp_server(files, "/in")) as talker:
        assert read(talker, "file:///in/file").text == "inside"
        with pytest.raises(MCPError, match="Access denied"):
            read(talker, "file:///outside")


def test_large_files_are_refused(files: Any):
    files.pipe_file("/large", b"x" * 2_000)
    with (
        talking_to(mcp_server(files, limits=Limits(media_bytes=1_000))) as talker,
        pytest.raises(MCPError, match="read_lines"),
    ):
        read(talker, "file:///large")


def test_tells_of_changes(files: Any):
    """The protocol of 2026-07-28: a stream of events."""
    files.pipe_file("/watched", b"one")

    async def talk() -> None:
        async with Client(mcp_server(files)) as client:
            uris = ["file:///watched", "file:///new"]
            async with client.listen(resource_subscriptions=uris) as events:
                files.pipe_file("/other", b"nobody asked")
                await client.call_tool("write_file", {"path": "/watched", "content": "two"})
                with anyio.fail_after(PATIENCE):
                    assert await anext(events) == ResourceUpdated(uri="file:///watched")
                files.pipe_file("/new", b"by somebody else")
                with anyio.fail_after(PATIENCE):
                    assert await anext(events) == ResourceUpdated(uri="file:///new")

    anyio.run(talk)


@pytest.mark.filterwarnings("ignore:resources/(un)?subscribe is removed")
def test_tells_of_changes_over_stdio(tmp_path: Path):
    """The protocols before: resources/subscribe."""
    (tmp_path / "watched").write_text("one")
    uri = uri_of(str(tmp_path / "watched"))
    updated: list[str] = []
    heard = anyio.Event()

    async def told(message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            updated.append(str(message.params.uri))
            heard.set()

    async def talk() -> None:
        async with (
            stdio_client(server_parameters(tmp_path)) as (incoming, outgoing),
            ClientSession(incoming, outgoing, message_handler=told) as session,
        ):
            await session.initialize()
            await session.subscribe_resource(uri)
            (tmp_path / "watched").write_text("two!")
            with anyio.fail_after(PATIENCE):
                await heard.wait()
            await session.unsubscribe_resource(uri)
            with pytest.raises(MCPError, match="Access denied"):
                await session.subscribe_resource("file:///etc/passwd")

    anyio.run(talk)
    assert updated == [uri]


def test_wrong_uris_are_named():
    with pytest.raises(ToolError, match="http://x"):
        path_of("http://x")
