"""What ``stream_write`` promises on every backend: the old content or the new, nothing between, nothing left over."""

from __future__ import annotations

import errno
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from fsspec.callbacks import Callback
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing.checks import failing, fails_with, in_threads
from chuk_fsspec.wrappers.streaming import StreamFileSystem, StreamResult
from tests.streaming.stream_kinds import CHUNK, KINDS, ProducerError, failing_after, names, open_kind, sha256
from tests.wrappers.async_fs import AsyncObjectFileSystem


class Streams:
    """One kind of backend, with a directory that exists."""

    def __init__(self, kind: str, tmp_path: Path) -> None:
        self.kind = kind
        self.fs, self.inner, self.root = open_kind(kind, tmp_path)
        self.path = f"{self.root}/f"
        self.inner.makedirs(self.root, exist_ok=True)

    def leftovers(self) -> list[str]:
        """Names beside the file, and uploads that nobody completed or aborted."""
        found = [name for name in names(self.inner, self.root) if name != "f"]
        return found + list(self.inner.service.uploads if isinstance(self.inner, AsyncObjectFileSystem) else ())


@pytest.fixture(params=list(KINDS))
def streams(request: pytest.FixtureRequest, tmp_path: Path) -> Streams:
    return Streams(request.param, tmp_path)


# ---- what comes out


def test_the_result_says_what_was_written(streams: Streams) -> None:
    data = os.urandom(3 * CHUNK + 5)
    result = streams.fs.stream_write(streams.path, [data], checksum="sha256")
    assert (result.path, result.bytes, result.checksum) == (streams.path, len(data), sha256(data))
    assert result.etag == streams.fs.info(streams.path).get("etag")
    assert streams.inner.cat_file(streams.path) == data
    assert streams.leftovers() == []


@given(chunks=st.lists(st.binary(max_size=3000), max_size=20), size=st.integers(1, 5000))
def test_any_chunking_of_any_bytes_comes_back(chunks: list[bytes], size: int) -> None:
    fs = StreamFileSystem(MemoryFileSystem(name="stream-chunking"))
    result = fs.stream_write("/f", iter(chunks), chunk_size=size)
    assert result.bytes == sum(map(len, chunks))
    assert list(fs.stream_read("/f", chunk_size=size)) == [
        piece for at in range(0, result.bytes, size) if (piece := b"".join(chunks)[at : at + size])
    ]


def test_an_empty_stream_writes_an_empty_file(streams: Streams) -> None:
    streams.inner.pipe_file(streams.path, b"old")
    assert streams.fs.stream_write(streams.path, []).bytes == 0
    assert streams.inner.cat_file(streams.path) == b""
    assert streams.fs.stream_write(f"{streams.root}/new", iter([b"", b""])).bytes == 0
    assert streams.inner.cat_file(f"{streams.root}/new") == b""


def test_one_huge_chunk(streams: Streams) -> None:
    data = os.urandom(5 * 1024 * 1024 + 1)
    assert streams.fs.stream_write(streams.path, [data], chunk_size=CHUNK).bytes == len(data)
    assert streams.inner.cat_file(streams.path) == data


def test_a_source_may_reuse_its_buffer(streams: Streams) -> None:
    def producer() -> Iterator[bytearray]:
        buffer = bytearray(1000)
        for number in range(100):
            buffer[:] = bytes([number]) * 1000
            yield buffer

    streams.fs.stream_write(streams.path, producer(), chunk_size=300)
    assert streams.inner.cat_file(streams.path) == b"".join(bytes([number]) * 1000 for number in range(100))


def test_missing_directories_are_made(streams: Streams) -> None:
    streams.fs.stream_write(f"{streams.root}/a/b/f", [b"deep"])
    assert streams.inner.cat_file(f"{streams.root}/a/b/f") == b"deep"


def test_progress_is_monotonic_and_ends_at_the_total(streams: Streams) -> None:
    data = bytes(5 * CHUNK + 1)
    seen: list[tuple[int, int]] = []
    streams.fs.stream_write(streams.path, data, progress_callback=lambda *told: seen.append(told))
    assert seen == [(min(CHUNK * step, len(data)), len(data)) for step in range(1, 7)]
    callback = Callback()
    streams.fs.stream_write(streams.path, iter([data]), progress_callback=callback, total=len(data))
    assert (callback.size, callback.value) == (len(data), len(data))


def test_paths_may_be_urls_and_objects(streams: Streams) -> None:
    assert streams.fs.stream_write(f"chukstream://{streams.path}", [b"x"]).path == streams.path
    assert streams.fs.stream_write(Path(streams.path), [b"y"]).path == streams.path  # type: ignore[arg-type]


# ---- what an error leaves


def fail_in_producer(streams: Streams, after: int) -> None:
    with pytest.raises(ProducerError):
        streams.fs.stream_write(streams.path, failing_after(after))


def fail_in_callback(streams: Streams, after: int) -> None:
    def callback(done: int, total: int) -> None:
        if done >= after * CHUNK:
            raise ProducerError

    with pytest.raises(ProducerError):
        streams.fs.stream_write(streams.path, [bytes(CHUNK)] * (after + 1), progress_callback=callback)


def fail_by_interrupt(streams: Streams, after: int) -> None:
    def producer() -> Iterator[bytes]:
        yield from [bytes(CHUNK)] * after
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        streams.fs.stream_write(streams.path, producer())


def fail_by_type(streams: Streams, after: int) -> None:
    with pytest.raises(TypeError, match="encode"):
        streams.fs.stream_write(streams.path, iter([*[bytes(CHUNK)] * after, "text"]))


def fail_by_checksum(streams: Streams, after: int) -> None:
    with fails_with(errno.EIO, streams.path):
        streams.fs.stream_write(streams.path, [bytes(CHUNK)] * after, checksum="sha256", expected="0" * 64)


def fail_by_async_callback(streams: Streams, after: int) -> None:
    async def callback(done: int, total: int) -> None: ...

    with pytest.raises(TypeError, match="astream_write"):
        streams.fs.stream_write(streams.path, [bytes(CHUNK)] * after, progress_callback=callback)


def fail_by_closed_generator(streams: Streams, after: int) -> None:
    """A generator that streams is closed while it waits inside the producer of its stream."""

    def producer() -> Iterator[bytes]:
        yield from [bytes(CHUNK)] * after
        raise GeneratorExit

    with pytest.raises(GeneratorExit):
        streams.fs.stream_write(streams.path, producer())


FAILURES = [
    fail_in_producer,
    fail_in_callback,
    fail_by_interrupt,
    fail_by_type,
    fail_by_checksum,
    fail_by_async_callback,
    fail_by_closed_generator,
]


@pytest.mark.parametrize("after", [0, 1, 2, 40])
@pytest.mark.parametrize("fail", FAILURES)
def test_a_failing_stream_leaves_the_old_file(
    streams: Streams, fail: Callable[[Streams, int], None], after: int
) -> None:
    streams.inner.pipe_file(streams.path, b"old")
    fail(streams, after)
    assert streams.inner.cat_file(streams.path) == b"old"
    assert streams.leftovers() == []


@pytest.mark.parametrize("after", [0, 2, 40])
def test_a_failing_stream_makes_no_file(streams: Streams, after: int) -> None:
    fail_in_producer(streams, after)
    assert names(streams.inner, streams.root) == []
    assert streams.leftovers() == []


def test_a_failing_block_leaves_the_old_file_too(streams: Streams) -> None:
    streams.inner.pipe_file(streams.path, b"old")
    with failing(streams.fs.open(streams.path, "wb")) as file:
        file.write(bytes(10 * CHUNK))
    assert streams.inner.cat_file(streams.path) == b"old"
    assert streams.leftovers() == []


def test_a_directory_is_no_place_for_a_stream(streams: Streams) -> None:
    if streams.kind == "objects":
        pytest.skip("an object may have the name of a prefix")
    streams.inner.pipe_file(f"{streams.root}/sub/f", b"old")
    with pytest.raises(IsADirectoryError):
        streams.fs.stream_write(f"{streams.root}/sub", [b"new"])
    assert streams.inner.cat_file(f"{streams.root}/sub/f") == b"old"


def test_nothing_is_asked_of_the_producer_when_the_file_cannot_be_opened(chukmem: MemoryFileSystem) -> None:
    chukmem.mkdir("/d")
    producer = iter([b"x"])
    with fails_with(errno.EISDIR, "/d"):
        StreamFileSystem(chukmem).stream_write("/d", producer)
    assert next(producer) == b"x"


@pytest.mark.parametrize(
    ("options", "error", "fix"),
    [
        ({"chunk_size": 0}, ValueError, "chunk_size"),
        ({"mode": "append"}, ValueError, "'overwrite' or 'create'"),
        ({"checksum": "none"}, ValueError, "hashlib"),
        ({"progress_callback": 5}, TypeError, "progress_callback"),
    ],
)
def test_bad_arguments(chukmem: MemoryFileSystem, options: dict[str, Any], error: type[Exception], fix: str) -> None:
    with pytest.raises(error, match=fix):
        StreamFileSystem(chukmem).stream_write("/f", [b"x"], **options)
    assert not chukmem.exists("/f")


# ---- what others see meanwhile


def test_readers_see_one_content_or_the_other(streams: Streams) -> None:
    contents = [bytes([65 + number]) * (CHUNK * (1 + number)) for number in range(4)]
    allowed = set(contents)
    streams.fs.stream_write(streams.path, [contents[0]])
    done = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            try:
                for step in range(40):
                    data = contents[step % 4]
                    streams.fs.stream_write(
                        streams.path, (data[at : at + 10_000] for at in range(0, len(data), 10_000))
                    )
            finally:
                done.set()
        while not done.is_set():
            if number == 1:
                assert streams.inner.cat_file(streams.path) in allowed
            elif number == 2:
                assert streams.fs.cat_file(streams.path) in allowed
            elif number == 3:
                assert streams.fs.info(streams.path)["size"] in [len(data) for data in contents]
            elif number == 4:
                try:
                    assert b"".join(streams.fs.stream_read(streams.path, chunk_size=1000)) in allowed
                except OSError as error:
                    assert error.errno == errno.ESTALE  # noqa: PT017 - only where contents cannot be pinned
                    assert streams.kind in ("objects", "fileless")

    in_threads(5, work)
    assert streams.leftovers() == []


def test_nothing_shows_before_the_end(streams: Streams) -> None:
    def producer() -> Iterator[bytes]:
        for _ in range(8):
            yield bytes(CHUNK)
            assert not streams.inner.exists(streams.path)

    streams.fs.stream_write(streams.path, producer())
    assert streams.inner.size(streams.path) == 8 * CHUNK


def test_streams_to_one_new_path_all_succeed(streams: Streams) -> None:
    def work(number: int) -> StreamResult:
        return streams.fs.stream_write(streams.path, [bytes([number]) * CHUNK] * 8)

    results = in_threads(8, work)
    assert all(result.bytes == 8 * CHUNK for result in results)
    data = streams.inner.cat_file(streams.path)
    assert len(data) == 8 * CHUNK
    assert len(set(data)) == 1
    assert streams.leftovers() == []


# ---- mode="create"


def test_create_refuses_a_file_that_exists(streams: Streams) -> None:
    streams.fs.stream_write(streams.path, [b"first"], mode="create")
    with pytest.raises(FileExistsError):
        streams.fs.stream_write(streams.path, [b"second"], mode="create")
    assert streams.inner.cat_file(streams.path) == b"first"
    assert streams.leftovers() == []


@pytest.mark.parametrize("kind", ["chukmem", "chuklocal", "file", "objects"])
def test_exactly_one_stream_creates(kind: str, tmp_path: Path) -> None:
    streams = Streams(kind, tmp_path)

    def work(number: int) -> int | None:
        try:
            streams.fs.stream_write(streams.path, [bytes([number]) * CHUNK] * 3, mode="create")
        except FileExistsError:
            return None
        return number

    winners = [number for number in in_threads(6, work) if number is not None]
    assert len(winners) == 1
    assert set(streams.inner.cat_file(streams.path)) == set(winners)
    assert streams.leftovers() == []


# ---- what a replaced file keeps


def test_chukmem_keeps_everything_but_the_content(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"old")
    chukmem.posix.chmod("/f", 0o4750)
    chukmem.posix.chown("/f", 12, 34)
    chukmem.posix.chmod("/f", 0o4750)
    chukmem.posix.setxattr("/f", "user.tag", b"kept")
    chukmem.posix.link("/f", "/g")
    before = chukmem.info("/f")
    StreamFileSystem(chukmem).stream_write("/f", [b"new"])
    after = chukmem.info("/f")
    assert {key: after[key] for key in ("ino", "mode", "uid", "gid", "nlink")} == {
        key: before[key] for key in ("ino", "mode", "uid", "gid", "nlink")
    }
    assert chukmem.posix.getxattr("/f", "user.tag") == b"kept"
    assert chukmem.cat_file("/g") == b"new"


@pytest.mark.parametrize("kind", ["file", "dir", "chuklocal"])
def test_a_host_file_keeps_mode_owner_and_attributes(kind: str, tmp_path: Path) -> None:
    streams = Streams(kind, tmp_path)
    host = tmp_path / "d" / "f"
    host.write_bytes(b"old")
    if os.geteuid() == 0:
        os.chown(host, 12, 34)
    host.chmod(0o640)
    try:
        os.setxattr(host, "user.tag", b"kept")
    except OSError:
        pytest.skip("no extended attributes here")
    before = host.stat()
    streams.fs.stream_write(streams.path, [b"new"])
    after = host.stat()
    assert host.read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert os.getxattr(host, "user.tag") == b"kept"


def test_a_private_file_is_never_shown_while_it_is_replaced(tmp_path: Path) -> None:
    streams = Streams("file", tmp_path)
    host = tmp_path / "d" / "f"
    host.write_bytes(b"old")
    host.chmod(0o600)

    def producer() -> Iterator[bytes]:
        yield bytes(CHUNK)
        assert [path.stat().st_mode & 0o077 for path in host.parent.iterdir()] == [0, 0]

    streams.fs.stream_write(streams.path, producer())


def test_a_new_host_file_has_the_usual_mode(tmp_path: Path) -> None:
    streams = Streams("file", tmp_path)
    (tmp_path / "d" / "usual").write_bytes(b"")
    streams.fs.stream_write(streams.path, [b"new"])
    assert os.stat(streams.path).st_mode == (tmp_path / "d" / "usual").stat().st_mode


def test_a_link_on_the_host_stays_a_link(tmp_path: Path) -> None:
    streams = Streams("file", tmp_path)
    target, link = tmp_path / "d" / "target", tmp_path / "d" / "f"
    target.write_bytes(b"old")
    link.symlink_to("target")
    streams.fs.stream_write(streams.path, [b"new"])
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    target.unlink()
    streams.fs.stream_write(streams.path, [b"again"])
    assert target.read_bytes() == b"again"


def test_what_is_no_file_on_the_host_is_not_replaced(tmp_path: Path) -> None:
    streams = Streams("file", tmp_path)
    os.mkfifo(streams.path)
    with fails_with(errno.EINVAL):
        streams.fs.stream_write(streams.path, [b"new"])
    os.unlink(streams.path)
    os.symlink("f", streams.path)
    with fails_with(errno.ELOOP):
        streams.fs.stream_write(streams.path, [b"new"])
    assert os.readlink(streams.path) == "f"


# ---- transactions


@pytest.mark.parametrize("kind", ["chukmem", "chuklocal", "file", "memory", "objects"])
def test_a_stream_joins_a_transaction(kind: str, tmp_path: Path) -> None:
    streams = Streams(kind, tmp_path)
    streams.inner.pipe_file(streams.path, b"old")
    with streams.fs.transaction:
        assert streams.fs.stream_write(streams.path, [b"new"] * 9).etag is None
        with pytest.raises(ProducerError):
            streams.fs.stream_write(f"{streams.root}/g", failing_after(2))
        assert streams.inner.cat_file(streams.path) == b"old"
    assert streams.inner.cat_file(streams.path) == b"new" * 9
    with failing(streams.fs.transaction):
        streams.fs.stream_write(streams.path, [b"never"])
    assert streams.inner.cat_file(streams.path) == b"new" * 9
    assert not streams.inner.exists(f"{streams.root}/g")
    assert streams.leftovers() == []


# ---- pipe and put through chukstream


def test_pipe_and_put_are_whole_as_well(streams: Streams, tmp_path: Path) -> None:
    contents = {f"{streams.root}/{name}": name.encode() * CHUNK for name in "abc"}
    streams.fs.pipe(contents)
    assert {path: streams.inner.cat_file(path) for path in contents} == contents
    local = tmp_path / f"local-{uuid.uuid4().hex}"
    (local / "sub").mkdir(parents=True)
    (local / "sub" / "x").write_bytes(b"x" * CHUNK)
    (local / "y").write_bytes(b"y")
    callback = Callback()
    streams.fs.put(str(local), f"{streams.root}/tree", recursive=True, callback=callback)
    assert streams.inner.cat_file(f"{streams.root}/tree/sub/x") == b"x" * CHUNK
    assert streams.inner.cat_file(f"{streams.root}/tree/y") == b"y"
    assert callback.size == callback.value > 0
    with pytest.raises(FileExistsError):
        streams.fs.pipe_file(f"{streams.root}/tree/y", b"z", mode="create")


def test_it_declares_that_files_appear_whole(streams: Streams) -> None:
    assert streams.fs.capabilities.atomic_write


def test_a_file_system_that_loses_what_is_opened_is_known(tmp_path: Path) -> None:
    """fsspec's own ``_open`` takes everything and writes nothing: whole objects are sent instead."""
    fs, inner, root = open_kind("fileless", tmp_path)
    with AbstractFileSystem.open(inner, f"{root}/f", "wb") as file:
        file.write(b"lost")
    assert not inner.exists(f"{root}/f")
    fs.stream_write(f"{root}/f", [b"kept"])
    assert inner.cat_file(f"{root}/f") == b"kept"
