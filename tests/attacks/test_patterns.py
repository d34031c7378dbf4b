"""Patterns that would keep a backtracking matcher busy for years, wherever a pattern may stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.attacks.attack import problems
from tests.attacks.doors import ApiDoor
from tests.attacks.stages import Stage

# What takes for ever is the failure that is looked for here.
pytestmark = pytest.mark.timeout(60)

LONG = "a" * 240
DEEP = "/a" * 120
BOMBS = [
    "*a" * 100 + "*b",
    "*" * 200,
    "*?" * 100 + "b",
    "*[!b]" * 50 + "b",
    "**/" * 300 + "b",
    "**/*a*a*a/" * 100 + "b",
    "**/a/" * 300 + "b",
    "{" * 60 + "a,b" + "}" * 60,
    "(a+)+" * 40 + "b",
    "[" * 200,
    "[!" * 100 + "a*" * 20,
    "[z-a]*[z-a]",
    "[/]*[!/]",
]
USES: dict[str, Callable[[Any, str], Any]] = {
    "glob": lambda fs, pattern: fs.glob(pattern),
    "glob detail": lambda fs, pattern: fs.glob(pattern, detail=True),
    "find": lambda fs, pattern: fs.find(pattern),
    "expand_path": lambda fs, pattern: fs.expand_path(pattern, recursive=True),
    "cat": lambda fs, pattern: fs.cat(pattern),
    "copy": lambda fs, pattern: fs.copy(pattern, "/w/taken"),
    "mv": lambda fs, pattern: fs.mv(pattern, "/w/taken"),
    "rm": lambda fs, pattern: fs.rm(pattern, recursive=True),
    "exists": lambda fs, pattern: fs.exists(pattern),
    "du": lambda fs, pattern: fs.du(pattern),
    "walk": lambda fs, pattern: list(fs.walk(pattern)),
}


def test_no_pattern_takes_for_ever_and_none_matches_what_it_must_not(stage: Stage, api: ApiDoor) -> None:
    for area in stage.areas:
        stage.fs.pipe({f"{area}/{LONG}": b"inside", f"{area}{DEEP}/file": b"inside"})
        for bomb in BOMBS:
            for name, use in USES.items():
                outcome = api.run(name, use, f"{area}/{bomb}")
                assert not list(problems(stage, outcome, [])), outcome
        assert stage.fs.exists(f"{area}/{LONG}")
        assert stage.fs.exists(f"{area}{DEEP}/file")
    assert not stage.changes()


@pytest.mark.parametrize(
    "pattern", ["/**", "/*", "/*/*", "/**/*", "/w/**", "/?*/**/*", "/[!x]*/**", "/**/file", "/**/"]
)
def test_a_pattern_finds_only_what_may_be_seen(stage: Stage, api: ApiDoor, pattern: str) -> None:
    for place in ("", *stage.places):
        for name, use in USES.items():
            if name not in ("mv", "rm"):
                outcome = api.run(name, use, f"/{place}{pattern}")
                assert not list(problems(stage, outcome, [place])), outcome


@pytest.mark.parametrize("pattern", ["/../**", "/w/../../**", "/w/*/../../../**", "/**/../../**", "/w/**/../../*"])
def test_a_pattern_climbs_nowhere(stage: Stage, api: ApiDoor, pattern: str) -> None:
    for name, use in USES.items():
        outcome = api.run(name, use, pattern)
        assert not list(problems(stage, outcome, [])), outcome
    assert not stage.changes()
