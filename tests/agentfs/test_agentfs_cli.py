"""``chuk-fsspec sqlite import agentfs`` and ``export agentfs``."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import fsspec
import pytest

from chuk_fsspec.cli.main import main
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.contract.display import amount
from tests.agentfs.agentfs_files import Maker, pattern, state_of


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "files"
    directory.mkdir()
    (directory / "sub").mkdir()
    (directory / "sub" / "f.txt").write_bytes(pattern(10_000))
    (directory / "sub" / "link").symlink_to("f.txt")
    return directory


def url(directory: Path, path: str = "") -> str:
    return f"chuklocal:///{path}::file://{directory}"


def test_there_and_back(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "agent.db")
    assert main(["sqlite", "export", "agentfs", url(directory), file]) == 0
    assert capsys.readouterr().out == "exported 1 files, 1 directories, 1 symbolic links; 10000 bytes\n"
    (tmp_path / "back").mkdir()
    assert main(["sqlite", "import", "agentfs", file, url(tmp_path / "back", "new")]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == "imported 1 files, 1 directories, 1 symbolic links; 10000 bytes"
    assert captured.err == ""
    assert (tmp_path / "back" / "new" / "sub" / "link").read_bytes() == pattern(10_000)


def test_into_one_file_that_others_can_write(directory: Path, tmp_path: Path) -> None:
    file, work = str(tmp_path / "agent.db"), tmp_path / "work.db"
    assert main(["sqlite", "export", "agentfs", url(directory), file]) == 0
    assert main(["sqlite", "import", "agentfs", file, f"chuksqlite:///::file://{work}"]) == 0
    fs = fsspec.filesystem("chuksqlite", database=str(work))
    assert fs.cat("/sub/link") == pattern(10_000)
    assert main(["sqlite", "export", "agentfs", f"chuksqlite:///sub::file://{work}", str(tmp_path / "sub.db")]) == 0
    assert fsspec.filesystem("chukagentfs", database=str(tmp_path / "sub.db")).find("/") == ["/f.txt", "/link"]


def test_force(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "agent.db"
    file.write_bytes(b"precious")
    assert main(["sqlite", "export", "agentfs", url(directory), str(file)]) == 1
    assert capsys.readouterr().err == (
        f"chuk-fsspec: {file} exists: pass --force to replace it, or choose another name\n"
    )
    assert file.read_bytes() == b"precious"
    assert main(["sqlite", "export", "agentfs", url(directory), str(file), "--force"]) == 0
    assert fsspec.filesystem("chukagentfs", database=str(file)).exists("/sub/f.txt")


def test_what_is_lost_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.file("good", b"good")
    maker.entry(1, "bad\x1b[2J", 99)
    maker.run("CREATE TABLE kv_store (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    maker.run("INSERT INTO kv_store VALUES ('a', '1')")
    maker.run("CREATE TABLE tool_calls (id INTEGER PRIMARY KEY)")
    maker.run("INSERT INTO tool_calls VALUES (1), (2)")
    maker.close()
    assert main(["sqlite", "import", "agentfs", str(maker.path), "memory://lost"]) == 1
    captured = capsys.readouterr()
    assert "/bad\\x1b[2J: left out: the entry leads to inode 99, which is missing" in captured.err
    assert "note: 1 entries of the key-value store" in captured.out
    assert "note: 2 recorded tool calls" in captured.out
    assert "without their modes and times" in captured.out
    assert captured.out.splitlines()[-1] == "imported 1 files; 4 bytes"
    assert fsspec.filesystem("memory").cat_file("/lost/good") == b"good"


def test_mistakes_are_answered_in_one_line(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no database")
    before = state_of(tmp_path)
    for arguments, answer in (
        (["import", "agentfs", str(notes), str(tmp_path / "new")], "notes.txt is not an AgentFS database"),
        (["import", "agentfs", str(tmp_path / "none.db"), str(tmp_path / "new")], "cannot be found"),
        (["import", "agentfs", str(notes), "chukmem://"], "give a URL that lasts"),
        (["import", "agentfs", str(notes), "chuklokal:///x::file:///tmp"], "did you mean chuklocal://"),
        (["export", "agentfs", url(directory, "none"), str(tmp_path / "new.db")], "No such file"),
        (["export", "agentfs", url(directory, "sub/f.txt"), str(tmp_path / "new.db")], "Not a directory"),
        (["export", "agentfs", url(directory), str(tmp_path / "no" / "new.db")], "No such file"),
    ):
        assert main(["sqlite", *arguments]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert answer in captured.err
        assert captured.err.count("\n") == 1
    assert state_of(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_a_target_that_is_in_use(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.close()
    assert main(["sqlite", "import", "agentfs", str(maker.path), url(directory, "sub")]) == 1
    assert "import into a new directory" in capsys.readouterr().err
    assert sorted(os.listdir(directory / "sub")) == ["f.txt", "link"]


@pytest.mark.parametrize("arguments", [[], ["import"], ["export"]])
def test_help_has_an_example(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sqlite", *arguments, "--help"])
    assert ended.value.code == 0
    assert "example:\n  chuk-fsspec sqlite" in capsys.readouterr().out


def test_unknown_formats(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sqlite", "import", "zip", "a", "b"])
    assert ended.value.code == 2
    assert "agentfs" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_shows_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for screen, shown in ((Terminal(), "\rcopied 3.0 MiB\033[K\r\033[K"), (io.StringIO(), "")):
        monkeypatch.setattr(sys, "stderr", screen)
        with ProgressLine("copied") as progress:
            progress.relative_update(3 << 20)
        assert screen.getvalue() == shown
    assert [amount(count) for count in (0, 1023, 1024, 5 << 40)] == ["0 bytes", "1023 bytes", "1.0 KiB", "5.0 TiB"]
