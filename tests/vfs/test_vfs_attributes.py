"""Attributes: what the filesystem keeps, and what is kept for it."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from chuk_fsspec.contract.attributes import attributes_of
from tests.vfs.vfs_kinds import GID, KINDS, UID, World, lent

KEEPING = ["direct", "whole"]
TIME = 1_234_567_890_123_456_789


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with lent(request.param, tmp_path) as world:
        yield world


def test_defaults(world):
    before = time.time_ns() - 10**9
    file, directory = world.vfs.getattr(world.make("/f", b"12345")), world.vfs.getattr(world.mkdir("/d"))
    assert file.mode == stat.S_IFREG | 0o644
    assert directory.mode == stat.S_IFDIR | 0o755
    for node in (file, directory):
        assert (node.uid, node.gid, node.rdev) == (UID, GID, 0)
        assert node.nlink >= 1
        assert before <= node.mtime_ns <= time.time_ns() + 10**9
    assert file.size == 5
    assert file.allocated >= 0
    assert directory.size in (0, 4096) or world.base


def test_mode_and_owner_stay_as_they_are_set(world):
    node = world.make("/f", b"x")
    world.vfs.setattr(node, mode=0o750)
    assert world.vfs.getattr(node).mode == stat.S_IFREG | 0o750
    world.vfs.setattr(node, uid=12, gid=34)
    del node
    node = world.find("/f")
    assert (node.mode, node.uid, node.gid) == (stat.S_IFREG | 0o750, 12, 34)
    assert dict(world.vfs.entries(world.vfs.root))["f"].uid == 12


def test_a_change_of_owner_ends_set_user_id(world):
    node = world.make("/f", b"x")
    world.vfs.setattr(node, mode=0o6755)
    world.vfs.setattr(node, uid=12)
    assert stat.S_IMODE(world.vfs.getattr(node).mode) == 0o755


def test_files_and_directories_are_made_with_a_mode_and_an_owner(world):
    world.vfs.create(world.vfs.root, "f", stat.S_IFREG | 0o600, 12, 34)
    world.vfs.mkdir(world.vfs.root, "d", 0o700, 12, 34)
    file, directory = world.find("/f"), world.find("/d")
    assert (file.mode, file.uid, file.gid) == (stat.S_IFREG | 0o600, 12, 34)
    assert (directory.mode, directory.uid, directory.gid) == (stat.S_IFDIR | 0o700, 12, 34)


def test_attributes_outlive_editing_and_renaming(world):
    node = world.make("/f", b"x")
    world.vfs.setattr(node, mode=0o755, uid=12)
    del node
    handle = world.open("/f")
    handle.pwrite(b"#!", 0)
    handle.close()
    world.rename("/f", "/g")
    node = world.vfs.getattr(world.find("/g"))
    assert (stat.S_IMODE(node.mode), node.uid) == (0o755, 12)


def test_attributes_end_with_the_file(world):
    world.vfs.setattr(world.make("/f", b"x"), mode=0o700, uid=12)
    world.unlink("/f")
    node = world.make("/f", b"y")
    assert (stat.S_IMODE(world.vfs.getattr(node).mode), node.uid) == (0o644, UID)


def test_times_stay_as_they_are_set(world):
    world.vfs.setattr(world.make("/f", b"x"), atime_ns=TIME - 1, mtime_ns=TIME)
    node = world.vfs.getattr(world.find("/f"))
    assert node.mtime_ns == TIME
    assert node.atime_ns == pytest.approx(TIME - 1, abs=1000)
    world.vfs.setattr(node, atime_ns=TIME + 7)
    node = world.vfs.getattr(world.find("/f"))
    assert node.mtime_ns == TIME
    assert node.atime_ns == pytest.approx(TIME + 7, abs=1000)
    world.vfs.setattr(world.mkdir("/d"), mtime_ns=TIME)
    assert world.vfs.getattr(world.find("/d")).mtime_ns == TIME


def test_times_that_are_set_before_the_upload_outlive_it(world):
    """As ``cp -p`` does it: write, set the times through the handle, close."""
    node = world.create("/f")
    handle = world.open("/f", os.O_WRONLY)
    handle.pwrite(b"content", 0)
    world.vfs.setattr(node, atime_ns=TIME, mtime_ns=TIME, handle=handle)
    handle.flush()
    handle.close()
    assert world.vfs.getattr(world.find("/f")).mtime_ns == TIME
    assert world.stored("/f") == b"content"
    world.rename("/f", "/g")
    assert world.vfs.getattr(world.find("/g")).mtime_ns == TIME


def test_times_that_are_set_end_with_the_next_change(world):
    node = world.make("/f", b"x")
    world.vfs.setattr(node, mtime_ns=TIME)
    handle = world.open("/f")
    handle.pwrite(b"y", 0)
    assert world.vfs.getattr(node).mtime_ns > TIME
    handle.close()
    assert world.vfs.getattr(node).mtime_ns > TIME
    directory = world.mkdir("/d")
    world.vfs.setattr(directory, mtime_ns=TIME)
    world.make("/d/f")
    assert world.vfs.getattr(directory).mtime_ns > TIME


def test_times_that_are_set_end_when_somebody_else_changes_the_file(world):
    if world.options["cache_timeout"]:
        pytest.skip("the cache never gets old here")
    node = world.make("/f", b"x")
    world.vfs.getattr(node)
    world.vfs.setattr(node, mtime_ns=TIME)
    world.store("/f", b"something else")
    assert world.vfs.getattr(node).mtime_ns > TIME


@pytest.mark.parametrize("kind", KEEPING)
def test_a_filesystem_that_keeps_attributes_is_given_them(kind, tmp_path):
    with lent(kind, tmp_path) as world:
        node = world.vfs.create(world.vfs.root, "f", stat.S_IFREG | 0o640, 12, 34)
        handle = world.open("/f", os.O_WRONLY)
        handle.pwrite(b"content", 0)
        world.vfs.setattr(node, mtime_ns=TIME)
        handle.close()
        world.vfs.mkdir(world.vfs.root, "d", 0o700, UID, GID)
        info = world.fs.info("/f")
        assert (info["mode"], info["uid"], info["gid"]) == (stat.S_IFREG | 0o640, 12, 34)
        assert info["mtime_ns"] == TIME
        assert world.fs.info("/d")["mode"] == stat.S_IFDIR | 0o700
        assert node.overrides == {}


@pytest.mark.parametrize("kind", KEEPING)
def test_editing_keeps_what_the_filesystem_keeps(kind, tmp_path):
    with lent(kind, tmp_path) as world:
        node = world.make("/f", b"x")
        world.vfs.setattr(node, mode=0o755)
        world.vfs.setxattr(node, "user.note", b"1")
        ino = world.fs.info("/f")["ino"]
        handle = world.open("/f")
        handle.pwrite(b"y", 0)
        handle.close()
        assert world.fs.info("/f")["ino"] == ino
        assert stat.S_IMODE(world.fs.info("/f")["mode"]) == 0o755
        assert world.vfs.getxattr(node, "user.note") == b"1"


def test_xattrs_where_the_filesystem_has_them(world):
    node = world.make("/f", b"x")
    if not world.vfs._capabilities.xattrs:
        for refused in (
            lambda: world.vfs.getxattr(node, "user.a"),
            lambda: world.vfs.setxattr(node, "user.a", b"1"),
            lambda: world.vfs.listxattr(node),
            lambda: world.vfs.removexattr(node, "user.a"),
        ):
            with pytest.raises(OSError) as caught:
                refused()
            assert caught.value.errno == errno.ENOTSUP
        return
    assert world.vfs.getxattr(node, "user.a") is None
    world.vfs.setxattr(node, "user.a", b"1")
    assert world.vfs.getxattr(node, "user.a") == b"1"
    assert world.vfs.listxattr(node) == ["user.a"]
    world.rename("/f", "/g")
    world.vfs.removexattr(node, "user.a")
    assert world.vfs.listxattr(node) == []
    with pytest.raises(OSError) as caught:
        world.vfs.removexattr(node, "user.a")
    assert caught.value.errno == errno.ENODATA
    world.unlink("/g")
    with pytest.raises(FileNotFoundError):
        world.vfs.listxattr(node)


def test_statvfs_stops_nobody(world):
    figures = world.vfs.statvfs()
    assert figures.blocks_free * figures.block_size > 10**6
    assert figures.files_free > 1000
    assert figures.name_max == 255


# ---- what info dicts say


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"mtime": 1.5}, 1_500_000_000),
        ({"mtime": 1.5, "mtime_ns": 1_500_000_001}, 1_500_000_001),
        ({"LastModified": datetime(1970, 1, 1, 0, 0, 2, tzinfo=timezone.utc)}, 2_000_000_000),
        ({"created": datetime(1970, 1, 1, 0, 0, 3)}, 3_000_000_000),  # noqa: DTZ001 - some have no zone
        ({"mtime": None, "created": 4}, 4_000_000_000),
        ({"mtime": "yesterday"}, None),
        ({}, None),
    ],
)
def test_times_in_all_their_forms(told, expected):
    assert attributes_of({"name": "f", "size": 1, "type": "file", **told}).mtime_ns == expected


def test_links_in_info():
    told = {"name": "l", "size": 100, "type": "file", "mode": 0o100644, "islink": True, "destination": "tärget"}
    attributes = attributes_of(told)
    assert stat.S_ISLNK(attributes.mode)
    assert (attributes.size, attributes.target) == (7, "tärget")
    assert stat.S_ISREG(attributes_of({"name": "l", "size": 3, "type": "file", "islink": True}).mode)


def test_sparse_info():
    assert attributes_of({"name": "f", "size": None, "type": "file"}).sized is False
    assert attributes_of({"name": "d", "size": None, "type": "directory"}).mode == stat.S_IFDIR | 0o755
