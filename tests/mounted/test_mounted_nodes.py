"""Inode operations of a tree: mount points join the nodes of the mounts, whatever others do below."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing.checks import fails_with, node_at
from tests.mounted.mounted_trees import chukmem, stores, tree

Both = tuple[MountedFileSystem, dict[str, MemoryFileSystem]]


@pytest.fixture
def both() -> Iterator[Both]:
    with tree("/", "/m", "/m/deep", "/on/the/way") as (fs, below):
        fs.pipe({"/f": b"root", "/m/f": b"in m", "/m/deep/f": b"deep", "/on/the/way/f": b"way"})
        yield fs, below


@pytest.fixture
def fs(both: Both) -> MountedFileSystem:
    return both[0]


@pytest.fixture
def nodes(fs: MountedFileSystem) -> NodeOperations:
    view: NodeOperations = fs.posix.nodes
    return view


def names(nodes: NodeOperations, path: str) -> list[str]:
    return sorted(name for name, _ in nodes.entries(node_at(nodes, path) if path != "/" else nodes.root))


def test_mount_points_are_entries(fs: MountedFileSystem, nodes: NodeOperations) -> None:
    assert names(nodes, "/") == ["f", "m", "on"]
    assert names(nodes, "/m") == ["deep", "f"]
    assert names(nodes, "/on") == ["the"]
    assert names(nodes, "/on/the") == ["way"]
    assert names(nodes, "/on/the/way") == ["f"]
    for path in ("/m", "/m/deep", "/on", "/on/the", "/on/the/way", "/on/the/way/f", "/m/f", "/"):
        node = node_at(nodes, path) if path != "/" else nodes.root
        assert node.ino == fs.info(path)["ino"], path
        assert nodes.getattr(node).ino == node.ino
        assert stat.S_ISDIR(node.mode) == fs.isdir(path)
        above = path.rpartition("/")[0] or "/"
        if stat.S_ISDIR(node.mode):
            assert nodes.parent(node).ino == fs.info(above)["ino"]
    listed = dict(nodes.entries(nodes.root))
    assert listed["m"].ino == node_at(nodes, "/m").ino
    assert nodes.lookup(listed["on"], "the") is not None


def test_what_is_below_a_mount_point_is_covered(both: Both) -> None:
    fs, below = both
    below["/"].pipe({"/m/covered": b"", "/m/deep": b"", "/on/seen": b""})
    nodes = fs.posix.nodes
    assert names(nodes, "/m") == ["deep", "f"]
    assert names(nodes, "/on") == ["seen", "the"]
    assert nodes.lookup(node_at(nodes, "/m"), "covered") is None
    assert nodes.getattr(node_at(nodes, "/on")).ino == below["/"].info("/on")["ino"]


def test_nothing_leads_from_one_mount_into_another(nodes: NodeOperations, both: Both) -> None:
    root, m, way = nodes.root, node_at(nodes, "/m"), node_at(nodes, "/on/the/way")
    with fails_with(errno.EXDEV):
        nodes.rename(root, "f", m, "g")
    with fails_with(errno.EXDEV):
        nodes.rename(m, "f", way, "f", 2)
    with fails_with(errno.EXDEV):
        nodes.link(node_at(nodes, "/f"), m, "g")
    nodes.rename(m, "f", m, "g")
    nodes.link(node_at(nodes, "/m/g"), m, "h")
    assert both[1]["/m"].find("/") == ["/g", "/h"]


@pytest.mark.parametrize(("directory", "name"), [("/", "m"), ("/", "on"), ("/m", "deep"), ("/on", "the")])
def test_mount_points_stay(nodes: NodeOperations, directory: str, name: str) -> None:
    parent = node_at(nodes, directory) if directory != "/" else nodes.root
    top = nodes.root
    with fails_with(errno.EBUSY):
        nodes.rmdir(parent, name)
    with fails_with(errno.EBUSY):
        nodes.rename(parent, name, top, "new")
    with fails_with(errno.EBUSY):
        nodes.rename(top, "f", parent, name)
    with fails_with(errno.EISDIR):
        nodes.unlink(parent, name)
    for make in (
        lambda: nodes.create(parent, name, stat.S_IFREG | 0o600, 0, 0),
        lambda: nodes.mkdir(parent, name, 0o700, 0, 0),
        lambda: nodes.symlink(parent, name, "x", 0, 0),
        lambda: nodes.link(node_at(nodes, "/f"), parent, name),
    ):
        with fails_with(errno.EEXIST):
            make()


def test_a_directory_on_the_way_is_made_when_it_is_needed(both: Both) -> None:
    fs, below = both
    nodes = fs.posix.nodes
    on, the = node_at(nodes, "/on"), node_at(nodes, "/on/the")
    assert nodes.getxattr(on, "user.a") is None
    assert nodes.listxattr(on) == []
    assert nodes.lookup(on, "missing") is None
    with fails_with(errno.ENOENT):
        nodes.unlink(on, "missing")
    with fails_with(errno.EISDIR):
        nodes.open(on, os.O_RDONLY)
    with fails_with(errno.EINVAL):
        nodes.readlink(on)
    nodes.mkdir(the, "d", 0o700, 0, 0)
    assert below["/"].find("/on", withdirs=True) == ["/on", "/on/the", "/on/the/d"]
    for node in (the, node_at(nodes, "/on/the")):  # the one that somebody holds goes on working
        assert sorted(name for name, _ in nodes.entries(node)) == ["d", "way"]
        assert nodes.lookup(node, "d") is not None
        way = nodes.lookup(node, "way")
        assert way is not None
        assert way.ino == fs.info("/on/the/way")["ino"]
    nodes.setattr(on, mode=0o700)
    nodes.setxattr(on, "user.a", b"1")
    assert below["/"].posix.getxattr("/on", "user.a") == b"1"
    nodes.rmdir(the, "d")


def test_such_a_directory_is_the_one_that_others_make(both: Both) -> None:
    fs, below = both
    nodes = fs.posix.nodes
    made = node_at(nodes, "/on")
    below["/"].pipe_file("/on/theirs", b"1")
    assert names(nodes, "/on") == ["the", "theirs"]
    real = node_at(nodes, "/on")
    assert real.ino != made.ino
    below["/"].rm("/on", recursive=True)
    below["/"].mkdir("/on")
    assert names(nodes, "/on") == ["the"]
    assert node_at(nodes, "/on").ino not in (made.ino, real.ino)
    below["/"].rmdir("/on")
    below["/"].pipe_file("/on", b"a file")
    assert names(nodes, "/on") == ["the"]
    assert stat.S_ISDIR(node_at(nodes, "/on").mode)


def test_without_a_root_it_is_all_made() -> None:
    with tree("/a/b", "/c") as (fs, _):
        nodes = fs.posix.nodes
        assert names(nodes, "/") == ["a", "c"]
        assert nodes.parent(nodes.root).ino == nodes.root.ino
        assert nodes.parent(node_at(nodes, "/a/b")).ino == node_at(nodes, "/a").ino
        assert nodes.parent(node_at(nodes, "/c")).ino == nodes.root.ino
        assert nodes.statvfs().blocks == 0
        assert not nodes.announces
        for make in (
            lambda: nodes.create(nodes.root, "f", stat.S_IFREG | 0o600, 0, 0),
            lambda: nodes.mkdir(node_at(nodes, "/a"), "d", 0o700, 0, 0),
            lambda: nodes.setattr(nodes.root, mode=0),
            lambda: nodes.temporary(nodes.root, 0o600, 0, 0),
        ):
            with fails_with(errno.EROFS):
                make()


def test_a_mounted_part_ends_at_its_root() -> None:
    with stores(1) as [name]:
        MemoryFileSystem(name).pipe({"/a/b/f": b"1", "/secret": b"2"})
        fs = MountedFileSystem({"/": "chukmem", "/part": {**chukmem(name), "root": "/a/b"}})
        nodes = fs.posix.nodes
        part = node_at(nodes, "/part")
        assert names(nodes, "/part") == ["f"]
        assert nodes.parent(part).ino == nodes.root.ino
        assert nodes.parent(nodes.mkdir(part, "d", 0o700, 0, 0)).ino == part.ino


# ---- doors


Told = tuple["int | None", str, "int | None"]


def listen(nodes: NodeOperations) -> list[Told]:
    heard: list[Told] = []

    def note(directory: Node | None, name: str, node: Node | None) -> None:
        heard.append((directory.ino if directory else None, name, node.ino if node else None))

    nodes.watch(note)
    return heard


def test_changes_are_told_with_the_numbers_of_the_tree(both: Both, nodes: NodeOperations) -> None:
    fs, below = both
    heard = listen(nodes)
    nodes.create(node_at(nodes, "/m"), "mine", stat.S_IFREG | 0o600, 0, 0)
    assert heard == []
    fs.pipe_file("/m/deep/theirs", b"1")
    assert (fs.info("/m/deep")["ino"], "theirs", fs.info("/m/deep/theirs")["ino"]) in heard
    heard.clear()
    below["/m"].rm("/f")
    assert (fs.info("/m")["ino"], "f", None) in heard


def test_doors_hear_of_mounts(fs: MountedFileSystem, nodes: NodeOperations) -> None:
    heard = listen(nodes)
    assert nodes.lookup(nodes.root, "new") is None
    with stores(1) as [name]:
        MemoryFileSystem(name).pipe_file("/f", b"1")
        fs.mount("/new/er", chukmem(name))
        assert (nodes.root.ino, "new", None) in heard
        assert (None, "", None) in heard
        assert names(nodes, "/new/er") == ["f"]
        heard.clear()
        fs.pipe_file("/new/er/g", b"1")
        assert (node_at(nodes, "/new/er").ino, "g", fs.info("/new/er/g")["ino"]) in heard
        heard.clear()
        fs.unmount("/new/er")
        assert (nodes.root.ino, "new", None) in heard
        assert nodes.lookup(nodes.root, "new") is None


def test_what_a_door_holds_keeps_its_mount(fs: MountedFileSystem, nodes: NodeOperations) -> None:
    held: set[int] = set()
    end = nodes.hold(held)
    deep = node_at(nodes, "/m/deep")
    held.add(deep.ino)
    with fails_with(errno.EBUSY, "/m/deep"):
        fs.unmount("/m/deep")
    fs.unmount("/m/deep", force=True)
    for act in (
        lambda: nodes.lookup(deep, "f"),
        lambda: nodes.entries(deep),
        lambda: nodes.create(deep, "x", stat.S_IFREG, 0, 0),
        lambda: nodes.getattr(deep),
    ):
        with fails_with(errno.ESTALE):
            act()
    nodes.forget(deep)
    end()
    nodes.close()


def test_a_held_node_outlives_its_name_in_every_mount(fs: MountedFileSystem, nodes: NodeOperations) -> None:
    held: set[int] = set()
    end = nodes.hold(held)
    with stores(1) as [name]:
        fs.mount("/late", chukmem(name))
        for path in ("/", "/m", "/late"):
            directory = node_at(nodes, path) if path != "/" else nodes.root
            node = nodes.create(directory, "x", stat.S_IFREG | 0o600, 0, 0)
            held.add(node.ino)
            nodes.write(node, b"content", 0)
            nodes.unlink(directory, "x")
            assert b"".join(nodes.read(node, 99, 0)) == b"content"
            held.clear()
            nodes.forget(node)
    end()


def test_a_closed_door_holds_nothing(fs: MountedFileSystem) -> None:
    nodes = fs.posix.nodes
    nodes.hold({node_at(nodes, "/m/deep").ino})
    with fails_with(errno.EBUSY):
        fs.unmount("/m/deep")
    nodes.close()
    fs.unmount("/m/deep")


class Careful:
    """Inode operations of a filesystem that has to know which files are open."""

    stateless = False
    announces = True
    slow = True

    def __init__(self, nodes: Any) -> None:
        self._nodes = nodes

    def __getattr__(self, name: str) -> Any:
        assert name not in ("read", "write"), "it is not stateless"
        return getattr(self._nodes, name)


class CarefulMemory(MemoryFileSystem):
    @property
    def posix(self) -> Any:
        posix = super().posix
        outer = self

        class Posix(type(posix)):  # type: ignore[misc]
            @property
            def nodes(self) -> Any:
                return Careful(outer.inodes.view())

        posix.__class__ = Posix
        return posix


def test_mounts_that_keep_handles_among_others(fs: MountedFileSystem) -> None:
    early = fs.posix.nodes
    with stores(1) as [name]:
        fs.mount("/careful", CarefulMemory(name))
        nodes = fs.posix.nodes
        assert (nodes.stateless, nodes.slow, early.stateless) == (False, True, False)
        for path in ("/careful", "/m"):
            node = early.create(node_at(early, path), "x", stat.S_IFREG | 0o600, 0, 0)
            assert early.write(node, b"con", 0) == 3  # a door that came before goes on without handles
            assert early.append(node, b"tent") == 4
            assert b"".join(early.read(node, 99, 0)) == b"content"
            handle = nodes.open(node_at(nodes, f"{path}/x"), os.O_RDWR)
            handle.pwrite(b"C", 0)
            handle.close()
            assert fs.cat_file(f"{path}/x") == b"Content"


def test_a_mount_without_inode_operations(fs: MountedFileSystem) -> None:
    class Pathy(MemoryFileSystem):
        capabilities = MemoryFileSystem.capabilities.__class__(write=True, directories=True)

    nodes = fs.posix.nodes
    with stores(1) as [name]:
        with fails_with(errno.ENOTSUP, "/pathy"):
            fs.mount("/pathy", Pathy(name))
        nodes.close()
        del nodes
        fs.mount("/pathy", Pathy(name))
        assert not fs.capabilities.nodes
        with fails_with(errno.ENOTSUP):
            fs.posix.nodes  # noqa: B018 - asking is the test


def test_a_read_only_mount_takes_no_changes(fs: MountedFileSystem) -> None:
    with stores(1) as [name]:
        store = MemoryFileSystem(name)
        store.pipe_file("/f", b"content")
        store.posix.setxattr("/f", "user.a", b"1")
        fs.mount("/ro", chukmem(name), read_only=True)
        nodes = fs.posix.nodes
        top, node = node_at(nodes, "/ro"), node_at(nodes, "/ro/f")
        assert b"".join(nodes.read(node, 99, 0)) == b"content"
        nodes.open(node, os.O_RDONLY).close()
        changes: list[Any] = [
            lambda: nodes.create(top, "x", stat.S_IFREG | 0o600, 0, 0),
            lambda: nodes.mkdir(top, "x", 0o700, 0, 0),
            lambda: nodes.symlink(top, "x", "y", 0, 0),
            lambda: nodes.temporary(top, 0o600, 0, 0),
            lambda: nodes.link(node, top, "x"),
            lambda: nodes.unlink(top, "f"),
            lambda: nodes.rmdir(top, "f"),
            lambda: nodes.rename(top, "f", top, "g"),
            lambda: nodes.setattr(node, mode=0),
            lambda: nodes.write(node, b"x", 0),
            lambda: nodes.append(node, b"x"),
            lambda: nodes.allocate(node, 0, 1, 0),
            lambda: nodes.setxattr(node, "user.b", b""),
            lambda: nodes.removexattr(node, "user.a"),
            *[lambda flags=flags: nodes.open(node, flags) for flags in (os.O_WRONLY, os.O_RDWR, os.O_TRUNC)],
        ]
        for change in changes:
            with fails_with(errno.EROFS):
                change()
        assert store.find("/") == ["/f"]
