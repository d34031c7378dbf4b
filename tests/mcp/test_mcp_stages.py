"""Stages, snapshots and mounts: what a session begins, and how it ends."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_adapters.mcp import mcp_server
from tests.mcp.mcp_clients import Talker, talking_to
from tests.mcp.mcp_kinds import KINDS
from tests.mcp.mcp_talking import http_server, server_parameters


@pytest.fixture(params=["chuklocal", "chukmem", "chuksqlite"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return KINDS[request.param](tmp_path)


@pytest.fixture
def talker(files: Any) -> Iterator[Talker]:
    with talking_to(mcp_server(files)) as talker:
        yield talker


def contents(files: Any) -> dict[str, bytes]:
    return {path: files.cat_file(path) for path in files.find("/")}


# ---- stages


def test_a_stage_is_committed(files: Any, talker: Talker):
    files.pipe({"/kept": b"one\n", "/gone": b"x"})
    talker.call("begin_stage")
    assert "EBUSY" in talker.refused("begin_stage")
    talker.call("write_file", path="/new", content="new\n")
    talker.call("edit_file", path="/kept", edits=[{"oldText": "one", "newText": "two"}])
    talker.call("delete_file", path="/gone")
    assert talker.call("read_text_file", path="/kept") == "two\n"
    assert talker.call("grep_files", path="/", pattern="two", outputMode="files") == "/kept"
    assert contents(files) == {"/kept": b"one\n", "/gone": b"x"}
    facts = talker.facts("diff_stage", text=True)
    assert facts["summary"] == "1 added, 1 removed, 1 modified"
    assert "-one\n+two" in facts["content"]
    assert talker.facts("diff_stage", path="/new")["summary"] == "1 added"
    assert "Committed" in talker.call("commit_stage")
    assert contents(files) == {"/kept": b"two\n", "/new": b"new\n"}
    assert "no stage is open" in talker.refused("diff_stage")


def test_a_stage_is_aborted(files: Any, talker: Talker):
    talker.call("begin_stage")
    talker.call("write_file", path="/f", content="x")
    assert talker.call("abort_stage") == "Dropped: 1 added. The stage is over"
    assert files.find("/") == []
    assert "ENOENT" in talker.refused("read_text_file", path="/f")


def test_a_part_of_a_stage_is_committed(files: Any, talker: Talker):
    talker.call("begin_stage")
    talker.call("write_file", path="/a", content="a")
    talker.call("write_file", path="/b", content="b")
    assert "goes on" in talker.call("commit_stage", paths=["/a"])
    assert files.find("/") == ["/a"]
    assert talker.facts("diff_stage")["summary"] == "1 added"


def test_a_commit_never_undoes_what_others_did(files: Any, talker: Talker):
    files.pipe_file("/f", b"one")
    talker.call("begin_stage")
    talker.call("write_file", path="/f", content="mine")
    files.pipe_file("/f", b"theirs")
    refused = talker.refused("commit_stage")
    assert "/f was changed" in refused
    assert "still open" in refused
    assert files.cat_file("/f") == b"theirs"
    assert talker.call("read_text_file", path="/f") == "mine"


@pytest.mark.mount
def test_a_stage_of_directories_of_this_machine(tmp_path: Path):
    """Over stdio, as clients start it: staged, worked on by a program, committed."""
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "file"
    file.write_text("one\n")
    with talking_to(server_parameters(tmp_path)) as talker:
        talker.call("begin_stage")
        talker.call("write_file", path=str(tmp_path / "new"), content="new\n")
        point = talker.facts("mount_workspace")["path"]
        [mounted] = Path(point).rglob("deep/file")
        subprocess.run(["sed", "-i", "s/one/two/", mounted.name], cwd=mounted.parent, check=True)
        assert sorted(os.listdir(tmp_path)) == ["deep"]
        assert "-one\n+two" in talker.call("diff_stage", text=True)
        talker.call("commit_stage")
        assert file.read_text() == "two\n"
        point = talker.facts("mount_workspace")["path"]
    assert not os.path.exists(point)
    assert sorted(os.listdir(tmp_path)) == ["deep", "new"]


def test_stages_of_sessions_are_apart(files: Any):
    server = mcp_server(files)
    with talking_to(server) as one, talking_to(server) as other:
        one.call("begin_stage")
        one.call("write_file", path="/f", content="one's")
        assert "ENOENT" in other.refused("read_text_file", path="/f")
    assert files.find("/") == []


def test_clients_that_nothing_tells_apart_have_no_stage(tmp_path: Path):
    with http_server(tmp_path) as url, talking_to(url) as talker:
        assert "no session of its own" in talker.refused("begin_stage")


# ---- snapshots


def test_snapshots(files: Any, talker: Talker):
    files.pipe({"/kept": b"one\n", "/dir/gone": b"x"})
    assert "snapshot before." in talker.call("create_snapshot", name="before", description="the first")
    assert "EEXIST" in talker.refused("create_snapshot", name="before")
    talker.call("write_file", path="/kept", content="two\n")
    talker.call("delete_file", path="/dir", recursive=True)
    talker.call("write_file", path="/new", content="new")
    talker.call("create_snapshot", name="after")
    listed = talker.call("list_snapshots").splitlines()
    assert [line.split()[0] for line in listed] == ["after", "before"]
    assert listed[1].endswith("the first")
    facts = talker.facts("diff_snapshots", before="before", after="after", text=True)
    assert facts == talker.facts("diff_snapshots", before="before", text=True)
    assert "-one\n+two" in facts["content"]
    assert "D /dir/gone" in facts["content"]
    assert talker.facts("diff_snapshots", before="before", path="/new")["summary"] == "1 added"
    assert "modified" in talker.facts("restore_snapshot", name="before", dryRun=True)["summary"]
    assert files.cat_file("/kept") == b"two\n"
    talker.call("restore_snapshot", name="before", paths=["/dir"])
    assert contents(files) == {"/dir/gone": b"x", "/kept": b"two\n", "/new": b"new"}
    talker.call("restore_snapshot", name="before")
    assert contents(files) == {"/dir/gone": b"x", "/kept": b"one\n"}
    talker.call("delete_snapshot", name="before")
    assert "ENOENT" in talker.refused("restore_snapshot", name="before")


def test_snapshots_are_of_what_is_committed(files: Any, talker: Talker):
    talker.call("begin_stage")
    assert "EBUSY" in talker.refused("create_snapshot", name="s")
    assert "EBUSY" in talker.refused("restore_snapshot", name="s")


def test_snapshots_keep_to_what_is_allowed(files: Any):
    files.pipe({"/in/file": b"one", "/out/file": b"one"})
    with talking_to(mcp_server(files, "/in")) as talker:
        talker.call("create_snapshot", name="s")
        files.pipe({"/in/file": b"two", "/out/file": b"two"})
        assert talker.facts("diff_snapshots", before="s")["summary"] == "1 modified"
        assert "Access denied" in talker.refused("restore_snapshot", name="s", paths=["/out"])
        talker.call("restore_snapshot", name="s")
    assert contents(files) == {"/in/file": b"one", "/out/file": b"two"}


def test_snapshots_of_several_directories(tmp_path: Path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("one")
    with talking_to(server_parameters(tmp_path / "a", tmp_path / "b")) as talker:
        talker.call("create_snapshot", name="s")
        for name in ("a", "b", "c"):
            (tmp_path / name / "file").write_text("two")
        assert talker.facts("diff_snapshots", before="s")["summary"] == "2 modified"
        talker.call("restore_snapshot", name="s")
    assert [(tmp_path / name / "file").read_text() for name in ("a", "b", "c")] == ["one", "one", "two"]


# ---- mounts


@pytest.mark.mount
def test_programs_run_in_the_workspace(files: Any):
    files.pipe_file("/in/script", b"#!/bin/sh\ncat data > result\n")
    files.pipe_file("/out/file", b"canary")
    with talking_to(mcp_server(files, "/in")) as talker:
        point = talker.facts("mount_workspace")["path"]
        assert "EBUSY" in talker.refused("mount_workspace")
        talker.call("write_file", path="/in/data", content="42")
        [script] = Path(point).rglob("script")
        subprocess.run(["sh", script.name], cwd=script.parent, check=True)
        assert talker.call("read_text_file", path="/in/result") == "42"
        assert not list(Path(point).rglob("out"))
        talker.call("unmount_workspace")
        assert not os.path.exists(point)
        assert "not mounted" in talker.refused("unmount_workspace")
        point = talker.facts("mount_workspace")["path"]
    assert not os.path.exists(point)
    assert files.cat_file("/in/result") == b"42"


@pytest.mark.mount
def test_programs_run_in_a_stage(files: Any, talker: Talker):
    talker.call("begin_stage")
    point = talker.facts("mount_workspace")["path"]
    Path(point, "made").write_text("by a program")
    assert talker.call("read_text_file", path="/made") == "by a program"
    assert files.find("/") == []
    assert "its mount is taken down" in talker.call("commit_stage")
    assert files.cat_file("/made") == b"by a program"
    assert not os.path.exists(point)
