"""Appending, copying, removing and reading lines; changes on conditions, and dry runs."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from chuk_adapters.mcp import mcp_server
from chuk_adapters.mcp.contents import file_info
from chuk_adapters.mcp.workspace import Limits
from tests.mcp.mcp_clients import Talker, talking_to
from tests.mcp.mcp_kinds import KINDS, plain


@pytest.fixture(params=sorted(KINDS))
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return KINDS[request.param](tmp_path)


@pytest.fixture
def talker(files: Any) -> Iterator[Talker]:
    with talking_to(mcp_server(files)) as talker:
        yield talker


# ---- append_file


def test_appends(files: Any, talker: Talker):
    assert talker.call("append_file", path="/log", content="one\n") == "Successfully appended 4 bytes to /log"
    talker.call("append_file", path="/log", content="zwei\u00e9\n")
    etag = talker.facts("read_lines", path="/log")["etag"]
    assert files.cat_file("/log") == "one\nzwei\u00e9\n".encode()
    assert "ESTALE" in talker.refused("append_file", path="/log", content="x", ifMatch="other")
    talker.call("append_file", path="/log", content="three", ifMatch=etag)
    assert files.cat_file("/log").endswith(b"\nthree")


def test_appends_to_files_alone(talker: Talker):
    talker.call("create_directory", path="/dir")
    assert "EISDIR" in talker.refused("append_file", path="/dir", content="x")
    assert "ENOENT" in talker.refused("append_file", path="/none/file", content="x")


# ---- copy_file


def test_copies_a_file(files: Any, talker: Talker):
    files.pipe_file("/a", b"content")
    talker.call("copy_file", source="/a", destination="/b")
    assert files.cat_file("/b") == b"content"
    files.pipe_file("/a", b"new")
    assert talker.refused("copy_file", source="/a", destination="/b") == "Destination already exists: /b"
    assert "Would copy" in talker.call("copy_file", source="/a", destination="/b", overwrite=True, dryRun=True)
    assert files.cat_file("/b") == b"content"
    talker.call("copy_file", source="/a", destination="/b", overwrite=True)
    assert files.cat_file("/b") == b"new"


def test_copies_a_tree_as_a_whole(files: Any, talker: Talker):
    files.pipe({"/tree/file": b"1", "/tree/deep/er/file": b"22"})
    files.makedirs("/tree/empty")
    files.posix.symlink("../file", "/tree/deep/link")
    copied = talker.call("copy_file", source="/tree", destination="/copy")
    assert copied == "Successfully copied /tree to /copy: 3 files, 3 directories, 3 bytes"
    assert files.posix.readlink("/copy/deep/link") == "../file"
    assert files.find("/copy", withdirs=True) == [
        path.replace("/tree", "/copy") for path in files.find("/tree", withdirs=True)
    ]
    refused = talker.refused("copy_file", source="/tree", destination="/copy", overwrite=True)
    assert refused == "Destination already exists: /copy"
    assert "into itself" in talker.refused("copy_file", source="/tree", destination="/tree/deep/copy")
    assert "ENOENT" in talker.refused("copy_file", source="/none", destination="/other")


@pytest.mark.parametrize("kind", ["chukmem", "plain"])
def test_a_copy_that_fails_leaves_nothing(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = plain(tmp_path) if kind == "plain" else KINDS[kind](tmp_path)
    files.pipe({"/tree/a/1": b"1", "/tree/b/2": b"2", "/tree/c/3": b"3"})

    def copy(source: str, target: str, **options: Any) -> None:
        if source.endswith("3"):
            raise OSError(errno.ENOSPC, "No space left on device", target)
        files.pipe_file(target, files.cat_file(source))

    with talking_to(mcp_server(files)) as talker:
        with monkeypatch.context() as patch:
            patch.setattr(type(files), "cp_file", lambda _, *paths, **options: copy(*paths, **options))
            assert "ENOSPC" in talker.refused("copy_file", source="/tree", destination="/copy")
        assert files.ls("/", detail=False) == ["/tree"]
        talker.call("copy_file", source="/tree", destination="/copy")
    assert sorted(files.find("/copy")) == ["/copy/a/1", "/copy/b/2", "/copy/c/3"]


# ---- delete_file


def test_deletes(files: Any, talker: Talker):
    files.pipe({"/dir/file": b"1", "/dir/deep/file": b"22"})
    files.posix.symlink("dir", "/link")
    assert "ENOTEMPTY" in talker.refused("delete_file", path="/dir")
    dry = talker.call("delete_file", path="/dir", recursive=True, dryRun=True)
    assert dry == "Would delete /dir: 2 files, 1 directories, 3 bytes"
    assert "EBUSY" in talker.refused("delete_file", path="/", recursive=True)
    talker.call("delete_file", path="/link")
    assert files.isfile("/dir/file")
    talker.call("delete_file", path="/dir", recursive=True)
    assert files.ls("/", detail=False) == []
    assert "ENOENT" in talker.refused("delete_file", path="/dir")


# ---- conditions


def test_changes_are_made_to_what_was_seen(files: Any, talker: Talker):
    etag = talker.facts("write_file", path="/f", content="one")["etag"]
    assert f"etag: {etag}" in talker.call("get_file_info", path="/f")
    newer = talker.facts("write_file", path="/f", content="two", ifMatch=etag)["etag"]
    assert newer != etag
    edits = [{"oldText": "two", "newText": "three"}]
    for tool, arguments in (
        ("write_file", {"content": "lost"}),
        ("write_file", {"content": "lost", "dryRun": True}),
        ("edit_file", {"edits": edits}),
        ("edit_file", {"edits": edits, "dryRun": True}),
        ("append_file", {"content": "lost"}),
        ("delete_file", {}),
    ):
        refused = talker.refused(tool, path="/f", ifMatch=etag, **arguments)
        assert etag in refused
        assert newer in refused
        assert "Read it again" in refused
    refused = talker.refused("move_file", source="/f", destination="/g", ifMatch=etag)
    assert etag in refused
    assert newer in refused
    assert files.cat_file("/f") == b"two"
    newest = talker.facts("edit_file", path="/f", edits=edits, ifMatch=newer)["etag"]
    talker.call("move_file", source="/f", destination="/g", ifMatch=newest)
    etag = talker.facts("read_lines", path="/g")["etag"]
    talker.call("delete_file", path="/g", ifMatch=etag)
    assert not files.exists("/f")


def test_nothing_is_written_where_something_was_to_be(talker: Talker):
    assert "it is not there" in talker.refused("write_file", path="/none", content="x", ifMatch="some")


def test_dry_runs_change_nothing(files: Any, talker: Talker):
    files.pipe_file("/f", b"old")
    assert talker.call("write_file", path="/f", content="newer", dryRun=True) == "Would replace /f: 3 bytes by 5 bytes"
    assert talker.call("write_file", path="/g", content="new", dryRun=True) == "Would create /g with 3 bytes"
    assert talker.call("move_file", source="/f", destination="/h", dryRun=True) == "Would move file /f to /h"
    assert talker.refused("move_file", source="/f", destination="/f", dryRun=True).startswith("Destination already")
    assert files.find("/") == ["/f"]
    assert files.cat_file("/f") == b"old"


def test_parents_are_made_where_asked_for(files: Any, talker: Talker):
    assert "ENOENT" in talker.refused("write_file", path="/a/b/c", content="x")
    talker.call("write_file", path="/a/b/c", content="x", createParents=True)
    assert "ENOENT" in talker.refused("move_file", source="/a/b/c", destination="/d/e/f")
    talker.call("move_file", source="/a/b/c", destination="/d/e/f", createParents=True)
    assert files.cat_file("/d/e/f") == b"x"


# ---- read_lines


def test_reads_lines(files: Any, talker: Talker):
    files.pipe_file("/f", b"".join(b"line %d\r\n" % number for number in range(1, 11)))
    facts = talker.facts("read_lines", path="/f", offset=3, limit=2)
    assert facts["content"].splitlines()[:2] == ["line 3", "line 4"]
    assert facts["truncated"]
    assert facts["next_offset"] == 5
    assert talker.facts("read_lines", path="/f", offset=9)["content"] == "line 9\nline 10"
    assert talker.call("read_lines", path="/f", offset=11) == "[/f ends before line 11]"
    files.pipe_file("/binary", b"\0\1\2")
    assert "Not a text file" in talker.refused("read_lines", path="/binary")


def test_reads_a_line_of_any_length(files: Any):
    files.pipe_file("/f", b"first\n" + b"x" * 5_000 + b"\nlast")
    with talking_to(mcp_server(files, limits=Limits(characters=2_000))) as talker:
        found, arguments = "", {"offset": 2, "limit": 1, "column": 1}
        while True:
            facts = talker.facts("read_lines", path="/f", **arguments)
            found += facts["content"].partition("\n")[0]
            if "column=" not in facts["content"]:
                break
            arguments["column"] = int(facts["content"].rpartition("column=")[2].rstrip("]"))
        assert found == "x" * 5_000
        assert talker.facts("read_lines", path="/f")["next_offset"] == 2


# ---- long work


def test_long_work_tells_how_far_it_is(files: Any, talker: Talker):
    files.pipe({f"/tree/{number:04}": b"x" for number in range(400)})
    heard: list[tuple[float, str | None]] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message))

    async def copy() -> Any:
        arguments = {"source": "/tree", "destination": "/copy"}
        return await talker.client.call_tool("copy_file", arguments, progress_callback=told)

    assert not talker.portal.call(copy).is_error
    assert len(files.find("/copy")) == 400
    assert heard
    assert [done for done, _ in heard] == sorted({done for done, _ in heard})
    assert all(message is not None and message.endswith("files copied") for _, message in heard)


def test_work_that_is_cancelled_stops_and_leaves_nothing(files: Any, talker: Talker, monkeypatch: pytest.MonkeyPatch):
    files.pipe({f"/tree/{number:05}": b"x" for number in range(1_000)})
    begun = anyio.Event()

    def take_time(*arguments: Any) -> Any:
        time.sleep(0.02)
        return file_info(*arguments)

    monkeypatch.setattr("chuk_adapters.mcp.copying.file_info", take_time)

    async def told(progress: float, total: float | None, message: str | None) -> None:
        begun.set()

    async def copy() -> None:
        arguments = {"source": "/tree", "destination": "/copy"}
        async with anyio.create_task_group() as tasks:

            async def call() -> None:
                await talker.client.call_tool("copy_file", arguments, progress_callback=told)

            tasks.start_soon(call)
            await begun.wait()
            tasks.cancel_scope.cancel()

    talker.portal.call(copy)
    # The lock of the destination is free once the work has stopped.
    talker.call("write_file", path="/copy", content="free")
    assert files.ls("/", detail=False) == ["/copy", "/tree"]
