"""Mount points stay where they are and what they are, and what is read-only stays as it is."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.mounted import MountedFileSystem
from tests.attacks.attack import attack
from tests.attacks.canaries import Canary, HostCanary, StoreCanary
from tests.attacks.doors import ApiDoor, Door
from tests.attacks.stages import Stage, emptied, new_name

POINTS = ["/data", "/data/deep/inner", "/frozen", "/way/to/point"]
ABOVE = ["/data/deep", "/way", "/way/to"]


@pytest.fixture(scope="module")
def lasting_stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A tree with mounts side by side, inside one another, read-only, and below directories that are made for it."""
    top, data, inner, frozen, point = (MemoryFileSystem(name=new_name()) for _ in range(5))
    fs = MountedFileSystem(
        {
            "/": top,
            "/data": data,
            "/data/deep/inner": inner,
            "/frozen": {"filesystem": frozen, "read_only": True},
            "/way/to/point": point,
        }
    )
    base = tmp_path_factory.mktemp("attacks")
    covered = ((top, "/data"), (top, "/frozen"), (data, "/deep/inner"))
    canaries: list[Canary] = [HostCanary(base / "outside"), StoreCanary(frozen, "/", secret=False)]
    canaries += [StoreCanary(store, path) for store, path in covered]
    clear = emptied(top, data, inner, frozen, point)
    return Stage("mount points", fs, base, tuple(canaries), ("/w", "/data/w", "/data/deep/inner/w"), ("data",), clear)


def mounts(stage: Stage) -> list[str]:
    return [mount["mount_point"] for mount in stage.fs.list_mounts()]


@pytest.mark.parametrize("path", [*POINTS, *ABOVE, "/frozen/file", "/data/../frozen/./sub", "//frozen//"])
def test_every_way_leaves_mounts_and_what_they_cover_alone(stage: Stage, door: Door, path: str) -> None:
    before = mounts(stage)
    attack(stage, door, path)
    assert mounts(stage) == before
    assert {"data", "frozen", "way"} <= set(door.names("/"))
    assert "inner" in door.names("/data/deep")
    assert "point" in door.names("/way/to")


GONE: dict[str, Callable[[Any, str], Any]] = {
    "rmdir": lambda fs, path: fs.rmdir(path),
    "posix.rmdir": lambda fs, path: fs.posix.rmdir(path),
    "rm_file": lambda fs, path: fs.rm_file(path),
    "unlink": lambda fs, path: fs.posix.unlink(path),
    "mv": lambda fs, path: fs.mv(path, "/w/elsewhere"),
    "rename": lambda fs, path: fs.posix.rename(path, "/elsewhere"),
    "rename to another mount": lambda fs, path: fs.posix.rename(path, "/data/w/elsewhere"),
    "rename over": lambda fs, path: fs.posix.rename("/w/dir", path),
    "exchange": lambda fs, path: fs.posix.rename("/w/dir", path, 2),
    "exchange back": lambda fs, path: fs.posix.rename(path, "/w/dir", 2),
    "symlink over": lambda fs, path: fs.posix.symlink("/w", path),
    "link": lambda fs, path: fs.posix.link(path, "/w/elsewhere"),
    "mkdir": lambda fs, path: fs.mkdir(path),
    "mknod": lambda fs, path: fs.posix.mknod(path, 0o100644),
    "write": lambda fs, path: fs.pipe_file(path, b"x"),
    "copy over": lambda fs, path: fs.cp_file("/w/file", path),
}


@pytest.mark.parametrize("way", GONE)
@pytest.mark.parametrize("path", [*POINTS, *ABOVE])
def test_a_mount_point_and_what_leads_to_it_cannot_go(stage: Stage, api: ApiDoor, way: str, path: str) -> None:
    outcome = api.run(way, lambda fs: GONE[way](fs, path))
    assert isinstance(outcome.error, OSError), outcome
    assert stage.fs.isdir(path)
    assert not stage.fs.info(path).get("islink")
    assert not stage.changes()
    assert not stage.fs.exists("/w/elsewhere")


@pytest.mark.parametrize("way", sorted(ApiDoor.writes))
def test_nothing_changes_what_is_read_only(stage: Stage, api: ApiDoor, way: str) -> None:
    """Also not with the path of a link to it, or by a path that takes a detour."""
    for path in ("/frozen/file", "/frozen/sub", "/frozen/new", "/w/link", "/w/dirlink/file", "/w/../frozen/file"):
        plant = [("remove", "/w/link"), ("symlink", "../frozen/file", "/w/link")]
        plant += [("remove", "/w/dirlink"), ("symlink", "/frozen", "/w/dirlink")]
        attack(stage, api, path, plant, ways={way})


def test_refusals_say_that_it_is_read_only(stage: Stage, door: Door) -> None:
    for act in (
        lambda: door.write("/frozen/file", b"new"),
        lambda: door.mkdir("/frozen/new"),
        lambda: door.symlink("x", "/frozen/new"),
        lambda: door.rename("/frozen/file", "/frozen/new"),
    ):
        with pytest.raises(OSError) as caught:
            act()
        assert caught.value.errno == errno.EROFS


def test_no_cycle_of_mounts(stage: Stage) -> None:
    """A tree cannot be mounted in itself, and moving a directory below what it holds is refused."""
    fs = stage.fs
    for path in ("/data/deep", "/data", "/"):
        for target in ("/data/deep/inner/x", "/way/to/point/x", "/data/deep/x"):
            if target.startswith(path):
                with pytest.raises(OSError):
                    fs.mv(path, target)
    assert len(fs.list_mounts()) == 5
    assert fs.cat_file("/w/file") == b"inside"
