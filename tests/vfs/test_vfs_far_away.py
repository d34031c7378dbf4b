"""A filesystem behind a network: how many requests are made, how many at once, and that all are of one version."""

from __future__ import annotations

import errno
import gc
import os
import stat
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from chuk_fsspec.vfs.blocks import BLOCK
from tests.remote.dict_store import BUCKET, SERVICES, DictFileSystem, Gate, Service
from tests.vfs.vfs_kinds import GID, UID, World

CONTENT = os.urandom(20 * BLOCK + 17)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return time.time_ns()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("chuk_fsspec.vfs.table.time", clock)
    return clock


class Undated(DictFileSystem):
    """A service that tells nothing of a directory but that it is there, as buckets do."""

    kinds: ClassVar = {"bucket": replace(BUCKET, modified_times=False)}


@pytest.fixture(params=[DictFileSystem])
def world(clock: Clock, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    name = uuid.uuid4().hex
    spool = tmp_path / "spool"
    spool.mkdir()
    world = World(request.param(name), spool, cache_timeout=1.0)
    yield world
    world.vfs.close()
    assert not list(spool.iterdir())
    SERVICES.pop(name)


undated = pytest.mark.parametrize("world", [Undated], indirect=True)


@pytest.fixture
def service(world: World) -> Service:
    found: Service = world.fs.service
    return found


def made(service: Service, act: Callable[[], object]) -> dict[str, int]:
    """The requests of an act."""
    service.requests.clear()
    act()
    return dict(service.requests)


def start(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def fill(world: World, count: int) -> None:
    for number in range(count):
        world.store(f"/d/{number}", b"content")


# ---- names


def test_a_listing_answers_for_its_names_and_for_those_that_are_missing(world: World, service: Service) -> None:
    fill(world, 5)
    world.names("/d")

    def look() -> None:
        for number in range(5):
            assert world.size(f"/d/{number}") == 7
        for missing in ("x", "y"):
            assert world.vfs.lookup(world.find("/d"), missing) is None

    assert made(service, look) == {}


def test_an_old_listing_is_made_anew_when_several_names_are_asked_for(
    world: World, service: Service, clock: Clock
) -> None:
    fill(world, 5)
    world.names("/d")
    directory = world.find("/d")
    clock.now += 2
    assert made(service, lambda: world.vfs.lookup(directory, "1")) == {"look": 1}
    names = ["0", "2", "3", "4", "x", "y"]
    assert made(service, lambda: [world.vfs.lookup(directory, name) for name in names]) == {"list": 1}


def test_what_others_removed_or_replaced_is_seen_in_the_new_listing(world: World, clock: Clock) -> None:
    fill(world, 5)
    world.names("/d")
    nodes = [world.find(f"/d/{number}") for number in range(5)]
    clock.now += 2
    world.fs.rm("/d/3")
    world.store("/d/4", b"longer content")
    assert [world.vfs.getattr(node).size for node in nodes[:3]] == [7, 7, 7]
    with pytest.raises(FileNotFoundError):
        world.vfs.getattr(nodes[3])
    assert world.vfs.getattr(nodes[4]).size == 14


def test_a_large_directory_is_not_listed_for_a_few_names(world: World, service: Service, clock: Clock) -> None:
    fill(world, 300)
    world.names("/d")
    directory = world.find("/d")
    clock.now += 2
    looked = made(service, lambda: [world.vfs.lookup(directory, str(number)) for number in range(4)])
    assert looked == {"look": 4}
    assert made(service, lambda: [world.vfs.lookup(directory, str(number)) for number in range(300)]) == {"list": 1}


def test_names_far_apart_in_time_are_asked_for_one_by_one(world: World, service: Service, clock: Clock) -> None:
    fill(world, 5)
    world.names("/d")
    directory = world.find("/d")
    service.requests.clear()
    for number in range(4):
        clock.now += 2
        assert world.vfs.lookup(directory, str(number)) is not None
    assert service.requests == {"look": 4}


def test_a_directory_that_was_never_listed_is_in_the_end(world: World, service: Service) -> None:
    fill(world, 60)
    directory = world.find("/d")
    gate = service.gates["list"] = Gate()
    looked = made(service, lambda: [world.vfs.lookup(directory, str(number)) for number in range(40)])
    gate.wait_for(1)
    # Nobody has waited for it.
    assert looked["look"] == 40
    gate.open()
    for thread in threading.enumerate():
        if thread.name == "vfs-list":
            thread.join()
    assert made(service, lambda: [world.vfs.lookup(directory, str(number)) for number in range(60)]) == {}


def test_names_are_looked_up_while_a_listing_is_late_and_listed_while_a_lookup_is(
    world: World, service: Service, clock: Clock
) -> None:
    fill(world, 3)
    directory = world.find("/d")
    gate = service.gates["list"] = Gate()
    lister = start(lambda: world.vfs.entries(directory))
    gate.wait_for(1)
    assert world.vfs.lookup(directory, "1") is not None
    assert world.vfs.lookup(directory, "missing") is None
    gate.open()
    lister.join()
    clock.now += 2
    gate = service.gates["look"] = Gate()
    looker = start(lambda: world.vfs.lookup(directory, "2"))
    gate.wait_for(1)
    assert sorted(name for name, _ in world.vfs.entries(directory)) == ["0", "1", "2"]
    gate.open()
    looker.join()


def test_a_listing_that_has_paid_is_made_anew_at_once(world: World, service: Service, clock: Clock) -> None:
    fill(world, 300)
    world.names("/d")
    directory = world.find("/d")

    def look(count: int) -> None:
        for number in range(count):
            assert world.vfs.lookup(directory, str(number)) is not None

    look(5)
    clock.now += 1.5
    assert made(service, lambda: look(2)) == {"list": 1}
    clock.now += 1.5
    assert made(service, lambda: look(2)) == {"look": 2}


def test_a_missing_name_is_one_request(world: World, service: Service) -> None:
    fill(world, 1)
    directory = world.find("/d")
    assert made(service, lambda: world.vfs.lookup(directory, "missing")) == {"look": 1}


@undated
def test_a_directory_of_which_nothing_is_told_is_listed_to_see_that_it_is_there(
    world: World, service: Service, clock: Clock
) -> None:
    fill(world, 5)
    world.names("/d")
    directory = world.find("/d")
    clock.now += 2
    assert made(service, lambda: world.find("/d")) == {"list": 1}
    assert made(service, lambda: [world.find(f"/d/{number}") for number in range(5)]) == {}
    clock.now += 2
    assert made(service, lambda: world.vfs.getattr(directory)) == {"list": 1}


@undated
def test_what_became_of_such_a_directory_is_seen(world: World, clock: Clock) -> None:
    fill(world, 3)
    world.names("/d")
    directory = world.find("/d")
    clock.now += 2
    world.fs.rm("/d", recursive=True)
    with pytest.raises(FileNotFoundError):
        world.vfs.getattr(directory)
    assert world.vfs.lookup(world.vfs.root, "d") is None
    fill(world, 1)
    clock.now += 2
    world.names("/d")
    world.fs.rm("/d", recursive=True)
    world.store("/d", b"a file")
    clock.now += 2
    assert world.read("/d") == b"a file"


@undated
def test_such_a_directory_that_is_large_or_was_never_listed_is_asked_for(
    world: World, service: Service, clock: Clock
) -> None:
    fill(world, 300)
    for name in ("never", "large"):
        directory = world.find("/d")
        clock.now += 2
        assert made(service, lambda: world.vfs.getattr(directory)) == {"look": 1}, name  # noqa: B023 - it is called at once
        world.names("/d")


@undated
def test_what_is_made_slowly_keeps_nobody_from_its_directory(world: World, service: Service, clock: Clock) -> None:
    fill(world, 3)
    world.names("/d")
    directory, node = world.find("/d"), world.find("/d/1")
    gate = service.gates["write"] = Gate()
    maker = start(lambda: world.create("/d/new"))
    gate.wait_for(1)
    clock.now += 2
    assert world.find("/d") is directory
    assert world.vfs.getattr(directory) is directory
    assert [world.vfs.getattr(node) for _ in range(3)] == [node] * 3
    gate.open()
    maker.join()
    assert "new" in world.names("/d")


# ---- numbers


def test_a_name_that_was_forgotten_has_its_number_again(world: World, service: Service, clock: Clock) -> None:
    fill(world, 3)
    nodes = [world.find(f"/d/{number}") for number in range(3)]
    numbers = [node.ino for node in nodes]
    assert len({*numbers, world.find("/d").ino, 1}) == 5
    forgotten = weakref.ref(nodes[0])
    nodes.clear()
    clock.now += 2
    world.names()
    gc.collect()
    assert forgotten() is None
    assert [world.find(f"/d/{number}").ino for number in range(3)] == numbers
    world.vfs = world.another_vfs()
    assert [world.find(f"/d/{number}").ino for number in range(3)] == numbers


def test_two_files_that_are_in_use_never_have_one_number(world: World) -> None:
    first = world.make("/f", b"first")
    world.rename("/f", "/g")
    second = world.make("/f", b"second")
    handle = world.open("/f", os.O_RDONLY)
    world.unlink("/f")
    third = world.make("/f", b"third")
    assert len({first.ino, second.ino, third.ino}) == 3
    handle.close()


# ---- writing


@undated
def test_a_directory_that_is_filled_is_listed_once_in_the_time_that_it_is_believed(
    world: World, service: Service, clock: Clock
) -> None:
    world.mkdir("/new")

    def fill_slowly() -> None:
        for number in range(40):
            # The kernel asks before it has something made.
            assert world.vfs.lookup(world.find("/new"), str(number)) is None
            world.make(f"/new/{number}", b"content")
            clock.now += 0.25

    # Ten seconds. The first time, nothing is known of the directory but that we have made it.
    asked = made(service, fill_slowly)
    assert asked.pop("write") == 80
    assert asked == {"look": 1, "list": 9}


def test_a_new_file_in_a_new_directory_is_two_requests(world: World, service: Service) -> None:
    directory = world.mkdir("/new")

    def write() -> None:
        for number in range(5):
            name = str(number)
            assert world.vfs.lookup(directory, name) is None
            node = world.vfs.create(directory, name, stat.S_IFREG | 0o644, UID, GID)
            handle = world.vfs.open(node, os.O_WRONLY)
            handle.pwrite(b"content", 0)
            handle.flush()
            handle.close()

    # Made with the promise that it is new, and written.
    assert made(service, write) == {"write": 10}
    assert world.stored("/new/3") == b"content"
    assert made(service, lambda: world.size("/new/3")) == {"look": 1}


# ---- reading


def read_all(world: World, path: str, piece: int = BLOCK) -> bytes:
    handle = world.open(path, os.O_RDONLY)
    pieces = [handle.pread(piece, offset) for offset in range(0, len(CONTENT), piece)]
    handle.close()
    return b"".join(pieces)


def test_reading_in_order_has_several_requests_under_way(world: World, service: Service) -> None:
    world.options["read_ahead"] = BLOCK
    world.vfs = world.another_vfs()
    world.store("/f", CONTENT)
    handle = world.open("/f", os.O_RDONLY)
    assert handle.pread(BLOCK, 0) == CONTENT[:BLOCK]
    gate = service.gates["read"] = Gate()
    got: list[bytes] = []
    reader = start(lambda: got.append(handle.pread(BLOCK, BLOCK)))
    gate.wait_for(4)
    gate.open()
    reader.join()
    assert got == [CONTENT[BLOCK : 2 * BLOCK]]
    handle.close()
    assert read_all(world, "/f") == CONTENT


def test_what_was_read_is_read_again_without_a_request(world: World, service: Service, clock: Clock) -> None:
    world.store("/f", CONTENT)
    assert read_all(world, "/f") == CONTENT
    clock.now += 2
    assert made(service, lambda: read_all(world, "/f")) == {"look": 1}
    world.store("/f", CONTENT[::-1])
    clock.now += 2
    assert read_all(world, "/f") == CONTENT[::-1]


def test_what_is_kept_has_an_end(world: World, service: Service) -> None:
    world.options["read_cache"] = 4 * BLOCK
    world.vfs = world.another_vfs()
    world.store("/f", CONTENT)
    for _ in range(2):
        assert read_all(world, "/f") == CONTENT
    assert service.requests["read"] > 4


def test_here_and_there_is_one_block_each(world: World, service: Service) -> None:
    world.store("/f", CONTENT)
    handle = world.open("/f", os.O_RDONLY)

    def read() -> None:
        for offset in (2_000_000, 10, 1_000_000, 2_500_000, 20, 1_000_100, 2_000_100):
            assert handle.pread(50, offset) == CONTENT[offset : offset + 50]

    assert made(service, read) == {"read": 4}
    handle.close()


def test_two_readers_share_what_is_on_its_way(world: World, service: Service) -> None:
    world.store("/f", CONTENT[:BLOCK])
    gate = service.gates["read"] = Gate()
    got: list[bytes] = []
    readers = [start(lambda: got.append(world.read("/f"))) for _ in range(3)]
    gate.wait_for(1)
    gate.open()
    for reader in readers:
        reader.join()
    assert got == [CONTENT[:BLOCK]] * 3
    assert service.requests["read"] == 1


def test_a_file_that_is_replaced_while_it_is_read_is_stale(world: World, clock: Clock) -> None:
    world.store("/f", CONTENT)
    handle = world.open("/f", os.O_RDONLY)
    assert handle.pread(100, 0) == CONTENT[:100]
    world.store("/f", CONTENT[::-1])
    for _ in range(2):
        with pytest.raises(OSError) as caught:
            handle.pread(100, 10 * BLOCK)
        assert caught.value.errno == errno.ESTALE
        clock.now += 2
    handle.close()
    assert world.read("/f") == CONTENT[::-1][: 1 << 20]


def test_a_file_that_is_replaced_before_anything_was_read_is_the_new_one(world: World) -> None:
    world.store("/f", CONTENT)
    handle = world.open("/f", os.O_RDONLY)
    world.store("/f", b"new")
    assert handle.pread(100, 0) == b"new"
    handle.close()


def test_a_file_that_is_moved_or_removed_here_is_read_on(world: World) -> None:
    world.store("/f", CONTENT)
    handle = world.open("/f", os.O_RDONLY)
    assert handle.pread(100, 0) == CONTENT[:100]
    world.rename("/f", "/g")
    assert handle.pread(100, 5 * BLOCK) == CONTENT[5 * BLOCK : 5 * BLOCK + 100]
    world.unlink("/g")
    assert handle.pread(100, 15 * BLOCK) == CONTENT[15 * BLOCK : 15 * BLOCK + 100]
    handle.close()


def test_what_could_not_be_fetched_ahead_is_fetched_when_it_is_wanted(world: World, service: Service) -> None:
    world.store("/f", CONTENT)
    handle = world.open("/f", os.O_RDONLY)
    assert handle.pread(BLOCK, 0) == CONTENT[:BLOCK]
    gate = service.gates["read"] = Gate()

    def try_to_read() -> None:
        with suppress(OSError):
            handle.pread(BLOCK, BLOCK)

    reader = start(try_to_read)
    gate.wait_for(2)
    under_way = service.running
    service.failures["read"] = [OSError(errno.EIO, "for a moment") for _ in range(under_way)]
    gate.open()
    reader.join()
    for thread in threading.enumerate():
        if thread.name == "vfs-ahead":
            thread.join()
    service.failures.clear()
    for offset in range(BLOCK, len(CONTENT), BLOCK):
        assert handle.pread(BLOCK, offset) == CONTENT[offset : offset + BLOCK]
    handle.close()
