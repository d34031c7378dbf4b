"""chukgcs over a network that fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chuk_fsspec.backends.gcs import GCSFileSystem
from tests.gcs.gcs_opening import filesystem, new_bucket
from tests.gcs.server.serving import GcsServer
from tests.remote.faults import Fault, FaultProxy, Plan
from tests.remote.many_operations import PATIENT, seconds_for, survive
from tests.waiting import wait_until

PART = 256 << 10
OPTIONS = {"part_size": PART, "timeout": 5.0, "attempts": 5}


@pytest.mark.parametrize(("seed", "count"), [(1, 1000), pytest.param(2, 5000, marks=pytest.mark.slow)])
def test_a_thousand_operations(server: GcsServer, seed: int, count: int) -> None:
    # The plan chooses by requests, and so by the name of the bucket.
    bucket = new_bucket(server, f"operations-{seed}")
    given: dict[str, Any] = {"bucket_name": bucket, **OPTIONS, "timeout": PATIENT}
    before = server.uploads.unfinished

    async def work(proxy: FaultProxy) -> None:
        fs: Any = filesystem(server, endpoint_url=proxy.url, asynchronous=True, **given)
        try:
            await survive(fs, proxy, seed, count, PART)
        finally:
            await fs._close()

    with FaultProxy(server.host, server.port) as proxy:
        asyncio.run(asyncio.wait_for(work(proxy), seconds_for(count)))
        assert all(proxy.met[fault] > 10 for fault in Fault)
    # The server may still be at a request whose connection was dropped.
    wait_until(lambda: server.uploads.unfinished == before)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE])
def test_each_part_of_an_upload_may_fail(server: GcsServer, bucket: str, fault: Fault) -> None:
    """An upload of three parts is five requests at most; one of them fails."""
    data = bytes(range(256)) * (PART // 100)
    with FaultProxy(server.host, server.port) as proxy:
        proxy.plan = Plan(seed=0, rate=0, stall=0.1)
        fs = filesystem(server, bucket_name=bucket, endpoint_url=proxy.url, **OPTIONS)
        for number in range(5):
            proxy.next = [*[Fault.NONE] * number, fault]
            with fs.open(f"/f{number}", "xb") as file:
                file.write(data)
            assert fs.cat_file(f"/f{number}") == data
        proxy.next = []
        fs.close()


def test_a_created_file_is_ones_own_though_the_reply_was_lost(server: GcsServer, bucket: str) -> None:
    with FaultProxy(server.host, server.port) as proxy:
        fs = filesystem(server, bucket_name=bucket, endpoint_url=proxy.url, **OPTIONS)
        proxy.next = [Fault.DROP_AFTER]
        fs.pipe_file("/f", b"mine", mode="create")
        with pytest.raises(FileExistsError):
            fs.pipe_file("/f", b"other", mode="create")
        assert fs.cat_file("/f") == b"mine"
        fs.close()


def test_what_does_not_pass_is_told_at_once(server: GcsServer, fs: GCSFileSystem) -> None:
    wrong = filesystem(server, bucket_name="no-such-bucket-anywhere")
    with pytest.raises(FileNotFoundError):
        wrong.pipe_file("/f", b"x")
    wrong.close()


def test_a_service_that_stays_away(server: GcsServer, bucket: str) -> None:
    with FaultProxy(server.host, server.port) as proxy:
        fs = filesystem(server, bucket_name=bucket, endpoint_url=proxy.url, timeout=0.2, attempts=2)
        proxy.plan = Plan(seed=0, rate=1, faults=(Fault.STALL,), in_a_row=9, stall=5)
        with pytest.raises(TimeoutError, match="no reply within"):
            fs.cat_file("/f")
        fs.close()
