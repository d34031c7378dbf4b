"""``--json``: every command has it, and speaks JSON Lines on standard output and standard error."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from chuk_fsspec import AuditFileSystem
from tests.cli.commands import all_commands, outcome
from tests.cli.test_buckets import VERBS

HERE = "chuksqlite:///::file://{here}/w.db"
LINES: dict[str, str] = {
    "ls": "tree",
    "tree": "tree",
    "find": "tree",
    "du": "tree",
    "stat": "tree/f",
    "cat": "tree/f",
    "head": "tree/f",
    "tail": "tree/f",
    "grep": "-r text tree",
    "cp": "tree/f copied",
    "mv": "tree/f moved",
    "rm": "tree/f",
    "mkdir": "made",
    "put": "-r tree chuksqlite:///put::file://{here}/w.db",
    "get": "tree/f got",
    "sync": "tree synced",
    "edit": "tree/f",
    "serve passwd": "users.txt alice --password-file tree/f",
    "run": "--on tree --discard -- touch new",
    "export": "tree tree.tar",
    "import": "made.tar chuksqlite:///imported::file://{here}/w.db",
    "doctor": "",
    "completion": "bash",
    "audit verify": "audit.jsonl",
    "audit show": "audit.jsonl",
    "audit head": "audit.jsonl",
    "sqlite check": "w.db",
    "sqlite size": "w.db",
    "sqlite vacuum": "w.db",
    "sqlite export": f"agentfs {HERE} new.db",
    "sqlite import": "agentfs agent.db chuksqlite:///agent::file://{here}/w.db",
    "snapshot create": "tree two --store kept",
    "snapshot list": "tree --store kept",
    "snapshot delete": "tree one --store kept",
    "snapshot prune": "tree --keep-last 1 --dry-run --store kept",
    "snapshot verify": "tree --store kept",
    "snapshot log": "tree --store kept",
    "snapshot diff": "tree one --store kept",
    "snapshot restore": "tree one --dry-run --store kept",
    "template apply": "template.json applied",
    "template make": "tree made.json",
    "template show": "template.json",
    "template check": "template.json",
    "template list": ".",
}
"""What each command is tried with."""

BUCKETS = {f"{name} {verb}" for name in ("s3", "gcs") for verb in VERBS}
ELSEWHERE = frozenset(("mount", "umount", "serve webdav", "mcp", "gdrive login", *BUCKETS))
"""They need a mount (test_mounting_speaks_json) or a service, or go on until they are ended: other rooms try them."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with all that the commands work on."""
    directory = tmp_path_factory.mktemp("prepared")
    (directory / "tree").mkdir()
    (directory / "tree" / "f").write_text("text\n")
    (directory / "template.json").write_text('{"name": "t", "files": [{"path": "a", "content": "b"}]}')
    AuditFileSystem(target_protocol="memory", log=str(directory / "audit.jsonl")).pipe_file("/audited", b"x")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        for line in (
            "put tree/f chuksqlite:///f::file://{here}/w.db",
            "export tree made.tar",
            f"sqlite export agentfs {HERE} agent.db",
        ):
            assert outcome(*line.format(here=directory).split()) == 0
    return directory


@pytest.fixture(autouse=True)
def here(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Path:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISUAL", "true")
    assert outcome("snapshot", "create", "tree", "one", "--store", "kept") == 0
    capfd.readouterr()
    return tmp_path


def test_every_command_is_tried() -> None:
    assert set(all_commands()) == {*LINES, *ELSEWHERE}
    for name, parser in all_commands().items():
        text = parser.format_help()
        assert "--json" in text, name
        assert f"chuk-fsspec {name}" in text.partition("example:\n")[2], name
        assert max(map(len, text.splitlines())) <= 120, name


@pytest.mark.parametrize("command", LINES)
def test_what_it_says_is_one_object_on_each_line(command: str, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if command in ("run", "doctor") and not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("needs /dev/fuse")
    words = LINES[command].format(here=here).split()
    assert outcome(*command.split(), "--json", *words) == 0
    told = capfd.readouterr()
    lines = (told.err if command == "run" else told.out).splitlines()
    assert lines
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert (told.out if command == "run" else told.err) == ""


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("cat none", 1), ("ls none tree/none", 1), ("rm none", 1), ("cp none x", 1), ("grep x none", 2), ("rm -r /", 1),
        ("snapshot list tree", 1), ("sqlite check none", 1), ("export none x.tar", 1), ("audit head none", 1),
        ("ls --no-such-option", 2), ("no-such-command", 2), ("ls chukmen://x", 1), ("mount chukmem:// none", 1),
    ],
)  # fmt: skip
def test_problems_are_objects_too(line: str, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert outcome(*line.split(), "--json") == code
    told = capfd.readouterr()
    assert told.out == ""
    problems = [json.loads(one) for one in told.err.splitlines()]
    assert len(problems) == line.count("none") or len(problems) == 1
    assert all(problem["error"] for problem in problems)
    if line.startswith(("cat", "ls none", "rm none", "cp")):
        assert all((problem["errno"], problem["path"][:1]) == ("ENOENT", "/") for problem in problems)


def test_names_that_are_no_text_pass_through(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"caf\xe9 \xff\n")
    (here / "tree" / name).write_text("x")
    assert outcome("ls", "--json", "tree") == 0
    found = [json.loads(line)["path"] for line in capfd.readouterr().out.splitlines()]
    assert f"tree/{name}" in found


def test_standard_input_is_a_source_too(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abc")))
    assert outcome("cp", "--json", "-", "piped") == 0
    assert json.loads(capfd.readouterr().out) == {"source": "-", "target": "piped", "files": 1, "bytes": 3}


@pytest.mark.mount
def test_mounting_speaks_json(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "point").mkdir()
    assert outcome("mount", "--json", "chukmem://", str(here / "point")) == 0
    mounted = json.loads(capfd.readouterr().out)
    assert (mounted["mounted"], mounted["source"], mounted["volatile"]) == (f"{here}/point", "chukmem://", True)
    assert outcome("umount", "--json", str(here / "point")) == 0
    assert json.loads(capfd.readouterr().out) == {"unmounted": f"{here}/point", "written_back": True}
