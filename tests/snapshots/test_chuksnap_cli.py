"""``chuk-fsspec snapshot``."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.cli.main import main

COMMANDS = ("create", "list", "delete", "prune", "verify", "log", "diff", "restore")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "project"
    (directory / "src").mkdir(parents=True)
    (directory / "a.txt").write_text("one\n")
    (directory / "src" / "run").write_text("x")
    (directory / "src" / "run").chmod(0o755)
    (directory / "link").symlink_to("a.txt")
    return directory


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    store = [] if "--help" in arguments else ["--store", "snapshots"]
    assert main(["snapshot", *arguments, *store]) == code
    said = capsys.readouterr()
    return said.out if code == 0 else said.err


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, *arguments, "--json"))


def run_json_lines(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Any]:
    return [json.loads(line) for line in run(capsys, *arguments, "--json").splitlines()]


def test_to_the_past_and_back(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "3 files, 5 bytes" in run(capsys, "create", "project", "before", "--description", "it works")
    (project / "a.txt").write_text("two\n")
    (project / "src" / "run").chmod(0o644)
    (project / "new").write_text("n")
    said = run(capsys, "diff", "project", "before", "--text")
    assert "M /a.txt" in said
    assert "mode 755 -> 644" in said
    assert "-one\n+two\n" in said
    assert said == run(capsys, "diff", f"file://{project}", "before", "--text")
    found = run_json(capsys, "restore", "project", "before", "--dry-run")
    assert {(one["kind"], one["path"]) for one in found["changes"]} == {
        ("modified", "/a.txt"),
        ("removed", "/new"),
        ("attributes", "/src/run"),
    }
    assert (project / "new").exists()
    run(capsys, "restore", "project", "before", "/src")
    assert (project / "src" / "run").stat().st_mode & 0o777 == 0o755
    assert (project / "new").exists()
    assert run_json(capsys, "restore", "project", "before") == {"restored": "before", "paths": []}
    assert (project / "a.txt").read_text() == "one\n"
    assert not (project / "new").exists()
    assert (project / "link").is_symlink()
    assert run(capsys, "diff", "project", "before") == "nothing changed\n"


def test_coming_and_going(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("snapshots").mkdir()
    assert run(capsys, "list", "project") == "there are no snapshots yet\n"
    assert run_json(capsys, "create", "project", "one")["files"] == 3
    (project / "a.txt").write_text("changed")
    created = run_json(capsys, "create", "project")
    assert created["name"].startswith("20")
    assert [one["name"] for one in run_json_lines(capsys, "list", "project")] == ["one", created["name"]]
    assert [one["summary"] for one in run_json_lines(capsys, "log", "project")] == ["1 modified", None]
    assert "the first" in run(capsys, "log", "project")
    assert run_json(capsys, "prune", "project", "--keep-last", "1", "--dry-run")["deleted"] == ["one"]
    assert run(capsys, "prune", "project", "--keep-last", "1").startswith("deleted one")
    assert run(capsys, "prune", "project", "--keep-last", "1") == "nothing to delete\n"
    assert run(capsys, "verify", "project", "--deep") == "1 snapshot: nothing is damaged\n"
    assert run_json(capsys, "delete", "project", created["name"]) == {"deleted": [created["name"]]}


def test_damage(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "create", "project", "one")
    [pack] = Path("snapshots/packs").iterdir()
    pack.write_bytes(pack.read_bytes().replace(b"one\n", b"One\n"))
    assert "one: /a.txt: its content is damaged" in run(capsys, "verify", "project", "--deep", code=1)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["create", "project", "two"], "read 7 bytes"),
        (["restore", "project", "one"], "restored 4 bytes"),
        (["verify", "project", "--deep"], "read "),
    ],
)
def test_progress_on_a_terminal(
    arguments: list[str], shown: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "create", "project", "one")
    (project / "a.txt").write_text("changed")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "chuk_fsspec", "snapshot", *arguments, "--store", "snapshots"]
    subprocess.run(command, stderr=theirs, stdout=subprocess.DEVNULL, check=True)
    written = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(theirs)
    assert written.startswith(f"\r{shown}")
    assert written.endswith("\r\033[K"), "it is gone in the end"


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["log"], ["verify"], ["diff", "one"], ["restore", "one"], ["delete", "one"], ["prune", "--keep-last=1"]],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.parametrize("store", ["typo", "file://{here}/typo", "other", "chuksqlite:///s::file://{here}/typo.db"])
def test_a_store_that_is_not_there_is_named(
    arguments: list[str], store: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "create", "project", "one")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    before = sorted(tmp_path.iterdir())
    command, *more = arguments
    store = store.format(here=tmp_path)
    assert main(["snapshot", command, "project", *more, "--store", store]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "typo" in said.err or "--store other: there is no store of snapshots" in said.err
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_is_made_where_a_store_would_hold_itself(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link").symlink_to("project")
    before = sorted(project.rglob("*"))
    for store in ("project/new", "project", f"file://{project}/src/deep/store", "link/new"):
        for source in ("project", str(project), f"file://{project}", "link"):
            assert main(["snapshot", "create", source, "one", "--store", store]) == 1
            assert "the store lies inside of what it is to hold" in capsys.readouterr().err
            assert sorted(project.rglob("*")) == before


def test_nothing_is_verified_in_an_empty_store(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("snapshots").mkdir()
    assert "nothing was verified" in run(capsys, "verify", "project", code=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["restore", "project", "nothing"], "no snapshot has this name; there is known"),
        (["create", "project", "a/b"], "cannot be a file name"),
        (["create", "chukmem://", "one"], "give a URL that lasts"),
        (["prune", "project"], "say what to keep"),
        (["create", ".", "one"], "snapshots: Invalid argument: the store lies inside"),
        (["list", "chuklocall:///x"], "did you mean chuklocal"),
    ],
)
def test_what_is_wrong_is_said(
    arguments: list[str], said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "create", "project", "known")
    assert said in run(capsys, *arguments, code=1)


def test_without_a_store(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshot", "list", "project"]) == 1
    assert "say where to keep them with --store" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["snapshot", command, "--help"])
    assert f"chuk-fsspec snapshot {command} " in capsys.readouterr().out
