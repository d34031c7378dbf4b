"""Content that cannot be written back: nobody may lose it, and nobody may believe that it arrived."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vfs.vfs_kinds import World, lent
from tests.wrappers.object_fs import ObjectFileSystem


@pytest.fixture(params=["objects", "objects-cached", "renaming"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with lent(request.param, tmp_path) as world:
        yield world


@pytest.fixture
def fs(world: World) -> ObjectFileSystem:
    assert isinstance(world.fs, ObjectFileSystem)
    return world.fs


def edited(world, path="/f"):
    """A file that has 'old' stored and 'new' unwritten in an open handle."""
    world.make(path, b"old")
    handle = world.open(path)
    handle.pwrite(b"new", 0)
    return handle


@pytest.mark.parametrize("store", ["flush", "fsync", "close"])
def test_a_failed_upload_reaches_whoever_stores(world, fs, store):
    handle = edited(world)
    fs.fail_puts = 1
    with pytest.raises(OSError) as caught:
        getattr(handle, store)()
    (spool,) = world.spooled()
    assert caught.value.errno == errno.EIO
    assert str(spool) in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
    assert isinstance(caught.value.__cause__.__cause__, RuntimeError)
    assert spool.read_bytes() == b"new"
    assert world.stored("/f") == b"old"
    handle.close()
    world.vfs.sync()
    assert world.stored("/f") == b"new"


def test_the_errno_of_the_filesystem_is_kept(world, fs):
    handle = edited(world)
    fs.fail_puts = 3
    for error, code in [
        (OSError(errno.ENOSPC, "full"), errno.ENOSPC),
        (PermissionError("no code in it"), errno.EACCES),
        (NotImplementedError(), errno.ENOTSUP),
    ]:
        fs.put_error = error
        with pytest.raises(OSError) as caught:
            handle.flush()
        assert caught.value.errno == code
    handle.close()


def test_data_stays_readable_and_a_later_flush_stores_it(world, fs):
    handle = edited(world)
    fs.fail_puts = 2
    for _ in range(2):
        with pytest.raises(OSError):
            handle.flush()
        assert handle.pread(9, 0) == b"new"
        assert world.read("/f") == b"new"
        assert world.size("/f") == 3
    handle.pwrite(b"er", 3)
    handle.flush()
    assert world.stored("/f") == b"newer"
    handle.close()
    assert world.spooled() == []


def test_who_only_reads_does_not_store_what_others_write(world, fs):
    handle = edited(world)
    reader = world.open("/f", os.O_RDONLY)
    reader.flush()
    reader.close()
    assert world.stored("/f") == b"old"
    reader = world.open("/f", os.O_RDONLY)
    reader.fsync()
    assert world.stored("/f") == b"new"
    reader.close()
    handle.close()


def test_content_outlives_the_handle_that_could_not_store_it(world, fs):
    handle = edited(world)
    fs.fail_puts = 1
    with pytest.raises(OSError):
        handle.close()
    assert world.read("/f") == b"new"
    assert world.stored("/f") == b"old"
    world.vfs.sync()
    assert world.stored("/f") == b"new"
    assert world.spooled() == []


def test_content_that_failed_is_edited_further(world, fs):
    handle = edited(world)
    fs.fail_puts = 1
    with pytest.raises(OSError):
        handle.close()
    handle = world.open("/f", os.O_WRONLY | os.O_APPEND)
    handle.pwrite(b"er", 0)
    handle.close()
    assert world.stored("/f") == b"newer"


def test_content_that_failed_follows_a_rename(world, fs):
    handle = edited(world)
    fs.fail_puts = 1
    with pytest.raises(OSError):
        handle.close()
    world.rename("/f", "/g")
    world.vfs.sync()
    assert world.stored("/g") == b"new"
    assert world.names() == ["g"]


def test_content_that_failed_goes_with_the_file(world, fs):
    handle = edited(world)
    fs.fail_puts = 1
    with pytest.raises(OSError):
        handle.close()
    world.unlink("/f")
    assert world.spooled() == []
    world.vfs.sync()
    assert not world.exists("/f")


def test_content_that_failed_goes_when_another_file_takes_its_place(world, fs):
    handle = edited(world)
    fs.fail_puts = 1
    with pytest.raises(OSError):
        handle.close()
    world.make("/g", b"g")
    world.rename("/g", "/f")
    world.vfs.sync()
    assert world.stored("/f") == b"g"
    assert world.spooled() == []


def test_closing_the_vfs_stores_what_is_left(world, fs):
    handle = edited(world)
    fs.fail_puts = 1
    with pytest.raises(OSError):
        handle.close()
    world.vfs.close()
    assert world.stored("/f") == b"new"
    assert list(world.spool.iterdir()) == []


def test_closing_the_vfs_names_everything_that_is_kept(world, fs):
    handles = [edited(world, f"/{name}") for name in "abc"]
    fs.fail_puts = 5
    for handle in handles:
        with pytest.raises(OSError):
            handle.close()
    with pytest.raises(OSError) as caught:
        world.vfs.close()
    assert caught.value.errno == errno.EIO
    kept = world.spooled()
    assert len(kept) == 2
    assert all(str(spool) in str(caught.value) for spool in kept)
    assert all(spool.read_bytes() == b"new" for spool in kept)
    world.vfs.close()
    assert [world.stored(f"/{name}") for name in "abc"] == [b"new"] * 3


def test_content_that_the_filesystem_loses_without_a_word_is_missed(world, fs):
    world.create("/f")
    handle = world.open("/f")
    handle.pwrite(b"new", 0)
    for fault in ("lose_puts", "halve_puts"):
        setattr(fs, fault, 1)
        with pytest.raises(OSError) as caught:
            handle.flush()
        assert caught.value.errno == errno.EIO
        assert "kept in" in str(caught.value)
    handle.flush()
    assert world.stored("/f") == b"new"
    handle.close()


def test_a_file_that_somebody_else_removed_while_it_was_edited_is_stored(world, fs):
    handle = edited(world)
    fs.rm_file("f")
    assert world.find("/f").size == 3
    handle.close()
    assert world.stored("/f") == b"new"


def test_half_a_download_is_not_taken_for_the_whole(world, fs):
    world.make("/f", b"0123456789")
    handle = world.open("/f")
    fs.halve_reads = 1
    with pytest.raises(OSError) as caught:
        handle.pwrite(b"x", 0)
    assert caught.value.errno == errno.EIO
    assert world.spooled() == []
    assert handle.pread(20, 0) == b"0123456789"
    handle.pwrite(b"x", 0)
    handle.close()
    assert world.stored("/f") == b"x123456789"


def test_a_failed_download_removes_nothing(world, fs):
    world.make("/f", b"0123456789")
    handle = world.open("/f")
    fs.halve_reads = 1
    with pytest.raises(OSError):
        world.unlink("/f")
    assert world.stored("/f") == b"0123456789"
    world.unlink("/f")
    assert handle.pread(20, 0) == b"0123456789"
    handle.close()


def test_a_failed_creation_leaves_nothing(world, fs):
    fs.fail_puts = 1
    with pytest.raises(OSError) as caught:
        world.create("/f")
    assert caught.value.errno == errno.EIO
    assert world.names() == []
    world.create("/f")
    assert world.names() == ["f"]


def test_a_failed_truncation_by_path_is_told_and_kept(world, fs):
    node = world.make("/f", b"0123456789")
    fs.fail_puts = 1
    with pytest.raises(OSError) as caught:
        world.vfs.setattr(node, size=4)
    assert "kept in" in str(caught.value)
    assert world.stored("/f") == b"0123456789"
    assert world.size("/f") == 4
    world.vfs.sync()
    assert world.stored("/f") == b"0123"


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_failed_copy_of_a_directory_leaves_everything_as_it_was(tmp_path, failing):
    with lent("objects", tmp_path) as world:
        world.mkdir("/d")
        for name in "abcd":
            world.make(f"/d/{name}", name.encode())
        before = dict(world.fs.objects)
        copy, calls = world.fs.cp_file, []

        def copy_some(path1, path2):
            calls.append(path1)
            if len(calls) == failing:
                raise OSError(errno.EDQUOT, "no more")
            copy(path1, path2)

        world.fs.cp_file = copy_some
        with pytest.raises(OSError) as caught:
            world.rename("/d", "/e")
        assert caught.value.errno == errno.EDQUOT
        assert world.fs.objects == before
        assert world.names() == ["d"]
        world.rename("/d", "/e")
        assert world.names("/e") == ["a", "b", "c", "d"]


def test_a_filesystem_that_cannot_copy_renames_through_a_spool_file(tmp_path):
    with lent("objects", tmp_path) as world:

        def no_copy(path1, path2):
            raise NotImplementedError

        world.fs.cp_file = no_copy
        world.mkdir("/d")
        world.make("/d/f", b"content")
        world.rename("/d", "/e")
        world.rename("/e/f", "/g")
        assert world.stored("/g") == b"content"
        assert world.spooled() == []


def test_replacing_goes_by_another_name_where_that_is_atomic(tmp_path):
    with lent("renaming", tmp_path) as world:
        world.make("/d", b"old")
        calls = world.fs.calls["mv"]
        handle = world.open("/d")
        handle.pwrite(b"new", 0)
        world.fs.halve_puts = 1
        with pytest.raises(OSError):
            handle.close()
        world.fs.fail_puts = 1
        with pytest.raises(OSError):
            world.vfs.sync()
        assert world.fs.calls["mv"] == calls
        assert list(world.fs.objects) == ["d"]
        assert world.stored("/d") == b"old"
        world.vfs.sync()
        assert world.fs.calls["mv"] == calls + 1
        assert world.stored("/d") == b"new"
        assert list(world.fs.objects) == ["d"]
