"""Each call asks for as much as docs/remote.md says, on every service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.remote.grounds import GROUNDS, Ground

PAGE = Path(__file__).parents[2] / "docs" / "remote.md"

COLUMNS = {"s3": 0, "obstore": 0, "gcs": 0, "gdrive": 1, "e2b": 2}
"""Which column of the page is about which service."""


ONE_MORE = {
    "obstore": (
        'fs.mv("/d/f", "/d/new")',
        'fs.mv("/d/f", "/d/old")',
        'fs.mv("/d/f", "/e/")',
    )
}
"""Calls for which the page says below its table that they are one more there."""


def told() -> dict[str, list[str]]:
    """The numbers of the page, by the call that they are about."""
    rows = [line.strip("| \n").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| `fs.")]
    return {call.strip("`"): numbers for call, *numbers in rows}


@dataclass(frozen=True)
class Service:
    """A service with a filesystem on it.

    Attributes:
        name: as in ``GROUNDS``.
        ground: where it is.
        fs: empty at first.
    """

    name: str
    ground: Ground
    fs: Any


@pytest.fixture(
    scope="module", params=[pytest.param(one, marks=pytest.mark.slow) if one == "obstore" else one for one in GROUNDS]
)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with GROUNDS[request.param](tmp_path_factory.mktemp("ground")) as ground:
        fs = ground.opened(**ground.new_place())
        yield Service(request.param, ground, fs)
        fs.close()


@pytest.fixture
def names(service: Service, tmp_path: Path) -> Iterator[dict[str, object]]:
    """What the calls of the page stand on: a filesystem that remembers no directory, and a local file."""
    service.fs.pipe({"/d/f": b"content", "/d/old": b"what is replaced"})
    service.fs.mkdir("/e")
    service.fs.invalidate_cache()
    local = tmp_path / "local"
    local.write_bytes(b"content")
    yield {"fs": service.fs, "local": str(local)}
    service.fs.rm(service.fs.ls("/", detail=False), recursive=True)


@pytest.mark.parametrize("call", told())
def test_as_the_page_says(call: str, service: Service, names: dict[str, object]) -> None:
    expected, made = told()[call][COLUMNS[service.name]], service.ground.proxy.requests
    if expected == "no":
        with pytest.raises(OSError, match="not supported"):
            eval(call, names)
        return
    made.clear()
    eval(call, names)
    assert len(made) == int(expected) + (call in ONE_MORE.get(service.name, ())), made
