"""edit: what the editor leaves is written back, or kept where it can be found."""

from __future__ import annotations

import re
from pathlib import Path

import fsspec
import pytest

from tests.cli.commands import outcome, said, said_json


@pytest.fixture(params=["sqlite", "local", "foreign"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = str(tmp_path / "notes.md")
    if request.param == "sqlite":
        return f"chuksqlite:///notes.md::file://{tmp_path}/w.db"
    return path if request.param == "local" else f"memory://{path.strip('/')}"


@pytest.fixture(autouse=True)
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept for the user to find goes with the test."""
    (tmp_path / "drafts").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "drafts"))


def content(place: str) -> bytes:
    with fsspec.open(place if "://" in place else f"file://{place}") as file:
        data: bytes = file.read()
    return data


def change(place: str, data: bytes) -> None:
    with fsspec.open(place if "://" in place else f"file://{place}", "wb") as file:
        file.write(data)


def use_editor(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"sh -c '{script}' editor")


def test_a_new_file_and_a_changed_one(
    place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_editor(monkeypatch, 'case "$1" in *notes.md) echo one >> "$1";; esac')
    assert outcome("edit", place) == 0
    assert content(place) == b"one\n"
    assert said_json(capsys, "edit", place)[0]["changed"] is True
    assert content(place) == b"one\none\n"


def test_nothing_is_written_when_nothing_changed_or_the_editor_failed(
    place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(place, b"as it was")
    use_editor(monkeypatch, "true")
    assert said(capsys, "edit", place) == "nothing changed\n"
    use_editor(monkeypatch, 'echo new > "$1"; exit 3')
    told = said(capsys, "edit", place, code=1)
    assert "exit code 3" in told
    assert Path(re.findall(r"your text is in (\S+)", told)[0]).read_text() == "new\n"
    use_editor(monkeypatch, 'rm "$1"')
    assert "nothing is written" in said(capsys, "edit", place, code=1)
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    assert "set EDITOR" in said(capsys, "edit", place, code=1)
    assert content(place) == b"as it was"


def test_what_somebody_else_wrote_meanwhile_is_not_lost(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(place, b"as it was")
    monkeypatch.setattr("subprocess.call", lambda words: _both(place, Path(words[-1])))
    told = said(capsys, "edit", place, code=1)
    assert "changed meanwhile" in told
    assert content(place) == b"theirs, longer"
    assert Path(re.findall(r"your text is in ([^;]+)", told)[0]).read_text() == "mine"


def _both(place: str, draft: Path) -> int:
    draft.write_text("mine")
    change(place, b"theirs, longer")
    return 0


def test_a_directory_cannot_be_edited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is a directory" in said(capsys, "edit", str(tmp_path), code=1)
