"""Standard streams that are closed, full, or no longer read: every command that prints says so, or is quiet."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.commands import ENVIRONMENT, PROGRAM, bash, outcome

PRINTING = (
    "ls d", "ls -lR .", "ls --json d", "tree", "find .", "find . -print0", "du -a d", "stat d/1", "cat text d/1",
    "head text", "tail text", "grep -n line text", "grep -c line text", "cp text -", "cp -v text new",
    "mv -v text moved", "rm -v d/1", "snapshot list d --store s", "snapshot log d --store s",
    "snapshot diff d one --store s", "snapshot verify d --store s", "export d - --format tar", "export d d.zip",
    "sqlite size w.db", "sync -v d other",
    "completion bash", "completion --words chuk-fsspec\\ ls\\ d/", "mcp --print-config", "--help", "ls --help",
    "--version",
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    for number in range(300):
        (tmp_path / "d" / str(number)).write_text("x")
    (tmp_path / "text").write_text("".join(f"line {number}\n" for number in range(20_000)))
    assert outcome("snapshot", "create", "d", "one", "--store", "s") == 0
    assert outcome("put", "text", f"chuksqlite:///text::file://{tmp_path}/w.db") == 0
    return tmp_path


def run(line: str, here: Path) -> tuple[int, str]:
    """Exit code and standard error of a line for a shell."""
    environment = {**ENVIRONMENT, "CHUK": " ".join(PROGRAM)}
    done = subprocess.run(
        ["bash", "-c", line], cwd=here, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", PRINTING)
def test_an_output_that_takes_nothing_is_one_line(command: str, here: Path) -> None:
    failed = 2 if command.startswith("grep") else 1
    code, said = run(f"$CHUK {command} >&-", here)
    assert code == failed
    assert said.count("\n") == 1
    assert "standard output: Bad file descriptor" in said


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is full")
@pytest.mark.parametrize("command", ["ls d", "cat text d/1", "grep line text d/1", "ls --json d", "--help"])
def test_a_full_disk_is_one_line(command: str, here: Path) -> None:
    code, said = run(f"$CHUK {command} > /dev/full", here)
    assert code == (2 if command.startswith("grep") else 1)
    assert said.count("\n") == 1
    assert "standard output: No space left on device" in said


@pytest.mark.parametrize("command", PRINTING)
def test_a_reader_that_has_seen_enough_is_no_problem(command: str, here: Path) -> None:
    code, said = run(f"$CHUK {command} | (exec true); exit ${{PIPESTATUS[0]}}", here)
    assert (code, said) == (0, "")


def test_what_prints_nothing_needs_no_output(here: Path) -> None:
    assert run("$CHUK cp text copy >&- <&- 2>&-", here) == (0, "")
    assert (here / "copy").read_bytes() == (here / "text").read_bytes()


def test_no_file_takes_the_place_of_a_closed_stream(here: Path) -> None:
    """A database that is opened as number 2 would be written into by whoever complains."""
    run(f"$CHUK cat nothing chuksqlite:///nothing::file://{here}/w.db >&- 2>&-", here)
    assert bash("chuk-fsspec sqlite check w.db > /dev/null && echo whole", here) == "whole\n"


def test_an_answer_that_cannot_be_read_is_none(here: Path) -> None:
    code, said = run("$CHUK rm -i text <&-", here)
    assert code == 1
    assert said.endswith("chuk-fsspec: standard input: Bad file descriptor\n")
    assert (here / "text").exists()
