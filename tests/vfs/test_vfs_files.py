"""What a file being edited means, the same on every kind of filesystem."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vfs.vfs_kinds import KINDS, SPOOLED, World, lent


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with lent(request.param, tmp_path) as world:
        yield world


def test_written_content_is_stored_when_the_file_is_closed(world):
    world.make("/f", b"hello")
    assert world.stored("/f") == b"hello"
    assert world.read("/f") == b"hello"
    assert world.size("/f") == 5


def test_a_new_file_is_there_at_once(world):
    world.create("/f")
    assert world.stored("/f") == b""
    assert world.names() == ["f"]
    assert world.size("/f") == 0


def test_a_file_in_a_directory(world):
    world.mkdir("/d")
    world.make("/d/f", b"x")
    assert world.stored("/d/f") == b"x"
    assert world.names("/d") == ["f"]


def test_reading_at_offsets(world):
    world.make("/f", bytes(range(200)))
    handle = world.open("/f", os.O_RDONLY)
    assert handle.pread(3, 0) == bytes([0, 1, 2])
    assert handle.pread(10, 195) == bytes([195, 196, 197, 198, 199])
    assert handle.pread(10, 200) == b""
    assert handle.pread(10, 10_000) == b""
    assert handle.pread(0, 0) == b""
    handle.close()


def test_writing_at_offsets_keeps_the_rest(world):
    world.make("/f", b"0123456789")
    handle = world.open("/f")
    assert handle.pwrite(b"ab", 4) == 2
    assert handle.pread(20, 0) == b"0123ab6789"
    handle.pwrite(b"xy", 12)
    assert handle.pread(20, 0) == b"0123ab6789\0\0xy"
    handle.close()
    assert world.stored("/f") == b"0123ab6789\0\0xy"


def test_writing_without_reading_first_keeps_the_rest(world):
    world.make("/f", b"0123456789")
    handle = world.open("/f", os.O_WRONLY)
    handle.pwrite(b"ab", 4)
    handle.close()
    assert world.stored("/f") == b"0123ab6789"


def test_all_kinds_of_buffers_are_written_and_may_be_reused(world):
    world.make("/f")
    handle = world.open("/f")
    buffer = bytearray(b"abc")
    with memoryview(buffer) as view:
        assert handle.pwrite(view[1:], 0) == 2
    handle.pwrite(buffer, 2)
    buffer[:] = b"???"
    handle.close()
    assert world.stored("/f") == b"bcabc"


def test_append_writes_at_the_end_wherever_it_is_by_then(world):
    world.make("/f", b"1")
    appending = world.open("/f", os.O_WRONLY | os.O_APPEND)
    other = world.open("/f")
    appending.pwrite(b"2", 0)
    other.pwrite(b"34", 2)
    appending.pwrite(b"5", 0)
    other.truncate(2)
    appending.pwrite(b"6", 100)
    appending.close()
    other.close()
    assert world.stored("/f") == b"126"


def test_open_with_truncation_empties_the_file(world):
    world.make("/f", b"long content")
    handle = world.open("/f", os.O_WRONLY | os.O_TRUNC)
    assert world.size("/f") == 0
    handle.close()
    assert world.stored("/f") == b""


def test_open_for_reading_truncates_too_if_it_is_asked_to_as_linux_does(world):
    world.make("/f", b"content")
    world.open("/f", os.O_RDONLY | os.O_TRUNC).close()
    assert world.stored("/f") == b""


def test_two_handles_see_each_others_writes(world):
    world.make("/f", b"old content")
    first, second = world.open("/f"), world.open("/f", os.O_RDONLY)
    assert second.pread(20, 0) == b"old content"
    first.pwrite(b"NEW", 0)
    assert second.pread(20, 0) == b"NEW content"
    third = world.open("/f")
    assert third.pread(3, 0) == b"NEW"
    third.pwrite(b"3", 0)
    assert first.pread(3, 0) == b"3EW"
    first.truncate(4)
    assert second.pread(20, 0) == b"3EW "
    for handle in (first, second, third):
        handle.close()
    assert world.stored("/f") == b"3EW "


def test_closing_one_handle_stores_what_all_have_written(world):
    world.make("/f", b"....")
    first, second = world.open("/f"), world.open("/f")
    first.pwrite(b"1", 0)
    second.pwrite(b"2", 1)
    second.close()
    assert world.stored("/f") == b"12.."
    first.pwrite(b"3", 2)
    first.close()
    assert world.stored("/f") == b"123."


@pytest.mark.parametrize("store", ["flush", "fsync"])
def test_flush_and_fsync_store(world, store):
    world.make("/f", b"a")
    handle = world.open("/f")
    handle.pwrite(b"b", 0)
    getattr(handle, store)()
    assert world.stored("/f") == b"b"
    handle.pwrite(b"c", 0)
    handle.close()
    assert world.stored("/f") == b"c"


def test_sync_stores_everything(world):
    handles = []
    for name in "abc":
        world.create(f"/{name}")
        handles.append(world.open(f"/{name}"))
        handles[-1].pwrite(name.encode(), 0)
    world.vfs.sync()
    assert [world.stored(f"/{name}") for name in "abc"] == [b"a", b"b", b"c"]
    for handle in handles:
        handle.close()


def test_the_size_is_told_while_a_file_is_written(world):
    world.make("/f", b"123")
    handle = world.open("/f")
    handle.pwrite(b"4567", 3)
    assert world.size("/f") == 7
    assert dict(world.vfs.entries(world.vfs.root))["f"].size == 7
    assert handle.stat().st_size == 7
    handle.truncate(2)
    assert world.size("/f") == 2
    handle.close()
    assert world.size("/f") == 2


def test_the_time_changes_while_a_file_is_written(world):
    node = world.make("/f", b"123")
    world.vfs.setattr(node, mtime_ns=10**18)
    assert world.vfs.getattr(node).mtime_ns == 10**18
    handle = world.open("/f")
    handle.pwrite(b"4", 0)
    assert world.vfs.getattr(node).mtime_ns > 10**18
    handle.close()
    assert world.vfs.getattr(node).mtime_ns > 10**18


# ---- truncating


@pytest.mark.parametrize("size", [0, 3, 10, 15])
def test_truncate_by_path_is_stored_at_once(world, size):
    node = world.make("/f", b"0123456789")
    world.vfs.setattr(node, size=size)
    expected = (b"0123456789" + bytes(10))[:size]
    assert world.stored("/f") == expected
    assert world.size("/f") == size
    assert world.read("/f") == expected


@pytest.mark.parametrize("size", [0, 3, 15])
def test_truncate_by_handle(world, size):
    world.make("/f", b"0123456789")
    handle = world.open("/f")
    handle.truncate(size)
    expected = (b"0123456789" + bytes(10))[:size]
    assert handle.pread(20, 0) == expected
    handle.close()
    assert world.stored("/f") == expected


def test_truncate_by_node_with_a_handle(world):
    node = world.make("/f", b"0123456789")
    handle = world.open("/f")
    world.vfs.setattr(node, size=4, handle=handle)
    assert handle.pread(20, 0) == b"0123"
    handle.close()
    assert world.stored("/f") == b"0123"


def test_truncate_by_path_reaches_open_handles(world):
    node = world.make("/f", b"0123456789")
    handle = world.open("/f")
    handle.pwrite(b"a", 0)
    world.vfs.setattr(node, size=2)
    assert handle.pread(20, 0) == b"a1"
    handle.pwrite(b"z", 3)
    handle.close()
    assert world.stored("/f") == b"a1\0z"


def test_truncate_refuses_what_makes_no_sense(world):
    node = world.make("/f", b"x")
    directory = world.mkdir("/d")
    for target, size, code in [(node, -1, errno.EINVAL), (directory, 0, errno.EISDIR)]:
        with pytest.raises(OSError) as caught:
            world.vfs.setattr(target, size=size)
        assert caught.value.errno == code
    assert world.stored("/f") == b"x"


# ---- removing and renaming what is open


def test_unlink_while_open_keeps_the_handle_working(world):
    world.make("/f", b"content")
    reader, writer = world.open("/f", os.O_RDONLY), world.open("/f")
    world.unlink("/f")
    assert world.names() == []
    assert reader.pread(20, 0) == b"content"
    writer.pwrite(b"C", 0)
    assert reader.pread(20, 0) == b"Content"
    assert writer.stat().st_size == 7
    writer.flush()
    writer.close()
    reader.close()
    assert not world.exists("/f")
    assert world.names() == []


def test_unlink_while_dirty_does_not_bring_the_file_back(world):
    world.make("/f", b"old")
    handle = world.open("/f")
    handle.pwrite(b"new", 0)
    world.unlink("/f")
    handle.pwrite(b"newer", 0)
    handle.fsync()
    handle.truncate(1)
    world.vfs.sync()
    handle.close()
    assert not world.exists("/f")
    assert world.vfs.lookup(world.vfs.root, "f") is None


def test_attributes_of_an_unlinked_open_file(world):
    node = world.make("/f", b"123")
    handle = world.open("/f")
    world.unlink("/f")
    handle.pwrite(b"4567", 3)
    assert world.vfs.getattr(node).size == 7
    assert world.vfs.getattr(node).nlink == 0
    world.vfs.setattr(node, size=1)
    assert handle.pread(9, 0) == b"1"
    world.vfs.setattr(node, mode=0o600)
    assert stat.S_IMODE(world.vfs.getattr(node).mode) == 0o600
    handle.close()
    assert not world.exists("/f")


def test_a_new_file_under_the_name_of_an_unlinked_open_one(world):
    old_node = world.make("/f", b"old")
    old = world.open("/f")
    world.unlink("/f")
    new_node = world.make("/f", b"new")
    assert new_node.ino != old_node.ino
    old.pwrite(b"OLD", 0)
    assert world.read("/f") == b"new"
    old.close()
    assert world.stored("/f") == b"new"
    assert world.read("/f") == b"new"


def test_a_removed_file_cannot_be_opened_again(world):
    node = world.make("/f", b"x")
    world.unlink("/f")
    with pytest.raises(FileNotFoundError):
        world.vfs.open(node, os.O_RDONLY)


def test_rename_while_open_stores_under_the_new_name(world):
    node = world.make("/a", b"old")
    handle = world.open("/a")
    handle.pwrite(b"new", 0)
    world.rename("/a", "/b")
    handle.pwrite(b"!", 3)
    handle.close()
    assert world.stored("/b") == b"new!"
    assert not world.exists("/a")
    assert world.names() == ["b"]
    assert world.find("/b").ino == node.ino


def test_rename_while_reading(world):
    world.make("/a", b"0123456789" * 100)
    handle = world.open("/a", os.O_RDONLY)
    assert handle.pread(5, 0) == b"01234"
    world.rename("/a", "/b")
    assert handle.pread(5, 995) == b"56789"
    handle.close()


def test_rename_over_an_open_file_makes_that_an_orphan(world):
    world.make("/a", b"a")
    world.make("/b", b"b")
    old, new = world.open("/b"), world.open("/a")
    old.pwrite(b"dirty", 0)
    world.rename("/a", "/b")
    old.pwrite(b"D", 0)
    assert old.pread(9, 0) == b"Dirty"
    assert new.pread(9, 0) == b"a"
    old.close()
    new.pwrite(b"2", 1)
    new.close()
    assert world.stored("/b") == b"a2"
    assert world.names() == ["b"]


def test_rename_over_a_file_that_is_being_read(world):
    world.make("/a", b"a")
    world.make("/b", b"0123456789")
    reader = world.open("/b", os.O_RDONLY)
    assert reader.pread(2, 0) == b"01"
    world.rename("/a", "/b")
    assert reader.pread(20, 5) == b"56789"
    reader.close()
    assert world.stored("/b") == b"a"


def test_rename_of_a_directory_with_open_dirty_files(world):
    world.mkdir("/d")
    world.mkdir("/d/e")
    world.make("/d/f", b"f")
    world.make("/d/e/g", b"g")
    first, second = world.open("/d/f"), world.open("/d/e/g")
    first.pwrite(b"F1", 0)
    second.pwrite(b"G1", 0)
    world.rename("/d", "/new")
    first.pwrite(b"2", 2)
    first.close()
    second.close()
    assert world.stored("/new/f") == b"F12"
    assert world.stored("/new/e/g") == b"G1"
    assert world.names() == ["new"]
    assert not world.exists("/d/f")
    assert not world.exists("/d")


def test_rename_to_and_fro_while_open(world):
    world.make("/a", b"x")
    handle = world.open("/a")
    handle.pwrite(b"y", 0)
    world.rename("/a", "/b")
    world.make("/a", b"other")
    world.rename("/b", "/c")
    handle.close()
    assert world.stored("/a") == b"other"
    assert world.stored("/c") == b"y"
    assert world.names() == ["a", "c"]


# ---- refusals


def test_handles_do_only_what_they_were_opened_for(world):
    world.make("/f", b"x")
    reader, writer = world.open("/f", os.O_RDONLY), world.open("/f", os.O_WRONLY)
    for refused in (
        lambda: reader.pwrite(b"y", 0),
        lambda: reader.truncate(0),
        lambda: writer.pread(1, 0),
    ):
        with pytest.raises(OSError) as caught:
            refused()
        assert caught.value.errno == errno.EBADF
    reader.close()
    writer.close()


def test_a_closed_handle_is_closed(world):
    world.make("/f", b"x")
    handle = world.open("/f")
    handle.close()
    handle.close()
    for refused in (
        lambda: handle.pread(1, 0),
        lambda: handle.pwrite(b"y", 0),
        lambda: handle.truncate(0),
        handle.flush,
        handle.fsync,
        handle.stat,
    ):
        with pytest.raises(OSError) as caught:
            refused()
        assert caught.value.errno == errno.EBADF


def test_directories_are_not_opened(world):
    with pytest.raises(OSError) as caught:
        world.vfs.open(world.mkdir("/d"), os.O_RDONLY)
    assert caught.value.errno == errno.EISDIR


def test_negative_offsets_are_refused(world):
    world.make("/f", b"x")
    handle = world.open("/f")
    for refused in (lambda: handle.pread(1, -1), lambda: handle.pread(-1, 0), lambda: handle.pwrite(b"y", -1)):
        with pytest.raises(OSError) as caught:
            refused()
        assert caught.value.errno == errno.EINVAL
    handle.close()


# ---- fallocate and lseek


def test_allocate_grows_and_zeros(world):
    node = world.make("/f", b"0123456789")
    world.vfs.allocate(node, 8, 4, 0)
    assert world.stored("/f") == b"0123456789\0\0"
    world.vfs.allocate(node, 0, 100, 1)
    assert world.size("/f") == 12
    world.vfs.allocate(node, 2, 3, 1 | 2)
    assert world.stored("/f") == b"01\0\0\0" + b"56789\0\0"
    world.vfs.allocate(node, 10, 4, 0x10)
    assert world.size("/f") == 14
    for offset, length, mode, code in [(0, 0, 0, errno.EINVAL), (-1, 1, 0, errno.EINVAL), (0, 1, 8, errno.ENOTSUP)]:
        with pytest.raises(OSError) as caught:
            world.vfs.allocate(node, offset, length, mode)
        assert caught.value.errno == code


def test_seek_knows_one_hole_at_the_end(world):
    node = world.make("/f", b"0123456789")
    assert world.vfs.seek(node, 3, os.SEEK_DATA) == 3
    assert world.vfs.seek(node, 3, os.SEEK_HOLE) == 10
    for offset, whence, code in [(10, os.SEEK_DATA, errno.ENXIO), (0, os.SEEK_SET, errno.EINVAL)]:
        with pytest.raises(OSError) as caught:
            world.vfs.seek(node, offset, whence)
        assert caught.value.errno == code


def test_there_is_no_reading_without_a_handle(world):
    node = world.make("/f", b"x")
    assert not world.vfs.stateless
    for refused in (
        lambda: world.vfs.read(node, 1, 0),
        lambda: world.vfs.write(node, b"y", 0),
        lambda: world.vfs.temporary(world.vfs.root, 0o600, 0, 0),
    ):
        with pytest.raises(OSError) as caught:
            refused()
        assert caught.value.errno == errno.ENOTSUP


# ---- spool files


@pytest.mark.parametrize("kind", SPOOLED)
def test_spool_files_are_private_and_gone_when_the_last_handle_is_closed(kind, tmp_path):
    with lent(kind, tmp_path) as world:
        world.make("/f", b"secret")
        assert world.spooled() == []
        first, second = world.open("/f"), world.open("/f")
        assert world.spooled() == []
        first.pwrite(b"S", 0)
        (spool,) = world.spooled()
        assert stat.S_IMODE(spool.stat().st_mode) == 0o600
        assert stat.S_IMODE(spool.parent.stat().st_mode) == 0o700
        assert spool.read_bytes() == b"Secret"
        first.close()
        assert world.spooled() == [spool]
        second.close()
        assert world.spooled() == []
