"""``chuk-fsspec sqlite check``, ``size`` and ``vacuum``, and what they stand on."""

from __future__ import annotations

import errno
import gc
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.maintenance import check, measure, repair, vacuum
from chuk_fsspec.cli.main import main
from chuk_fsspec.testing.checks import fails_with
from tests.sqlite.sqlite_checker import problems
from tests.sqlite.sqlite_files import everything, meanwhile

COMMANDS = ("check", "size", "vacuum")
HOLDS_THE_LOCK = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    print("ready", flush=True)
    sys.stdin.readline()
"""
STAYS_OPEN = """
    import os, sys
    from chuk_fsspec.backends.sqlite import SqliteFileSystem
    fs = SqliteFileSystem(database=sys.argv[1])
    handle = fs.posix.open_handle("/removed", os.O_CREAT | os.O_RDWR)
    fs.rm_file("/removed")
    print("ready", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with a bit of everything, closed; to be copied."""
    directory = tmp_path_factory.mktemp("whole")
    path = str(directory / "w.db")
    fs = SqliteFileSystem(database=path, skip_instance_cache=True)
    fs.pipe({"/d/e/small": b"x" * 100, "/d/large": b"y" * 300_000, "/empty": b"", "/two": b"z" * 5000})
    fs.posix.link("/two", "/d/again")
    fs.posix.symlink("two", "/link")
    fs.posix.mknod("/pipe", 0o010644, 0)
    fs.posix.setxattr("/two", "user.a", b"1")
    with fs.posix.open_handle("/holes", os.O_CREAT | os.O_WRONLY) as handle:
        handle.pwrite(b"end", 1 << 20)
    del fs, handle
    gc.collect()
    assert os.listdir(directory) == ["w.db"]
    return path


@pytest.fixture
def database(whole: str, tmp_path: Path) -> str:
    """A copy of that, which may be damaged."""
    return shutil.copy(whole, str(tmp_path))


@pytest.fixture
def tables(database: str) -> Iterator[sqlite3.Connection]:
    """The tables, to do harm to them."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        yield connection


def outcome(*arguments: str) -> int:
    try:
        return main(["sqlite", *arguments])
    except SystemExit as end:
        return int(end.code or 0)


def opened(database: str) -> SqliteFileSystem:
    return SqliteFileSystem(database=database, skip_instance_cache=True)


def number(tables: sqlite3.Connection, name: str) -> int:
    return int(tables.execute("SELECT ino FROM dentry WHERE name = ?", (name,)).fetchone()[0])


# ---- check


def test_a_whole_file_has_no_problems(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(database).read_bytes()
    assert outcome("check", database) == 0
    assert capsys.readouterr() == ("nothing is wrong\n", "")
    assert outcome("check", database, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"problems": [], "count": 0, "leftovers": 0, "ok": True, "repaired": 0}
    assert outcome("check", database, "--repair") == 0
    assert capsys.readouterr() == ("nothing is wrong\n", "")
    assert Path(database).read_bytes() == before


def test_others_may_use_a_file_that_is_checked(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    with meanwhile(STAYS_OPEN, database):
        assert outcome("check", database) == 0
        assert capsys.readouterr().out == (
            "note: 1 files or contents without a name: open in a program, or left by a killed one\nnothing is wrong\n"
        )
        assert outcome("check", database, "--repair") == 1
        assert "other programs use the database" in capsys.readouterr().err
    with meanwhile(HOLDS_THE_LOCK, database):
        assert outcome("check", database) == 0


# What is done to the tables, and what is said about it; what comes after "lost:" has to be in /lost+found in the end.
HARM: dict[str, tuple[str, str]] = {
    "entry to nothing": ("INSERT INTO dentry VALUES (1, 'ghost', 999, NULL, NULL)", "/: its entry 'ghost' leads"),
    "lost file": ("DELETE FROM dentry WHERE name = 'small'", "no path leads to it lost: 100"),
    "lost tree": ("DELETE FROM dentry WHERE name = 'd'", "no path leads to it lost: 100 300000"),
    "circle": (
        "UPDATE dentry SET parent = (SELECT ino FROM dentry WHERE name = 'e') WHERE name = 'd'",
        "no path leads to it lost: 100 300000",
    ),
    "nlink too high": ("UPDATE inode SET nlink = 9 WHERE size = 5000", "nlink is 9, and there are 2 names"),
    "nlink too low": ("UPDATE inode SET nlink = 0 WHERE size = 5000", "nlink is 0, and there are 2 names"),
    "nlink of a directory": ("UPDATE inode SET nlink = 7 WHERE ino = 1", "nlink of the directory is 7 instead of 3"),
    "entry in a file": (
        "UPDATE dentry SET parent = (SELECT ino FROM dentry WHERE name = 'two') WHERE name = 'small'",
        "is in something that is no directory lost: 100",
    ),
    "entry in nothing": ("UPDATE dentry SET parent = 999 WHERE name = 'small'", "no directory lost: 100"),
    "name with a slash": ("UPDATE dentry SET name = 'a/b' WHERE name = 'small'", "'a/b' cannot be one lost: 100"),
    "empty name": ("UPDATE dentry SET name = '' WHERE name = 'small'", "'' cannot be one lost: 100"),
    "name of a number": ("UPDATE dentry SET name = 5 WHERE name = 'small'", "cannot be one lost: 100"),
    "two names of a directory": (
        "INSERT INTO dentry SELECT 1, 'other', ino, NULL, NULL FROM dentry WHERE name = 'e'",
        "the directory has the second name 'other'",
    ),
    "name twice": (
        "INSERT INTO dentry SELECT parent, CAST('two' AS BLOB), ino, NULL, NULL FROM dentry WHERE name = 'empty'",
        "its entry 'two' is there twice",
    ),
    "wrong parent": (
        "UPDATE inode SET parent = 1 WHERE ino = (SELECT ino FROM dentry WHERE name = 'e')",
        "/d/e: the directory says that it lies somewhere else",
    ),
    "no times": (
        "DELETE FROM dentry WHERE name = '.' AND parent = (SELECT ino FROM dentry WHERE name = 'e')",
        "/d/e: the directory has no times",
    ),
    "times of nothing": ("INSERT INTO dentry VALUES (999, '.', 999, 1, 1)", "times of the directory 999, which is"),
    "owned and loose": ("INSERT INTO loose SELECT cid FROM inode WHERE size = 5000", "as one that nobody has"),
    "chunks of nobody": ("INSERT INTO chunk (id, data) VALUES (2000 << 28, zeroblob(777))", "777 bytes lost: 777"),
    "space": ("UPDATE inode SET space = 1 WHERE size = 300000", "said to take 1 bytes, and takes 300000"),
    "size": ("UPDATE inode SET size = 7 WHERE size = 100", "its size is 7, and there are 100 bytes"),
    "bytes past the end": (
        "UPDATE chunk SET data = CAST(data || x'ff' AS BLOB) WHERE length(data) = 5000",
        "its last chunk has bytes past the end",
    ),
    "numbers": ("UPDATE setting SET value = 2 WHERE name = 'next_number'", "the number 2 would be given a second time"),
}


@pytest.mark.parametrize("harm", HARM)
def test_what_is_wrong_is_found_and_repaired(
    database: str, tables: sqlite3.Connection, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statements, said = HARM[harm]
    said, _, sizes = said.partition(" lost: ")
    contents = _contents(database)
    tables.executescript(statements)
    tables.close()
    before = Path(database).read_bytes()
    assert outcome("check", database) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert re.search(r"^\d+ problems?\nwhat to do: .*chuk-fsspec sqlite check --repair$", captured.out, re.MULTILINE)
    assert Path(database).read_bytes() == before
    assert outcome("check", database, "--repair") == 0
    assert re.fullmatch(r"\d+ problems? repaired\nnothing is wrong\n", capsys.readouterr().out)
    assert problems(database) == []
    assert check(database).ok
    fs = opened(database)
    found = [fs.info(path)["size"] for path in fs.find("/lost+found")] if fs.exists("/lost+found") else []
    assert set(map(int, sizes.split())) <= set(found)
    assert _contents(database) >= contents


def _contents(database: str) -> set[bytes]:
    fs = opened(database)
    contents = {fs.cat_file(path) for path, info in fs.find("/", detail=True).items() if info["type"] == "file"}
    del fs
    gc.collect()
    return contents


@given(harms=st.lists(st.sampled_from(sorted(HARM)), min_size=2, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_whatever_is_wrong_at_once_is_repaired(database: str, harms: list[str]) -> None:
    harmed = f"{database}.harmed"
    shutil.copyfile(database, harmed)
    contents = {b"x" * 100, b"y" * 300_000, b"z" * 5000}
    with closing(sqlite3.connect(harmed, isolation_level=None)) as connection:
        for harm in harms:
            with suppress(sqlite3.IntegrityError):
                connection.execute(HARM[harm][0])
    assert repair(harmed).ok
    assert problems(harmed) == []
    assert _contents(harmed) >= contents


BEYOND: dict[str, tuple[str, str]] = {
    "kind": ("UPDATE inode SET mode = 0 WHERE size = 100", "its mode 0 is of no kind of file"),
    "missing": ("UPDATE inode SET data = NULL WHERE size = 100", "/d/e/small: its content of 100 bytes is missing"),
    "two contents": ("UPDATE inode SET data = x'00' WHERE size = 5000", "it has two contents"),
    "common content": (
        "UPDATE inode SET cid = (SELECT cid FROM inode WHERE size = 300000), data = NULL WHERE size = 100",
        "like another file",
    ),
    "chunk past the end": ("UPDATE inode SET size = 70000 WHERE size = 300000", "/d/large: its chunk 2 lies past"),
    "xattrs": ("UPDATE inode SET xattrs = '{' WHERE size = 5000", "its extended attributes cannot be read"),
    "setting": ("DELETE FROM setting WHERE name = 'chunk_size'", "the setting chunk_size is missing"),
    "root": ("UPDATE inode SET mode = 33188 WHERE ino = 1", "there is no root directory"),
}


@pytest.mark.parametrize("harm", BEYOND)
def test_what_cannot_be_repaired_is_said_and_left(
    database: str, tables: sqlite3.Connection, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statement, said = BEYOND[harm]
    tables.execute(statement)
    tables.close()
    assert outcome("check", database) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
    assert "what to do: " in captured.out
    assert outcome("check", database, "--repair") == 1


def test_a_damaged_file_is_told_apart(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(database, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))
    before = everything(tmp_path)
    for options in ([], ["--repair"]):
        assert outcome("check", database, *options) == 1
        captured = capsys.readouterr()
        assert captured.err.startswith(f"chuk-fsspec: {database}: ")
        assert "sqlite3 FILE .recover | sqlite3 NEW" in captured.out
        assert everything(tmp_path)["w.db"] == before["w.db"]


def test_a_truncated_file(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    os.truncate(database, os.path.getsize(database) // 2 // 4096 * 4096)
    assert outcome("check", database) == 1
    assert ".recover" in capsys.readouterr().out


DAMAGE: dict[str, Callable[[str], Any]] = {
    "truncated": lambda path: os.truncate(path, 3 * 4096),
    "one page": lambda path: os.truncate(path, 4096),
    "first page": lambda path: _overwrite(path, 100, 3996),
    "other pages": lambda path: _overwrite(path, 4096, os.path.getsize(path) - 4096),
    "no settings": lambda path: _execute(path, "DELETE FROM setting"),
    "no root": lambda path: _execute(path, "DELETE FROM inode WHERE ino = 1"),
    "a root that is a file": lambda path: _execute(path, "UPDATE inode SET mode = 33188 WHERE ino = 1"),
    "no table": lambda path: _execute(path, "DROP TABLE dentry"),
    "names that lead nowhere": lambda path: _execute(path, "DELETE FROM inode WHERE ino > 1"),
}


def _overwrite(path: str, offset: int, size: int) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(b"\xa5" * size)


def _execute(path: str, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("damage", DAMAGE)
def test_use_of_a_damaged_file_names_the_command(
    database: str, damage: str, read_only: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    DAMAGE[damage](database)
    before = Path(database).read_bytes()
    with pytest.raises(OSError, match=r"w\.db is damaged; 'chuk-fsspec sqlite check w\.db' says where") as caught:
        SqliteFileSystem(database=database, skip_instance_cache=True, read_only=read_only).find("/")
    assert caught.value.errno == errno.EIO
    assert os.path.dirname(database) not in str(caught.value)
    assert Path(database).read_bytes() == before
    assert outcome("check", database) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"chuk-fsspec: {database}: ")
    assert "what to do: " in captured.out
    for command in ("size", "vacuum"):
        outcome(command, database)
        assert len(capsys.readouterr().err.splitlines()) <= 1


def test_a_repair_is_whole(database: str, tables: sqlite3.Connection) -> None:
    """One that is not finished has changed nothing."""
    tables.executescript(HARM["lost tree"][0])
    tables.close()
    before = Path(database).read_bytes()

    def fails(step: str) -> None:
        if step == "space":
            calls.append(step)
            if len(calls) == 2:
                raise KeyboardInterrupt

    calls: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        repair(database, on_step=fails)
    assert Path(database).read_bytes() == before
    assert repair(database).ok


def test_repairs_of_repairs(database: str, tables: sqlite3.Connection) -> None:
    """The name of /lost+found may be taken, by a directory or by something else."""
    opened(database).pipe_file("/lost+found", b"mine")
    gc.collect()
    tables.execute("DELETE FROM dentry WHERE name = 'small'")
    tables.close()
    assert repair(database).ok
    assert len(opened(database).ls("/lost+found+")) == 1
    gc.collect()
    with closing(sqlite3.connect(database, isolation_level=None)) as again:
        again.execute("DELETE FROM dentry WHERE name = 'large'")
    assert repair(database).ok
    fs = opened(database)
    assert len(fs.ls("/lost+found+")) == 2
    assert fs.cat_file("/lost+found") == b"mine"


# ---- size


def test_size(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    size = measure(database)
    assert (size.files, size.directories, size.others) == (5, 3, 2)
    assert size.content == 100 + 300_000 + 5000 + (1 << 20) + 3
    assert size.stored == 100 + 300_000 + 5000 + 3
    assert size.file == os.path.getsize(database)
    assert (size.log, size.chunk_size) == (0, 65536)
    assert [one.path for one in size.largest[:2]] == ["/holes", "/d/large"]
    assert outcome("size", database, "--largest", "1", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["largest"] == [{"path": "/holes", "size": (1 << 20) + 3}]
    assert said["content"] == size.content
    assert outcome("size", database) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "5 files, 3 directories, 2 links and special files"
    assert "   293.0 KiB  /d/large" in lines
    assert outcome("size", database, "--largest", "-1") == 2


def test_size_of_a_file_in_use(database: str) -> None:
    fs = opened(database)
    fs.pipe_file("/more", b"x" * 100_000)
    assert measure(database).log > 100_000


# ---- vacuum


def test_vacuum_gives_space_back(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    fs = opened(database)
    fs.rm("/d", recursive=True)
    del fs
    gc.collect()
    assert measure(database).free > 290_000
    before = os.path.getsize(database)
    assert outcome("vacuum", database) == 0
    assert re.search(r"w\.db: \d+\.\d KiB smaller\n$", capsys.readouterr().out)
    assert os.path.getsize(database) < before - 290_000
    assert measure(database).free == 0
    assert check(database).ok
    assert opened(database).cat_file("/two") == b"z" * 5000


def test_vacuum_beside_one_that_is_open(database: str) -> None:
    with meanwhile(STAYS_OPEN, database):
        vacuum(database)
    fs = opened(database)
    fs.rm("/d", recursive=True)
    assert vacuum(database) > 0
    assert fs.cat_file("/two") == b"z" * 5000
    fs.pipe_file("/new", b"content")
    assert check(database).ok


def test_vacuum_while_somebody_writes(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chuk_fsspec.backends.sqlite.vacuuming._PATIENCE", 0.1)
    before = Path(database).read_bytes()
    with meanwhile(HOLDS_THE_LOCK, database):
        assert outcome("vacuum", database) == 1
        assert "other programs use the database; unmount it or end them, and try again" in capsys.readouterr().err
        with fails_with(errno.EBUSY):
            vacuum(database)
    assert Path(database).read_bytes() == before


# ---- all


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_ends_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(command, "--help") == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: chuk-fsspec sqlite {command}")
    assert re.search(rf"example:\n(  .*\n)*  chuk-fsspec sqlite {command}", text)
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("command", COMMANDS)
def test_other_files_are_refused_in_one_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("hello\n")
    (tmp_path / "empty").touch()
    assert outcome(command, "text") == 1
    assert capsys.readouterr().err == (
        "chuk-fsspec: text: database: 'text' is not a chuksqlite file; it was left as it is\n"
    )
    assert outcome(command, "missing") == 1
    assert capsys.readouterr().err.startswith("chuk-fsspec: missing: No such file or directory: the database")
    assert outcome(command, ".") == 1
    assert capsys.readouterr().err.startswith("chuk-fsspec: .: Is a directory")
    assert outcome(command) == 2
    assert sorted(everything(tmp_path).items()) == [("empty", b""), ("text", b"hello\n")]


def test_relative_paths(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        assert outcome(command, "w.db") == 0


def test_progress_is_shown_on_a_terminal_and_gone_in_the_end(database: str) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "chuk_fsspec", "sqlite", "check", database]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\rthe database …" in shown
    assert shown.endswith("\r\x1b[K")
    assert done.stdout == "nothing is wrong\n"


def test_names_say_nothing_to_a_terminal(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    fs: Any = opened(database)
    fs.pipe_file("/a\x1b[31mred", b"x" * (1 << 21))
    assert outcome("size", database) == 0
    assert "\x1b" not in capsys.readouterr().out
