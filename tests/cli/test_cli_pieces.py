"""Content in pieces: lines and ends of it, however it was cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.cli.files.ends import only_last, without_last
from chuk_fsspec.cli.files.reading import lines_of

BLOCKS = st.lists(st.lists(st.sampled_from([b"\n", b"a", b"\r", b"\xff"]), max_size=5).map(b"".join), max_size=6)


@given(BLOCKS)
def test_lines_end_where_lines_end(blocks: list[bytes]) -> None:
    content = b"".join(blocks)
    *lines, rest = content.split(b"\n")
    assert list(lines_of(blocks)) == [line + b"\n" for line in lines] + [rest] * bool(rest)


@given(BLOCKS, st.integers(1, 6))
def test_long_lines_come_in_pieces(blocks: list[bytes], longest: int) -> None:
    pieces = list(lines_of(blocks, longest))
    assert b"".join(pieces) == b"".join(blocks)
    assert all(piece.endswith(b"\n") or len(piece) >= longest for piece in pieces[:-1])
    assert all(b"\n" not in piece[:-1] for piece in pieces)


@given(BLOCKS, st.integers(0, 40))
def test_the_end_and_what_is_before_it(blocks: list[bytes], count: int) -> None:
    content = b"".join(blocks)
    start = max(len(content) - count, 0)
    assert b"".join(without_last(blocks, count)) == content[:start]
    assert b"".join(only_last(blocks, count)) == content[start:]
