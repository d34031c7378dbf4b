"""What every call can rely on: filters, time, other calls, errors in words, results of a bounded size, and a record."""

from __future__ import annotations

import threading
import time
from typing import Any

import anyio
import fsspec
import pytest
from mcp import Client

from chuk_adapters.mcp import Limits, Record, mcp_server
from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.opening import workspace_of
from chuk_adapters.mcp.roots import WithRoots
from chuk_adapters.mcp.server import server_of
from chuk_adapters.mcp.tool import Arguments, Result, Tool
from chuk_fsspec import VirtualFileSystem
from tests.mcp.mcp_clients import text_of
from tests.mcp.mcp_talking import PATIENCE, talk

CHANGING = {"write_file", "edit_file", "create_directory", "move_file"}


def memory(name: str, **files: str) -> Any:
    fs = fsspec.filesystem("chukmem", name=f"mcp-{name}", skip_instance_cache=True)
    fs.pipe({f"/{path}": text.encode() for path, text in files.items()})
    return fs


async def names(client: Client) -> list[str]:
    return [tool.name for tool in (await client.list_tools()).tools]


async def error_of(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text_of(result)


def test_a_read_only_server_lists_no_tool_that_changes_and_refuses_all():
    fs = memory("read-only", a="kept")

    async def conversation(client: Client):
        assert CHANGING.isdisjoint(await names(client))
        for tool, arguments in (
            ("write_file", {"path": "/a", "content": "x"}),
            ("edit_file", {"path": "/a", "edits": []}),
            ("create_directory", {"path": "/d"}),
            ("move_file", {"source": "/a", "destination": "/b"}),
        ):
            assert (await error_of(client, tool, **arguments)).startswith("EROFS")

    talk(mcp_server(fs, read_only=True), conversation)
    assert fs.cat_file("/a") == b"kept"


def test_tools_that_are_filtered_out_are_not_carried_out_either():
    async def conversation(client: Client):
        assert await names(client) == ["read_file"]
        assert await error_of(client, "write_file", path="/a", content="x") == (
            "MCP error -32602: Tool write_file not found"
        )

    talk(mcp_server(memory("filter"), tools=["read_file", "write_file"], exclude_tools=["write_file"]), conversation)


def test_a_facade_is_served_as_its_filesystem():
    vfs = VirtualFileSystem()
    vfs.write_file("/a.txt", "hello")

    async def conversation(client: Client):
        assert text_of(await client.call_tool("read_file", {"path": "/a.txt"})) == "hello"

    talk(mcp_server(vfs), conversation)


def test_a_filter_that_names_no_tool_is_refused():
    with pytest.raises(ValueError, match="there is no tool 'rm'"):
        mcp_server(memory("typo"), exclude_tools=["rm"])


class Slow(fsspec.AbstractFileSystem):
    """A filesystem on which ``/slow`` takes until it is released; the others answer at once."""

    protocol = "slow"
    cachable = False

    def __init__(self):
        super().__init__()
        self.release = threading.Event()

    def info(self, path, **kwargs):
        path = self._strip_protocol(path)
        if path.endswith("slow"):
            self.release.wait(60)
        return {"name": path, "size": 2, "type": "directory" if path in ("", "/") else "file"}

    def ls(self, path, detail=True, **kwargs):
        return []

    def cat_file(self, path, start=None, end=None, **kwargs):
        return b"ok"


def test_a_call_that_hangs_holds_up_no_other_and_is_given_up():
    slow = Slow()

    async def conversation(client: Client):
        async with anyio.create_task_group() as group:
            told: list[str] = []

            async def hang():
                told.append(await error_of(client, "read_file", path="/slow"))

            for _ in range(8):
                group.start_soon(hang)
            await anyio.sleep(0.1)
            assert text_of(await client.call_tool("read_file", {"path": "/quick"})) == "ok"
            assert told == []
            for _ in range(20):
                assert text_of(await client.call_tool("read_file", {"path": "/quick"})) == "ok"
        assert told == ["ETIMEDOUT: read_file took longer than 2 seconds, and was given up"] * 8

    talk(mcp_server(slow, limits=Limits(seconds=2)), conversation)
    slow.release.set()


def test_a_call_that_is_cancelled_leaves_the_server_as_it_was():
    slow = Slow()

    async def conversation(client: Client):
        with anyio.move_on_after(0.2) as scope:
            await client.call_tool("read_file", {"path": "/slow"})
        assert scope.cancelled_caught
        assert text_of(await client.call_tool("read_file", {"path": "/quick"})) == "ok"

    for mode in ("legacy", "auto"):
        talk(mcp_server(slow), conversation, mode=mode)
    slow.release.set()


def test_a_bug_is_an_answer_too(caplog: pytest.LogCaptureFixture):
    def run(call: Call, arguments: Arguments) -> Result:
        raise KeyError("a bug")

    tool = Tool("broken", "Broken", "Fails.", {}, (), run)
    server = server_of(WithRoots(workspace_of(memory("bug"))), (tool,))

    async def conversation(client: Client):
        assert await error_of(client, "broken") == "EIO: i/o error, unexpected KeyError in broken"

    talk(server, conversation)
    assert "a bug" in caplog.text


def test_long_results_are_cut_and_say_how_to_get_the_rest():
    fs = memory("long", big="0123456789" * 100_000)

    async def conversation(client: Client):
        text = text_of(await client.call_tool("read_file", {"path": "/big"}))
        assert text.startswith("0123456789" * 100)
        assert len(text) < 1200
        assert "read_lines with offset=1" in text

    talk(mcp_server(fs, limits=Limits(characters=1000)), conversation)


def test_media_larger_than_the_limit_is_refused():
    async def conversation(client: Client):
        assert "EFBIG" in await error_of(client, "read_media_file", path="/a")

    talk(mcp_server(memory("media", a="12345"), limits=Limits(media_bytes=4)), conversation)


class Records:
    def __init__(self):
        self.kept: list[Record] = []

    def check_ready(self) -> None:
        pass

    def add(self, record: Record) -> None:
        self.kept.append(record)


def test_every_call_is_recorded():
    records = Records()

    async def conversation(client: Client):
        await client.call_tool("read_file", {"path": "/a"})
        await client.call_tool("read_file", {"path": "/none"})
        await client.call_tool("nosuch", {})

    talk(mcp_server(memory("audit", a="1"), audit=records), conversation)
    assert [(one.tool, one.arguments, bool(one.error)) for one in records.kept] == [
        ("read_file", {"path": "/a"}, False),
        ("read_file", {"path": "/none"}, True),
        ("nosuch", {}, True),
    ]
    assert all(one.seconds >= 0 for one in records.kept)


@pytest.mark.parametrize("protocol", ["chukmem", "memory"])
def test_of_many_edits_at_once_none_is_lost(protocol: str):
    """Both where the filesystem refuses to replace what it does not know, and where the server alone keeps order."""
    fs = fsspec.filesystem(protocol, skip_instance_cache=True)
    fs.pipe_file("/edits.txt", "".join(f"line {number}\n" for number in range(20)).encode())

    async def conversation(client: Client):
        async def change(number: int):
            edits = [{"oldText": f"line {number}\n", "newText": f"done {number}\n"}]
            result = await client.call_tool("edit_file", {"path": "/edits.txt", "edits": edits})
            assert not result.is_error, text_of(result)

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(change, number)

    talk(mcp_server(fs), conversation)
    assert fs.cat_file("/edits.txt").decode() == "".join(f"done {number}\n" for number in range(20))


def test_progress_is_told_to_a_client_that_asks():
    fs = memory("progress", **{f"f{number}": "x" for number in range(5)})
    heard: list[tuple[float, float | None, str | None]] = []

    async def conversation(client: Client):
        heard_all = anyio.Event()

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            heard.append((progress, total, message))
            if progress == total:
                heard_all.set()

        paths = [f"/f{number}" for number in range(5)]
        await client.call_tool("read_multiple_files", {"paths": paths}, progress_callback=hear)
        with anyio.fail_after(PATIENCE):
            await heard_all.wait()

    talk(mcp_server(fs), conversation)
    assert heard[-1] == (5, 5, "/f4")


def test_errors_of_the_filesystem_keep_their_reason():
    fs = fsspec.filesystem("chukmem", name="mcp-reasons", capacity=10_000, skip_instance_cache=True)

    async def conversation(client: Client):
        told = await error_of(client, "write_file", path="/a", content="x" * 20_000)
        assert told.startswith("ENOSPC: no space left on device, open '/a'")
        assert (await client.call_tool("list_directory", {"path": "/"})).structured_content == {"content": ""}

    talk(mcp_server(fs), conversation)


def test_patterns_cannot_take_the_time_of_others():
    fs = memory("patterns", **{"a" * 200 + "b": ""})

    async def conversation(client: Client):
        begun = time.process_time()
        for pattern in ("*a" * 30 + "c", "**/" * 60 + "c", "{a,b}" * 9, "[" * 500):
            await client.call_tool("search_files", {"path": "/", "pattern": pattern})
        for pattern in ("{a,b}" * 30, "{1..100000000}", "+(a|a)+(a|a)"):
            assert "Invalid pattern" in await error_of(client, "search_files", path="/", pattern=pattern)
        assert time.process_time() - begun < 10

    talk(mcp_server(fs), conversation)
