"""Both ways against AgentFS's own package: what it writes is read here, and what is written here it goes on with."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import fsspec
import pytest

from chuk_fsspec.backends.agentfs import AgentFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.transfer import export_agentfs, import_agentfs
from tests.agentfs.agentfs_files import CHUNK, pattern, state_of

agentfs_sdk: Any = pytest.importorskip("agentfs_sdk", reason="agentfs-sdk is not installed")

Result = TypeVar("Result")

SIZES = [0, 1, 2, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 50_000, 1_000_003]
NAMES = ["plain.txt", "with space", "déjà vu", "de\u0301ja\u0300", "名前.md", "🦀", "new\nline", "*?[a]", "%2F", "-rf"]
DEEP = "/" + "/".join(f"level-{level}" for level in range(30))


def with_agent(path: Path, work: Callable[[Any], Awaitable[Result]]) -> Result:
    """Run something on a database that the package has open."""

    async def run() -> Result:
        agent = await agentfs_sdk.AgentFS.open(agentfs_sdk.AgentFSOptions(path=str(path)))
        try:
            return await work(agent)
        finally:
            await agent.close()

    return asyncio.run(run())


def opened(path: Path) -> AgentFileSystem:
    return AgentFileSystem(database=str(path), skip_instance_cache=True)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A database that the package wrote."""

    async def write(agent: Any) -> None:
        for size in SIZES:
            await agent.fs.write_file(f"/sizes/{size}", pattern(size))
        for name in NAMES:
            await agent.fs.write_file(f"/names/{name}", name.encode())
        await agent.fs.write_file(f"{DEEP}/bottom", b"deep")
        await agent.fs.write_file("/text", "grüße\n")
        await agent.fs.write_file("/longer", pattern(3 * CHUNK))
        await agent.fs.write_file("/longer", pattern(10, 9))
        await agent.fs.write_file("/shorter", b"short")
        await agent.fs.write_file("/shorter", pattern(3 * CHUNK + 1, 9))
        await agent.fs.write_file("/gone", pattern(3 * CHUNK))
        await agent.fs.unlink("/gone")
        await agent.fs.mkdir("/empty")
        await agent.fs.write_file("/old/place", b"moved")
        await agent.fs.rename("/old", "/new")
        await agent.fs.write_file("/dir/removed", b"x")
        await agent.fs.rm("/dir", recursive=True)
        await agent.kv.set("config", {"model": "any", "n": [1, 2]})
        await agent.kv.set("other", "text")
        await agent.tools.record("search", 1.0, 2.5, {"q": "x"}, {"hits": 3})
        await agent.tools.record("fail", 3.0, 3.5, None, None, "broken")

    path = tmp_path / "agent.db"
    with_agent(path, write)
    return path


def expected() -> dict[str, bytes]:
    files = {f"/sizes/{size}": pattern(size) for size in SIZES}
    files |= {f"/names/{name}": name.encode() for name in NAMES}
    files |= {f"{DEEP}/bottom": b"deep", "/text": "grüße\n".encode(), "/new/place": b"moved"}
    return files | {"/longer": pattern(10, 9), "/shorter": pattern(3 * CHUNK + 1, 9)}


def test_what_the_package_writes_is_read_here(written: Path) -> None:
    before = state_of(written.parent)
    fs = opened(written)
    files = expected()
    assert fs.find("/") == sorted(files)
    for path, data in files.items():
        assert fs.cat_file(path) == data, path
        assert fs.info(path)["size"] == len(data)
        assert fs.cat_file(path, len(data) // 3, -1) == data[len(data) // 3 : -1]
    assert fs.ls("/empty") == []
    assert not fs.exists("/gone")
    assert not fs.exists("/dir")
    facts = fs.facts()
    assert (facts.version, facts.chunk_size, facts.kv_entries, facts.tool_calls) == ("0.4", CHUNK, 2, 2)
    assert fs.left_out() == []
    assert state_of(written.parent) == before


def test_attributes_agree(written: Path) -> None:
    paths = ["/", "/sizes", "/sizes/4097", "/text", "/new/place"]

    async def ask(agent: Any) -> list[Any]:
        return [await agent.fs.stat(path) for path in paths]

    fs = opened(written)
    for path, stats in zip(paths, with_agent(written, ask), strict=True):
        info = fs.info(path)
        assert (info["ino"], info["mode"], info["nlink"]) == (stats.ino, stats.mode, stats.nlink)
        assert (info["uid"], info["gid"], info["size"]) == (stats.uid, stats.gid, stats.size)
        assert (int(info["mtime"]), int(info["ctime"])) == (stats.mtime, stats.ctime)


def test_import_of_what_the_package_writes(written: Path, chukmem: MemoryFileSystem) -> None:
    report = import_agentfs(written, chukmem, "/agent")
    files = expected()
    assert (report.files, report.kv_entries, report.tool_calls) == (len(files), 2, 2)
    assert (report.left_out_count, report.without_attributes, report.changed_meanwhile) == (0, 0, False)
    assert chukmem.find("/agent") == sorted(f"/agent{path}" for path in files)
    for path, data in files.items():
        assert chukmem.cat_file(f"/agent{path}") == data
    assert chukmem.isdir("/agent/empty")


def test_the_package_reads_what_is_exported_and_goes_on(tmp_path: Path, chukmem: MemoryFileSystem) -> None:
    files = expected()
    for name, data in files.items():
        chukmem.pipe_file(name, data)
    chukmem.makedirs("/empty")
    chukmem.posix.link("/text", "/second name")
    chukmem.posix.symlink("text", "/link")
    with chukmem.posix.open_handle("/sparse", os.O_CREAT | os.O_RDWR) as handle:
        handle.pwrite(b"x", 20_000)
    path = tmp_path / "agent.db"
    export_agentfs(chukmem, "/", path)

    async def use(agent: Any) -> None:
        for name, data in files.items():
            assert await agent.fs.read_file(name, encoding=None) == data, name
        assert sorted(await agent.fs.readdir("/names")) == sorted(NAMES)
        assert await agent.fs.readdir("/empty") == []
        assert await agent.fs.read_file("/second name") == "grüße\n"
        assert (await agent.fs.stat("/text")).nlink == 2
        assert (await agent.fs.stat("/link")).is_symbolic_link()
        assert await agent.fs.read_file("/sparse", encoding=None) == bytes(20_000) + b"x"
        await agent.fs.write_file("/sizes/4097", b"overwritten")
        await agent.fs.write_file("/made/by/agent", pattern(10_000))
        await agent.fs.unlink("/second name")
        await agent.fs.rename("/names", "/renamed")
        await agent.kv.set("key", {"a": 1})
        assert await agent.kv.get("key") == {"a": 1}
        await agent.tools.record("tool", 1.0, 2.0, {}, {})

    with_agent(path, use)
    fs = opened(path)
    assert fs.cat("/sizes/4097") == b"overwritten"
    assert fs.cat("/made/by/agent") == pattern(10_000)
    assert fs.info("/text")["nlink"] == 1
    assert fs.ls("/renamed", detail=False) == sorted(f"/renamed/{name}" for name in NAMES)
    assert fs.posix.readlink("/link") == "text"
    assert (fs.facts().kv_entries, fs.facts().tool_calls) == (1, 1)


def test_names_that_the_package_takes_lead_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"

    async def write(agent: Any) -> None:
        await agent.fs.write_file("/up/../evil", b"1")
        await agent.fs.write_file("/up/./dot", b"2")
        await agent.fs.write_file("/n\0ul", b"3")
        await agent.fs.write_file("/" + "x" * 5000, b"4")

    with_agent(path, write)
    fs = opened(path)
    found = fs.find("/")
    assert [fs.cat_file(name) for name in ("/up/%2E%2E/evil", "/up/%2E/dot", "/n%00ul")] == [b"1", b"2", b"3"]
    assert len(found) == 4
    assert all(len(name) < 300 for name in found)
    assert not fs.exists("/evil")
    assert not fs.exists("/up/evil")


READER = """
import sys
from chuk_fsspec.backends.agentfs import AgentFileSystem
fs = AgentFileSystem(database=sys.argv[1])
for line in sys.stdin:
    try:
        data = fs.cat_file(line.rstrip("\\n"))
        print(len(data), len(fs.find("/")), flush=True)
    except FileNotFoundError:
        print("missing", flush=True)
"""


def test_another_process_follows_a_running_agent(tmp_path: Path) -> None:
    """AgentFS locks its file and begins its log anew now and then; each commit shows, and nothing appears beside it."""
    path = tmp_path / "agent.db"

    def start() -> Callable[[str], str]:
        command = [sys.executable, "-c", READER, str(path)]
        reader = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )

        def ask(name: str) -> str:
            assert reader.stdin is not None
            assert reader.stdout is not None
            reader.stdin.write(f"{name}\n")
            reader.stdin.flush()
            return reader.stdout.readline().strip()

        return ask

    async def work(agent: Any) -> None:
        await agent.fs.write_file("/first", b"1")
        ask = start()
        assert ask("/first") == "1 1"
        for number in range(1, 90):
            await agent.fs.write_file(f"/f{number}", pattern(20_000 + number))
            if number % 6 == 0:
                assert ask(f"/f{number}") == f"{20_000 + number} {number + 1}"
        await agent.fs.write_file("/f7", b"again")
        assert ask("/f7") == "5 90"
        await agent.fs.unlink("/f8")
        assert ask("/f8") == "missing"
        assert sorted(os.listdir(tmp_path)) == ["agent.db", "agent.db-wal"]

    with ExitStack() as stack:
        with_agent(path, work)


def test_export_does_not_replace_a_database_that_an_agent_has_open(tmp_path: Path, chukmem: MemoryFileSystem) -> None:
    path = tmp_path / "agent.db"

    async def work(agent: Any) -> None:
        await agent.fs.write_file("/f", b"mine")
        with pytest.raises(OSError, match="a program has the database open"):
            export_agentfs(chukmem, "/", path, overwrite=True)
        assert await agent.fs.read_file("/f") == "mine"

    with_agent(path, work)
    export_agentfs(chukmem, "/", path, overwrite=True)
    assert opened(path).find("/") == []


def test_a_chained_url(written: Path) -> None:
    with fsspec.open(f"chukagentfs://sizes/4097::file://{written}") as file:
        assert file.read() == pattern(4097)
