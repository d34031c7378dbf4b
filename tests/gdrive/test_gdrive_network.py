"""chukgdrive over a network that fails."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest

from chuk_fsspec.backends.gdrive import GoogleDriveFileSystem
from tests.gdrive.server.running import DriveServer
from tests.remote.cancelling import is_cancelled_at
from tests.remote.faults import Fault, FaultProxy, Plan
from tests.remote.many_operations import PATIENT, seconds_for, survive

PART = 256 << 10


@pytest.fixture
def proxy(server: DriveServer) -> FaultProxy:
    place = urlsplit(server.address)
    assert place.hostname is not None
    assert place.port is not None
    return FaultProxy(place.hostname, place.port)


@pytest.mark.parametrize(("seed", "count"), [(1, 300), pytest.param(2, 3000, marks=pytest.mark.slow)])
def test_many_operations(server: DriveServer, proxy: FaultProxy, seed: int, count: int) -> None:
    """What is read was written, whole; nothing is lost, made twice or left in the middle."""
    before = server.unfinished

    async def work() -> None:
        fs = filesystem(server, proxy, part_size=PART, timeout=PATIENT, asynchronous=True)
        try:
            await survive(fs, proxy, seed, count, PART)
            found = await fs._find("/", detail=True)
            assert not any("duplicates" in info for info in found.values())
        finally:
            await fs._close()

    with proxy:
        asyncio.run(asyncio.wait_for(work(), seconds_for(count)))
        assert all(proxy.met[fault] for fault in Fault)
    assert server.unfinished == before


@pytest.mark.slow
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE])
def test_each_request_of_an_upload_may_fail(server: DriveServer, proxy: FaultProxy, fault: Fault) -> None:
    data = bytes(range(256)) * (80 << 10)  # three parts
    with proxy:
        proxy.plan = Plan(seed=0, rate=0, stall=0.1)
        fs = filesystem(server, proxy)
        fs.ls("/")
        for number in range(5):
            proxy.next = [*[Fault.NONE] * number, fault]
            with fs.open(f"/f{number}", "wb") as file:
                file.write(data)
            assert fs.cat_file(f"/f{number}") == data
        fs.close()


def filesystem(server: DriveServer, proxy: FaultProxy, **options: Any) -> Any:
    folder = f"network-{uuid.uuid4().hex}"
    return GoogleDriveFileSystem(
        server.credentials, folder, endpoint_url=proxy.url, skip_instance_cache=True, **{"timeout": 5.0, **options}
    )


def test_an_upload_that_is_cancelled_while_it_begins_is_forgotten(server: DriveServer, proxy: FaultProxy) -> None:
    before = server.sessions

    async def begin(number: int) -> bool:
        fs = filesystem(server, proxy, asynchronous=True)
        await fs._pipe_file("/f", b"1")
        # The client library asks once more when its connection breaks, in a thread that nobody can stop.
        act = fs._pipe_file("/f", bytes(9 << 20))
        is_cancelled = await is_cancelled_at(proxy, number, Fault.DROP_BEFORE, act)
        assert len(await fs._cat_file("/f")) in (1, 9 << 20)
        await fs._close()
        return is_cancelled

    with proxy:
        number = 0
        while asyncio.run(begin(number)):
            assert server.sessions == before
            number += 1
    assert number >= 3


def test_a_move_over_a_file_that_cannot_be_finished_is_taken_back(server: DriveServer, proxy: FaultProxy) -> None:
    def is_refused(fs: Any, number: int) -> bool:
        fs.pipe({"/a/f": b"1", "/b/g": b"2"})
        proxy.next = [*[Fault.NONE] * number, Fault.ERROR]
        try:
            fs.mv("/a/f", "/b/g")
        except OSError:
            return True
        finally:
            proxy.next = []
        return False

    with proxy:
        fs = filesystem(server, proxy, attempts=1)
        number = 0
        while is_refused(fs, number):
            assert fs.cat(["/a/f", "/b/g"]) == {"/a/f": b"1", "/b/g": b"2"}
            assert not any("duplicates" in info for info in fs.find("/", detail=True).values())
            number += 1
        assert number >= 3
        assert fs.find("/") == ["/b/g"]
        assert fs.cat_file("/b/g") == b"1"
        fs.close()
