"""What others do on the host below the root of chuklocal: hard links from outside, FIFOs in use, a root that moves."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chuk_fsspec.backends.local.names import new_name
from tests.attacks.attack import attack, problems
from tests.attacks.canaries import CONTENT, HostCanary, shown_of_canary
from tests.attacks.doors import ApiDoor, Door, MountDoor
from tests.attacks.stages import Stage, local

pytestmark = pytest.mark.timeout(60)

CONTENT_WAYS = ("cat_file", "open", "head", "get_file", "open_handle", "copy out", "read", "mmap", "link out")


@pytest.fixture(scope="module")
def lasting_stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """chuklocal, and a directory outside whose files have more names below the root."""
    stage = local(tmp_path_factory.mktemp("attacks"))
    linked = HostCanary(stage.base / "linked", linked=True)
    return replace(stage, canaries=(*stage.canaries, linked), places=("linked",))


@pytest.fixture
def root(stage: Stage) -> Path:
    """The root on the host."""
    assert stage.root is not None
    return stage.root


LISTS = {"api": "find", "mcp": "directory_tree", "mount": "walk"}
"""The way by which each door sees all that there is."""


def put_link(stage: Stage, root: Path, name: str) -> None:
    """Give a file outside a name below the root."""
    for path in (root / name, root / "w/link"):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
    os.link(stage.base / "linked/file", root / name)
    (root / "w/link").symlink_to(f"/{name}")


@pytest.mark.parametrize("path", ["/w/dir/hard", "/w/link", "/w/dir/./x/../hard"])
def test_no_way_changes_a_file_with_a_name_outside(stage: Stage, door: Door, root: Path, path: str) -> None:
    """Reading it is allowed: it is in the directory that was given."""
    changed = []
    for way in (*door.reads, *door.writes):
        put_link(stage, root, "w/dir/hard")
        for outcome in door.attempt_all(path, ways={way}):
            assert outcome.error is None or not list(problems(stage, outcome, [path])), outcome
        changed += [f"{way}: {change}" for change in stage.changes()]
        if changed:
            stage.reset()
    assert not changed


@pytest.mark.parametrize("way", ["link first", "rename first", "link and unlink", "exchange", "symlink"])
def test_no_detour_changes_a_file_with_a_name_outside(stage: Stage, door: Door, root: Path, way: str) -> None:
    """Whatever is done to its names, none of them becomes trusted."""
    detours: dict[str, Callable[[], None]] = {
        "link first": lambda: door.link("/w/hard", "/w/other"),
        "rename first": lambda: door.rename("/w/hard", "/w/other"),
        "link and unlink": lambda: (door.link("/w/hard", "/w/other"), door.remove("/w/hard"))[0],
        "exchange": lambda: (door.write("/w/other", b""), door.exchange("/w/hard", "/w/other"))[0],
        "symlink": lambda: door.symlink("hard", "/w/other"),
    }
    for write in door.writes:
        door.remove("/w/other")
        put_link(stage, root, "w/hard")
        detours[way]()
        door.attempt_all("/w/other", ways={write})
        assert not stage.changes(), write


def test_what_lies_in_a_fifo_of_the_host_stays_there(stage: Stage, door: Door, root: Path) -> None:
    os.mkfifo(root / "w/fifo")
    other_end = os.open(root / "w/fifo", os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(other_end, b"canary-9b1e")
        if isinstance(door, MountDoor):  # through a mount it is another FIFO, the kernel's own
            door.open_once("/w/fifo", os.O_RDONLY | os.O_NONBLOCK)
        else:
            attack(stage, door, "/w/fifo", ways=door.reads)
        assert os.read(other_end, 100) == b"canary-9b1e"
    finally:
        os.close(other_end)


def test_what_another_process_is_writing_cannot_be_reached(stage: Stage, door: Door, root: Path) -> None:
    """It has a name that is kept for that, until it is published."""
    unfinished = root / new_name()
    unfinished.write_bytes(CONTENT)
    with unfinished.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as who writes it does
        for path in (f"/{unfinished.name}", f"/w/../{unfinished.name}", f"/{unfinished.name}/file"):
            outcomes = attack(stage, door, path)
            assert not [one.way for one in outcomes if one.error is None and one.way in CONTENT_WAYS]
        assert unfinished.name not in door.names("/")
        assert not shown_of_canary(door.attempt(LISTS[door.name], "/").result)
        assert unfinished.read_bytes() == CONTENT
    unfinished.unlink()


def test_a_root_that_moves_takes_its_filesystem_along(stage: Stage, api: ApiDoor, root: Path) -> None:
    """A link in its old place leads nobody anywhere."""
    away = root.with_name("away")
    root.rename(away)
    root.symlink_to(stage.base / "outside")
    try:
        for path in ("/file", "/sub/file", "/"):
            attack(stage, api, path, ways=api.core - {"rm -r", "rename out"})
        assert api.read("/w/file") == b"inside"
        assert stage.fs.posix.nofollow.cat_file("/w/file") == b"inside"
    finally:
        root.unlink()
        away.rename(root)
