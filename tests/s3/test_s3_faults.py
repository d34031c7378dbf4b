"""chuks3 over a network that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from chuk_fsspec.backends.s3 import S3FileSystem
from tests.remote.faults import Fault, FaultProxy
from tests.remote.many_operations import PATIENT, seconds_for, survive
from tests.s3.s3_servers import filesystem, new_bucket, options, uploads_of

PART = 5 << 20
OPTIONS: dict[str, Any] = {"part_size": PART, "timeout": 10.0, "attempts": 5}


@pytest.fixture
def proxy(s3_url: str) -> Iterator[FaultProxy]:
    place = urlsplit(s3_url)
    with FaultProxy(str(place.hostname), int(place.port or 0)) as proxy:
        yield proxy


@pytest.fixture
def fs(proxy: FaultProxy, bucket: str) -> Iterator[S3FileSystem]:
    fs = filesystem(proxy.url, bucket, **OPTIONS)
    fs.exists("/")
    yield fs
    fs.close()


@pytest.mark.parametrize(("seed", "count"), [(1, 1000), pytest.param(2, 5000, marks=pytest.mark.slow)])
def test_a_thousand_operations(
    proxy: FaultProxy, s3_url: str, seed: int, count: int, all_buckets: S3FileSystem
) -> None:
    # The plan chooses by requests, and so by the name of the bucket.
    bucket = new_bucket(all_buckets, f"operations-{seed}")
    given = {**OPTIONS, "timeout": PATIENT}

    async def work() -> None:
        fs: Any = S3FileSystem(bucket, asynchronous=True, skip_instance_cache=True, **options(proxy.url, **given))
        try:
            await survive(fs, proxy, seed, count, 8 << 10)
        finally:
            await fs._close()

    asyncio.run(asyncio.wait_for(work(), seconds_for(count)))
    assert sum(proxy.met[fault] for fault in Fault if fault is not Fault.NONE) > count / 20
    assert uploads_of(all_buckets, bucket) == []


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in (Fault.NONE, Fault.STALL)])
def test_each_request_of_an_upload_may_fail(
    proxy: FaultProxy, fs: S3FileSystem, bucket: str, fault: Fault, all_buckets: S3FileSystem
) -> None:
    data = bytes(range(256)) * (PART // 200)
    for number in range(6):
        proxy.next = [*[Fault.NONE] * number, fault]
        with fs.open(f"/f{number}", "xb") as file:
            file.write(data)
        proxy.next = []
        assert fs.cat_file(f"/f{number}") == data
    assert uploads_of(all_buckets, bucket) == []


def test_what_a_lost_reply_has_begun_is_told_from_what_another_writer_has(
    proxy: FaultProxy, fs: S3FileSystem, bucket: str, s3_url: str, all_buckets: S3FileSystem
) -> None:
    data, other = bytes(2 * PART), filesystem(s3_url, bucket, **OPTIONS)
    with other.open("/f", "wb") as theirs:
        with fs.open("/f", "wb") as file:
            proxy.next = [Fault.DROP_AFTER]
            file.write(data)
            theirs.write(data + b"theirs")
            assert uploads_of(all_buckets, bucket) == ["f"] * 3
        assert uploads_of(all_buckets, bucket) == ["f"]
        assert fs.cat_file("/f") == data
    assert uploads_of(all_buckets, bucket) == []
    assert fs.cat_file("/f") == data + b"theirs"


def test_an_upload_that_cannot_be_finished_leaves_nothing(
    proxy: FaultProxy, fs: S3FileSystem, bucket: str, all_buckets: S3FileSystem
) -> None:
    def write_and_fail() -> None:
        with fs.open("/f", "wb") as file:
            file.write(bytes(2 * PART))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert not fs.exists("/f")
    assert uploads_of(all_buckets, bucket) == []


def test_a_created_file_is_ones_own_though_the_reply_was_lost(proxy: FaultProxy, fs: S3FileSystem) -> None:
    proxy.next = [Fault.DROP_AFTER]
    fs.pipe_file("/f", b"mine", mode="create")
    with pytest.raises(FileExistsError):
        fs.pipe_file("/f", b"other", mode="create")
    assert fs.cat_file("/f") == b"mine"


def test_a_replaced_file_is_ones_own_though_the_reply_was_lost(proxy: FaultProxy, fs: S3FileSystem) -> None:
    etag = fs.pipe_file("/f", b"1")
    proxy.next = [Fault.DROP_AFTER]
    fs.pipe_file("/f", b"2", if_match=etag)
    assert fs.cat_file("/f") == b"2"


def test_a_copied_file_is_ones_own_though_the_reply_was_lost(proxy: FaultProxy, fs: S3FileSystem) -> None:
    fs.pipe_file("/f", b"1")
    for number in range(4):
        proxy.next = [*[Fault.NONE] * number, Fault.DROP_AFTER]
        fs.cp_file("/f", f"/g{number}", if_none_match="*")
        proxy.next = []
        assert fs.cat_file(f"/g{number}") == b"1"


def test_a_directory_that_cannot_be_moved_stays_whole(proxy: FaultProxy, bucket: str) -> None:
    fs = filesystem(proxy.url, bucket, attempts=1)
    fs.pipe({f"/d/{number}": b"x" for number in range(9)})
    before = fs.find("/d")
    for number in (4, 8, 12):
        proxy.next = [*[Fault.NONE] * number, Fault.ERROR]
        with pytest.raises(OSError, match="the service answers 500"):
            fs.mv("/d", "/e", recursive=True)
        proxy.next = []
        assert fs.find("/d") == before
        assert not fs.exists("/e")
    fs.close()
