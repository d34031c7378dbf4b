"""Reading ranges: how much is fetched, what is made of wrong answers, and who waits for whom."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vfs.vfs_kinds import World, lent
from tests.wrappers.object_fs import Gate

KIB = 1024
CONTENT = os.urandom(3 * 1024 * KIB + 17)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with lent("objects-cached", tmp_path) as world:
        yield world


def test_reading_does_not_spool(world):
    world.store("/f", CONTENT)
    handle = world.open("/f", os.O_RDWR)
    assert handle.pread(10, 1000) == CONTENT[1000:1010]
    assert world.fs.calls["get_file"] == 0
    assert not list(world.spool.iterdir())
    handle.close()


def test_reading_in_order_fetches_ahead(world):
    world.store("/f", CONTENT)
    handle = world.open("/f", os.O_RDONLY)
    data = b"".join(handle.pread(64 * KIB, offset) for offset in range(0, len(CONTENT), 64 * KIB))
    assert data == CONTENT
    assert world.fs.calls["cat_file"] <= 6
    handle.close()


def test_reading_here_and_there_fetches_little(world):
    world.store("/f", CONTENT)
    sizes = []
    fetch = world.fs.cat_file

    def watched(path, start, end):
        sizes.append(end - start)
        return fetch(path, start=start, end=end)

    world.fs.cat_file = watched
    handle = world.open("/f", os.O_RDONLY)
    for offset in (2_000_000, 10, 1_000_000, 2_500_000, 500_000):
        assert handle.pread(100, offset) == CONTENT[offset : offset + 100]
    assert max(sizes) <= 128 * KIB
    handle.close()


def test_large_reads_come_whole(world):
    world.store("/f", CONTENT)
    handle = world.open("/f", os.O_RDONLY)
    assert handle.pread(len(CONTENT) + 5, 0) == CONTENT
    assert handle.pread(len(CONTENT), 7) == CONTENT[7:]
    handle.close()


@pytest.mark.parametrize("read_ahead", [1, 10, 1000])
def test_a_small_read_ahead(tmp_path, world, read_ahead):
    world.options["read_ahead"] = read_ahead
    world.vfs = world.another_vfs()
    world.store("/f", CONTENT[:5000])
    handle = world.open("/f", os.O_RDONLY)
    for offset, size in [(0, 1), (1, 700), (701, 2000), (10, 20), (4990, 100)]:
        assert handle.pread(size, offset) == CONTENT[:5000][offset : offset + size]
    handle.close()


def test_a_body_that_ends_early_is_an_error_not_the_end(world):
    world.store("/f", CONTENT)
    handle = world.open("/f", os.O_RDONLY)
    world.fs.halve_reads = 1
    with pytest.raises(OSError) as caught:
        handle.pread(10, 0)
    assert caught.value.errno == errno.EIO
    assert "sent" in str(caught.value)
    assert handle.pread(10, 0) == CONTENT[:10]
    handle.close()


def test_a_file_that_has_shrunk_ends_where_it_ends(world):
    world.store("/f", b"0123456789")
    handle = world.open("/f", os.O_RDONLY)
    assert world.size("/f") == 10
    world.store("/f", b"abc")
    assert handle.pread(10, 0) == b"abc"
    assert handle.pread(10, 5) == b""
    assert world.size("/f") == 3
    handle.close()


def test_an_open_file_that_somebody_else_extends_is_read_on(tmp_path):
    with lent("objects", tmp_path) as world:
        world.store("/log", b"one\n")
        handle = world.open("/log", os.O_RDONLY)
        assert handle.pread(100, 0) == b"one\n"
        world.store("/log", b"one\ntwo\n")
        assert world.size("/log") == 8
        assert handle.pread(100, 4) == b"two\n"
        handle.close()


def test_a_filesystem_that_ignores_ranges_is_found_out(world):
    world.store("/f", CONTENT)
    world.fs.cat_file = lambda path, start, end: CONTENT
    handle = world.open("/f", os.O_RDONLY)
    with pytest.raises(OSError) as caught:
        handle.pread(10, 100)
    assert caught.value.errno == errno.EIO
    handle.close()


def test_a_file_of_unknown_size_is_read_from_a_spool_file(world):
    world.store("/f", b"0123456789")
    describe = world.fs.info
    world.fs.info = lambda path: {**describe(path), "size": None}
    assert world.size("/f") == 0
    handle = world.open("/f", os.O_RDWR)
    assert world.size("/f") == 10
    assert handle.pread(20, 5) == b"56789"
    handle.pwrite(b"X", 0)
    handle.close()
    assert world.stored("/f") == b"X123456789"
    assert world.spooled() == []


def test_a_slow_read_does_not_block_other_files(world):
    for name in ("slow", "fast"):
        world.store(f"/{name}", CONTENT)
    gate = world.fs.get_gates["slow"] = Gate()
    slow, fast = world.open("/slow", os.O_RDONLY), world.open("/fast")
    got = []
    reader = threading.Thread(target=lambda: got.append(slow.pread(10, 0)))
    reader.start()
    gate.wait_until_reached()
    assert fast.pread(10, 0) == CONTENT[:10]
    fast.pwrite(b"x", 0)
    fast.flush()
    world.make("/new", b"x")
    world.rename("/new", "/newer")
    assert world.names() == ["fast", "newer", "slow"]
    assert world.size("/slow") == len(CONTENT)
    world.unlink("/newer")
    assert not got
    gate.open()
    reader.join()
    assert got == [CONTENT[:10]]
    fast.close()
    slow.close()


def test_a_slow_upload_blocks_neither_reading_the_file_nor_its_attributes(world):
    world.make("/f", b"old")
    handle = world.open("/f")
    handle.pwrite(b"new", 0)
    gate = world.fs.put_gates["f"] = Gate()
    writer = threading.Thread(target=handle.flush)
    writer.start()
    gate.wait_until_reached()
    assert handle.pread(9, 0) == b"new"
    assert world.size("/f") == 3
    assert world.names() == ["f"]
    assert writer.is_alive()
    gate.open()
    writer.join()
    handle.close()


def test_removing_waits_for_a_slow_read_and_reading_goes_on(world):
    world.store("/f", CONTENT)
    gate = world.fs.get_gates["f"] = Gate()
    handle = world.open("/f", os.O_RDONLY)
    got = []
    reader = threading.Thread(target=lambda: got.append(handle.pread(10, 0)))
    reader.start()
    gate.wait_until_reached()
    gate.open_in(0.3)
    world.unlink("/f")
    reader.join()
    assert got == [CONTENT[:10]]
    assert handle.pread(10, len(CONTENT) - 5) == CONTENT[-5:]
    handle.close()


def test_renaming_waits_for_a_slow_upload_and_nothing_comes_back(world):
    world.mkdir("/d")
    world.make("/d/f", b"old")
    handle = world.open("/d/f")
    handle.pwrite(b"new", 0)
    gate = world.fs.put_gates["d/f"] = Gate()
    writer = threading.Thread(target=handle.close)
    writer.start()
    gate.wait_until_reached()
    gate.open_in(0.3)
    world.rename("/d", "/e")
    writer.join()
    assert sorted(world.fs.objects) == ["e/f"]
    assert world.stored("/e/f") == b"new"
