"""Symbolic links of every shape, whose texts lead outside in every way."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.attacks.attack import attack
from tests.attacks.doors import Door, MountDoor, Plant
from tests.attacks.stages import Stage

TEXTS = ["../{}", "/{}", "../../{}", "//.././{}/", "/proc/self/root/{}"]


def to_a_file(area: str, text: str) -> tuple[str, Plant]:
    return f"{area}/link", planted(area, link=f"{text}/file")


def to_a_directory(area: str, text: str) -> tuple[str, Plant]:
    return f"{area}/link", planted(area, link=text)


def before_the_last_name(area: str, text: str) -> tuple[str, Plant]:
    return f"{area}/link/file", planted(area, link=text)


def before_a_climb(area: str, text: str) -> tuple[str, Plant]:
    return f"{area}/link/sub/../file", planted(area, link=text)


def chained(area: str, text: str) -> tuple[str, Plant]:
    return f"{area}/first/file", planted(area, first="second", second="link/../link", link=text)


def dangling(area: str, text: str) -> tuple[str, Plant]:
    return f"{area}/link", planted(area, link=f"{text}/made-by-the-attacker")


def through_a_directory(area: str, text: str) -> tuple[str, Plant]:
    """The text climbs from a directory that is a link itself."""
    return f"{area}/link/file", planted(area, through="dir/sub", link=f"through/../../../{text.lstrip('/')}")


def planted(area: str, **links: str) -> Plant:
    """Links by name, put in place of whatever is there."""
    calls: list[tuple[str, ...]] = []
    for name, text in links.items():
        calls += [("remove", f"{area}/{name}"), ("symlink", text, f"{area}/{name}")]
    return calls


SHAPES: list[Callable[[str, str], tuple[str, Plant]]] = [
    to_a_file,
    to_a_directory,
    before_the_last_name,
    before_a_climb,
    chained,
    dangling,
    through_a_directory,
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_no_link_leads_outside(stage: Stage, door: Door, shape: Callable[[str, str], tuple[str, Plant]]) -> None:
    first, *others = stage.places
    texts = [text.format(first) for text in (TEXTS[:2] if door.name == "mount" else TEXTS)]
    texts += [text.format(place) for place in others for text in (TEXTS[:1] if door.name == "mount" else TEXTS[:2])]
    for area in stage.areas:
        for text in texts:
            path, plant = shape(area, text)
            attack(stage, door, path, plant, given=[text], ways=None if text == texts[0] else door.core)


@pytest.mark.mount
def test_an_absolute_link_in_a_mount_leads_where_its_reader_may_go_anyhow(stage: Stage, mounted: MountDoor) -> None:
    """The one deviation: the kernel follows it in the namespace of whoever asks, and asks no filesystem.

    So a program outside gets to its own files by it; one that is confined to the mount, as those of all other tests
    here, gets nowhere. No filesystem in user space can change that.
    """
    outside = stage.base / "outside/file"
    mounted.symlink(str(outside), "/w/link")
    link = mounted.mountpoint / "w/link"
    assert os.readlink(link) == str(outside)
    assert link.read_bytes() == outside.read_bytes()
    assert isinstance(mounted.attempt("read", "/w/link").error, OSError)
