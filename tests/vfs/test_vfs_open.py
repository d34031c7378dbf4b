"""What ``open_vfs`` chooses, how little it asks the filesystem, and what it makes of strange ones."""

from __future__ import annotations

import errno
import gc
import os
import stat
import time
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract import Capabilities
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.engine.tree import Tree
from chuk_fsspec.vfs import PathVFS, open_vfs, table
from tests.vfs.vfs_kinds import GID, UID, DirectMemory, PrivateMemory, World, lent
from tests.wrappers.object_fs import ObjectFileSystem


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock by which what was seen gets old; it stands still until ``now`` is moved."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(table, "time", SimpleNamespace(monotonic=lambda: clock.now, time_ns=time.time_ns))
    return clock


def test_a_filesystem_with_nodes_is_used_directly(chukmem):
    assert isinstance(open_vfs(chukmem), Tree)
    below = open_vfs(chukmem, root="/d")
    assert isinstance(below, PathVFS)


@pytest.mark.parametrize(
    ("fs", "slow"),
    [
        (DirectMemory(name="slowness"), False),
        (LocalFileSystem(), False),
        (PrivateMemory(), False),
        (ObjectFileSystem(), True),
    ],
)
def test_what_is_slow(fs, slow):
    vfs: NodeOperations = open_vfs(fs)
    assert vfs.slow is slow
    assert not vfs.stateless


def test_options_that_make_no_sense():
    with pytest.raises(ValueError, match="too small"):
        open_vfs(ObjectFileSystem(), cache_timeout=-1.0)
    with pytest.raises(ValueError, match="too small"):
        open_vfs(ObjectFileSystem(), read_ahead=0)


def test_watching_and_holding_cost_nothing(tmp_path):
    with lent("objects", tmp_path) as world:
        world.vfs.watch(lambda *_: None)()
        world.vfs.hold(set())()
        world.vfs.forget(world.make("/f"))


def test_a_directory_filesystem_over_the_local_one(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "spool").mkdir()
    world = World(DirFileSystem(str(inside), fs=LocalFileSystem()), tmp_path / "spool")
    world.mkdir("/d")
    world.make("/d/f", b"x")
    world.rename("/d/f", "/g")
    assert (inside / "g").read_bytes() == b"x"
    assert world.names() == ["d", "g"]
    world.vfs.close()


def test_links_of_the_local_filesystem_are_links(tmp_path):
    with lent("local", tmp_path) as world:
        world.make("/f", b"123")
        os.symlink("f", f"{world.base}/l")
        os.mkdir(f"{world.base}/d")
        os.symlink("d", f"{world.base}/ld")
        nodes = dict(world.vfs.entries(world.vfs.root))
        for name, target in (("l", "f"), ("ld", "d")):
            assert stat.S_ISLNK(nodes[name].mode)
            assert world.find(f"/{name}") is nodes[name]
            assert world.vfs.readlink(nodes[name]) == target
        world.unlink("/l")
        world.unlink("/ld")
        assert world.names() == ["d", "f"]


def test_editing_in_the_local_filesystem_keeps_the_mode(tmp_path):
    with lent("local", tmp_path) as world:
        world.make("/f", b"x")
        os.chmod(f"{world.base}/f", 0o751)
        handle = world.open("/f")
        handle.pwrite(b"yz", 0)
        handle.close()
        assert stat.S_IMODE(os.stat(f"{world.base}/f").st_mode) == 0o751
        assert Path(f"{world.base}/f").read_bytes() == b"yz"


# ---- read-only


class ReadOnly(ObjectFileSystem):
    capabilities = Capabilities()


def test_a_filesystem_that_cannot_be_written(tmp_path):
    (tmp_path / "spool").mkdir()
    world = World(ReadOnly(), tmp_path / "spool")
    world.fs.objects["d/f"] = (b"content", 0.0)
    node, vfs = world.find("/d/f"), world.vfs
    assert world.read("/d/f") == b"content"
    for refused in (
        lambda: world.create("/g"),
        lambda: world.mkdir("/e"),
        lambda: world.unlink("/d/f"),
        lambda: world.rmdir("/d"),
        lambda: world.rename("/d/f", "/g"),
        lambda: world.open("/d/f", os.O_RDWR),
        lambda: world.open("/d/f", os.O_RDONLY | os.O_TRUNC),
        lambda: vfs.setattr(node, mode=0o600),
        lambda: vfs.setattr(node, size=0),
        lambda: vfs.symlink(vfs.root, "s", "d", UID, GID),
    ):
        with pytest.raises(OSError) as caught:
            refused()
        assert caught.value.errno == errno.EROFS
    assert world.fs.objects == {"d/f": (b"content", 0.0)}


# ---- how much is asked


def test_a_listing_answers_for_its_entries(tmp_path):
    with lent("objects-cached", tmp_path) as world:
        for name in "abc":
            world.store(f"/d/{name}", b"x")
        assert world.names() == ["d"]
        world.fs.calls.clear()
        assert world.names("/d") == ["a", "b", "c"]
        assert [world.size(f"/d/{name}") for name in "abc"] == [1, 1, 1]
        assert world.vfs.lookup(world.find("/d"), "none") is None
        assert world.fs.calls == {"ls": 1}


def test_writing_a_new_file_asks_little(tmp_path):
    with lent("objects-cached", tmp_path) as world:
        root = world.vfs.root
        assert world.vfs.lookup(root, "f") is None
        world.make("/f", b"content")
        assert world.size("/f") == 7
        assert world.read("/f") == b"content"
        assert world.fs.calls == {"info": 2, "pipe_file": 1, "put_file": 1, "cat_file": 1}


def test_reading_a_closed_file_does_not_upload_it(tmp_path):
    with lent("objects-cached", tmp_path) as world:
        world.make("/f", b"content")
        world.fs.calls.clear()
        handle = world.open("/f", os.O_RDWR)
        handle.pread(10, 0)
        handle.flush()
        handle.close()
        assert world.fs.calls == {"cat_file": 1}


def test_truncating_to_nothing_downloads_nothing(tmp_path):
    with lent("objects-cached", tmp_path) as world:
        world.store("/f", b"content")
        handle = world.open("/f", os.O_WRONLY | os.O_TRUNC)
        handle.pwrite(b"new", 0)
        handle.close()
        assert world.fs.calls["get_file"] == world.fs.calls["cat_file"] == 0
        assert world.stored("/f") == b"new"


def test_the_cache_gets_old(tmp_path, clock):
    with lent("objects", tmp_path) as world:
        world.options["cache_timeout"] = 0.5
        world.vfs = world.another_vfs()
        world.store("/f", b"123")
        assert world.size("/f") == 3
        world.store("/f", b"12345")
        world.store("/g", b"")
        assert world.size("/f") == 3
        clock.now += 0.55
        assert world.size("/f") == 5
        assert world.names() == ["f", "g"]
        world.fs.rm_file("g")
        assert world.names() == ["f", "g"]
        clock.now += 0.55
        assert world.names() == ["f"]


# ---- what is kept in memory


def test_nodes_that_nobody_knows_are_forgotten(tmp_path):
    with lent("objects", tmp_path) as world:
        for number in range(50):
            world.store(f"/d/{number}", b"x")
        known = weakref.WeakSet(node for _, node in world.vfs.entries(world.find("/d")))
        world.names()
        gc.collect()
        assert len(known) == 0
        kept = world.find("/d/7")
        world.vfs.setattr(world.find("/d/8"), mode=0o600)
        numbers = kept.ino, world.find("/d/8").ino
        gc.collect()
        assert (world.find("/d/7").ino, world.find("/d/8").ino) == numbers


def test_listings_are_kept_only_while_they_are_fresh(tmp_path, clock):
    with lent("objects", tmp_path) as world:
        world.options["cache_timeout"] = 0.5
        world.vfs = world.another_vfs()
        for number in range(50):
            world.store(f"/d/{number}", b"x")
        world.store("/e/f", b"x")
        directory = world.find("/d")
        known = weakref.WeakSet(node for _, node in world.vfs.entries(directory))
        gc.collect()
        assert len(known) == 50
        clock.now += 0.55
        world.names("/e")
        gc.collect()
        assert len(known) == 0


# ---- strange filesystems


class Strange(ObjectFileSystem):
    """Raises what the ``error`` says, in whatever is asked."""

    error: Exception = ValueError("boom")

    def info(self, path, **kwargs):
        raise self.error

    def ls(self, path, detail=True, **kwargs):
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("boom"), errno.EIO),
        (NotImplementedError(), errno.ENOTSUP),
        (PermissionError("no errno"), errno.EACCES),
        (OSError("no errno"), errno.EIO),
        (TimeoutError(), errno.ETIMEDOUT),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed"), errno.EILSEQ),
        (OSError(errno.EDQUOT, "quota"), errno.EDQUOT),
    ],
)
def test_errors_of_any_kind_have_an_errno(tmp_path, error, code):
    fs = Strange()
    fs.error = error
    (tmp_path / "spool").mkdir()
    world = World(fs, tmp_path / "spool")
    for asks in (lambda: world.vfs.lookup(world.vfs.root, "f"), lambda: world.vfs.entries(world.vfs.root)):
        with pytest.raises(OSError) as caught:
            asks()
        assert caught.value.errno == code
        assert caught.value is error or caught.value.__cause__ is error
    assert world.vfs.getattr(world.vfs.root).ino == 1


def test_a_listing_with_strange_entries(tmp_path):
    with lent("objects", tmp_path) as world:
        infos = [
            {"name": "d/", "size": 0, "type": "directory"},
            {"name": "d/a", "size": 1, "type": "file"},
            {"name": "d/a/", "size": 0, "type": "directory"},
            {"name": "d/b/", "size": 0, "type": "directory"},
            {"name": "d/b", "size": 1, "type": "file"},
            {"name": "d/..", "size": 1, "type": "file"},
            {"name": "d//", "size": 0, "type": "directory"},
        ]
        world.store("/d/a", b"")
        directory = world.find("/d")
        world.fs.ls = lambda path, detail: infos
        entries = dict(world.vfs.entries(directory))
        assert sorted(entries) == ["a", "b"]
        assert all(stat.S_ISDIR(node.mode) for node in entries.values())


def test_nodes_of_another_filesystem_are_refused(tmp_path, chukmem):
    with lent("objects", tmp_path) as world:
        stranger = MemoryFileSystem(name=chukmem.name).posix.nodes.root
        with pytest.raises(OSError) as caught:
            world.vfs.getattr(stranger)
        assert caught.value.errno == errno.EINVAL
