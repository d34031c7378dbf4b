"""``chuk-fsspec audit``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.cli.main import main
from chuk_fsspec.wrappers.audit import AuditFileSystem, audit_context, read_head
from tests.audit.audit_logs import SUFFIXES, entry, write_log

COMMANDS: tuple[list[str], ...] = ([], ["verify"], ["show"], ["head"])


@pytest.fixture(params=SUFFIXES)
def log(request: pytest.FixtureRequest, tmp_path: Path, chukmem: MemoryFileSystem) -> str:
    path = str(tmp_path / f"audit{request.param}")
    fs = AuditFileSystem(fs=chukmem, log=path, actor="agent-7", session="run-12")
    fs.pipe_file("/reports/a.txt", b"12345")
    fs.cat_file("/reports/a.txt")
    with audit_context(actor="agent-8"):
        fs.mv("/reports/a.txt", "/archive")
        with pytest.raises(FileNotFoundError):
            fs.rm("/nothing")
    return path


def outcome(*arguments: str) -> int:
    try:
        return main(["audit", *arguments])
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "audit")
def test_every_help_ends_with_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(*command, "--help") == 0
    text = capsys.readouterr().out
    assert text.startswith(" ".join(["usage: chuk-fsspec audit", *command]))
    assert re.search(rf"example:\n(  .*\n)*  {' '.join(['chuk-fsspec audit', *command])}", text)
    assert max(map(len, text.splitlines())) <= 120


def test_verify_says_that_nothing_is_wrong(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("verify", log) == 0
    captured = capsys.readouterr()
    assert re.search(r"^\d+ records from 20\S+Z to 20\S+Z: nothing is wrong\nhead \d+:[0-9a-f]{64}\n$", captured.out)
    assert captured.err == ""


def test_verify_says_what_is_wrong_in_one_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.jsonl"
    write_log(path, 5).close()
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[1].replace("/f0", "/f9"), *lines[3:]]))
    assert outcome("verify", str(path)) == 1
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        f"chuk-fsspec: {path}: line 2: it was changed: its hash is not that of its content",
        f"chuk-fsspec: {path}: line 3: 1 record is missing before it",
    ]
    assert captured.out.endswith(": 2 problems\n")


def test_a_head_is_printed_and_expected(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("head", log) == 0
    head = capsys.readouterr().out
    assert head == f"{read_head(log)}\n"
    assert outcome("verify", log, "--expect", head) == 0
    other = head.replace(head[-5], "0" if head[-5] != "0" else "1")
    assert outcome("verify", log, "--expect", other) == 1
    assert outcome("verify", log, "--expect", "12") == 2


def test_a_key_is_named_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUDIT_KEY", "secret")
    path = str(tmp_path / "audit.jsonl")
    write_log(Path(path), 2, key_env="AUDIT_KEY").close()
    assert outcome("verify", path) == 1
    assert "sealed with a key" in capsys.readouterr().err
    assert outcome("verify", path, "--key-env", "AUDIT_KEY") == 0


def test_older_files_may_be_gone_on_purpose(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    write_log(path, 30, rotate_at=4000).close()
    (tmp_path / "audit.000001.jsonl").unlink()
    assert outcome("verify", str(path)) == 1
    assert outcome("verify", str(path), "--partial") == 0


def test_show_lists_records(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("show", log) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.search(r"^0  \S+Z  \S+  audit.start  -  allowed  version=1, ", lines[0])
    shown = r"^1  \S+Z  agent-7/run-12  pipe_file  /reports/a.txt  allowed  5 bytes written, etag none -> \S+$"
    assert re.search(shown, lines[1])
    assert any("agent-8/run-12  mv  /reports/a.txt -> /archive  allowed" in line for line in lines)
    assert lines[-1].endswith("rm  /nothing  failed (ENOENT)")


@pytest.mark.parametrize(
    ("options", "operations"),
    [
        (["--path", "/reports"], {"pipe_file", "cat_file", "mv"}),
        (["--path", "archive/", "--operation", "mv"], {"mv"}),
        (["--actor", "agent-7"], {"pipe_file", "cat_file"}),
        (["--session", "run-13"], set()),
        (["--decision", "failed"], {"rm"}),
        (["--since", "1h", "--operation", "cat_file"], {"cat_file"}),
        (["--since", "2100-01-01"], set()),
        (["--until", "2020-01-01T00:00Z"], set()),
        (["--until", "2100-01-01T00:00+02:00", "--operation", "cat_file"], {"cat_file"}),
    ],
)
def test_show_filters(options: list[str], operations: set[str], log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("show", log, "--json", *options) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {record["operation"] for record in records if record["effect"] != "list"} == operations


def test_json_is_what_stands_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.jsonl"
    write_log(path, 3).close()
    assert outcome("show", str(path), "--json") == 0
    assert capsys.readouterr().out == path.read_text()


def test_names_cannot_talk_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.jsonl"
    write_log(path, 0).add([entry(path="/\x1b[31mred\nline\udce9\u202e")])
    assert outcome("show", str(path)) == 0
    assert "/\\x1b[31mred\\nline\\udce9\\u202e" in capsys.readouterr().out


def test_show_ends_quietly_when_nobody_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    write_log(path, 2000).close()
    command = f"{sys.executable} -m chuk_fsspec audit show {path} | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "required: COMMAND (see chuk-fsspec audit --help)"),
        (["verify"], 2, "required: LOG (see chuk-fsspec audit verify --help)"),
        (["show", "x.jsonl", "--since", "soon"], 2, "'soon' is no time"),
        (["show", "x.jsonl", "--path", "/../x"], 2, "'..' climbs above the root"),
        (["verify", "/nonexistent.jsonl"], 1, "/nonexistent.jsonl: No such file"),
        (["head", "/nonexistent.db"], 1, "/nonexistent.db: No such file"),
        (["verify", "/etc/passwd"], 1, "must end in .jsonl"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(*arguments) == code
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_other_files_are_no_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("notes.jsonl", "notes.db"):
        (tmp_path / name).write_text("hello\n")
        assert outcome("verify", str(tmp_path / name)) == 1
        assert outcome("head", str(tmp_path / name)) == 1
        assert capsys.readouterr().err
