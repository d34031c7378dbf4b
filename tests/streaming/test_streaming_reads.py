"""Files read piece by piece."""

from __future__ import annotations

import errno
import gc
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.callbacks import Callback
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.wrappers.streaming import ReadStream, StreamFileSystem
from tests.streaming.stream_kinds import CHUNK, KINDS, open_kind, sha256
from tests.wrappers.object_fs import ObjectFileSystem

DATA = os.urandom(5 * CHUNK + 123)


@pytest.fixture(params=list(KINDS))
def stream(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., ReadStream]:
    """``stream_read`` of a file that holds DATA."""
    fs, inner, root = open_kind(request.param, tmp_path)
    inner.makedirs(root, exist_ok=True)
    inner.pipe_file(f"{root}/f", DATA)
    return lambda **options: fs.stream_read(f"{root}/f", **options)


def test_pieces_have_one_size(stream: Callable[..., ReadStream]) -> None:
    pieces = list(stream(chunk_size=10_000))
    assert b"".join(pieces) == DATA
    assert {len(piece) for piece in pieces[:-1]} == {10_000}


def test_the_default_is_64_kib(stream: Callable[..., ReadStream]) -> None:
    assert [len(piece) for piece in stream()] == [CHUNK] * 5 + [123]


@pytest.mark.parametrize(
    ("start", "end"), [(None, None), (100, None), (None, 100), (100, 70_000), (-100, None), (-200, -100), (50, 10)]
)
def test_ranges_count_as_in_a_slice(stream: Callable[..., ReadStream], start: int | None, end: int | None) -> None:
    found = stream(start=start, end=end, chunk_size=999)
    assert found.size == len(DATA[start:end])
    assert b"".join(found) == DATA[start:end]


@given(st.binary(max_size=300), st.none() | st.integers(-400, 400), st.none() | st.integers(-400, 400))
def test_any_range(data: bytes, start: int | None, end: int | None) -> None:
    fs = StreamFileSystem(MemoryFileSystem(name="stream-ranges"))
    fs.pipe_file("/f", data)
    assert b"".join(fs.stream_read("/f", 7, start, end)) == data[start:end] == fs.cat_file("/f", start, end)


def test_progress_ends_at_the_total(stream: Callable[..., ReadStream]) -> None:
    seen: list[tuple[int, int]] = []
    list(stream(start=23, progress_callback=lambda *told: seen.append(told)))
    assert seen[-1] == (len(DATA) - 23, len(DATA) - 23)
    assert seen == sorted(seen)
    callback = Callback()
    list(stream(progress_callback=callback))
    assert callback.size == callback.value == len(DATA)


def test_an_empty_file(chukmem: MemoryFileSystem) -> None:
    chukmem.touch("/f")
    seen: list[tuple[int, int]] = []
    fs = StreamFileSystem(chukmem)
    assert list(fs.stream_read("/f", progress_callback=lambda *told: seen.append(told))) == []
    assert seen == [(0, 0)]


def test_checksums(stream: Callable[..., ReadStream]) -> None:
    found = stream(checksum="sha256", expected=sha256(DATA))
    for _ in found:
        pass
    assert found.checksum == sha256(DATA)
    wrong = stream(checksum="sha256", expected="0" * 64)
    with fails_with(errno.EIO):
        list(wrong)
    part = stream(checksum="md5", start=10, end=20)
    list(part)
    assert part.checksum is not None


def test_what_is_no_file_is_known_at_once(chukmem: MemoryFileSystem) -> None:
    fs = StreamFileSystem(chukmem)
    with fails_with(errno.ENOENT, "/none"):
        fs.stream_read("/none")
    chukmem.mkdir("/d")
    with fails_with(errno.EISDIR, "/d"):
        fs.stream_read("/d")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"chunk_size": 0}, ValueError),
        ({"checksum": "none"}, ValueError),
        ({"progress_callback": 5}, TypeError),
    ],
)
def test_bad_arguments(chukmem: MemoryFileSystem, options: dict[str, Any], error: type[Exception]) -> None:
    chukmem.touch("/f")
    with pytest.raises(error):
        StreamFileSystem(chukmem).stream_read("/f", **options)
    assert open_files(chukmem) == 0


# ---- the file is closed


def open_files(fs: MemoryFileSystem) -> int:
    return len(fs.inodes.shared.open_counts)


@pytest.fixture
def large(chukmem: MemoryFileSystem) -> StreamFileSystem:
    """chukstream over a chukmem whose /f is held open while it is read."""
    with chukmem.posix.open_handle("/f", os.O_RDWR | os.O_CREAT) as handle:
        handle.pwrite(DATA, 0)
    assert open_files(chukmem) == 0
    return StreamFileSystem(chukmem)


def test_it_is_closed_at_the_end(chukmem: MemoryFileSystem, large: StreamFileSystem) -> None:
    found = large.stream_read("/f")
    assert open_files(chukmem) == 1
    assert b"".join(found) == DATA
    assert open_files(chukmem) == 0
    assert list(found) == []


def test_it_is_closed_early(chukmem: MemoryFileSystem, large: StreamFileSystem) -> None:
    found = large.stream_read("/f", checksum="sha256", expected="0" * 64)
    next(found)
    found.close()
    assert open_files(chukmem) == 0
    assert list(found) == []
    with large.stream_read("/f") as block:
        next(block)
    assert open_files(chukmem) == 0


def test_it_is_closed_when_it_is_forgotten(chukmem: MemoryFileSystem, large: StreamFileSystem) -> None:
    for _ in large.stream_read("/f"):
        break
    gc.collect()
    assert open_files(chukmem) == 0


def test_it_is_closed_when_a_callback_fails(chukmem: MemoryFileSystem, large: StreamFileSystem) -> None:
    def callback(done: int, total: int) -> None:
        raise ZeroDivisionError

    found = large.stream_read("/f", progress_callback=callback)
    with pytest.raises(ZeroDivisionError):
        next(found)
    assert open_files(chukmem) == 0

    async def later(done: int, total: int) -> None: ...

    with pytest.raises(TypeError, match="astream_read"):
        next(large.stream_read("/f", progress_callback=later))
    assert open_files(chukmem) == 0


# ---- one content throughout


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_file_that_is_replaced_meanwhile(kind: str, tmp_path: Path) -> None:
    fs, inner, root = open_kind(kind, tmp_path)
    inner.makedirs(root, exist_ok=True)
    inner.pipe_file(f"{root}/f", b"o" * 40 * CHUNK)
    found = fs.stream_read(f"{root}/f")
    pieces = [next(found)]
    fs.stream_write(f"{root}/f", [b"n" * 40 * CHUNK])
    if kind in ("objects", "fileless"):
        with fails_with(errno.ESTALE, f"{root}/f"):
            list(found)
    else:
        assert set(b"".join([*pieces, *found])) == set(b"o")


@pytest.mark.parametrize("kind", list(KINDS))
def test_two_readers_do_not_disturb_each_other(kind: str, tmp_path: Path) -> None:
    fs, inner, root = open_kind(kind, tmp_path)
    inner.makedirs(root, exist_ok=True)
    inner.pipe_file(f"{root}/f", DATA)
    one, two = fs.stream_read(f"{root}/f"), fs.stream_read(f"{root}/f")
    both = list(zip(one, two, strict=True))
    assert b"".join(first for first, _ in both) == b"".join(second for _, second in both) == DATA


def test_what_only_comes_as_a_stream() -> None:
    class Unseekable(ObjectFileSystem):
        """As HTTP servers that do not tell the size."""

        def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
            file = super()._open(path, mode)

            class Stream(io.BufferedIOBase):
                def readable(self) -> bool:
                    return True

                def read(self, size: int | None = -1, /) -> bytes:
                    return file.read(size if size is None else min(size, 1000))

                def seek(self, offset: int, whence: int = 0, /) -> int:
                    raise ValueError("Cannot seek streaming file")

            return Stream()

    inner = Unseekable()
    inner.pipe_file("f", DATA)
    fs = StreamFileSystem(inner)
    seen: list[tuple[int, int]] = []
    found = fs.stream_read("/f", progress_callback=lambda *told: seen.append(told))
    assert found.size is None
    pieces = list(found)
    assert b"".join(pieces) == DATA
    assert {len(piece) for piece in pieces[:-1]} == {CHUNK}
    assert seen[-1] == (len(DATA), -1)
    with fails_with(errno.ENOTSUP, "/f"):
        fs.stream_read("/f", start=1)
