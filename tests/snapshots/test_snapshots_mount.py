"""A mounted filesystem goes back to a snapshot under the hands of those who work in it; a snapshot can be mounted."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.engine.filesystem import InodeFileSystem
from chuk_fsspec.testing.checks import fails_with

pytestmark = pytest.mark.mount


@pytest.fixture(params=["chukmem", "chuksqlite"])
def fs(request: pytest.FixtureRequest, chukmem: MemoryFileSystem, database: str) -> InodeFileSystem:
    return chukmem if request.param == "chukmem" else SqliteFileSystem(database=database)


@pytest.fixture(params=[False, True], ids=["plain", "writeback"])
def point(request: pytest.FixtureRequest, fs: InodeFileSystem, tmp_path: Path) -> Iterator[Path]:
    """A mounted engine, with and without the kernel's write-back cache."""
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(fs, target, MountOptions(writeback=request.param)):
        yield target


@pytest.fixture
def shell(point: Path) -> Iterator[subprocess.Popen[str]]:
    """A shell whose working directory is /work/deep in the mount."""
    (point / "work" / "deep").mkdir(parents=True)
    (point / "work" / "deep" / "a").write_text("first")
    home = point / "work" / "deep"
    with subprocess.Popen(["sh"], cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def ask(shell: subprocess.Popen[str], command: str) -> str:
    """What a shell prints for a command."""
    assert shell.stdin is not None
    assert shell.stdout is not None
    shell.stdin.write(f"{{ {command}; }} 2>&1; echo; echo DONE\n")
    shell.stdin.flush()
    lines: list[str] = []
    while (line := shell.stdout.readline()) not in ("DONE\n", ""):
        lines.append(line)
    return "".join(lines).strip()


def test_a_shell_in_a_directory_goes_on(fs: InodeFileSystem, point: Path, shell: subprocess.Popen[str]) -> None:
    assert ask(shell, "cat a") == "first"
    fs.snapshots.create("before")
    ask(shell, "echo -n second, and longer > a; mkdir new; echo x > new/x; mv a b; ls")
    assert ask(shell, "cat b") == "second, and longer"
    fs.snapshots.restore("before")
    assert ask(shell, "ls") == "a"
    assert ask(shell, "cat a") == "first"
    assert (point / "work/deep/a").stat().st_size == 5
    ask(shell, "echo -n third > c")
    assert fs.cat_file("/work/deep/c") == b"third"
    assert sorted(os.listdir(point / "work" / "deep")) == ["a", "c"]


def test_a_directory_that_was_removed_under_a_shell_is_there_again(
    fs: InodeFileSystem, point: Path, shell: subprocess.Popen[str]
) -> None:
    fs.snapshots.create("before")
    subprocess.run(["rm", "-r", point / "work"], check=True)
    assert ask(shell, "ls") == ""
    fs.snapshots.restore("before")
    assert ask(shell, f"cat {point}/work/deep/a") == "first"
    assert ask(shell, f"cd {point}/work/deep; cat a") == "first"
    os.rename(point / "work", point / "moved")
    assert ask(shell, "cat a") == "first"


def test_a_directory_that_was_replaced_under_a_shell_is_there_again(
    fs: InodeFileSystem, point: Path, shell: subprocess.Popen[str]
) -> None:
    (point / "other").mkdir()
    os.remove(point / "work" / "deep" / "a")
    fs.snapshots.create("before")
    os.rename(point / "other", point / "work" / "deep")
    fs.snapshots.restore("before")
    (point / "work" / "deep" / "b").write_text("made in it")
    assert ask(shell, f"cat {point}/work/deep/b") == "made in it"


def test_open_files_and_programs_go_on(fs: InodeFileSystem, point: Path) -> None:
    (point / "old").write_bytes(b"x" * 300_000)
    fs.snapshots.create("before")
    with (point / "old").open("r+b", buffering=0) as old, (point / "new").open("w+b", buffering=0) as new:
        os.pwrite(old.fileno(), b"changed", 200_000)
        os.write(new.fileno(), b"made later")
        os.fsync(old.fileno())
        fs.snapshots.restore("before")
        assert (point / "old").read_bytes() == b"x" * 300_000
        assert not (point / "new").exists()
        assert os.pread(new.fileno(), 99, 0) == b"made later"
        assert os.pread(old.fileno(), 7, 200_000) == b"x" * 7
        os.pwrite(old.fileno(), b"again", 0)
    assert fs.cat_file("/old", 0, 7) == b"againxx"
    assert os.listdir(point) == ["old"]


def test_every_kind_of_change_shows_at_once(fs: InodeFileSystem, point: Path) -> None:
    (point / "d").mkdir()
    (point / "d" / "f").write_text("one")
    os.link(point / "d" / "f", point / "hard")
    os.symlink("d/f", point / "link")
    fs.snapshots.create("before")
    before = subprocess.run(["ls", "-lRi", "--time-style=full-iso", point], check=True, capture_output=True).stdout
    for command in ("echo two > d/f", "mv d e", "ln -sfn nowhere link", "chmod 600 hard", "mkdir d", "rm hard"):
        subprocess.run(command, shell=True, cwd=point, check=True)
    after = subprocess.run(["ls", "-lRi", "--time-style=full-iso", point], check=True, capture_output=True).stdout
    assert after != before
    fs.snapshots.create("after")
    for name, expected in (("before", before), ("after", after), ("before", before)):
        fs.snapshots.restore(name)
        seen = subprocess.run(["ls", "-lRi", "--time-style=full-iso", point], check=True, capture_output=True).stdout
        assert seen == expected


def test_a_snapshot_can_be_mounted(fs: InodeFileSystem, tmp_path: Path) -> None:
    point = tmp_path / "mnt"
    point.mkdir()
    fs.pipe_file("/d/f", b"then" * 50_000)
    fs.snapshots.create("then")
    fs.pipe_file("/d/f", b"now")
    with mount(fs.snapshots.at("then"), point):
        assert (point / "d" / "f").read_bytes() == b"then" * 50_000
        fs.rm("/d", recursive=True)
        assert os.listdir(point / "d") == ["f"]
        with fails_with(errno.EROFS):
            (point / "d" / "f").write_text("no")
        with fails_with(errno.EROFS):
            (point / "new").mkdir()
        fs.snapshots.delete("then")
        with fails_with(errno.ESTALE):
            (point / "d" / "g").read_bytes()
