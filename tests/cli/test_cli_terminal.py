"""What a person sees: colours, columns, progress, questions, and what the tab key offers."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_fsspec.cli.completing import after_breaks, candidates
from chuk_fsspec.cli.files.styling import uses_color
from chuk_fsspec.cli.progress import ProgressLine, duration, progress_text, short_amount
from tests.cli.commands import ENVIRONMENT, PROGRAM, bash, outcome, said


def on_terminal(here: Path, *arguments: str, answer: str = "", **environment: str) -> tuple[str, int]:
    """All that a command writes to a terminal, and its exit code."""
    ours, theirs = pty.openpty()
    variables = {**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "80", **environment}
    running = subprocess.Popen(
        [*PROGRAM, *arguments], cwd=here, env=variables, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    if answer:
        os.write(ours, answer.encode())
    told = b"".join(_until_closed(ours))
    os.close(ours)
    return told.decode().replace("\r\n", "\n"), running.wait(timeout=60)


def _until_closed(terminal: int) -> Iterator[bytes]:
    poll = select.poll()
    poll.register(terminal, select.POLLIN)
    while poll.poll(60_000):
        try:
            data = os.read(terminal, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return
        if not data:
            return
        yield data


def test_a_terminal_has_colours_and_columns_and_no_control_characters(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "a\033[31mb").touch()
    (tmp_path / "run").touch(mode=0o755)
    told, code = on_terminal(tmp_path, "ls")
    assert code == 0
    assert told == "a\\x1b[31mb  \033[1;34mdirectory\033[0m   \033[32mrun\033[0m\n"
    assert on_terminal(tmp_path, "ls", NO_COLOR="1")[0] == "a\\x1b[31mb  directory   run\n"


@pytest.mark.parametrize(
    ("variables", "terminal", "colors"),
    [
        ({}, True, True), ({}, False, False), ({"NO_COLOR": "1"}, True, False), ({"NO_COLOR": ""}, True, True),
        ({"CLICOLOR": "0"}, True, False), ({"CLICOLOR_FORCE": "1"}, False, True), ({"TERM": "dumb"}, True, False),
        ({"CLICOLOR_FORCE": "0"}, False, False), ({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, True, False),
    ],
)  # fmt: skip
def test_colours_are_for_those_who_want_them(
    variables: dict[str, str], terminal: bool, colors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    output = io.StringIO()
    output.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdout", output)
    assert uses_color() is colors
    assert uses_color("always")
    assert not uses_color("never")


def test_matches_are_coloured(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a two b\n")
    assert said_in(tmp_path, "grep --color always two f") == "a \033[1;31mtwo\033[0m b\n"


def said_in(here: Path, line: str) -> str:
    return bash(f"python3 -m chuk_fsspec {line}", here)


def test_a_copy_shows_how_far_it_is_and_then_nothing(tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.truncate(64 << 20)
    told, code = on_terminal(tmp_path, "cp", "large", f"chuksqlite:///f::file://{tmp_path}/w.db")
    assert code == 0
    assert re.search(r"\rcopied \d+\.\d MiB of 64\.0 MiB \[#*\.*\] +\d+%", told)
    assert told.endswith("\r\033[K")


def test_it_asks_before_it_replaces(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    told, code = on_terminal(tmp_path, "cp", "-i", "new", "old", answer="n\n")
    assert "old? [y/N]" in told
    assert (code, (tmp_path / "old").read_text()) == (0, "old")
    on_terminal(tmp_path, "cp", "-i", "new", "old", answer="y\n")
    assert (tmp_path / "old").read_text() == "new"


def test_progress_in_words() -> None:
    assert progress_text("copied", 512, None, 0) == "copied 512 bytes"
    assert progress_text("copied", 3 << 20, 0, 1 << 20) == "copied 3.0 MiB  1.0 MiB/s"
    half = progress_text("copied", 50 << 20, 100 << 20, 10 << 20)
    assert half == "copied 50.0 MiB of 100.0 MiB [##########..........]  50%  10.0 MiB/s  0:05 left"
    assert progress_text("copied", 30, 20, 10).endswith("100%  10 bytes/s")
    assert [duration(seconds) for seconds in (0, 7, 750, 3723)] == ["0:00", "0:07", "12:30", "1:02:03"]
    assert [short_amount(size) for size in (0, 1023, 1024, 1025, 10240, 1 << 30)] == [
        "0", "1023", "1.0K", "1.1K", "10K", "1.0G"
    ]  # fmt: skip


def test_the_rate_is_that_of_the_last_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", screen)
    now = 0.0
    with ProgressLine("copied", size=1000, clock=lambda: now) as progress:
        for second in range(1, 61):
            now = float(second)
            progress.relative_update(10 if second < 30 else 5)
    last = screen.getvalue().split("\r")[-2]
    assert "5 bytes/s" in last
    assert last.startswith("copied 445 bytes of 1000 bytes")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "sun.txt").touch()
    (tmp_path / "tree" / ".hidden").touch()
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "c d").touch()
    (tmp_path / "a b" / "c e").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    url = f"chuksqlite:///tree::file://{tmp_path}/w.db"
    assert outcome("put", "-r", "tree", url) == 0
    return f"::file://{tmp_path}/w.db"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("chuk-fsspec sna", ["snapshot"]),
        ("chuk-fsspec snapshot pr", ["prune"]),
        ("chuk-fsspec find -max", ["-maxdepth"]),
        ("chuk-fsspec completion ", ["bash", "zsh", "fish"]),
        ("chuk-fsspec mount --transport k", ["kernel"]),
        ("chuk-fsspec ls chuksq", ["chuksqlite://"]),
        ("chuk-fsspec ls tree/su", ["tree/sub/", "tree/sun.txt"]),
        ("chuk-fsspec ls 'tree/su", ["tree/sub/", "tree/sun.txt"]),
        ("chuk-fsspec cat tree/.h", ["tree/.hidden"]),
        ("chuk-fsspec ls chuksqlite:///tree/su{db}", ["chuksqlite:///tree/sub/{db}", "chuksqlite:///tree/sun.txt{db}"]),
        ("chuk-fsspec ls a\\ b/", ["a b/c d", "a b/c e"]),
        ("chuk-fsspec ls a\\ ", ["a b/"]),
        ("chuk-fsspec ls a\\ b/c\\ ", ["a b/c d", "a b/c e"]),
        ("chuk-fsspec ls 'a ", ["a b/"]),
        ("chuk-fsspec ls 'a b'/", ["a b/c d", "a b/c e"]),
        ('chuk-fsspec ls "a b/c ', ["a b/c d", "a b/c e"]),
        ("chuk-fsspec ls a\\ b/c\\ d tree/su", ["tree/sub/", "tree/sun.txt"]),
        ("chuk-fsspec ls ~/tree/sub", ["~/tree/sub/"]),
        ("chuk-fsspec ls no/such/pl", []),
        ("chuk-fsspec ls chuksqlite:///x::file:///no/such/w.db", []),
        ("chuk-fsspec nonsense ", []),
        ("", []),
    ],
)
def test_what_can_stand_at_the_end_of_a_line(line: str, found: list[str], places: str) -> None:
    assert candidates(line.replace("{db}", places))[: len(found) or 1] == [one.replace("{db}", places) for one in found]


def test_in_a_chained_url_a_path_is_completed_where_the_cursor_is(places: str) -> None:
    line = "chuk-fsspec ls chuksqlite:///tree/su"
    whole = [f"chuksqlite:///tree/sub/{places}", f"chuksqlite:///tree/sun.txt{places}"]
    assert candidates(line, f"{places} more") == whole
    assert after_breaks(whole, line, f"{places} more", ":=") == ["///tree/sub/", "///tree/sun.txt"]
    assert after_breaks(whole, line, places, "") == ["chuksqlite:///tree/sub/", "chuksqlite:///tree/sun.txt"]
    assert after_breaks(whole, f"{line}{places}", "", ":=") == [*whole, " "]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("ls file:///a\\ ", "///a b"),
        ("ls 'file:///a ", "file:///a b"),
        ("ls file\\:///a", "file:///a b"),
        ("ls f", "file:///a b"),
    ],
)
def test_only_what_the_shell_replaces_is_offered(line: str, left: str) -> None:
    assert after_breaks(["file:///a b"], line, "", ":=") == [left]


def test_bash_completes(places: str, tmp_path: Path) -> None:
    script = 'source <(chuk-fsspec completion bash); COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}; '
    script += "COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _chuk_fsspec; "
    script += 'printf "%s\\n" "${COMPREPLY[@]}"'
    for line, found in (
        ("chuk-fsspec umo", ["umount"]),
        ("chuk-fsspec ls tree/su", ["tree/sub/", "tree/sun.txt"]),
        ("chuk-fsspec ls file://$PWD/tree/sun", ["//{here}/tree/sun.txt"]),
    ):
        text = line.replace("$PWD", str(tmp_path))
        done = bash(f"set -- '{text}'; {script}", tmp_path).split()
        assert done == [one.replace("//{here}", f"//{tmp_path}") for one in found]


def test_bash_completes_names_as_they_are_typed_in_a_shell(tmp_path: Path) -> None:
    for name in ("*", "a b", "a c", "it's"):
        (tmp_path / "odd" / name).mkdir(parents=True)
    script = 'source <(chuk-fsspec completion bash); COMP_LINE="chuk-fsspec ls $1"; COMP_POINT=${#COMP_LINE}; '
    script += 'COMP_WORDS=(chuk-fsspec ls "$1"); COMP_CWORD=2; _chuk_fsspec; printf "%s\\n" "${COMPREPLY[@]}"'
    assert bash(f"set -- odd/; {script}", tmp_path).splitlines() == [
        "odd/\\*/",
        "odd/a\\ b/",
        "odd/a\\ c/",
        "odd/it\\'s/",
    ]
    assert bash(f"set -- \\'odd/a; {script}", tmp_path).splitlines() == ["odd/a b/", "odd/a c/"]


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("ls a\\ b/\t", "ls a\\ b/c\\"), ("ls 'a b/\t", "ls 'a b/c"), ("ls ~/tree/sub\t", "ls ~/tree/sub/"),
        ("ls file://{here}/a\\ b/\t", "ls file://{here}/a\\ b/c\\"), ("snap\t", "snapshot"),
    ],
)  # fmt: skip
def test_bash_completes_as_it_is_typed(keys: str, line: str, places: str, tmp_path: Path) -> None:
    """With readline itself, which replaces what it takes for the word."""
    (tmp_path / "rc").write_text(
        "PS1=; bind 'set enable-bracketed-paste off'; source <(chuk-fsspec completion bash); echo ready\n"
    )
    ours, theirs = pty.openpty()
    variables = {**ENVIRONMENT, "TERM": "dumb", "COLUMNS": "500", "HOME": str(tmp_path)}
    command = ["bash", "--rcfile", "rc", "-i"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as shell:
        os.close(theirs)
        try:
            read_until(ours, "ready\r\n")
            os.write(ours, f"chuk-fsspec {keys}".replace("{here}", str(tmp_path)).encode())
            read_until(ours, f"chuk-fsspec {line}".replace("{here}", str(tmp_path)))
        finally:
            shell.kill()
    os.close(ours)


def read_until(terminal: int, text: str) -> None:
    """Read until this has been written. AssertionError with what was written, if it does not come."""
    told = ""
    for data in _until_closed(terminal):
        told += data.decode().replace("\a", "")
        if text in told:
            return
    raise AssertionError(told)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_calls_compinit_where_nothing_else_did(tmp_path: Path) -> None:
    script = "source <(chuk-fsspec completion zsh) && echo ${_comps[chuk-fsspec]}"
    assert bash(f"HOME=$PWD zsh -f -c '{script}'", tmp_path) == "_chuk_fsspec\n"


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(places: str, tmp_path: Path) -> None:
    line = 'complete -C "chuk-fsspec sna"; complete -C "chuk-fsspec ls tree/su"'
    told = bash(f"fish -c 'chuk-fsspec completion fish | source; {line}'", tmp_path)
    assert told.split() == ["snapshot", "tree/sub/", "tree/sun.txt"]


@pytest.mark.parametrize("shell", ["zsh", "fish", "bash"])
def test_the_scripts_are_understood_by_their_shells(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = said(capsys, "completion", shell)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", "/dev/stdin"], input=script.encode(), check=True)


def test_only_the_command_that_is_called_is_imported(tmp_path: Path) -> None:
    script = "import sys; from chuk_fsspec.cli.main import main; main(['ls', '.'])\n"
    script += (
        "for name in ('fuse', 'wrappers.staging', 'cli.mount_cmd', 'cli.checks', 'templates', 'wsgidav', 'mcp'):\n"
    )
    script += "    assert not [one for one in sys.modules if name in one], name"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
