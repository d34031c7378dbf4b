"""Names: looking up, listing, making, removing and renaming, the same on every kind of filesystem."""

from __future__ import annotations

import errno
import gc
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_fsspec.contract.posix import RENAME_EXCHANGE, RENAME_NOREPLACE
from tests.vfs.vfs_kinds import GID, KINDS, OBJECTS, UID, World, lent


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with lent(request.param, tmp_path) as world:
        yield world


def refuses(code, operation, *args):
    with pytest.raises(OSError) as caught:
        operation(*args)
    assert caught.value.errno == code, caught.value
    return caught.value


# ---- looking


def test_an_empty_filesystem(world):
    assert world.names() == []
    assert stat.S_ISDIR(world.vfs.root.mode)
    assert world.vfs.getattr(world.vfs.root) is world.vfs.root
    assert world.vfs.parent(world.vfs.root) is world.vfs.root
    assert world.vfs.lookup(world.vfs.root, "none") is None


def test_what_was_there_before(world):
    world.mkdir("/d")
    world.make("/d/f", b"123")
    world.vfs.close()
    world.vfs = world.another_vfs()
    assert world.names() == ["d"]
    assert world.names("/d") == ["f"]
    assert world.size("/d/f") == 3
    assert world.read("/d/f") == b"123"
    assert world.vfs.parent(world.find("/d")) is world.vfs.root
    assert world.find("/d/f").nlink == 1


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b"])
def test_names_that_no_entry_can_have(world, name):
    root = world.vfs.root
    assert world.vfs.lookup(root, name) is None
    refuses(errno.EINVAL, world.vfs.create, root, name, stat.S_IFREG | 0o644, UID, GID)
    refuses(errno.EINVAL, world.vfs.mkdir, root, name, 0o755, UID, GID)
    world.make("/f")
    refuses(errno.EINVAL, world.vfs.rename, root, "f", root, name)
    refuses(errno.ENOENT, world.vfs.unlink, root, name)


def test_names_that_are_too_long(world):
    root, name = world.vfs.root, "ü" * 128
    refuses(errno.ENAMETOOLONG, world.vfs.lookup, root, name)
    refuses(errno.ENAMETOOLONG, world.vfs.create, root, name, stat.S_IFREG | 0o644, UID, GID)
    world.make(f"/{'ü' * 127}", b"fits")
    assert world.names() == ["ü" * 127]


STRANGE_NAMES = ["*", "?", "[a]", "**", "a*b?[c]", "{x}", "~", "a b", "é", "x\ny", "-rf", "#", "%41", "a:b", "..."]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_names_are_taken_literally(world, name):
    world.make("/a", b"bystander")
    world.make(f"/{name}", b"1")
    world.rename(f"/{name}", "/elsewhere")
    world.rename("/elsewhere", f"/{name}")
    handle = world.open(f"/{name}")
    handle.pwrite(b"2", 1)
    handle.close()
    assert world.read(f"/{name}") == b"12"
    assert world.names() == sorted(["a", name])
    world.mkdir("/d")
    world.rename(f"/{name}", f"/d/{name}")
    world.rename("/d", f"/{name}")
    assert world.read(f"/{name}/{name}") == b"12"
    world.unlink(f"/{name}/{name}")
    world.rmdir(f"/{name}")
    assert world.names() == ["a"]
    assert world.read("/a") == b"bystander"


def test_files_are_not_directories(world):
    node = world.make("/f", b"x")
    refuses(errno.ENOTDIR, world.vfs.lookup, node, "x")
    refuses(errno.ENOTDIR, world.vfs.entries, node)
    refuses(errno.ENOTDIR, world.vfs.create, node, "x", stat.S_IFREG | 0o644, UID, GID)
    refuses(errno.ENOTDIR, world.rmdir, "/f")


def test_numbers_stay_while_a_node_is_known(world):
    world.mkdir("/d")
    node = world.make("/d/f", b"x")
    assert world.find("/d/f") is node
    assert dict(world.vfs.entries(world.find("/d")))["f"] is node
    world.rename("/d", "/e")
    assert world.find("/e/f") is node
    assert node.ino != world.find("/e").ino != world.vfs.root.ino == 1


def test_what_somebody_else_changes_shows_when_the_cache_is_old(tmp_path, world):
    if world.options["cache_timeout"]:
        pytest.skip("the cache never gets old here")
    node = world.make("/f", b"123")
    world.store("/f", b"12345")
    assert world.vfs.getattr(node).size == 5
    assert world.find("/f") is node
    world.store("/g", b"")
    assert world.names() == ["f", "g"]
    world.fs.rm_file(f"{world.base}/f")
    refuses(errno.ENOENT, world.vfs.getattr, node)
    assert world.vfs.lookup(world.vfs.root, "f") is None
    assert world.names() == ["g"]


def test_a_directory_that_somebody_else_removed(world):
    if world.options["cache_timeout"]:
        pytest.skip("the cache never gets old here")
    path = f"{world.base}/d"
    world.fs.mkdir(path)
    world.store("/d/f", b"")
    directory = world.find("/d")
    assert world.names("/d") == ["f"]
    world.fs.rm_file(f"{path}/f")
    world.fs.rmdir(path)
    refuses(errno.ENOENT, world.vfs.entries, directory)
    assert world.names() == []
    assert world.vfs.entries(directory) == []
    refuses(errno.ENOENT, world.vfs.create, directory, "x", stat.S_IFREG | 0o644, UID, GID)


def test_a_file_that_somebody_else_made_a_directory_is_another_node(world):
    if world.options["cache_timeout"]:
        pytest.skip("the cache never gets old here")
    node = world.make("/x", b"123")
    world.fs.rm_file(f"{world.base}/x")
    world.fs.mkdir(f"{world.base}/x")
    world.store("/x/f", b"")
    refuses(errno.ENOENT, world.vfs.getattr, node)
    assert stat.S_ISDIR(world.find("/x").mode)
    assert world.find("/x").ino != node.ino


# ---- making


def test_create_refuses_what_exists(world):
    world.make("/f", b"x")
    world.mkdir("/d")
    for name in "fd":
        refuses(errno.EEXIST, world.create, f"/{name}")
        refuses(errno.EEXIST, world.mkdir, f"/{name}")
    assert world.stored("/f") == b"x"


def test_create_refuses_what_somebody_else_made(world):
    if world.options["cache_timeout"]:
        pytest.skip("the cache never gets old here")
    assert world.vfs.lookup(world.vfs.root, "f") is None
    world.store("/f", b"theirs")
    refuses(errno.EEXIST, world.create, "/f")
    assert world.stored("/f") == b"theirs"


def test_nothing_is_made_in_a_removed_directory(world):
    directory = world.mkdir("/d")
    world.make("/f")
    world.rmdir("/d")
    refuses(errno.ENOENT, world.vfs.create, directory, "x", stat.S_IFREG | 0o644, UID, GID)
    refuses(errno.ENOENT, world.vfs.mkdir, directory, "x", 0o755, UID, GID)
    refuses(errno.ENOENT, world.vfs.rename, world.vfs.root, "f", directory, "f")
    assert world.vfs.lookup(directory, "x") is None
    assert world.vfs.entries(directory) == []


# ---- directories


def test_empty_directories_stay(world):
    world.mkdir("/d")
    world.mkdir("/d/e")
    assert world.names() == ["d"]
    assert world.names("/d") == ["e"]
    assert world.names("/d/e") == []
    assert stat.S_ISDIR(world.vfs.getattr(world.find("/d/e")).mode)


def test_a_directory_stays_when_its_last_file_goes(world):
    world.mkdir("/d")
    world.mkdir("/d/e")
    world.make("/d/e/f", b"x")
    assert world.names("/d/e") == ["f"]
    assert world.names() == ["d"]
    world.unlink("/d/e/f")
    assert world.names("/d/e") == []
    assert world.names("/d") == ["e"]
    assert world.names() == ["d"]
    world.make("/d/e/f", b"y")
    world.rename("/d/e/f", "/f")
    assert world.names() == ["d", "f"]
    assert world.names("/d") == ["e"]
    world.rmdir("/d/e")
    assert world.names("/d") == []
    world.rmdir("/d")
    assert world.names() == ["f"]


def test_rmdir_refuses_what_is_not_empty(world):
    world.mkdir("/d")
    world.make("/d/f")
    refuses(errno.ENOTEMPTY, world.rmdir, "/d")
    world.unlink("/d/f")
    world.mkdir("/d/e")
    refuses(errno.ENOTEMPTY, world.rmdir, "/d")
    world.rmdir("/d/e")
    world.rmdir("/d")
    refuses(errno.ENOENT, world.rmdir, "/d")
    assert world.names() == []


def test_rmdir_sees_what_somebody_else_put_there(world):
    world.mkdir("/d")
    assert world.names("/d") == []
    world.store("/d/f", b"theirs")
    refuses(errno.ENOTEMPTY, world.rmdir, "/d")
    assert world.stored("/d/f") == b"theirs"


def test_an_empty_directory_stays_however_long_nobody_looks(world):
    world.mkdir("/d")
    world.mkdir("/d/empty")
    world.make("/d/f", b"x")
    assert world.names() == ["d"]
    gc.collect()
    assert world.names("/d") == ["empty", "f"]
    world.unlink("/d/f")
    gc.collect()
    assert world.names("/d") == ["empty"]


@pytest.mark.parametrize("kind", OBJECTS)
def test_a_directory_that_is_only_remembered_ends_with_the_vfs(kind, tmp_path):
    with lent(kind, tmp_path) as world:
        world.mkdir("/d")
        world.make("/e", b"")
        assert world.names() == ["d", "e"]
        world.vfs.close()
        world.vfs = world.another_vfs()
        assert world.names() == ["e"]


# ---- removing


def test_unlink(world):
    world.make("/f", b"x")
    world.mkdir("/d")
    world.unlink("/f")
    assert not world.exists("/f")
    refuses(errno.ENOENT, world.unlink, "/f")
    refuses(errno.EISDIR, world.unlink, "/d")


def test_remove_a_tree(world):
    world.mkdir("/d")
    for number in range(3):
        world.mkdir(f"/d/{number}")
        for name in "ab":
            world.make(f"/d/{number}/{name}", b"x")
    for number in world.names("/d"):
        for name in world.names(f"/d/{number}"):
            world.unlink(f"/d/{number}/{name}")
        world.rmdir(f"/d/{number}")
    world.rmdir("/d")
    assert world.names() == []


# ---- renaming


def test_rename_a_file(world):
    world.make("/a", b"x")
    world.mkdir("/d")
    world.rename("/a", "/d/b")
    assert world.names() == ["d"]
    assert world.stored("/d/b") == b"x"
    assert not world.exists("/a")
    assert world.read("/d/b") == b"x"


def test_rename_over_a_file(world):
    world.make("/a", b"a")
    world.make("/b", b"longer b")
    world.rename("/a", "/b")
    assert world.stored("/b") == b"a"
    assert world.size("/b") == 1
    assert world.names() == ["b"]


def test_rename_a_directory_with_all_it_holds(world):
    world.mkdir("/d")
    world.mkdir("/d/e")
    world.mkdir("/d/e/empty")
    world.make("/d/f", b"f")
    world.make("/d/e/g", b"g")
    world.mkdir("/there")
    world.rename("/d", "/there/new")
    assert world.names() == ["there"]
    assert world.names("/there/new") == ["e", "f"]
    assert world.names("/there/new/e") == ["empty", "g"]
    assert world.names("/there/new/e/empty") == []
    assert world.read("/there/new/e/g") == b"g"
    assert world.stored("/there/new/f") == b"f"
    assert not world.exists("/d")


def test_rename_an_empty_directory(world):
    world.mkdir("/d")
    world.rename("/d", "/e")
    assert world.names() == ["e"]
    assert world.names("/e") == []
    world.make("/e/f", b"x")
    assert world.stored("/e/f") == b"x"


def test_rename_over_an_empty_directory(world):
    world.mkdir("/d")
    world.make("/d/f", b"x")
    world.mkdir("/e")
    world.rename("/d", "/e")
    assert world.names() == ["e"]
    assert world.stored("/e/f") == b"x"


def test_rename_refuses_what_posix_refuses(world):
    world.make("/f", b"f")
    world.mkdir("/d")
    world.make("/d/g", b"g")
    world.mkdir("/e")
    refuses(errno.ENOENT, world.rename, "/none", "/x")
    refuses(errno.EISDIR, world.rename, "/f", "/e")
    refuses(errno.ENOTDIR, world.rename, "/e", "/f")
    refuses(errno.ENOTEMPTY, world.rename, "/e", "/d")
    refuses(errno.EINVAL, world.rename, "/d", "/d/x")
    world.mkdir("/d/sub")
    refuses(errno.EINVAL, world.rename, "/d", "/d/sub/x")
    refuses(errno.ENOTEMPTY, world.rename, "/d/sub", "/d")
    refuses(errno.EINVAL, world.rename, "/f", "/x", 64)
    assert world.names() == ["d", "e", "f"]
    assert world.names("/d") == ["g", "sub"]


def test_rename_onto_itself_does_nothing(world):
    world.make("/f", b"f")
    world.mkdir("/d")
    world.rename("/f", "/f")
    world.rename("/d", "/d")
    assert world.stored("/f") == b"f"
    assert world.names() == ["d", "f"]


def test_rename_without_replacing(world):
    world.make("/a", b"a")
    world.make("/b", b"b")
    refuses(errno.EEXIST, world.rename, "/a", "/b", RENAME_NOREPLACE)
    refuses(errno.EEXIST, world.rename, "/a", "/a", RENAME_NOREPLACE)
    assert world.stored("/b") == b"b"
    world.rename("/a", "/c", RENAME_NOREPLACE)
    assert world.names() == ["b", "c"]


def test_exchange_where_the_filesystem_can(world):
    file = world.make("/f", b"f")
    directory = world.mkdir("/d")
    world.make("/d/g", b"g")
    if not world.vfs._capabilities.rename_flags:
        refuses(errno.EINVAL, world.rename, "/f", "/d", RENAME_EXCHANGE)
        return
    refuses(errno.ENOENT, world.rename, "/f", "/none", RENAME_EXCHANGE)
    refuses(errno.EINVAL, world.rename, "/d/g", "/d", RENAME_EXCHANGE)
    world.rename("/f", "/d", RENAME_EXCHANGE)
    assert world.find("/d") is file
    assert world.find("/f") is directory
    assert world.read("/d") == b"f"
    assert world.read("/f/g") == b"g"
    assert world.names() == ["d", "f"]


def test_names_free_again_can_be_taken_again(world):
    for round_ in range(3):
        world.make("/a", b"%d" % round_)
        world.rename("/a", "/b")
        world.mkdir("/a")
        world.rmdir("/a")
        assert world.read("/b") == b"%d" % round_
    assert world.names() == ["b"]


# ---- links and special files


def test_symlinks_where_the_filesystem_has_them(world):
    world.make("/f", b"x")
    if not world.vfs._capabilities.symlinks:
        refuses(errno.EPERM, world.vfs.symlink, world.vfs.root, "s", "f", UID, GID)
        return
    node = world.vfs.symlink(world.vfs.root, "s", "f/ü", UID, GID)
    assert world.vfs.readlink(node) == "f/ü"
    world.vfs.close()
    world.vfs = world.another_vfs()
    node = world.find("/s")
    assert stat.S_ISLNK(node.mode)
    assert world.vfs.readlink(node) == "f/ü"
    assert node.size == 4
    refuses(errno.EINVAL, world.vfs.open, node, os.O_RDONLY)
    refuses(errno.EINVAL, world.vfs.readlink, world.find("/f"))
    world.rename("/s", "/t")
    world.unlink("/t")
    assert world.names() == ["f"]


def test_hard_links_where_the_filesystem_has_them(world):
    node = world.make("/f", b"x")
    directory = world.mkdir("/d")
    refuses(errno.EPERM, world.vfs.link, directory, world.vfs.root, "dd")
    if not world.vfs._capabilities.hardlinks:
        refuses(errno.EPERM, world.vfs.link, node, world.vfs.root, "g")
        return
    world.vfs.link(node, directory, "g")
    assert world.find("/d/g") is node
    assert world.vfs.getattr(node).nlink == 2
    refuses(errno.EEXIST, world.vfs.link, node, directory, "g")
    handle = world.open("/d/g")
    handle.pwrite(b"y", 0)
    world.rename("/f", "/d/g")
    assert world.names() == ["d", "f"]
    world.unlink("/f")
    handle.pwrite(b"z", 1)
    handle.close()
    assert world.read("/d/g") == b"yz"
    assert world.stored("/d/g") == b"yz"
    assert world.vfs.getattr(node).nlink == 1
    world.unlink("/d/g")
    refuses(errno.ENOENT, world.vfs.link, node, directory, "h")


@pytest.mark.parametrize("kind", ["direct", "whole"])
def test_names_of_one_file_are_one_node_however_they_are_found(kind, tmp_path):
    with lent(kind, tmp_path) as world:
        world.store("/f", b"x")
        world.mkdir("/d")
        world.fs.posix.link("/f", "/d/g")
        world.fs.posix.link("/f", "/h")
        node = world.find("/d/g")
        assert world.find("/f") is node
        assert dict(world.vfs.entries(world.vfs.root))["h"] is node
        world.rename("/d/g", "/d/i")
        world.fs.rm_file("/f")
        assert world.find("/d/i") is node
        assert world.vfs.getattr(node).nlink == 2
        world.fs.rm_file("/d/i")
        world.store("/d/i", b"another")
        assert world.find("/d/i") is not node
        assert world.find("/h") is node
        assert world.read("/h") == b"x"
        world.unlink("/h")
        assert world.names() == ["d"]


@pytest.mark.parametrize("kind", ["direct", "whole"])
def test_a_second_name_of_a_file_that_is_being_edited(kind, tmp_path):
    with lent(kind, tmp_path) as world:
        world.store("/f", b"12345")
        world.fs.posix.link("/f", "/g")
        handle = world.open("/f", os.O_RDWR | os.O_TRUNC)
        handle.pwrite(b"1", 0)
        assert world.size("/g") == 1
        assert world.read("/g") == b"1"
        handle.close()
        assert world.stored("/g") == b"1"


def test_a_node_in_a_directory_that_somebody_else_removed(world):
    if world.options["cache_timeout"]:
        pytest.skip("the cache never gets old here")
    path = f"{world.base}/d"
    world.fs.mkdir(path)
    world.store("/d/f", b"")
    directory, node = world.find("/d"), world.find("/d/f")
    world.fs.rm_file(f"{path}/f")
    world.fs.rmdir(path)
    refuses(errno.ENOENT, world.vfs.getattr, directory)
    refuses(errno.ENOENT, world.vfs.getattr, node)
    assert world.vfs.lookup(directory, "f") is None
    refuses(errno.ENOENT, world.vfs.unlink, directory, "f")
    refuses(errno.ENOENT, world.vfs.rename, directory, "f", world.vfs.root, "g")


def test_special_files_where_the_filesystem_has_them(world):
    if not world.vfs._capabilities.special_files:
        refuses(errno.EPERM, world.vfs.create, world.vfs.root, "fifo", stat.S_IFIFO | 0o600, UID, GID)
        assert world.names() == []
        return
    node = world.vfs.create(world.vfs.root, "fifo", stat.S_IFIFO | 0o600, UID, GID)
    assert stat.S_ISFIFO(node.mode)
    refuses(errno.EINVAL, world.vfs.open, node, os.O_RDONLY)
    assert stat.S_ISFIFO(world.find("/fifo").mode)
