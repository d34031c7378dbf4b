"""Large objects are read in several ranges at once, all of one version, with bounded memory."""

from __future__ import annotations

import asyncio
import errno
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.remote.calling import Calls, Patience, Verdict
from chuk_fsspec.remote.keys import KeyTraits, Names, Piece, Space
from chuk_fsspec.remote.keys.reading import read, stream
from chuk_fsspec.remote.streams import closing
from chuk_fsspec.testing.checks import fails_with

PART = 100
OLD, NEW = (random.Random(seed).randbytes(10 * PART + 17) for seed in (1, 2))


@dataclass
class OneObject:
    """A key store with one object, of which nothing but bytes is asked for.

    Attributes:
        data: what it holds.
        before: called before each reply, with the number of requests so far.
        running: requests under way.
        most_running: the largest number that were under way at once.
    """

    data: bytes = OLD
    before: Callable[[int], None] = lambda number: None
    number: int = 0
    running: int = 0
    most_running: int = 0
    bucket: str = "bucket"
    traits: KeyTraits = field(default_factory=lambda: KeyTraits(part_size=PART, parallel_reads=3))

    async def get(self, key: str, start: int = 0, stop: int | None = None, etag: str = "", version: str = "") -> Piece:
        self.number = number = self.number + 1
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            await asyncio.sleep(0)
            self.before(number)
            found = str(hash(self.data))
            if etag not in ("", found):
                raise PreconditionFailed(errno.ESTALE, "there is another version by now", key)
            return Piece(self.data[start:stop], found, len(self.data))
        finally:
            self.running -= 1


def space_of(keys: Any) -> Space:
    def judge(error: Exception, path: str) -> Verdict:
        assert isinstance(error, OSError)
        return Verdict(error)

    return Space(keys, Calls(judge, Patience(), 32), Names())


async def streamed(space: Space) -> bytes:
    return b"".join([piece async for piece in stream(space, "/f")])


@settings(deadline=None, max_examples=40)
@given(size=st.integers(0, 1000), start=st.integers(0, 1100), length=st.none() | st.integers(1, 1100))
def test_any_range_is_that_of_the_file(size: int, start: int, length: int | None) -> None:
    space = space_of(OneObject(OLD[:size]))
    stop = None if length is None else start + length
    assert asyncio.run(read(space, "/f", start, stop)) == OLD[:size][start:stop]
    assert asyncio.run(streamed(space)) == OLD[:size]


@pytest.mark.parametrize("whole", [lambda space: read(space, "/f", 0, None), streamed])
def test_several_are_on_their_way_and_not_more_than_said(whole: Any) -> None:
    keys = OneObject()
    assert asyncio.run(whole(space_of(keys))) == OLD
    assert keys.most_running == 3
    assert keys.number == 11


def test_a_file_that_is_replaced_meanwhile_is_read_anew() -> None:
    def replace(number: int) -> None:
        if number == 5:
            keys.data = NEW

    keys = OneObject(before=replace)
    assert asyncio.run(read(space_of(keys), "/f", 50, 950)) == NEW[50:950]
    assert keys.running == 0


def test_of_a_version_that_is_gone_nothing_is_read() -> None:
    keys = OneObject()
    space = space_of(keys)
    etag = str(hash(OLD))
    assert asyncio.run(read(space, "/f", 0, None, etag)) == OLD
    keys.data = NEW
    with fails_with(errno.ESTALE):
        asyncio.run(read(space, "/f", 0, None, etag))


def test_a_file_that_never_stays_the_same_is_an_error() -> None:
    def replace(number: int) -> None:
        keys.data = OLD + bytes(number)

    keys = OneObject(before=replace)
    with fails_with(errno.ESTALE, "/f"):
        asyncio.run(read(space_of(keys), "/f", 0, None))


@pytest.mark.parametrize("when", range(2, 12))
def test_a_stream_ends_where_the_file_was_replaced(when: int) -> None:
    def replace(number: int) -> None:
        if number == when:
            keys.data = NEW

    async def collect() -> bytes:
        found = b""
        with fails_with(errno.ESTALE):
            async for piece in stream(space_of(keys), "/f"):
                found += piece
        assert keys.running == 0
        return found

    keys = OneObject(before=replace)
    assert OLD.startswith(asyncio.run(collect()))


def test_many_streams_share_what_they_ask_for_before_it_is_wanted() -> None:
    keys = OneObject()
    space = space_of(keys)

    async def read_slowly() -> int:
        streams = [stream(space, "/f") for _ in range(20)]
        for _ in range(3):
            for one in streams:
                await one.__anext__()
        asked = keys.number
        for one in streams:
            async with closing(one):
                pass
        assert await streamed(space) == OLD
        return asked

    assert asyncio.run(read_slowly()) <= 20 * 3 + 8
    assert keys.most_running <= 20 + 8
    assert keys.running == 0
