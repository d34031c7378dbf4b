"""Files that are read in ranges: as ``io.BytesIO``, for several threads too."""

from __future__ import annotations

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.contract.range_reader import RangeReader


class Reader(RangeReader):
    """One over a content."""

    def __init__(self, data: bytes, buffer_size: int = 8) -> None:
        super().__init__(None, "/f", buffer_size)
        self.data = data

    @property
    def size(self) -> int:
        return len(self.data)

    def _range(self, start: int, stop: int) -> bytes:
        return self.data[start:stop]


class SlowReader(Reader):
    """One whose ranges from 100 on do not come before they are let."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.is_asked, self.is_let = threading.Event(), threading.Event()

    def _range(self, start: int, stop: int) -> bytes:
        if start >= 100:
            self.is_asked.set()
            assert self.is_let.wait(30)
        return super()._range(start, stop)


def filled(file: Any, size: int) -> tuple[int, bytes]:
    buffer = bytearray(size)
    return file.readinto(buffer), bytes(buffer)


STEPS = {
    "read": lambda file, number: file.read(number),
    "read1": lambda file, number: file.read1(max(number, 0)),
    "readline": lambda file, number: file.readline(number),
    "readlines": lambda file, number: file.readlines(),
    "readinto": lambda file, number: filled(file, max(number, 0)),
    "next": lambda file, number: next(file, None),
    "seek": lambda file, number: file.seek(max(number, 0)),
    "tell": lambda file, number: file.tell(),
}


@given(
    lines=st.lists(st.binary(max_size=20), max_size=8),
    steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(-1, 60)), max_size=30),
    buffer_size=st.integers(1, 40),
)
def test_it_reads_as_a_file_in_memory(lines: list[bytes], steps: list[tuple[str, int]], buffer_size: int) -> None:
    data = b"\n".join(lines)
    file, model = Reader(data, buffer_size), io.BytesIO(data)
    for name, number in steps:
        assert STEPS[name](file, number) == STEPS[name](model, number)


@given(
    lines=st.lists(st.binary(max_size=20), max_size=8),
    steps=st.lists(st.none() | st.tuples(st.sampled_from(sorted(STEPS)), st.integers(-1, 60)), max_size=30),
    buffer_size=st.integers(1, 40),
)
def test_lines_are_those_from_where_it_is(
    lines: list[bytes], steps: list[tuple[str, int] | None], buffer_size: int
) -> None:
    data = b"\n".join(lines)

    def told(file: Any) -> list[Any]:
        found: list[Any] = []
        for line, step in zip(file, steps, strict=False):
            found += [line, file.tell(), STEPS[step[0]](file, step[1]) if step else None]
        return found

    assert told(Reader(data, buffer_size)) == told(io.BytesIO(data))


def test_lines_end_when_it_is_closed() -> None:
    file = Reader(b"a\nb\nc\n")
    lines = iter(file)
    assert next(lines) == b"a\n"
    file.close()
    with pytest.raises(ValueError, match="closed"):
        next(lines)


def test_it_is_read_as_text_and_behind_a_buffer() -> None:
    data = "Tromsø\nRome\n".encode() * 100
    file: Any = Reader(data)
    assert io.TextIOWrapper(file, "utf-8").read() == data.decode()
    file = Reader(data)
    file.seek(-5, os.SEEK_END)
    assert file.peek()[:5] == b"Rome\n"
    assert file.read1() == b"Rome\n"
    assert file.read() == file.readline() == b""


def test_a_seek_waits_for_nobody_and_a_read_begins_where_it_was_called() -> None:
    data = bytes(range(200))
    file = SlowReader(data)
    file.seek(100)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(file.read, 20)
        assert file.is_asked.wait(30)
        file.seek(5)
        assert file.read(20) == data[5:25]
        file.is_let.set()
        assert slow.result() == data[100:120]


def test_what_is_closed_is_not_read() -> None:
    file = Reader(b"content\n")
    assert file.read(3) == b"con"
    file.close()
    for ask in (file.read, file.read1, file.readline, file.peek, file.tell, lambda: file.seek(0), lambda: next(file)):
        with pytest.raises(ValueError):
            ask()


def test_it_is_not_written() -> None:
    file = Reader(b"content")
    assert (file.readable(), file.seekable(), file.writable(), file.mode) == (True, True, False, "rb")
    with pytest.raises(io.UnsupportedOperation):
        file.write(b"")
    with pytest.raises(io.UnsupportedOperation):
        file.truncate()
