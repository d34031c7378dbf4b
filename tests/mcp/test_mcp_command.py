"""``chuk-fsspec mcp``: what it serves, what it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from mcp import Client, StdioServerParameters

from chuk_fsspec.cli.main import main
from tests.mcp.mcp_clients import text_of
from tests.mcp.mcp_talking import COMMAND, served, talk


def listed(server: Any, path: str = ".") -> str:
    async def conversation(client: Client) -> str:
        return text_of(await client.call_tool("list_directory", {"path": path}))

    return talk(server, conversation)


def test_it_serves_a_workspace_file(tmp_path: Path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "readme").write_text("hello")
    (tmp_path / "w.toml").write_text(
        f'[mounts."/"]\nprotocol = "chukmem"\n\n[mounts."/docs"]\nprotocol = "chuklocal"\n'
        f'options = {{ root = "{tmp_path}/docs" }}\nread_only = true\n'
    )
    server = served(tmp_path / "w.toml")
    assert listed(server, "/docs") == "[FILE] readme"

    async def conversation(client: Client) -> str:
        result = await client.call_tool("write_file", {"path": "/docs/new", "content": "x"})
        assert result.is_error
        return text_of(result)

    assert talk(server, conversation).startswith("EROFS")


def test_it_serves_a_directory_of_a_url(tmp_path: Path):
    database = f"database={tmp_path}/w.db"
    fsspec.filesystem("chuksqlite", database=f"{tmp_path}/w.db").pipe({"/a/b/f": b"", "/a/secret": b""})
    server = served("chuksqlite:///a/b", "--option", database)
    assert listed(server) == "[FILE] f"
    assert listed(server, "..").startswith("Access denied - path outside allowed directories: /a not in /a/b")


def test_a_file_url_is_a_directory_that_nothing_leads_out_of(tmp_path: Path):
    (tmp_path / "out").symlink_to("/etc")
    assert listed(served(f"file://{tmp_path}"), "out").startswith("Access denied - symlink target outside")


def test_the_environment_says_what_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "f").write_text("")
    set_environment(monkeypatch, VFS_PROVIDER="filesystem", VFS_ROOT_PATH=f"{tmp_path}/files")
    assert listed(served()) == "[FILE] f"
    set_environment(monkeypatch, VFS_PROVIDER="sqlite", VFS_DB_PATH=f"{tmp_path}/w.db")
    assert listed(served(), "/") == ""
    assert (tmp_path / "w.db").exists()


def set_environment(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name in [name for name in os.environ if name.startswith("VFS_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


Refusal = Callable[..., str]


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Refusal:
    """What the command says, in one line, when it cannot serve."""

    def said(*arguments: str) -> str:
        code = main(["mcp", *arguments])
        out, err = capsys.readouterr()
        assert (code, out) == (1, "")
        return err.splitlines()[-1].removeprefix("chuk-fsspec: ")

    return said


def test_what_is_wrong_in_the_environment_is_named(refusal: Refusal, monkeypatch: pytest.MonkeyPatch):
    set_environment(monkeypatch, VFS_PROVIDER="sqlit")
    assert "did you mean 'sqlite'? (from the environment: VFS_PROVIDER)" in refusal()
    set_environment(monkeypatch, VFS_PROVIDER="sqlite", VFS_DB_PAHT="/x")
    assert refusal() == (
        "unknown option 'db_paht' of the provider 'sqlite'; did you mean 'db_path'? "
        "(from the environment: VFS_DB_PAHT, VFS_PROVIDER)"
    )
    set_environment(monkeypatch, VFS_PROVIDER="google_drive", GOOGLE_DRIVE_CREDENTIALS='{"refresh_token": "hidden"}')
    told = refusal()
    assert "to get them, run: chuk-fsspec gdrive login" in told
    assert "(from the environment: GOOGLE_DRIVE_CREDENTIALS, VFS_PROVIDER)" in told
    assert "hidden" not in told
    set_environment(monkeypatch, VFS_PROVIDER="pyodide")
    assert "pip install 'chuk-fsspec[pyodide]'" in refusal()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("/nosuch-directory",), "None of the specified directories are accessible"),
        (("chukmem://", "chuksqlite://"), "several sources must all be directories; put others into a workspace file"),
        (("chukmen://",), "unknown protocol chukmen; did you mean chukmem:// ?"),
        (("chukmem://", "--tools", "rm"), "there is no tool 'rm'; there are read_file"),
        (("--http",), "nothing to serve: name a URL, a workspace file or directories, or set VFS_PROVIDER"),
        (("chukmem://", "--http", "--host", "0.0.0.0"), "0.0.0.0 can be reached from outside, so a token is needed"),
        ((".", "--option", "a=1"), "--option is for a URL, and these are directories"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(refusal: Refusal, arguments: tuple[str, ...], told: str):
    assert told in refusal(*arguments)


def test_the_configuration_starts_the_same_server_from_anywhere(tmp_path: Path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "f").write_text("")
    command = [*COMMAND, "files", "--print-config", "--read-only", "--name", "mine", "--exclude-tools", "move_file"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    config = json.loads(done.stdout)["mcpServers"]["mine"]
    assert os.path.isabs(config["command"])
    assert config["args"][-5:] == ["mcp", f"{tmp_path}/files", "--read-only", "--exclude-tools", "move_file"]
    assert "env" not in config
    assert listed(StdioServerParameters(command=config["command"], args=config["args"], cwd="/")) == "[FILE] f"


def test_the_configuration_holds_no_secret(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def printed(*arguments: str) -> dict[str, Any]:
        assert main(["mcp", *arguments, "--print-config"]) == 0
        server: dict[str, Any] = json.loads(capsys.readouterr().out)["mcpServers"]["chuk-fsspec"]
        return server

    own = {"VFS_PROVIDER": "google_drive", "VFS_ROOT_FOLDER": "CHUK"}
    set_environment(monkeypatch, GOOGLE_DRIVE_CREDENTIALS='{"token": "hidden"}', **own)
    assert printed()["env"] == {**own, "GOOGLE_DRIVE_CREDENTIALS": "<GOOGLE_DRIVE_CREDENTIALS>"}
    told = printed("sftp://me:hidden@host/x", "--option", "api_key=hidden", "--option", "n=3")["args"]
    assert told[-5:] == ["sftp://me:<password>@host/x", "--option", "api_key=<api_key>", "--option", "n=3"]


def test_standard_output_holds_the_protocol_alone(tmp_path: Path):
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    lines = [
        hello,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/unknown"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines) + "not json\n"
    command = [*COMMAND, str(tmp_path), str(tmp_path / "none"), "--debug"]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        out, err = process.communicate(text, timeout=60)
    assert process.returncode == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer.get("id") for answer in answers if "result" in answer] == [1]
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    assert "Cannot access directory" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_it_waits_for_its_client(number: signal.Signals, tmp_path: Path):
    with subprocess.Popen([*COMMAND, str(tmp_path)], stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}) + "\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(number)
        assert process.wait(10) == 128 + number


@pytest.mark.parametrize("version", ["2025-11-25", "2024-11-05"])
def test_what_is_piped_in_is_answered_before_the_end(version: str, tmp_path: Path):
    """A client that writes all and closes, as a shell does, gets all answers; nothing that it wrote is lost."""
    hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    lines: list[dict[str, Any]] = [
        {"id": 0, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        *(
            {
                "id": number,
                "method": "tools/call",
                "params": {"name": "write_file", "arguments": {"path": f"f{number}", "content": "x" * 10_000}},
            }
            for number in range(1, 21)
        ),
    ]
    text = "".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines)
    done = subprocess.run([*COMMAND, str(tmp_path)], input=text, capture_output=True, text=True, timeout=60, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(answer["id"] for answer in answers) == list(range(21))
    assert answers[0]["result"]["protocolVersion"] == version
    assert len(os.listdir(tmp_path)) == 20


def test_the_command_line_loads_no_sdk_before_it_serves():
    code = "import sys, chuk_fsspec.cli.main as c; c.build_parser(); print({'mcp', 'uvicorn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
