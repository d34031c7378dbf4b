"""chuke2b over a network that fails."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from chuk_fsspec.backends.e2b import E2BFileSystem
from chuk_fsspec.backends.e2b.downloading import read_span
from tests.e2b.service import Service
from tests.remote.cancelling import is_cancelled_at
from tests.remote.faults import FAULTS, Fault, FaultProxy, Plan
from tests.remote.many_operations import PATIENT, seconds_for, survive

LARGE = 256 << 10


@pytest.fixture
def proxy(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Between the SDK and its sandboxes; they are made and ended over a network that does not fail."""
    place = urlsplit(service.url)
    assert place.hostname is not None
    assert place.port is not None
    with FaultProxy(place.hostname, place.port) as proxy:
        monkeypatch.setenv("E2B_SANDBOX_URL", proxy.url)
        yield proxy


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


def names_below(root: Path) -> list[str]:
    """Of files, also of those that the filesystem does not show."""
    return sorted(name for _, _, names in os.walk(root) for name in names)


@pytest.mark.parametrize(("seed", "count"), [(1, 200), pytest.param(2, 3000, marks=pytest.mark.slow)])
def test_many_operations(proxy: FaultProxy, root: Path, seed: int, count: int) -> None:
    """What is read was written, whole; nothing is lost, and nothing is left under another name."""

    async def work() -> None:
        fs: Any = E2BFileSystem(
            root_dir=str(root), request_timeout=PATIENT, asynchronous=True, skip_instance_cache=True
        )
        try:
            await survive(fs, proxy, seed, count, LARGE)
            assert names_below(root) == sorted(path.rpartition("/")[2] for path in await fs._find("/"))
        finally:
            await fs._close()

    asyncio.run(asyncio.wait_for(work(), seconds_for(count)))
    assert all(proxy.met[fault] for fault in Fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_each_request_of_an_upload_may_fail(service: Service, proxy: FaultProxy, root: Path, fault: Fault) -> None:
    """The file is there whole, or what was there before; a body that is spent is not sent again."""
    data = bytes(range(256)) * (80 << 10)
    proxy.plan = Plan(seed=0, rate=0, stall=0.1)
    with service.filesystem(root, request_timeout=5.0) as fs:
        fs.pipe_file("/f", b"old")
        for number in range(3):
            proxy.next = [*[Fault.NONE] * number, fault]
            try:
                with fs.open("/f", "wb") as file:
                    file.write(data)
            except OSError:
                assert fs.cat_file("/f") == b"old"
            else:
                assert fs.cat_file("/f") == data
                fs.pipe_file("/f", b"old")
            proxy.next = []
        assert names_below(root) == ["f"]


@pytest.mark.parametrize("number", range(3))
def test_a_sandbox_that_is_made_for_who_is_cancelled_is_ended(
    service: Service, proxy: FaultProxy, root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setenv("E2B_API_URL", proxy.url)
    before = set(service.cloud.machines)

    async def work() -> None:
        fs: Any = E2BFileSystem(root_dir=str(root / "new"), asynchronous=True, skip_instance_cache=True)
        # The reply comes; whoever has asked is cancelled before.
        assert await is_cancelled_at(proxy, number, Fault.TWICE, fs._ls("/"))
        await fs._close()

    asyncio.run(work())
    assert set(service.cloud.machines) == before


def test_what_keeps_coming_may_take_its_time() -> None:
    """A read of a whole file has no end but that of the file; one of which nothing comes has."""

    async def pieces(pauses: list[float]) -> AsyncIterator[bytes]:
        for pause in pauses:
            await asyncio.sleep(pause)
            yield b"x"

    async def read(pauses: list[float]) -> bytes:
        answer = httpx.MockTransport(lambda request: httpx.Response(200, content=pieces(pauses)))
        async with httpx.AsyncClient(transport=answer, base_url="http://sandbox") as client:
            return await read_span(client, "/f", "", 0, None, 0.5)

    assert asyncio.run(read([0.1] * 10)) == b"x" * 10
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(read([0.1, 30]))
