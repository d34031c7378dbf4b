"""A tree of mounts on a FUSE mount: programs see one filesystem, and what is mounted later."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing.checks import fails_with, in_threads
from tests.mounted.mounted_trees import chukmem, stores

pytestmark = pytest.mark.mount


@pytest.fixture(params=["memory", "memory and local", "without a root"])
def fs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MountedFileSystem]:
    with stores(3) as names:
        mounts = {"/": chukmem(names[0]), "/m": chukmem(names[1]), "/m/deep": chukmem(names[2])}
        if request.param != "memory":
            (tmp_path / "host").mkdir()
            mounts["/host/here"] = {"protocol": "chuklocal", "options": {"root": str(tmp_path / "host")}}
        if request.param == "without a root":
            del mounts["/"]
        yield MountedFileSystem(mounts)


@pytest.fixture
def top(fs: MountedFileSystem, tmp_path: Path) -> Iterator[Path]:
    point = tmp_path / "mnt"
    point.mkdir()
    with mount(fs, point):
        yield point


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def test_programs_see_one_tree(fs: MountedFileSystem, top: Path) -> None:
    places = [path for path in ("m", "m/deep", "host/here") if (top / path).exists()]
    for place in places:
        (top / place / "d").mkdir()
        (top / place / "d/f").write_text(place)
    found = run("find", ".", "-type", "f", cwd=top).split()
    assert sorted(found) == sorted(f"./{place}/d/f" for place in places)
    assert fs.find("/") == sorted(f"/{place}/d/f" for place in places)
    listed = run("ls", "-R", cwd=top)
    for place in places:
        assert f"./{place}:" in listed
        assert fs.cat_file(f"/{place}/d/f") == place.encode()
    numbers = [os.lstat(top / place).st_ino for place in places]
    assert numbers == [fs.info(f"/{place}")["ino"] for place in places]
    assert os.path.samefile(top / "m/deep/..", top / "m")


def test_moving_across_mounts(fs: MountedFileSystem, top: Path) -> None:
    """A rename across is EXDEV, so that mv(1) and shutil copy and delete by themselves."""
    (top / "m/f").write_text("content")
    os.chmod(top / "m/f", 0o640)
    for call in (os.rename, os.link):
        with fails_with(errno.EXDEV):
            call(top / "m/f", top / "m/deep/f")
    run("mv", "m/f", "m/deep/g", cwd=top)
    assert fs.cat_file("/m/deep/g") == b"content"
    assert fs.info("/m/deep/g")["mode"] & 0o777 == 0o640
    assert not fs.exists("/m/f")
    shutil.copytree(top / "m/deep", top / "m/copy")
    shutil.move(top / "m/copy", top / "m/deep/moved")
    assert fs.find("/m") == ["/m/deep/g", "/m/deep/moved/g"]
    os.rename(top / "m/deep/g", top / "m/deep/h")


def test_mount_points_stay(fs: MountedFileSystem, top: Path) -> None:
    for point in ("m", "m/deep"):
        with fails_with(errno.EBUSY):
            os.rmdir(top / point)
        with fails_with(errno.EBUSY):
            os.rename(top / point, top / point / "../new")
        with fails_with(errno.EISDIR):
            os.unlink(top / point)
        with fails_with(errno.EEXIST):
            os.mkdir(top / point)
    subprocess.run(["rm", "-rf", "m"], cwd=top, check=False, capture_output=True)
    assert fs.isdir("/m/deep")


def test_symbolic_links_lead_across(fs: MountedFileSystem, top: Path) -> None:
    (top / "m/deep/f").write_text("content")
    os.symlink("deep/f", top / "m/link")
    os.symlink("../link", top / "m/deep/up")
    assert (top / "m/link").read_text() == (top / "m/deep/up").read_text() == "content"
    assert fs.cat_file("/m/deep/up") == b"content"
    os.symlink("/m/deep/f", top / "m/absolute")  # for the kernel, the root is another one
    assert fs.cat_file("/m/absolute") == b"content"
    assert not (top / "m/absolute").exists()


def test_what_is_mounted_later_shows(fs: MountedFileSystem, top: Path) -> None:
    assert not (top / "m/late").exists()
    assert "late" not in os.listdir(top / "m")
    with stores(1) as [name]:
        MemoryFileSystem(name).pipe_file("/f", b"content")
        in_threads(1, lambda _: fs.mount("/m/late/r", chukmem(name)))
        assert (top / "m/late/r/f").read_bytes() == b"content"
        assert os.listdir(top / "m/late") == ["r"]
        (top / "m/late/r/g").write_bytes(b"new")
        assert fs.cat_file("/m/late/r/g") == b"new"
        with fails_with(errno.EBUSY, "/m/late/r"):
            fs.unmount("/m/late/r")
        fs.unmount("/m/late/r", force=True)
        assert not (top / "m/late/r/f").exists()
        assert "late" not in os.listdir(top / "m")


def test_files_in_a_directory_on_the_way(tmp_path: Path) -> None:
    with stores(2) as names:
        fs = MountedFileSystem({"/": chukmem(names[0]), "/on/the/way": chukmem(names[1])})
        point = tmp_path / "mnt"
        point.mkdir()
        with mount(fs, point):
            assert os.listdir(point / "on") == ["the"]
            (point / "on/f").write_text("1")
            (point / "on/the/way/g").write_text("2")
            (point / "on/the/d").mkdir()
            assert sorted(os.listdir(point / "on/the")) == ["d", "way"]
            os.rename(point / "on/f", point / "on/the/d/f")
            assert MemoryFileSystem(names[0]).find("/") == ["/on/the/d/f"]


def test_git_works_across_mounts(fs: MountedFileSystem, top: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    work = top / "m/work"
    work.mkdir()
    run("git", "init", "-q", ".", cwd=work)
    (work / "f").write_text("content")
    run("git", "add", ".", cwd=work)
    run("git", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "one", cwd=work)
    run("git", "clone", "-q", "../../m/work", "../deep/clone", cwd=work)
    assert (top / "m/deep/clone/f").read_text() == "content"
    run("git", "fsck", "--strict", cwd=top / "m/deep/clone")


def test_a_writing_door_and_the_api_see_each_other(fs: MountedFileSystem, top: Path) -> None:
    for place in ("m", "m/deep", "host/here"):
        if not (top / place).exists():
            continue
        name = uuid.uuid4().hex
        fs.pipe_file(f"/{place}/{name}", b"by the API")
        assert (top / place / name).read_bytes() == b"by the API"
        (top / place / name).write_bytes(b"by a program")
        assert fs.cat_file(f"/{place}/{name}") == b"by a program"
        with (top / place / name).open("r+b") as file:
            file.seek(3)
            file.write(b"the")
            file.truncate(6)
        assert fs.cat_file(f"/{place}/{name}") == b"by the"


def test_options_reach_the_tree(tmp_path: Path) -> None:
    point = tmp_path / "mnt"
    point.mkdir()
    with (
        stores(1) as [name],
        mount(MountedFileSystem({"/m": chukmem(name)}), point, MountOptions(readonly=True)),
        fails_with(errno.EROFS),
    ):
        (point / "m/f").write_text("")
