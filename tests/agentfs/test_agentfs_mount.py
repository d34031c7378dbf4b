"""An AgentFS database as a directory: what programs read there, while the agent works on."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_adapters.fuse import MountOptions, mount
from tests.agentfs.agentfs_files import CHUNK, DIRECTORY, THEN, Maker, pattern
from tests.waiting import wait_until

pytestmark = pytest.mark.mount


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[Maker]:
    maker = Maker(tmp_path / "agent.db")
    maker.file("size", pattern(5 * CHUNK + 3))
    sub = maker.directory("sub")
    maker.file("f.txt", b"one\ntwo\n", sub)
    maker.entry(sub, "again", maker.file("shared", b"shared"))
    maker.link("to-file", "sub/f.txt")
    maker.link("to-nothing", "/nowhere/at/all")
    maker.directory("empty")
    maker.file("..", b"odd")
    script = maker.file("script", b"#!/bin/sh\necho hello\n")
    maker.run("UPDATE fs_inode SET mode = mode | 73 WHERE ino = ?", script)
    maker.run("UPDATE fs_inode SET uid = ?, gid = ?", os.getuid(), os.getgid())
    yield maker
    maker.close()


@pytest.fixture
def point(maker: Maker, tmp_path: Path) -> Iterator[Path]:
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(maker.open(), target, MountOptions(transport="kernel")):
        yield target


def output_of(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def test_programs_read(point: Path, tmp_path: Path) -> None:
    assert (point / "size").read_bytes() == pattern(5 * CHUNK + 3)
    assert output_of("cat", "to-file", "sub/again", cwd=point) == "one\ntwo\nshared"
    assert output_of("sh", "-c", "./script", cwd=point) == "hello\n"
    assert output_of("grep", "-r", "two", ".", cwd=point) == "./sub/f.txt:two\n"
    listed = output_of("ls", "-ln", "--time-style=+%s", cwd=point).splitlines()[1:]
    shown = {line.split()[6]: line.split() for line in listed}
    assert set(shown) == {"%2E%2E", "empty", "script", "shared", "size", "sub", "to-file", "to-nothing"}
    assert shown["shared"][:2] == ["-rw-r--r--", "2"]
    assert shown["size"][4:6] == [str(5 * CHUNK + 3), str(THEN)]
    assert shown["to-file"][6:] == ["to-file", "->", "sub/f.txt"]
    assert sorted(output_of("find", ".", "-type", "f", cwd=point).split()) == sorted(
        ["./%2E%2E", "./script", "./shared", "./size", "./sub/again", "./sub/f.txt"]
    )
    assert (point / "shared").samefile(point / "sub" / "again")
    assert os.statvfs(point).f_bavail == 0


def test_a_copy_keeps_everything(point: Path, tmp_path: Path) -> None:
    output_of("cp", "-a", str(point), str(tmp_path / "copy"), cwd=tmp_path)
    assert output_of("diff", "-r", "--no-dereference", str(point), str(tmp_path / "copy"), cwd=tmp_path) == ""
    copied = (tmp_path / "copy" / "shared").stat()
    assert (copied.st_nlink, copied.st_mtime) == (2, THEN)
    assert os.readlink(tmp_path / "copy" / "to-nothing") == "/nowhere/at/all"
    assert stat.S_IMODE((tmp_path / "copy" / "script").stat().st_mode) == 0o755
    output_of("tar", "-cf", str(tmp_path / "all.tar"), "-C", str(point), ".", cwd=tmp_path)


def test_every_change_is_refused(point: Path) -> None:
    size, new = point / "size", point / "new"
    changes: list[tuple[Any, ...]] = [
        (new.touch,),
        (size.write_bytes, b"x"),
        (size.open, "ab"),
        (new.mkdir,),
        ((point / "empty").rmdir,),
        (size.unlink,),
        (size.rename, new),
        (new.symlink_to, "x"),
        (os.link, size, new),
        (size.chmod, 0o600),
        (os.utime, size),
        (os.truncate, size, 1),
        (os.mkfifo, new),
        (os.setxattr, size, "user.x", b"x"),
    ]
    for change, *arguments in changes:
        with pytest.raises(OSError) as caught:
            change(*arguments)
        assert caught.value.errno == errno.EROFS, change
    assert (point / "size").read_bytes() == pattern(5 * CHUNK + 3)


def test_what_the_agent_does_meanwhile_shows_within_a_moment(point: Path, maker: Maker) -> None:
    assert (point / "shared").read_bytes() == b"shared"
    assert not (point / "new").exists()
    ino = maker.run("SELECT ino FROM fs_dentry WHERE name = 'shared'").fetchone()[0]
    maker.content(ino, b"longer than it was")
    maker.file("new", b"new")
    maker.run("DELETE FROM fs_dentry WHERE name = 'empty'")
    maker.run("UPDATE fs_dentry SET name = 'renamed' WHERE name = 'sub'")
    wait_until(lambda: (point / "shared").read_bytes() == b"longer than it was")
    wait_until((point / "new").exists)
    wait_until(lambda: not (point / "empty").exists())
    wait_until(lambda: "renamed" in os.listdir(point))
    assert (point / "renamed" / "f.txt").read_bytes() == b"one\ntwo\n"
    maker.content(ino, b"LONGER THAN IT WAS")  # nothing but the content tells
    wait_until(lambda: (point / "shared").read_bytes() == b"LONGER THAN IT WAS")


def test_damage_is_an_error_of_one_file(point: Path, maker: Maker) -> None:
    bad = maker.file("bad", pattern(CHUNK))
    maker.run("UPDATE fs_data SET data = 'text' WHERE ino = ?", bad)
    loop = maker.inode(DIRECTORY)
    maker.entry(1, "loop", loop)
    maker.entry(loop, "loop", loop)
    maker.entry(1, "nowhere", 999)
    wait_until((point / "bad").exists)
    with pytest.raises(OSError) as caught:
        (point / "bad").read_bytes()
    assert caught.value.errno == errno.EIO
    assert os.listdir(point / "loop") == []
    assert "nowhere" not in os.listdir(point)
    found = subprocess.run(["find", "."], cwd=point, capture_output=True, text=True, check=False, timeout=30)
    assert "./loop\n" in found.stdout
    assert (point / "size").read_bytes() == pattern(5 * CHUNK + 3)
