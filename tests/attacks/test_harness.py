"""The attacks are worth something: on what may be reached they work, and on a filesystem with holes they find them."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem

from tests.attacks import api_ways
from tests.attacks.attack import attack, problems
from tests.attacks.canaries import CONTENT, MARK, HostCanary, shown_of_canary
from tests.attacks.doors import ApiDoor, Door, Outcome, Plant
from tests.attacks.racing import eager_threads, set_up, swapped_on_the_host
from tests.attacks.stages import Stage, local

OWN = "/w/own"
KINDS: dict[str, Plant] = {
    "nothing": [],
    "file": [("write", OWN, CONTENT)],
    "link": [("symlink", "file", OWN)],
    "empty directory": [("mkdir", OWN)],
    "directory": [
        ("mkdir", OWN),
        ("write", f"{OWN}/file", CONTENT),
        ("mkdir", f"{OWN}/sub"),
        ("write", f"{OWN}/sub/file", CONTENT),
        ("write", f"{OWN}/sub/{MARK}", CONTENT),
    ],
}
SHOW_NOTHING = frozenset(
    (
        *("mapper getitems", "glob", "glob *", "glob above", "ls names", "created", "modified", "checksum", "ukey"),
        *("readlink", "listxattr", "getxattr", "listdir", "realpath", "access", "above"),
        *("list_directory", "list_directory_with_sizes", "search_files above", "glob_files above", "grep_files count"),
        *("copy_file dry", "delete_file dry"),
    )
)
"""Ways of looking that show neither content nor sizes nor what is deep below."""
MAY_FAIL = frozenset(("sign", "getxattr", "open O_TMPFILE", "reader", "reader by name"))
"""There is nothing to sign, no attribute of that name, and not every mount makes files without a name."""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_every_way_works_on_what_is_the_attackers_own(stage: Stage, door: Door) -> None:
    """At least on one of these kinds; else an attack by this way would prove nothing."""
    results: dict[str, list[Outcome]] = {}
    for plant in KINDS.values():
        for outcome in door.attempt_all(OWN, [("remove", OWN), *plant]):
            results.setdefault(outcome.way, []).append(outcome)
    for way, outcomes in results.items():
        worked = [outcome.result for outcome in outcomes if outcome.error is None]
        assert worked or way in MAY_FAIL, outcomes
        if way in door.reads and way not in MAY_FAIL | SHOW_NOTHING:
            assert shown_of_canary(worked), way


class LeakyDoor(ApiDoor):
    """fsspec's own way to stay in a directory of the host, which follows links out of it."""

    def __init__(self, root: Path, downloads: Path, way: str) -> None:
        super().__init__(DirFileSystem(str(root), fs=LocalFileSystem(auto_mkdir=True)), downloads)
        self.reads = {way: api_ways.READS[way]} if way in api_ways.READS else {}
        self.writes = {way: api_ways.WRITES[way]} if way in api_ways.WRITES else {}
        self._root = root

    def symlink(self, text: str, path: str) -> None:
        (self._root / path[1:]).symlink_to(text)


@pytest.mark.parametrize(
    ("way", "found"),
    [
        ("cat_file", "shows"),
        ("open text", "shows"),
        ("get_file", "shows"),
        ("cp_file out", "shows"),
        ("pipe_file", "changed"),
        ("open ab", "changed"),
        ("touch kept", "changed"),
        ("ls names", ""),
    ],
)
def test_a_leaky_filesystem_is_found_out(tmp_path: Path, way: str, found: str) -> None:
    for name in ("root/w", "downloads"):
        (tmp_path / name).mkdir(parents=True)
    canary = HostCanary(tmp_path / "outside")
    door = LeakyDoor(tmp_path / "root", tmp_path / "downloads", way)
    stage = Stage("leaky", door.fs, tmp_path, (canary,), ("/w",), ("outside",), lambda: None)
    stage.reset()
    text = "../../outside/file"
    with pytest.raises(AssertionError, match=found) if found else nullcontext():
        attack(stage, door, "/w/link", [("remove", "/w/link"), ("symlink", text, "/w/link")])


def test_an_error_that_tells_where_things_are_is_found_out(stage: Stage) -> None:
    error = PermissionError(13, "no", "/w/link")
    error.__context__ = ValueError(f"{stage.base}/outside is not allowed")
    assert list(problems(stage, Outcome("way", error=error), given=["/w/link"]))
    assert not list(problems(stage, Outcome("way", error=PermissionError(13, "no", "/w/link")), given=["/w/link"]))


class CheckingFileSystem:
    """Looks where a path leads, and then opens it: as most sandboxes do."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def cat_file(self, path: str) -> bytes:
        real = self._root / path[1:]
        if not real.resolve().is_relative_to(self._root):
            raise PermissionError(path)
        return real.read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can confine a program to a directory")
def test_a_race_finds_out_who_checks_first_and_opens_then(tmp_path: Path) -> None:
    stage = local(tmp_path)
    stage.reset()
    set_up(stage, "/w")
    assert stage.root is not None
    door = ApiDoor(CheckingFileSystem(stage.root), tmp_path)
    found: list[str] = []
    with eager_threads():
        while not found:  # at the latest when the test has had its time
            with swapped_on_the_host(stage, "/w", 0.2):
                for _ in range(500):
                    found += problems(stage, door.attempt("cat_file", "/w/real/file"), [])
