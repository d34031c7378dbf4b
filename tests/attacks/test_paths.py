"""Paths that climb, pretend to be others, or name other places by other means."""

from __future__ import annotations

import pytest

from tests.attacks.attack import attack
from tests.attacks.doors import ApiDoor, Door
from tests.attacks.stages import Stage

CLIMBS = [
    "/../{}",
    "../{}",
    "/w/../../{}",
    "/w/dir/../../../{}",
    "/w/dir/sub/../../../../../../../../{}",
    "/./../{}",
    "//../{}",
    "/w//..//..//{}",
    "/w/./../.././{}/.",
    "///..///{}///",
]
DETOURS = [
    "{}",
    "/{}",
    "//{}",
    "///{}//",
    "/./{}",
    "/w/../{}",
    "/w//.././/{}",
    "/w/dir/../../{}/.",
    "/nowhere/../{}",
    "/w/file/../../{}",
]
NAMES = [
    "/w/..%2f..%2f{}",
    "/w/%2e%2e/%2e%2e/{}",
    "/%2e%2e%2f{}",
    "/w/%252e%252e/{}",
    "/w\\..\\..\\{}",
    "\\..\\{}",
    "/w/.. /.. /{}",
    "/w/.../.../{}",
    "/w/..;/..;/{}",
    "/w/..\t/{}",
    "/w/\u2025/{}",
    "/w/\uff0e\uff0e/\uff0e\uff0e/{}",
    "/w/\udcc0\udcae\udcc0\udcae/{}",
    "/w/\u202e../{}",
    "/w/.\u200b./{}",
    "/{}\u200b",
    "/{}%00",
    "/{}%2ffile",
    "/{}::$DATA",
    "~/{}",
    "~root/../{}",
    "$HOME/../{}",
    "C:\\..\\{}",
    "\\\\?\\{}",
    "`echo /{}`",
]
PROTOCOLS = [
    *("file:///{}", "FILE:///{}", "file:/{}", "local:///{}", "http://localhost/{}", "dir::file:///{}"),
    *("chukmem://{}", "chukmem:///../{}", "chukmem::file:///{}", "memory://{}", "chuklocal:///{}", "chuklocal::/{}"),
    *("chuksecure::file:///{}", "chukmount:///{}", "chukmount://../{}", "simplecache::file:///{}"),
]


@pytest.mark.parametrize("spelling", CLIMBS + DETOURS + NAMES + PROTOCOLS)
def test_no_spelling_of_a_path_leads_outside(stage: Stage, api: ApiDoor, spelling: str) -> None:
    for place in stage.places if spelling in DETOURS else stage.places[:2]:
        every_way = place == stage.places[0] and spelling in (CLIMBS[0], CLIMBS[2], *DETOURS[:5])
        attack(stage, api, spelling.format(f"{place}/file"), ways=None if every_way else api.core)


@pytest.mark.parametrize("spelling", ["/{}", *NAMES[:5]])
def test_no_path_leads_outside(stage: Stage, door: Door, spelling: str) -> None:
    """On a mount, the kernel has taken the others apart already."""
    for place in stage.places:
        attack(stage, door, spelling.format(place))


@pytest.mark.parametrize("suffix", ["_evil", "2", "x/..", " ", "\\", "%2f..", "\u200b", "."])
def test_what_begins_like_a_place_is_not_that_place(stage: Stage, api: ApiDoor, suffix: str) -> None:
    """``/outside2`` has nothing to do with ``/outside``, nor ``/w_evil`` with ``/w``."""
    for place in (*stage.places, "w"):
        attack(stage, api, f"/{place}{suffix}/file", ways=api.core)
