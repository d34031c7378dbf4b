"""The audit trail: every call on record, without content, in a log that can be checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chuk_adapters.mcp import mcp_server
from chuk_adapters.mcp.audit import Trail
from chuk_fsspec.cli.main import main
from chuk_fsspec.wrappers.audit import read_records, verify
from tests.mcp.mcp_clients import talking_to
from tests.mcp.mcp_talking import server_parameters


@pytest.mark.parametrize("ending", [".jsonl", ".db"])
def test_every_call_is_on_record(chukmem: Any, tmp_path: Path, ending: str):
    log = str(tmp_path / f"audit{ending}")
    with talking_to(mcp_server(chukmem, audit=Trail(log, "agent"))) as talker:
        talker.call("write_file", path="/f", content="a secret")
        talker.call("edit_file", path="/f", edits=[{"oldText": "a secret", "newText": "another secret"}])
        talker.call("grep_files", path="/", pattern="another", include="*")
        talker.call("move_file", source="/f", destination="/g")
        talker.refused("read_text_file", path="/f")
        talker.refused("delete_file", path="/", recursive=True)
        talker.refused("no_such_tool", path="/f")
    entries = [record.entry for record in read_records(log)][1:]
    assert [(one.operation, one.effect, one.decision, one.path, one.path2, one.error) for one in entries] == [
        ("mcp.write_file", "write", "allowed", "/f", None, None),
        ("mcp.edit_file", "write", "allowed", "/f", None, None),
        ("mcp.grep_files", "read", "allowed", "/", None, None),
        ("mcp.move_file", "rename", "allowed", "/f", "/g", None),
        ("mcp.read_text_file", "read", "failed", "/f", None, "ENOENT"),
        ("mcp.delete_file", "delete", "failed", "/", None, "EBUSY"),
        ("mcp.no_such_tool", "read", "refused", "/f", None, "ToolError"),
    ]
    assert entries[0].detail == {"content length": 8}
    assert entries[2].detail == {"pattern": "another", "include": "*"}
    assert all("secret" not in str(entry) for entry in entries)
    assert not verify(log).problems


def test_what_cannot_be_recorded_is_not_done(chukmem: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    trail = Trail(str(tmp_path / "audit.jsonl"))

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trail, "check_ready", full)
    with talking_to(mcp_server(chukmem, audit=trail)) as talker:
        assert "cannot be recorded" in talker.refused("write_file", path="/f", content="x")
    assert not chukmem.exists("/f")


def test_the_command_keeps_a_log(tmp_path: Path):
    log = tmp_path / "audit.jsonl"
    work = tmp_path / "work"
    work.mkdir()
    with talking_to(server_parameters(work, "--audit", log, "--read-only")) as talker:
        assert "EROFS" in talker.refused("write_file", path=str(work / "f"), content="x")
        assert "Access denied" in talker.refused("read_text_file", path="/etc/passwd")
        talker.call("list_directory", path=str(work))
    assert main(["audit", "verify", str(log)]) == 0
    decisions = [record.entry.decision for record in read_records(str(log))][1:]
    assert decisions == ["refused", "refused", "allowed"]
