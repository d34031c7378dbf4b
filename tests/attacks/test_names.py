"""Odd names are those names and nothing else, or refused with their errno; each stays where it was put."""

from __future__ import annotations

import errno
import unicodedata

import pytest

from tests.attacks.attack import attack
from tests.attacks.doors import ApiDoor, Door
from tests.attacks.stages import Stage

ODD = [
    *(
        "%2e%2e",
        "%2f",
        "%00",
        "a%20b",
        "..%2f..",
        "%",
        "%%",
        "..\\..\\x",
        "a\\b",
        "...",
        "..a",
        " ..",
        ".. ",
        "~",
        "-rf",
    ),
    *(
        "a:b",
        "CON",
        "nul.txt",
        "a::$DATA",
        "\n",
        "a\tb",
        "\x01",
        "\x7f",
        "$(id)",
        "`id`",
        "*",
        "?",
        "[a]",
        "[",
        "{a,b}",
    ),
    *("\u202etxt.exe", "\u200b", "a\u200bb", "\ufeffa", "\u2044", "\u2215", "\uff0f", "\uff0e\uff0e", "\u2025"),
    *("\udcff", "\udcc0\udcaf", "\udc80a", "\U0001f980", "x" * 255, "\u20ac" * 85),
]
TOO_LONG = ["x" * 256, "\u20ac" * 85 + "x", "\u20ac" * 86, "\udcff" * 256]
PAIRS = [(unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)) for name in ("é", "Å", "가", "ﬁé")]


def test_an_odd_name_is_one_name(stage: Stage, door: Door) -> None:
    for area in stage.areas:
        before = door.names(area)
        for name in ODD:
            door.write(f"{area}/{name}", ascii(name).encode())
        assert sorted(door.names(area)) == sorted([*before, *ODD])
        for name in ODD:
            assert door.read(f"{area}/{name}") == ascii(name).encode()
            door.remove(f"{area}/{name}")
        assert door.names(area) == before
        assert door.read(f"{area}/file") == b"inside"
    assert not stage.changes()


def test_names_that_look_alike_are_two_names(stage: Stage, door: Door) -> None:
    for area in stage.areas:
        for composed, decomposed in PAIRS:
            door.write(f"{area}/{composed}", b"composed")
            door.write(f"{area}/{decomposed}", b"decomposed")
            assert door.read(f"{area}/{composed}") == b"composed"
            assert door.read(f"{area}/{decomposed}") == b"decomposed"


@pytest.mark.parametrize("name", TOO_LONG, ids=lambda name: ascii(name[:1]) + str(len(name)))
def test_a_name_that_is_too_long_is_refused_by_every_way(stage: Stage, door: Door, name: str) -> None:
    for area in stage.areas:
        for path in (f"{area}/{name}", f"{area}/{name}/file", f"{area}/dir/../{name}"):
            with pytest.raises(OSError) as caught:
                door.write(path, b"")
            assert caught.value.errno == errno.ENAMETOOLONG
        attack(stage, door, f"{area}/{name}")
        assert name not in door.names(area)


def test_a_path_that_is_too_long_is_refused_by_every_way(stage: Stage, door: Door) -> None:
    attack(stage, door, "/w" + ("/" + "d" * 255) * 17)
    for path in ("/w" + "/d" * 2048, "/w/" + "d/../" * 2000 + "x" * 256):
        with pytest.raises(OSError) as caught:
            door.write(path, b"")
        assert caught.value.errno == errno.ENAMETOOLONG


@pytest.mark.parametrize("path", ["/w/file\0", "/w/\0", "\0", "/w/file\0.txt", "/\0/../{}/file", "{}/file\0"])
def test_nul_is_refused_by_every_way(stage: Stage, door: Door, path: str) -> None:
    for place in stage.places:
        attack(stage, door, path.format(place))
    assert sorted(door.names("/w")) == ["dir", "file", "source"]


@pytest.mark.parametrize("path", ["/w/\ud800", "/w/\udc00x", "/w/\ud83e\udd80"])
def test_half_a_character_is_refused_by_every_way(stage: Stage, api: ApiDoor, path: str) -> None:
    outcomes = attack(stage, api, path)
    assert sorted(api.names("/w")) == ["dir", "file", "source"]
    assert {
        getattr(outcome.error, "errno", None) for outcome in outcomes if outcome.way in ("cat_file", "pipe_file")
    } == {errno.EINVAL}
