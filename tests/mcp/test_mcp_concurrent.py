"""Twenty edits of one file at once: all are merged, or refused with a message, and none is lost."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, types

from chuk_adapters.mcp import mcp_server
from tests.mcp.mcp_clients import text_of
from tests.mcp.mcp_kinds import KINDS, plain
from tests.mcp.mcp_talking import server_parameters

COUNT = 20
BEFORE = "".join(f"line {number:02}\n" for number in range(COUNT))
AFTER = "".join(f"LINE {number:02}\n" for number in range(COUNT))

Edit = Callable[[int], Awaitable[types.CallToolResult]]


@pytest.fixture(params=[*sorted(KINDS), "plain"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    files = {**KINDS, "plain": plain}[request.param](tmp_path)
    files.pipe_file("/f", BEFORE.encode())
    return files


def editing(client: Client, path: str = "/f", **arguments: Any) -> Edit:
    async def edit(number: int) -> types.CallToolResult:
        edits = [{"oldText": f"line {number:02}", "newText": f"LINE {number:02}"}]
        return await client.call_tool("edit_file", {"path": path, "edits": edits, **arguments})

    return edit


async def at_once(edits: list[Edit]) -> list[types.CallToolResult]:
    results: list[types.CallToolResult] = []

    async def one(edit: Edit, number: int) -> None:
        results.append(await edit(number))

    async with anyio.create_task_group() as tasks:
        for number, edit in enumerate(edits):
            tasks.start_soon(one, edit, number)
    return results


def test_by_one_client(files: Any):
    async def talk() -> None:
        async with Client(mcp_server(files)) as client:
            results = await at_once([editing(client)] * COUNT)
            assert [text_of(result) for result in results if result.is_error] == []

    anyio.run(talk)
    assert files.cat_file("/f").decode() == AFTER


def test_by_twenty_clients(files: Any):
    async def talk() -> None:
        async with AsyncExitStack() as stack:
            server = mcp_server(files)
            clients = [await stack.enter_async_context(Client(server)) for _ in range(COUNT)]
            results = await at_once([editing(client) for client in clients])
            assert [text_of(result) for result in results if result.is_error] == []

    anyio.run(talk)
    assert files.cat_file("/f").decode() == AFTER


def test_those_who_name_an_etag_are_refused_all_but_one(files: Any):
    etag = files.info("/f").get("etag")
    if etag is None:
        pytest.skip("it has no etags")

    async def talk() -> None:
        async with Client(mcp_server(files)) as client:
            results = await at_once([editing(client, ifMatch=etag)] * COUNT)
            refused = [text_of(result) for result in results if result.is_error]
            assert len(refused) == COUNT - 1
            assert all(etag in text and "nothing was changed" in text for text in refused)

    anyio.run(talk)
    assert files.cat_file("/f").decode().count("LINE") == 1


def test_appends_of_one_client(files: Any):
    async def talk() -> None:
        async with Client(mcp_server(files)) as client:

            async def append(number: int) -> types.CallToolResult:
                return await client.call_tool("append_file", {"path": "/f", "content": f"more {number:02}\n"})

            results = await at_once([append] * COUNT)
            assert [text_of(result) for result in results if result.is_error] == []

    anyio.run(talk)
    added = files.cat_file("/f").decode().removeprefix(BEFORE).splitlines()
    assert sorted(added) == [f"more {number:02}" for number in range(COUNT)]


@pytest.mark.parametrize("kind", ["chuklocal", pytest.param("chuksqlite", marks=pytest.mark.slow)])
def test_by_servers_in_several_processes(kind: str, tmp_path: Path):
    if kind == "chuklocal":
        path, source = str(tmp_path / "f"), str(tmp_path)
        Path(path).write_text(BEFORE)
    else:
        path, source = "/f", f"chuksqlite:///::file://{tmp_path}/w.db"
        KINDS[kind](tmp_path).pipe_file("/f", BEFORE.encode())
    servers = 2

    async def talk() -> None:
        async with AsyncExitStack() as stack:
            parameters = server_parameters(source)
            clients = [await stack.enter_async_context(Client(parameters)) for _ in range(servers)]
            results = await at_once([editing(clients[number % servers], path) for number in range(COUNT)])
            assert [text_of(result) for result in results if result.is_error] == []

    anyio.run(talk)
    content = Path(path).read_text() if os.path.exists(path) else KINDS[kind](tmp_path).cat_file("/f").decode()
    assert content == AFTER
