"""``chuk-fsspec serve`` as a user has it: a process, a URL, signals."""

from __future__ import annotations

import base64
import io
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.commands import PROGRAM, outcome

WAIT = 60.0
COMMAND = [*PROGRAM, "serve"]


@dataclass(frozen=True)
class Done:
    """What a command has left."""

    returncode: int
    stdout: str
    stderr: str


def chuk(*arguments: str | Path, password: str | None = None, stdin: str = "") -> Done:
    """Run the command in this process."""
    out, problems = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(problems):
        patch.setattr("sys.stdin", io.StringIO(stdin))
        patch.delenv("CHUK_FSSPEC_PASSWORD", raising=False)
        if password is not None:
            patch.setenv("CHUK_FSSPEC_PASSWORD", password)
        code = outcome("serve", *map(str, arguments))
    return Done(code, out.getvalue(), problems.getvalue())


@contextmanager
def served(*arguments: str | Path, ending: int = signal.SIGTERM, password: str = "") -> Iterator[str]:
    """The URL of a server in a process of its own, which ends cleanly by a signal."""
    env = {**os.environ, **({"CHUK_FSSPEC_PASSWORD": password} if password else {})}
    command = [*COMMAND, "webdav", *map(str, arguments), "--port", "0"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            first = process.stdout.readline()
            found = re.search(r"https?://\S+/", first)
            assert found is not None, first + process.stderr.read()
            yield found[0]
            process.send_signal(ending)
            rest, problems = process.communicate(timeout=WAIT)
        finally:
            process.kill()
        assert (process.returncode, rest, problems) == (0, "stopped\n", "")


def put(url: str, data: bytes, credentials: str = "") -> int:
    request = urllib.request.Request(url, data, method="PUT")
    if credentials:
        request.add_header("Authorization", f"Basic {base64.b64encode(credentials.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=WAIT) as reply:
        return bytes(reply.read())


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_serve_until_a_signal(ending: int) -> None:
    with served("chukmem://", ending=ending) as url:
        assert put(f"{url}a", b"content") == 201
        assert get(f"{url}a") == b"content"


def test_a_directory_of_a_filesystem(tmp_path: Path) -> None:
    """It is the root, and nothing above it can be reached."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.txt").write_text("x")
    with served(f"file://{tmp_path}/inside") as url:
        assert put(f"{url}a", b"content") == 201
    assert (tmp_path / "inside" / "a").read_bytes() == b"content"


def test_no_link_leads_out_of_a_directory_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.txt").write_text("x")
    (tmp_path / "inside" / "leak").symlink_to(tmp_path / "outside.txt")
    (tmp_path / "inside" / "up").symlink_to("..")
    for address in (f"file://{tmp_path}/inside", str(tmp_path / "inside")):
        with served(address) as url:
            for path in ("leak", "up/outside.txt"):
                with pytest.raises(urllib.error.HTTPError, match="404"):
                    get(f"{url}{path}")


def test_a_database_keeps_what_was_put(tmp_path: Path) -> None:
    address = f"chuksqlite:///::file://{tmp_path}/w.db"
    with served(address) as url:
        assert put(f"{url}a", b"content") == 201
    with served(address, "--read-only") as url:
        assert get(f"{url}a") == b"content"
        assert put(f"{url}b", b"x") == 403


def test_a_user(tmp_path: Path) -> None:
    with served("chukmem://", "--user", "alice", password="secret") as url:
        assert put(f"{url}a", b"x") == 401
        assert put(f"{url}a", b"x", "alice:secret") == 201


def test_users_of_a_file(tmp_path: Path) -> None:
    users = tmp_path / "users.txt"
    assert chuk("passwd", users, "alice", password="a").stdout == f"added alice in {users}\n"
    (tmp_path / "secret").write_text("b\n")
    assert chuk("passwd", users, "bob", "--read-only", "--password-file", tmp_path / "secret").returncode == 0
    assert chuk("passwd", users, "alice", "--password-file", "-", stdin="c\n").stdout == f"changed alice in {users}\n"
    with served("chukmem://", "--users", users) as url:
        assert put(f"{url}a", b"x", "alice:a") == 401
        assert put(f"{url}a", b"x", "alice:c") == 201
        assert put(f"{url}a", b"x", "bob:b") == 403
    assert chuk("passwd", users, "alice", "--delete").stdout == f"deleted alice in {users}\n"
    assert "alice" not in users.read_text()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["webdav", "chukmem://", "--host", "0.0.0.0"], "name users, or allow anonymous"),
        (["webdav", "chukmem://", "--user", "alice"], "set CHUK_FSSPEC_PASSWORD"),
        (["webdav", "chukmem://", "--users", "/no/such/file"], "/no/such/file: No such file"),
        (["webdav", "chukmem://", "--password-file", "x"], "name the user"),
        (["webdav", "chukmen://"], "did you mean chukmem://"),
        (["passwd", "/no/such/file", "alice", "--delete"], "has no user alice"),
    ],
)
def test_what_cannot_be(arguments: list[str], problem: str) -> None:
    done = chuk(*arguments)
    assert done.returncode == 1
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["webdav", "passwd"])
def test_the_password_is_no_argument(command: str) -> None:
    """Whoever lists the processes of a machine would see it."""
    assert not re.search(r"--password(?!-file)\b", chuk(command, "--help").stdout)
