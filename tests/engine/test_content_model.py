"""The content of files against a plain ``bytearray``.

Chunks are made small, so that a few hundred bytes already cross many of their borders, and once they have their real
size, with offsets around the borders.
"""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine.content import Content, Extents

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"

# A place in a file: a chunk, and how far from its border. Lengths are drawn the same way.
places = st.tuples(st.integers(0, 5), st.integers(-3, 7))
seeds = st.integers(1, 255)


class ContentMachine(RuleBasedStateMachine):
    """Edits one content and a ``bytearray`` alike, and keeps copies aside that must never change."""

    def __init__(self) -> None:
        super().__init__()
        self.reach = 0
        self.content: Content = b""
        self.model = bytearray()
        self.copies: list[tuple[Content, bytes]] = []
        self.pieces: list[Buffer] = []
        self.pieces_length = 0

    def at(self, place: tuple[int, int]) -> int:
        """Bytes from the start of the file, chunks having the size that they have in this run."""
        chunk, distance = place
        return max(min(chunk, self.reach) * contents.CHUNK + distance, 0)

    @initialize(reach=st.sampled_from([0, 1, 5]), length=places, seed=seeds)
    def begin_with_content_given_whole(self, reach, length, seed):
        """A file that never gets beyond its first chunk is kept in another form, so some files stay small."""
        self.reach = reach
        self.content = pattern(self.at(length), seed)
        self.model = bytearray(self.content)

    @rule(offset=places, length=places, seed=seeds)
    def write(self, offset, length, seed):
        start, data = self.at(offset), pattern(self.at(length), seed)
        if not data:
            return  # the tree writes nothing then
        before, promised = space(self.content), contents.growth(self.content, len(data), start)
        was_extents = type(self.content) is Extents
        self.content = contents.write(self.content, data, start)
        self.model.extend(bytes(max(start - len(self.model), 0)))
        self.model[start : start + len(data)] = data
        if was_extents:
            assert space(self.content) - before == promised
        else:  # content that was cut into chunks just now takes up to one more than its bytes
            assert space(self.content) - before < promised + contents.CHUNK

    @rule(size=places)
    def truncate(self, size):
        self.content = contents.truncate(self.content, self.at(size))
        resize(self.model, self.at(size))

    @rule(offset=places, length=places)
    def zero(self, offset, length):
        start, stop = self.at(offset), min(self.at(offset) + self.at(length), len(self.model))
        self.content = contents.zero(self.content, start, self.at(length))
        if start < stop:
            self.model[start:stop] = bytes(stop - start)

    @rule(offset=places, length=places)
    def reserve(self, offset, length):
        start, count = self.at(offset), max(self.at(length), 1)
        before, promised = space(self.content), contents.growth(self.content, count, start)
        self.content = contents.reserve(self.content, start, count)
        resize(self.model, max(len(self.model), start + count))
        assert space(self.content) - before < promised + contents.CHUNK
        if type(self.content) is Extents:
            assert contents.growth(self.content, count, start) == 0, "a reserved range must need no more space"

    @rule(offset=places, length=places)
    def read(self, offset, length):
        start, count = self.at(offset), self.at(length)
        self.pieces = contents.read(self.content, count, start)
        self.pieces_length = len(self.model[start : start + count])
        assert b"".join(self.pieces) == self.model[start : start + count]

    @rule(start=places, end=st.none() | places)
    def take_a_range_as_bytes(self, start, end):
        stop = None if end is None else min(self.at(end), len(self.model))
        assert contents.to_bytes(self.content, self.at(start), stop) == self.model[self.at(start) : stop]

    @rule(offset=places)
    def seek_data(self, offset):
        start = self.at(offset)
        if start >= len(self.model):
            assert_no_such_place(self.content, start, os.SEEK_DATA)
        elif any(self.model[start:]):
            found = contents.seek(self.content, start, os.SEEK_DATA)
            assert start <= found < len(self.model)
            assert not any(self.model[start:found]), "data was passed over"

    @rule(offset=places)
    def seek_hole(self, offset):
        start = self.at(offset)
        if start >= len(self.model):
            assert_no_such_place(self.content, start, os.SEEK_HOLE)
            return
        found = contents.seek(self.content, start, os.SEEK_HOLE)
        assert start <= found <= len(self.model)
        border = (found // contents.CHUNK + 1) * contents.CHUNK
        assert found == len(self.model) or not any(self.model[found:border]), "data was called a hole"

    @rule()
    def copy(self):
        self.copies.append((contents.copy(self.content), bytes(self.model)))

    @precondition(lambda self: self.copies)
    @rule(data=st.data())
    def edit_a_copy_from_now_on(self, data):
        """The edited content becomes the copy that must not change."""
        index = data.draw(st.integers(0, len(self.copies) - 1))
        content, frozen = self.copies[index]
        self.copies[index] = self.content, bytes(self.model)
        self.content, self.model = content, bytearray(frozen)

    @invariant()
    def content_is_that_of_the_model(self):
        assert len(self.content) == len(self.model)
        assert contents.to_bytes(self.content) == self.model

    @invariant()
    def chunks_are_whole_and_zero_past_the_end(self):
        if type(self.content) is not Extents:
            return
        assert all(len(chunk) == contents.CHUNK for chunk in self.content.chunks.values())
        last, used = divmod(len(self.model), contents.CHUNK)
        beyond = [index for index in self.content.chunks if index > last or (index == last and not used)]
        assert not beyond, "chunks past the end of the file"
        assert not any(memoryview(self.content.chunks.get(last, b""))[used:]), "bytes past the end of the file"

    @invariant()
    def copies_are_independent(self):
        for content, frozen in self.copies:
            assert contents.to_bytes(content) == frozen

    @invariant()
    def pieces_that_were_read_keep_their_length(self):
        assert sum(map(len, self.pieces)) == self.pieces_length


def pattern(length: int, seed: int) -> bytes:
    """Bytes that are never zero and do not repeat with the chunks, so that a misplaced one shows."""
    period = bytes((seed + i) % 255 + 1 for i in range(251))
    return (period * (length // len(period) + 1))[:length]


def resize(model: bytearray, size: int) -> None:
    del model[size:]
    model.extend(bytes(size - len(model)))


def space(content: Content) -> int:
    return content.allocated if type(content) is Extents else len(content)


def assert_no_such_place(content: Content, offset: int, whence: int) -> None:
    with pytest.raises(OSError) as caught:
        contents.seek(content, offset, whence)
    assert caught.value.errno == errno.ENXIO


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("chunk", "examples"), [(16, 50), (contents.CHUNK, 10)], ids=["small", "real"])
def test_content_is_like_a_bytearray(monkeypatch, chunk, examples):
    monkeypatch.setattr(contents, "CHUNK", chunk)
    monkeypatch.setattr(contents, "_ZEROS", bytes(chunk))
    steps = settings(max_examples=examples * 10 if NIGHTLY else examples, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(ContentMachine, settings=steps)


@pytest.mark.parametrize(
    ("offset", "length", "code"), [(-1, 1, errno.EINVAL), (0, -1, errno.EINVAL), (contents.MAX_SIZE, 1, errno.EFBIG)]
)
def test_ranges_that_no_file_can_have_are_refused(offset, length, code):
    with pytest.raises(OSError) as caught:
        contents.check_range(offset, length)
    assert caught.value.errno == code


@pytest.mark.parametrize("content", [b"abc", bytearray(b"abc"), Extents(b"abc")], ids=["bytes", "bytearray", "extents"])
def test_nothing_is_found_before_the_start(content):
    assert_no_such_place(content, -1, os.SEEK_DATA)
