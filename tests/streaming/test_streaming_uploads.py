"""Uploads that are begun by one process and finished by another."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec import filesystem
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.wrappers.streaming import StreamFileSystem
from tests.streaming.stream_kinds import CHUNK, ProducerError, failing_after, in_coroutine, open_kind, sha256


@pytest.fixture(params=["chukmem", "chuklocal"])
def fs(request: pytest.FixtureRequest, tmp_path: Path) -> StreamFileSystem:
    fs, inner, root = open_kind(request.param, tmp_path)
    inner.mkdir(root)
    return fs


def hidden(fs: StreamFileSystem) -> list[str]:
    return [path for path in fs.ls("/d", detail=False) if path.startswith("/d/.chuk-")]


def test_an_upload_goes_on_where_it_stopped(fs: StreamFileSystem) -> None:
    data = os.urandom(5 * CHUNK + 1)
    fs.pipe_file("/d/f", b"old")
    upload = fs.start_upload("/d/f")
    assert fs.upload_status("/d/f", upload) == 0
    with pytest.raises(TypeError):
        fs.stream_write("/d/f", iter([data[: 2 * CHUNK], "text"]), resume=upload)
    assert fs.cat_file("/d/f") == b"old"
    arrived = fs.upload_status("/d/f", upload)
    assert arrived == 2 * CHUNK
    told: list[tuple[int, int]] = []
    result = fs.stream_write(
        "/d/f",
        [data[arrived:]],
        progress_callback=lambda *t: told.append(t),
        total=len(data),
        resume=upload,
        checksum="sha256",
        expected=sha256(data),
    )
    assert (result.bytes, result.checksum) == (len(data), sha256(data))
    assert result.etag == fs.info("/d/f")["etag"]
    assert told[0] == (2 * CHUNK, len(data))
    assert told[-1] == (len(data), len(data))
    assert fs.cat_file("/d/f") == data
    assert hidden(fs) == []


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6), st.integers(1, 20))
def test_any_number_of_stops(data: bytes, stops: list[int], size: int) -> None:
    fs = StreamFileSystem(MemoryFileSystem(name="stream-uploads"))
    upload = fs.start_upload("/f")
    for stop in stops:
        arrived = fs.upload_status("/f", upload)

        def producer(part: bytes = data[arrived:stop]) -> Iterator[bytes]:
            yield part
            raise ProducerError

        with pytest.raises(ProducerError):
            fs.stream_write("/f", producer(), chunk_size=size, resume=upload)
    arrived = fs.upload_status("/f", upload)
    result = fs.stream_write("/f", [data[arrived:]], resume=upload, checksum="sha256", expected=sha256(data))
    assert result.bytes == len(data)
    assert fs.cat_file("/f") == data


def test_another_process_may_go_on(fs: StreamFileSystem) -> None:
    """Nothing is kept but the file: another object of the same filesystem knows all there is to know."""
    upload = fs.start_upload("/d/f")
    with pytest.raises(ProducerError):
        fs.stream_write("/d/f", failing_after(3), resume=upload)
    other = StreamFileSystem(*fs.storage_args, **fs.storage_options, skip_instance_cache=True)
    assert other.upload_status("/d/f", upload) == 3 * CHUNK
    asyncio.run(other.astream_write("/d/f", in_coroutine([b"end"]), resume=upload))
    assert fs.cat_file("/d/f") == b"n" * 3 * CHUNK + b"end"


def test_what_is_replaced_keeps_mode_owner_and_attributes(fs: StreamFileSystem) -> None:
    fs.pipe_file("/d/f", b"old")
    posix = fs.posix
    uid, gid = (12, 34) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    posix.chown("/d/f", uid, gid)
    posix.chmod("/d/f", 0o4710)
    posix.setxattr("/d/f", "user.tag", b"kept")
    upload = fs.start_upload("/d/f")
    assert [fs.info(path)["mode"] & 0o777 for path in hidden(fs)] == [0o600]
    fs.stream_write("/d/f", [b"new"], resume=upload)
    info = fs.info("/d/f")
    assert (info["mode"] & 0o7777, info["uid"], info["gid"]) == (0o4710, uid, gid)
    assert posix.getxattr("/d/f", "user.tag") == b"kept"


def test_a_new_file_has_the_usual_mode(fs: StreamFileSystem) -> None:
    fs.stream_write("/d/usual", [b""])
    fs.stream_write("/d/f", [b"new"], resume=fs.start_upload("/d/f"))
    assert fs.info("/d/f")["mode"] == fs.info("/d/usual")["mode"]


def test_a_link_is_written_through(fs: StreamFileSystem) -> None:
    fs.mkdir("/e")
    fs.pipe_file("/e/target", b"old")
    fs.posix.symlink("../e/target", "/d/f")
    upload = fs.start_upload("/d/f")
    fs.stream_write("/d/f", [b"new"], resume=upload)
    assert fs.cat_file("/e/target") == b"new"
    assert fs.posix.readlink("/d/f") == "../e/target"


def test_create_refuses_a_file_that_exists(fs: StreamFileSystem) -> None:
    upload = fs.start_upload("/d/f")
    fs.pipe_file("/d/f", b"somebody was faster")
    with fails_with(errno.EEXIST, "/d/f"):
        fs.stream_write("/d/f", [b"new"], mode="create", resume=upload)
    assert fs.cat_file("/d/f") == b"somebody was faster"
    assert fs.upload_status("/d/f", upload) == 3


def test_a_wrong_checksum_keeps_the_old_file_and_the_upload(fs: StreamFileSystem) -> None:
    fs.pipe_file("/d/f", b"old")
    upload = fs.start_upload("/d/f")
    with fails_with(errno.EIO, "/d/f"):
        fs.stream_write("/d/f", [b"new"], checksum="sha256", expected="0" * 64, resume=upload)
    assert fs.cat_file("/d/f") == b"old"
    fs.abort_upload("/d/f", upload)
    assert hidden(fs) == []


def test_an_aborted_upload_is_gone(fs: StreamFileSystem) -> None:
    upload = fs.start_upload("/d/f")
    fs.abort_upload("/d/f", upload)
    for call in (fs.upload_status, fs.abort_upload):
        with fails_with(errno.ENOENT, "/d/f"):
            call("/d/f", upload)
    with fails_with(errno.ENOENT, "/d/f"):
        fs.stream_write("/d/f", [b"new"], resume=upload)


@pytest.mark.parametrize("token", ["", "../../etc/passwd", "0" * 32, "0" * 31, "Z" * 32])
def test_ids_that_are_none(fs: StreamFileSystem, token: str) -> None:
    fs.start_upload("/d/f")
    with fails_with(errno.ENOENT, "/d/f"):
        fs.upload_status("/d/f", token)


def test_an_upload_is_for_one_path(fs: StreamFileSystem) -> None:
    upload = fs.start_upload("/d/f")
    with fails_with(errno.ENOENT, "/d/g"):
        fs.stream_write("/d/g", [b"new"], resume=upload)


def test_one_stream_at_a_time(fs: StreamFileSystem) -> None:
    upload = fs.start_upload("/d/f")

    def producer() -> Iterator[bytes]:
        yield b"1"
        with fails_with(errno.EBUSY, "/d/f"):
            fs.stream_write("/d/f", [b"2"], resume=upload)
        yield b"3"

    fs.stream_write("/d/f", producer(), resume=upload)
    assert fs.cat_file("/d/f") == b"13"


def test_who_cannot_says_so() -> None:
    with fails_with(errno.ENOTSUP, "/f"):
        StreamFileSystem(filesystem("memory")).start_upload("/f")


def test_a_directory_is_no_place_for_an_upload(fs: StreamFileSystem) -> None:
    with fails_with(errno.EISDIR, "/d"):
        fs.start_upload("/d")
    with fails_with(errno.ENOENT):
        fs.start_upload("/none/f")


def test_uploads_that_nobody_finishes_go_after_a_week(fs: StreamFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    from chuk_fsspec.forwarding.publishing import places
    from chuk_fsspec.forwarding.publishing.leftovers import Sweeper

    fs.start_upload("/d/f")
    (old,) = hidden(fs)
    monkeypatch.setattr(places, "sweeper", Sweeper())
    fs.start_upload("/d/f")
    assert len(hidden(fs)) == 2
    fs.posix.utime(old, ns=(0, 0))
    monkeypatch.setattr(places, "sweeper", Sweeper())
    fs.start_upload("/d/f")
    assert old not in hidden(fs)
    assert len(hidden(fs)) == 2
