"""Moves into itself, loops of links, and removal of everything: the tree stays a tree, and outside stays as it is."""

from __future__ import annotations

import pytest

from tests.attacks.attack import attack
from tests.attacks.doors import ApiDoor, Door
from tests.attacks.stages import Stage

LOOPS = {
    "itself": {"a": "a"},
    "each other": {"a": "b", "b": "a"},
    "around": {"a": "dir/../b/file", "b": "./a/../b"},
    "its own directory": {"a": "."},
    "a directory above": {"a": "../{}/dir", "dir/sub/b": "../../a"},
    "the root": {"a": "/", "dir/b": "../../.."},
    "very long": {f"a{number}": f"a{number + 1}" for number in range(41)} | {"a": "a0"},
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("loop", LOOPS)
def test_loops_of_links_end_every_way(stage: Stage, door: Door, loop: str) -> None:
    for area in stage.areas:
        for name, text in LOOPS[loop].items():
            if name != "a":
                door.symlink(text, f"{area}/{name}")
        plant = [("remove", f"{area}/a"), ("symlink", LOOPS[loop]["a"].format(area[1:]), f"{area}/a")]
        attack(stage, door, f"{area}/a", plant, ways=door.core)
        if door.name == "api":
            attack(stage, door, f"{area}/a/a/a/b", plant, ways=door.core)


@pytest.mark.parametrize(
    "target", ["{}/dir", "{}/dir/new", "{}/dir/sub", "{}/dir/sub/new", "{}/./dir//sub/../new", "{}/in/new"]
)
def test_a_directory_never_moves_into_itself(stage: Stage, door: Door, target: str) -> None:
    for area in stage.areas:
        door.symlink("dir/sub", f"{area}/in")
        for act in (door.rename, door.exchange):
            if target != "{}/dir":
                with pytest.raises(OSError):
                    act(f"{area}/dir", target.format(area))
        assert door.read(f"{area}/dir/sub/file") == door.read(f"{area}/in/file") == b"inside"
        assert sorted(door.names(f"{area}/dir")) == ["file", "sub"]


@pytest.mark.parametrize("target", ["{}/dir/new", "{}/dir/sub/", "{}/dir/sub/new", "{}/in/", "{}/in"])
def test_a_directory_never_moves_or_grows_into_itself(stage: Stage, api: ApiDoor, target: str) -> None:
    """fsspec's ``mv`` and ``copy``, which take directories inside."""
    fs = stage.fs
    for area in stage.areas:
        api.symlink("dir/sub", f"{area}/in")
        with pytest.raises(OSError):
            fs.mv(f"{area}/dir", target.format(area), recursive=True)
        api.run("copy", lambda fs, *paths: fs.copy(*paths, recursive=True), f"{area}/dir", target.format(area))
        assert api.read(f"{area}/dir/sub/file") == b"inside"
        assert len(fs.find(f"{area}/dir")) <= 4


@pytest.mark.parametrize("path", ["/", "//", "/.", "/w/..", "", "/*", "/**", "/w/../*"])
def test_removing_everything_removes_nothing_outside(stage: Stage, api: ApiDoor, path: str) -> None:
    for recursive in (False, True):
        api.run("rm", lambda fs, recursive: fs.rm(path, recursive=recursive), recursive)
    for way in (
        "rmdir",
        "posix.rmdir",
        "rm_file",
        "unlink",
        "mapper clear",
        "rename out",
        "mv out",
        "exchange",
        "rm pattern",
    ):
        api.attempt(way, path or "/")
    assert not stage.changes()
    assert stage.fs.isdir("/")
    stage.fs.pipe_file("/w/file", b"still there")


def test_removing_everything_in_a_mount_removes_nothing_outside(stage: Stage, door: Door) -> None:
    for way in door.writes:
        door.attempt(way, "/")
    assert not stage.changes()
    door.ensure("/w")
    door.write("/w/file", b"still there")
