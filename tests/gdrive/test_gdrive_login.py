"""``chuk-fsspec gdrive login``, with a browser that agrees at once."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from chuk_fsspec.backends.gdrive import GoogleDriveFileSystem
from chuk_fsspec.backends.gdrive.credentials import Credentials
from chuk_fsspec.cli import oauth
from chuk_fsspec.cli.output import CommandError
from tests.cli.commands import ENVIRONMENT, PROGRAM, example_lines, outcome, said, said_json
from tests.cli.commands import all_commands as commands
from tests.gdrive.server.running import DriveServer


@pytest.fixture
def here(server: DriveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the client secrets."""
    (tmp_path / "client_secret.json").write_text(json.dumps(server.client_secrets))
    monkeypatch.chdir(tmp_path)
    return tmp_path


Visit = Callable[[str], None]


def visit(address: str) -> None:
    with urlopen(address) as page:
        page.read()


def visiting(act: Visit) -> Visit:
    """Visits in a thread of its own, as a browser does."""
    return lambda address: threading.Thread(target=act, args=(address,)).start()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", visiting(visit))


@pytest.mark.usefixtures("browser")
def test_a_login_gives_credentials_that_work(here: Path, server: DriveServer, capsys: pytest.CaptureFixture) -> None:
    told = said(capsys, "gdrive", "login")
    file = here / "google_drive_credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(here.iterdir()) == [here / "client_secret.json", file]
    kept = json.loads(file.read_text())
    assert kept["scopes"] == ["https://www.googleapis.com/auth/drive.file"]
    assert kept["token"] not in told
    assert kept["refresh_token"] not in told
    with_tokens_gone = {name: value for name, value in kept.items() if name != "token"}
    for credentials in (kept, str(file), file, json.dumps(kept), with_tokens_gone):
        fs = GoogleDriveFileSystem(credentials, root_folder="login", endpoint_url=server.address)
        fs.pipe_file("/f", b"mine")
        assert fs.cat_file("/f") == b"mine"
        fs.close()


@pytest.mark.slow
@pytest.mark.usefixtures("browser")
def test_the_configuration_starts_a_server_on_the_drive(
    here: Path, server: DriveServer, capsys: pytest.CaptureFixture
) -> None:
    _, told = said_json(capsys, "gdrive", "login", "--credentials", "mine.json", "--all-files")
    assert told["credentials"] == str(here / "mine.json")
    assert told["scopes"] == ["https://www.googleapis.com/auth/drive"]
    config = told["config"]["mcpServers"]["vfs"]
    assert config["env"] == {"VFS_PROVIDER": "google_drive", "GOOGLE_DRIVE_CREDENTIALS": str(here / "mine.json")}
    done = subprocess.run(
        [config["command"], *config["args"]],
        env={**os.environ, **config["env"], "GOOGLE_DRIVE_ENDPOINT_URL": server.address},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.usefixtures("browser")
def test_a_login_replaces_the_file_of_an_earlier_one(here: Path, capsys: pytest.CaptureFixture) -> None:
    file = here / "google_drive_credentials.json"
    file.write_text("old")
    file.chmod(0o644)
    said(capsys, "gdrive", "login")
    assert json.loads(file.read_text())["refresh_token"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_who_refuses_is_told_so(
    here: Path, server: DriveServer, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", visiting(visit))
    monkeypatch.setattr(server.accounts, "refusing", True)
    told = said(capsys, "gdrive", "login", code=1)
    assert "the login was refused in the browser: access_denied" in told
    assert [path.name for path in here.iterdir()] == ["client_secret.json"]


def test_only_the_page_that_was_asked_for_ends_the_wait(here: Path, server: DriveServer) -> None:
    """Somebody else who finds the port, and a browser that asks for an icon, change nothing."""
    refused: list[int] = []

    def wander(address: str) -> None:
        back = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        for page in ("favicon.ico", "?code=stolen&state=guessed", "?state="):
            try:
                visit(back + page)
            except HTTPError as error:
                with error:
                    refused.append(error.code)
        visit(address)

    client = oauth.read_client("client_secret.json")
    granted = oauth.authorize(client, "scope", visiting(wander), 20)
    assert refused == [400, 400, 400]
    assert granted["refresh_token"] in server.accounts.refresh_tokens


def test_a_code_is_worth_nothing_without_what_only_the_asker_knows(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = oauth.read_client("client_secret.json")
    challenge = oauth._challenge("of somebody else")
    monkeypatch.setattr(oauth, "_challenge", lambda _: challenge)
    with pytest.raises(CommandError, match="the service refuses the login: invalid_grant: Malformed auth code"):
        oauth.authorize(client, "scope", visiting(visit), 20)


def test_nobody_waits_for_ever(here: Path, capsys: pytest.CaptureFixture) -> None:
    told = said(capsys, "gdrive", "login", "--no-browser", "--timeout", "0.2", code=1)
    assert "nobody has agreed within 0.2 seconds; run the command again" in told
    assert outcome("gdrive", "login", "--client-secrets", "missing.json") == 1
    assert "missing.json: No such file" in capsys.readouterr().err
    (here / "other.json").write_text("{}")
    told = said(capsys, "gdrive", "login", "--client-secrets", "other.json", code=1)
    assert "other.json is no file of client secrets: download it from the Google Cloud console" in told
    told = said(capsys, "gdrive", "login", "--credentials", "nowhere/mine.json", code=1)
    assert "nowhere/mine.json cannot be written" in told


def test_the_example_runs(here: Path) -> None:
    """As a program, with the browser of the environment."""
    opener = here / "opener"
    opener.write_text(f"#!{sys.executable}\nimport sys, urllib.request\nurllib.request.urlopen(sys.argv[1]).read()\n")
    opener.chmod(0o755)
    first, *_ = example_lines(commands()["gdrive login"])
    done = subprocess.run(
        [*PROGRAM, *first.split()[1:]],
        env={**ENVIRONMENT, "BROWSER": f"{opener} %s &"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (here / "google_drive_credentials.json").exists()


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        (None, "no credentials: pass credentials=, or set GOOGLE_DRIVE_CREDENTIALS"),
        ({}, "the credentials have no token"),
        ("{broken", "the credentials are no JSON"),
        ('{"refresh_token": "hidden"}', "the credentials have no token"),
        (
            {"type": "service_account", "private_key": "hidden"},
            "the credentials of the service account are not complete",
        ),
    ],
)
def test_what_are_no_credentials_is_said_without_them(
    credentials: Credentials, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_DRIVE_CREDENTIALS", raising=False)
    with pytest.raises(ValueError, match=told) as caught:
        GoogleDriveFileSystem(credentials)
    assert "hidden" not in str(caught.value)


def test_a_missing_file_of_credentials() -> None:
    with pytest.raises(FileNotFoundError):
        GoogleDriveFileSystem("/missing/credentials.json")


def test_a_login_that_was_revoked_says_what_to_do(server: DriveServer) -> None:
    credentials = server.credentials
    server.accounts.refresh_tokens.discard(credentials["refresh_token"])
    server.accounts.expire_tokens()
    fs = GoogleDriveFileSystem(credentials, endpoint_url=server.address)
    with pytest.raises(PermissionError, match="run: chuk-fsspec gdrive login") as caught:
        fs.ls("/")
    assert caught.value.errno == errno.EACCES
    assert credentials["refresh_token"] not in str(caught.value)
    fs.close()
