"""``chuk-fsspec template``."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import fsspec
import pytest

from chuk_fsspec.cli.main import main
from tests.templates.template_kinds import contents

STARTER = """
name: starter
description: A small project
variables:
  project: {description: its name}
  title: Untitled
directories: [empty]
files:
- path: ${project}/README.md
  content: "# ${title}\\n"
- {path: run.sh, content_from: run.sh, verbatim: true, mode: "0755"}
links:
- {path: latest, target: "${project}/README.md"}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a template file, which is the current one."""
    (tmp_path / "starter.yaml").write_text(STARTER)
    (tmp_path / "run.sh").write_text("echo ${HOME}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    try:
        return main(["template", *arguments])
    except SystemExit as end:
        return int(end.code or 0)


def says(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(*arguments) == code
    told = capsys.readouterr()
    assert (told.err == "") == (code == 0), told.err
    return told.err if code else told.out


@pytest.mark.parametrize("command", ["", "apply", "show", "check", "list", "make"])
def test_every_help_ends_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = says(capsys, *filter(None, (command, "--help")))
    assert re.search(rf"example:\n(  .*\n)*  chuk-fsspec template {command}", text)
    assert max(map(len, text.splitlines())) <= 120


def test_a_template_is_applied(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = says(capsys, "apply", "starter.yaml", "out", "--set", "project=demo", "--set", "title=a=b")
    assert told == "made 3 directories, 2 files, 1 links, 19 bytes\n"
    assert (here / "out/latest").read_text() == "# a=b\n"
    assert (here / "out/run.sh").read_text() == "echo ${HOME}\n"
    assert os.access(here / "out/run.sh", os.X_OK)
    told = says(capsys, "apply", "starter.yaml", "out", "--set", "project=demo", "--on-existing", "replace")
    assert "note: 3 took the place of older ones" in told
    told = says(capsys, "apply", "starter.yaml", "out", "--set", "project=demo", "--on-existing", "keep", "--json")
    assert json.loads(told)["kept"] == 3


def test_a_template_is_applied_to_any_filesystem(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "values.toml").write_text('project = "from a file"\ntitle = 3\n')
    says(capsys, "apply", "starter.yaml", f"chuksqlite://app::file://{here}/w.db", "--values", "values.toml")
    fs = fsspec.filesystem("chuksqlite", database=f"{here}/w.db")
    assert fs.cat_file("/app/from a file/README.md") == b"# 3\n"
    says(capsys, "make", f"chuksqlite://app::file://{here}/w.db", "again.json")
    says(capsys, "apply", "again.json", "chuksqlite:///again", "-o", f"database={here}/w.db")
    assert contents(fs, "/again") == contents(fs, "/app")


def test_a_dry_run_lists_and_makes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("apply", "starter.yaml", "out", "--set", "project=demo", "--dry-run")
    lines = says(capsys, *arguments).splitlines()
    assert lines[0] == f"make    {here}/out"
    assert f"write   {here}/out/demo/README.md" in lines
    assert f"link    {here}/out/latest" in lines
    assert {"action": "make", "path": f"{here}/out/empty"} in json.loads(says(capsys, *arguments, "--json"))["actions"]
    assert not (here / "out").exists()
    assert "make    /x/empty" in says(capsys, "apply", "starter.yaml", "chukmem://x", "--set", "project=x", "-n")


def test_what_is_missing_is_listed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = says(capsys, "apply", "starter.yaml", "out", code=1)
    assert told.startswith("chuk-fsspec: variables without a value: project (its name)")
    assert not (here / "out").exists()
    says(capsys, "apply", "starter.yaml", "out", "--loose")
    assert (here / "out/${project}/README.md").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["apply", "starter.yaml", "out", "--set", "projct=x"], "the template has no projct; did you mean project?"),
        (["apply", "starter.yaml", "chukmem://", "--set", "project=x"], "would end with this command"),
        (["apply", "missing.yaml", "out"], "missing.yaml: No such file or directory"),
        (["apply", "missing", "out"], "missing: No such file or directory"),
        (["show", "chukmen://x"], "unknown protocol chukmen; did you mean chukmem://x ?"),
        (["apply", "starter.yaml", "chukmen://x", "--set", "project=x"], "did you mean chukmem://x ?"),
        (["apply", "starter.yaml", "out", "--set", "project=.."], "could lead out of the target"),
        (["make", ".", "starter.yaml"], "starter.yaml exists: pass --force to replace it"),
        (["make", ".", "starter.txt"], "a file that ends with .yaml, .yml or .json"),
        (["make", "missing", "new.json"], "missing: No such file or directory"),
        (["list", "run.sh"], "run.sh: Not a directory"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = says(capsys, *arguments, code=1)
    assert told in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("arguments", [["apply", "starter.yaml"], ["apply", "starter.yaml", "out", "--set", "project"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert run(*arguments) == 2


def test_a_template_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    lines = says(capsys, "show", "starter.yaml").splitlines()
    assert lines[:4] == [
        "starter",
        "A small project",
        "  project  (needs a value): its name",
        "  title  ('Untitled' unless set)",
    ]
    assert lines[4:] == [
        "  make    empty",
        "  write   ${project}/README.md",
        "  write   run.sh from run.sh",
        "  link    latest -> ${project}/README.md",
    ]
    shown = json.loads(says(capsys, "show", "starter.yaml", "--json"))
    assert shown["needed"] == {"project": "its name"}
    assert [variable["name"] for variable in shown["variables"]] == ["project", "title"]


def test_a_template_is_checked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = says(capsys, "check", "starter.yaml")
    assert told.splitlines() == [
        "note: project has no value yet: its name",
        "2 directories, 2 files, 1 links, 24 bytes: nothing is wrong",
    ]
    assert json.loads(says(capsys, "check", "starter.yaml", "--set", "project=x", "--json"))["needed"] == {}
    (here / "bad.json").write_text('{"files": [{"path": "../x"}]}')
    assert "files[0].path: '..' could lead out of the target" in says(capsys, "check", "bad.json", code=1)


def test_templates_are_listed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "tree").mkdir()
    (here / "tree/template.json").write_text('{"name": "a tree"}')
    (here / "no-template").mkdir()
    assert says(capsys, "list", ".").splitlines() == ["starter.yaml  A small project", "tree  a tree"]
    assert list(json.loads(says(capsys, "list", ".", "--json"))["templates"]) == ["starter.yaml", "tree"]


def test_what_stands_in_a_template_says_nothing_to_a_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "bad.json").write_text(json.dumps({"name": "\x1b[2J", "files": [{"path": "a\x1b[2Jb"}]}))
    for command in (["show", "bad.json"], ["list", "."], ["apply", "bad.json", "out", "-n"]):
        assert "\x1b" not in says(capsys, *command)
