"""``chuk-fsspec export`` and ``import``."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from chuk_fsspec.cli import export_cmd, import_cmd
from chuk_fsspec.cli.main import main
from tests.archives.archive_bytes import GOOD, entry, link, tar


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "files"
    (directory / "sub").mkdir(parents=True)
    (directory / "sub" / "f.txt").write_bytes(b"x" * 10_000)
    (directory / "sub" / "link").symlink_to("f.txt")
    os.link(directory / "sub" / "f.txt", directory / "again")
    return directory


def url(directory: Path, path: str = "") -> str:
    return f"chuklocal:///{path}::file://{directory}"


@pytest.mark.parametrize("name", ["x.tar", "x.tgz", "x.tar.zst", "x.zip", "x.json"])
def test_there_and_back(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    file = str(tmp_path / name)
    code = main(["export", url(directory), file])
    exported = capsys.readouterr()
    assert code == (1 if name == "x.json" else 0)
    assert ("/sub/link: left out: json archives have no symbolic links" in exported.err) == (name == "x.json")
    assert main(["import", file, url(tmp_path, "back")]) == 0
    imported = capsys.readouterr()
    assert imported.err == ""
    assert exported.out.splitlines()[-1].split()[1:] == imported.out.splitlines()[-1].split()[1:]
    assert (tmp_path / "back" / "again").read_bytes() == b"x" * 10_000


def test_what_is_lost_is_said(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "x.zip")
    assert main(["export", url(directory), file]) == 0
    assert capsys.readouterr().out == (
        "note: 1 further names of files are in it as files of their own\n"
        "exported 2 files, 1 directories, 1 symbolic links; 20000 bytes\n"
    )
    assert main(["import", file, "memory://lost-archive"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "chuk-fsspec: /sub/link: left out: the target has no symbolic links\n"
    assert "note: 3 entries without their modes and times" in captured.out


def test_directories_of_this_machine_keep_all(directory: Path, tmp_path: Path) -> None:
    file, plain = str(tmp_path / "x.tar"), tmp_path / "plain"
    (directory / "sub" / "f.txt").chmod(0o750)
    assert main(["export", str(directory), file]) == 0
    assert main(["import", file, str(plain)]) == 0
    before, after = (os.lstat(one / "sub" / "f.txt") for one in (directory, plain))
    assert (after.st_mode, after.st_mtime_ns, after.st_nlink) == (before.st_mode, before.st_mtime_ns, before.st_nlink)
    assert os.readlink(plain / "sub" / "link") == os.readlink(directory / "sub" / "link")


def test_a_workspace_file_is_its_tree(directory: Path, tmp_path: Path) -> None:
    for name, root in (("one", directory), ("two", tmp_path / "two")):
        root.mkdir(exist_ok=True)
        text = f'[mounts."/"]\nprotocol = "chuklocal"\noptions.root = "{root}"\n'
        (tmp_path / f"{name}.toml").write_text(text)
    assert main(["export", str(tmp_path / "one.toml"), str(tmp_path / "x.tar")]) == 0
    assert main(["import", str(tmp_path / "x.tar"), str(tmp_path / "two.toml")]) == 0
    assert (tmp_path / "two" / "sub" / "f.txt").read_bytes() == b"x" * 10_000


def test_json(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "x.tar")
    assert main(["export", url(directory), file, "--json", "--mtime", "0", "--no-owners"]) == 0
    exported = json.loads(capsys.readouterr().out)
    assert (exported["files"], exported["hard_links"], exported["archive_bytes"]) == (1, 1, 20480)
    assert main(["import", file, f"chuksqlite:///::file://{tmp_path}/w.db", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == 10_000
    fs = fsspec.filesystem("chuksqlite", database=str(tmp_path / "w.db"))
    assert fs.info("/sub/f.txt")["mtime"] == 0


def test_force_merge_and_replace(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "x.tar")
    assert main(["export", url(directory), file]) == 0
    assert main(["export", url(directory), file]) == 1
    assert capsys.readouterr().err.endswith(f"{file} exists: pass --force to replace it, or choose another name\n")
    assert main(["export", url(directory), file, "--force"]) == 0
    box = tmp_path / "box"
    box.mkdir()
    (box / "mine").write_bytes(b"mine")
    assert main(["import", file, url(box)]) == 1
    assert "merge with them, replace them, or import into another directory" in capsys.readouterr().err
    assert main(["import", file, url(box), "--merge"]) == 0
    assert sorted(os.listdir(box)) == ["again", "mine", "sub"]
    assert main(["import", file, url(box), "--replace"]) == 0
    assert sorted(os.listdir(box)) == ["again", "sub"]


def test_hostile_archives_are_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "evil.tar"
    target = tmp_path / "target"
    target.mkdir()
    for data, more, answer in (
        (tar(GOOD, entry(b"../\x1b[2Jevil")), [], "'..' leads out of the target"),
        (tar(GOOD, link(b"l", b"/etc")), [], "it may lead out of the target (links=skip"),
        (tar(GOOD, entry(b"p", kind=b"6")), [], "a FIFO (special=skip leaves it out)"),
        (tar(GOOD, GOOD), ["--limit", "max_files=1"], "max_files=1"),
        (tar(GOOD)[:700], [], "it is cut off"),
    ):
        file.write_bytes(data)
        assert main(["import", str(file), url(target), *more]) == 1
        captured = capsys.readouterr()
        assert (captured.out, captured.err.count("\n")) == ("", 1)
        assert answer in captured.err
        assert str(target) not in captured.err
        assert os.listdir(target) == []
    file.write_bytes(tar(GOOD, link(b"l", b"/etc"), entry(b"p", kind=b"6"), entry(b"a\\b")))
    options = ["--links", "skip", "--special", "skip", "--names", "any", "--owners"]
    assert main(["import", str(file), url(target), *options]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "chuk-fsspec: /l: left out: it may lead out of the target",
        "chuk-fsspec: /p: left out: it is a FIFO",
    ]
    assert sorted(os.listdir(target)) == ["a\\b", "good"]


def test_mistakes(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, answer in (
        (["export", url(directory), str(tmp_path / "x.rar")], "end it with one of .tar"),
        (["export", url(directory, "none"), str(tmp_path / "x.tar")], "No such file"),
        (["export", url(directory), "-"], "pass --format"),
        (["export", url(directory), "-", "--format", "tar", "--json"], "leave out --json"),
        (["import", str(tmp_path / "none.tar"), url(directory)], "No such file"),
        (["import", str(directory / "again"), "chukmem://"], "give a URL that lasts"),
        (["import", str(directory / "again"), url(directory, "new")], "it is no tar, zip or JSON archive"),
    ):
        assert main(arguments) == 1
        captured = capsys.readouterr()
        assert answer in captured.err
        assert captured.err.count("\n") == 1
    for limit in ("max_total_size", "max_total_size=many", "weight=5"):
        with pytest.raises(SystemExit):
            main(["import", "x", "y", "--limit", limit])
        assert "max_file_size, max_total_size" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["files"]


def test_through_a_pipe(directory: Path, tmp_path: Path) -> None:
    program = "import sys; from chuk_fsspec.cli.main import main; sys.exit(main())"
    command = shlex.join([sys.executable, "-c", program])
    done = subprocess.run(
        f"{command} export {shlex.quote(url(directory))} - --format tar.gz"
        f" | {command} import - {shlex.quote(url(tmp_path, 'back'))}",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "imported 1 files" in done.stdout
    assert (tmp_path / "back" / "sub" / "link").read_bytes() == b"x" * 10_000
    (tmp_path / "x.zip").write_bytes(b"PK\3\4" + bytes(600))
    with open(tmp_path / "x.zip", "rb") as file:
        piped = subprocess.run(
            f"cat | {command} import - {shlex.quote(url(tmp_path, 'zip'))}",
            shell=True,
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
        )
    assert "save it first" in piped.stderr


@pytest.mark.parametrize("command", ["export", "import"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"example:\n  chuk-fsspec {command}" in capsys.readouterr().out


def test_the_examples_run(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(directory)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
    lines = (export_cmd._EXAMPLE + import_cmd._EXAMPLE).strip().splitlines()
    fs = fsspec.filesystem("chuksqlite", database=str(directory / "work.db"))
    fs.pipe_file("/src/f", b"x")
    for line in lines:
        if "import project" in line:
            fs.rm("/src", recursive=True)
            Path("download.zip").write_bytes(Path("src.zip").read_bytes())
        if not line:
            continue
        words = shlex.split(line.partition(" | ")[0].replace("$PWD", str(directory)))
        assert main(words[1:]) == 0, line
    assert fs.exists("/sub/f.txt")
    assert (directory / "new" / "f").read_bytes() == b"x"
