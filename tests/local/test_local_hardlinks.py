"""Hard links: those made here are two names of one file; through those made elsewhere nothing is written."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("files and times are compared as Linux has them", allow_module_level=True)

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.testing.checks import fails_with
from tests.local.local_ways import SECRET, Outside, fs, outside, way

__all__ = ["fs", "outside", "way"]
pytestmark = pytest.mark.usefixtures("way")

CHANGES: dict[str, Callable[[LocalFileSystem], Any]] = {
    "pipe_file": lambda fs: fs.pipe_file("/in", b"new"),
    "open wb": lambda fs: write(fs, "wb"),
    "open ab": lambda fs: write(fs, "ab"),
    "open r+b": lambda fs: write(fs, "r+b"),
    "touch": lambda fs: fs.touch("/in"),
    "touch only": lambda fs: fs.touch("/in", truncate=False),
    "cp_file": lambda fs: fs.cp_file("/mine", "/in"),
    "handle": lambda fs: fs.posix.open_handle("/in", os.O_RDWR).pwrite(b"new", 0),
    "handle append": lambda fs: fs.posix.open_handle("/in", os.O_WRONLY | os.O_APPEND).pwrite(b"new", 0),
    "handle trunc": lambda fs: fs.posix.open_handle("/in", os.O_RDONLY | os.O_TRUNC),
    "handle truncate": lambda fs: fs.posix.open_handle("/in", os.O_RDWR).truncate(1),
    "truncate": lambda fs: fs.posix.truncate("/in", 3),
    "chmod": lambda fs: fs.posix.chmod("/in", 0o777),
    "chown": lambda fs: fs.posix.chown("/in", -1, -1),
    "utime": lambda fs: fs.posix.utime("/in"),
    "setxattr": lambda fs: fs.posix.setxattr("/in", "user.mine", b"x"),
    "through a link": lambda fs: fs.posix.truncate("/link", 2),
}


def write(fs: LocalFileSystem, mode: str) -> None:
    with fs.open("/in", mode) as file:
        file.write(b"new")


@pytest.fixture
def linked(fs: LocalFileSystem, outside: Outside, tmp_path: Path) -> Iterator[LocalFileSystem]:
    """The secret has a second name in the root; what is made of it there is compared with what it was."""
    os.link(outside.path / "secret", tmp_path / "root" / "in")
    fs.posix.symlink("in", "/link")
    fs.pipe_file("/mine", b"mine")
    before = describe(outside.path / "secret")
    yield fs
    if fs.lexists("/in") and fs.posix.lstat("/in").st_nlink == 2:
        fs.rm("/in")
    after = describe(outside.path / "secret")
    assert after == before


def describe(path: Path) -> tuple[Any, ...]:
    found = os.stat(path)
    return found.st_mode, found.st_uid, found.st_gid, found.st_size, found.st_mtime_ns, os.listxattr(path)


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_of_the_outside_is_not_changed(linked: LocalFileSystem, outside: Outside, change: str) -> None:
    CHANGES[change](linked)
    assert linked.posix.stat("/in").st_nlink == 1
    assert (outside.path / "secret").read_bytes() == SECRET
    assert linked.posix.stat("/in").st_ino != os.stat(outside.path / "secret").st_ino


def test_what_takes_its_place_is_the_same_otherwise(linked: LocalFileSystem, outside: Outside) -> None:
    os.setxattr(outside.path / "secret", "user.kept", b"value")
    before = describe(outside.path / "secret")
    linked.posix.open_handle("/in", os.O_RDWR).close()
    copy = linked.posix.stat("/in")
    assert (copy.st_mode, copy.st_uid, copy.st_gid, copy.st_size, copy.st_mtime_ns) == before[:5]
    assert linked.posix.getxattr("/in", "user.kept") == b"value"
    assert linked.cat_file("/in") == SECRET
    os.removexattr(outside.path / "secret", "user.kept")


def test_reading_and_removing_leave_it_as_it_is(linked: LocalFileSystem, outside: Outside) -> None:
    assert linked.cat_file("/in") == SECRET
    assert linked.posix.open_handle("/in").pread(99, 0) == SECRET
    assert linked.info("/in")["nlink"] == 2
    linked.mv("/in", "/moved")
    linked.rm("/moved")


def test_other_kinds_are_refused(fs: LocalFileSystem, outside: Outside, tmp_path: Path) -> None:
    for make in (os.mkfifo, lambda path: os.symlink("x", path)):
        (tmp_path / "foreign").mkdir(exist_ok=True)
        make(tmp_path / "foreign" / "node")
        os.link(tmp_path / "foreign" / "node", tmp_path / "root" / "node", follow_symlinks=False)
        with fails_with(errno.EPERM, "/node"):
            fs.posix.utime("/node", ns=(5, 5), follow_symlinks=False)
        fs.rm("/node")
        os.unlink(tmp_path / "foreign" / "node")


def test_a_file_that_got_a_name_outside_is_not_changed_there(
    fs: LocalFileSystem, outside: Outside, tmp_path: Path
) -> None:
    fs.pipe_file("/mine", b"mine")
    os.link(tmp_path / "root" / "mine", tmp_path / "out")
    fs.posix.truncate("/mine", 1)
    assert (tmp_path / "out").read_bytes() == b"mine"


# ---- links that were made here


def test_names_made_here_are_names_of_one_file(fs: LocalFileSystem, outside: Outside) -> None:
    fs.pipe_file("/a", b"content")
    fs.posix.link("/a", "/b")
    fs.posix.link("/b", "/c")
    with fs.posix.open_handle("/a", os.O_RDWR) as handle:
        handle.pwrite(b"C", 0)
    assert fs.cat_file("/b") == fs.cat_file("/c") == b"Content"
    fs.posix.chmod("/b", 0o600)
    assert stat.S_IMODE(fs.posix.stat("/c").st_mode) == 0o600
    fs.rm("/a")
    with fs.open("/c", "ab") as file:
        file.write(b"!")
    assert fs.cat_file("/b") == b"Content!"


def test_other_instances_of_this_process_know_them(fs: LocalFileSystem, outside: Outside, tmp_path: Path) -> None:
    fs.pipe_file("/a", b"content")
    fs.posix.link("/a", "/b")
    other = LocalFileSystem(root=str(tmp_path / "root"))
    other.posix.truncate("/a", 3)
    other.posix.nofollow.posix.truncate("/b", 2)
    assert fs.cat_file("/b") == fs.cat_file("/a") == b"co"


def test_one_more_name_from_elsewhere_ends_that(fs: LocalFileSystem, outside: Outside, tmp_path: Path) -> None:
    fs.pipe_file("/a", b"content")
    fs.posix.link("/a", "/b")
    os.link(tmp_path / "root" / "a", tmp_path / "out")
    fs.posix.truncate("/a", 1)
    assert (tmp_path / "out").read_bytes() == fs.cat_file("/b") == b"content"
    assert fs.cat_file("/a") == b"c"


def test_names_that_went_do_not_count(fs: LocalFileSystem, outside: Outside, tmp_path: Path) -> None:
    fs.pipe_file("/a", b"content")
    for name in "bc":
        fs.posix.link("/a", f"/{name}")
    fs.rm("/b")
    fs.mv("/mine" if fs.exists("/mine") else "/c", "/d")
    os.link(tmp_path / "root" / "a", tmp_path / "out")
    fs.posix.truncate("/a", 1)
    assert (tmp_path / "out").read_bytes() == b"content"


def test_publishing_is_for_one_name(fs: LocalFileSystem, outside: Outside) -> None:
    fs.pipe_file("/a", b"old")
    fs.posix.link("/a", "/b")
    fs.pipe_file("/a", b"new")
    assert (fs.cat_file("/a"), fs.cat_file("/b")) == (b"new", b"old")
    assert fs.posix.stat("/b").st_nlink == 1


def test_all_names_can_be_trusted(tmp_path: Path, outside: Outside) -> None:
    (tmp_path / "root").mkdir(exist_ok=True)
    fs = LocalFileSystem(root=str(tmp_path / "root"), trust_links=True)
    (tmp_path / "theirs").write_bytes(b"theirs")
    os.link(tmp_path / "theirs", tmp_path / "root" / "in")
    fs.posix.truncate("/in", 2)
    assert (tmp_path / "theirs").read_bytes() == b"th"
