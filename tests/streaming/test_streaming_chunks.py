"""The parts of a stream that touch no filesystem: chunks, progress and checksums."""

from __future__ import annotations

import array
import hashlib
import io
from typing import Any

import pytest
from fsspec.callbacks import Callback
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.wrappers.streaming.chunks import Regrouper, check_chunk_size, chunks_of, owned, pieces_of, total_of
from chuk_fsspec.wrappers.streaming.digests import Digest
from chuk_fsspec.wrappers.streaming.progress import Progress


@given(st.lists(st.binary(max_size=40)), st.integers(1, 30))
def test_any_chunks_become_pieces_of_one_size(chunks: list[bytes], size: int) -> None:
    pieces = [bytes(piece) for piece in pieces_of(chunks, size)]
    assert b"".join(pieces) == b"".join(chunks)
    assert all(len(piece) == size for piece in pieces[:-1])
    assert not pieces or 1 <= len(pieces[-1]) <= size


@given(st.lists(st.binary(max_size=40)), st.integers(1, 30))
def test_the_regrouper_holds_less_than_one_piece(chunks: list[bytes], size: int) -> None:
    regrouper = Regrouper(size)
    for chunk in chunks:
        list(regrouper.feed(chunk))
        assert len(regrouper._rest) < size


def test_large_chunks_are_cut_without_copying() -> None:
    chunk = bytes(1_000_000)
    pieces = list(pieces_of([chunk], 300_000))
    assert all(isinstance(piece, memoryview) and piece.obj is chunk for piece in pieces[:-1])


@pytest.mark.parametrize(
    "source",
    [
        b"abcdef",
        bytearray(b"abcdef"),
        memoryview(b"abcdef"),
        [b"abc", bytearray(b"d"), memoryview(b"ef")],
        (part for part in (b"ab", b"", b"cdef")),
        {b"abcdef": 1}.keys(),
        io.BytesIO(b"abcdef"),
        [array.array("B", b"abcdef")],
        [memoryview(b"a.b.c.d.e.f.")[::2]],
    ],
)
def test_sources(source: Any) -> None:
    assert b"".join(bytes(piece) for piece in pieces_of(source, 4)) == b"abcdef"


def test_wide_elements_count_as_bytes() -> None:
    numbers = array.array("I", [1, 2, 3])
    assert b"".join(bytes(piece) for piece in pieces_of([numbers], 5)) == numbers.tobytes()
    assert total_of([numbers]) == len(numbers.tobytes())


def test_files_are_read_in_pieces_and_not_by_lines() -> None:
    class Recording(io.BytesIO):
        asked: list[int | None] = []  # noqa: RUF012 - one test

        def read(self, size: int | None = -1, /) -> bytes:
            self.asked.append(size)
            return super().read(size)

    assert [len(piece) for piece in pieces_of(Recording(bytes(10)), 4)] == [4, 4, 2]
    assert set(Recording.asked) == {4}


@pytest.mark.parametrize(
    ("source", "fix"),
    [
        ("text", "must be an iterable of bytes"),
        (["text"], "encode the text first"),
        (io.StringIO("text"), "encode the text first"),
        ([1, 2], "not int"),
        (5, "not int"),
        (None, "not NoneType"),
        ([None], "not NoneType"),
    ],
)
def test_what_is_no_source_says_so(source: Any, fix: str) -> None:
    with pytest.raises(TypeError, match=fix):
        list(pieces_of(source, 4))


def test_asynchronous_sources_name_the_other_method() -> None:
    async def generator() -> Any:
        yield b""

    class AsyncFile:
        async def read(self, size: int) -> bytes:
            return b""

    with pytest.raises(TypeError, match="astream_write"):
        chunks_of(generator(), 4)
    with pytest.raises(TypeError, match="astream_write"):
        list(chunks_of(AsyncFile(), 4))


def test_a_file_without_data_yet_is_no_end_of_file() -> None:
    class NonBlocking:
        def read(self, size: int) -> None:
            return None

    with pytest.raises(BlockingIOError):
        list(chunks_of(NonBlocking(), 4))


@pytest.mark.parametrize(("size", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("8", TypeError)])
def test_chunk_sizes(size: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="chunk_size"):
        check_chunk_size(size)


def test_totals_that_are_known_of_themselves() -> None:
    assert total_of(b"123") == 3
    assert total_of([b"12", bytearray(b"345")]) == 5
    assert total_of(iter([b"12"])) is None


def test_owned_pieces_survive_a_producer_that_reuses_its_buffer() -> None:
    buffer = bytearray(b"old")
    kept = owned(memoryview(buffer))
    buffer[:] = b"new"
    assert bytes(kept) == b"old"
    content = b"never changes"
    view = memoryview(content)[2:]
    assert owned(view) is view


# ---- progress


class Bar:
    """What a tqdm bar is to us."""

    def __init__(self, total: int | None = None) -> None:
        self.total: float | None = total
        self.n = 0

    def update(self, n: int) -> bool:
        self.n += n
        return True


def test_functions_are_told_bytes_and_total() -> None:
    seen: list[tuple[int, int]] = []
    progress = Progress(lambda done, total: seen.append((done, total)), 30)
    for _ in range(3):
        progress.advance(10)
    progress.end()
    assert seen == [(10, 30), (20, 30), (30, 30)]


def test_an_unknown_total_is_minus_one() -> None:
    seen: list[tuple[int, int]] = []
    Progress(lambda done, total: seen.append((done, total)), None).advance(7)
    assert seen == [(7, -1)]


def test_an_empty_stream_is_told_of_once() -> None:
    seen: list[tuple[int, int]] = []
    Progress(lambda done, total: seen.append((done, total)), 0).end()
    assert seen == [(0, 0)]


def test_callbacks_of_fsspec() -> None:
    callback = Callback()
    progress = Progress(callback, 30)
    assert callback.size == 30
    progress.advance(10)
    progress.advance(20)
    assert callback.value == 30
    unknown = Callback()
    Progress(unknown, None).advance(3)
    assert (unknown.size, unknown.value) == (None, 3)


def test_bars() -> None:
    bar, sized = Bar(), Bar(total=5)
    for one in (bar, sized):
        Progress(one, 30).advance(10)
    assert (bar.total, bar.n) == (30, 10)
    assert sized.total == 5, "a total that the user gave stays"


@pytest.mark.parametrize("listener", [5, "bar", object()])
def test_what_is_no_listener_says_so(listener: Any) -> None:
    with pytest.raises(TypeError, match="progress_callback must be"):
        Progress(listener, None)


# ---- checksums


def test_digests() -> None:
    digest = Digest("sha256")
    digest.update(b"ab")
    digest.update(memoryview(b"c"))
    assert digest.result() == hashlib.sha256(b"abc").hexdigest()
    assert Digest(None).result() is None


def test_expected_checksums() -> None:
    right = hashlib.md5(b"abc").hexdigest()
    digest = Digest("md5", right.upper())
    with pytest.raises(OSError, match="md5 is") as caught:
        digest.verify("/f")
    assert caught.value.filename == "/f"
    digest.update(b"abc")
    digest.verify("/f")


@pytest.mark.parametrize(
    ("algorithm", "expected", "fix"),
    [
        ("sha-none", None, "hashlib knows"),
        (5, None, "hashlib knows"),
        ("shake_128", None, "no length"),
        (None, "00", "expected needs checksum"),
        ("sha256", "00", "64 hexadecimal digits"),
    ],
)
def test_digests_that_cannot_be(algorithm: Any, expected: str | None, fix: str) -> None:
    with pytest.raises(ValueError, match=fix):
        Digest(algorithm, expected)
