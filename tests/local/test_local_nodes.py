"""Inode operations on a directory that others change too."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("inodes are held on Linux", allow_module_level=True)

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.local.node import RecentlyUsed
from chuk_fsspec.testing.checks import fails_with, in_threads, node_at
from tests.local.local_ways import SECRET, Outside, fs, outside

__all__ = ["fs", "outside"]

FILE = stat.S_IFREG | 0o644


@pytest.fixture
def root(tmp_path: Path, fs: LocalFileSystem) -> Path:
    return tmp_path / "root"


@pytest.fixture
def nodes(fs: LocalFileSystem) -> Iterator[Any]:
    view = fs.posix.nodes
    yield view
    view.close()


def read(nodes: Any, node: Any) -> bytes:
    return b"".join(nodes.read(node, 1 << 20, 0))


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# ---- what others do on the host


def test_what_others_change_is_seen(nodes: Any, root: Path) -> None:
    node = nodes.create(nodes.root, "f", FILE, os.getuid(), os.getgid())
    nodes.write(node, b"mine", 0)
    (root / "f").write_bytes(b"theirs, and longer")
    assert nodes.getattr(node).size == 18
    assert read(nodes, node) == b"theirs, and longer"
    (root / "new").write_bytes(b"1")
    assert nodes.lookup(nodes.root, "new").size == 1
    assert sorted(name for name, _ in nodes.entries(nodes.root)) == ["f", "new"]


def test_what_others_move_is_stale_until_it_is_looked_up(nodes: Any, root: Path) -> None:
    (root / "d").mkdir()
    (root / "d" / "f").write_bytes(b"content")
    node = node_at(nodes, "/d/f")
    os.rename(root / "d" / "f", root / "moved")
    with fails_with(errno.ESTALE):
        nodes.getattr(node)
    assert nodes.lookup(nodes.root, "moved") is node
    assert read(nodes, node) == b"content"


def test_what_others_remove_is_stale_unless_it_was_in_use(nodes: Any, root: Path) -> None:
    for name in "ab":
        (root / name).write_bytes(b"content")
    unused, used = nodes.lookup(nodes.root, "a"), nodes.lookup(nodes.root, "b")
    assert read(nodes, used) == b"content"
    for name in "ab":
        os.unlink(root / name)
    for act in (nodes.getattr, lambda node: nodes.read(node, 1, 0), lambda node: nodes.setattr(node, mode=0)):
        with fails_with(errno.ESTALE):
            act(unused)
    assert read(nodes, used) == b"content"
    assert nodes.getattr(used).nlink == 0


def test_a_file_that_others_replace_is_another_node(nodes: Any, root: Path) -> None:
    (root / "f").write_bytes(b"old")
    old = nodes.lookup(nodes.root, "f")
    read(nodes, old)
    (root / "new").write_bytes(b"new")
    os.replace(root / "new", root / "f")
    new = nodes.lookup(nodes.root, "f")
    assert new is not old
    assert new.ino != old.ino
    assert (read(nodes, old), read(nodes, new)) == (b"old", b"new")


def test_a_directory_that_others_swap_for_a_link_out_is_stale(nodes: Any, root: Path, outside: Outside) -> None:
    (root / "d" / "d").mkdir(parents=True)
    (root / "d" / "secret").write_bytes(b"mine")
    directory, file = node_at(nodes, "/d"), node_at(nodes, "/d/secret")
    below = node_at(nodes, "/d/d")
    nodes.close()  # nothing is held any more
    os.rename(root / "d", root / "away")
    (root / "d").symlink_to(outside.path)
    for act in (
        lambda: nodes.lookup(directory, "secret"),
        lambda: nodes.entries(directory),
        lambda: nodes.create(directory, "new", FILE, 0, 0),
        lambda: nodes.unlink(directory, "secret"),
        lambda: nodes.rename(directory, "secret", nodes.root, "stolen"),
        lambda: nodes.read(file, 99, 0),
        lambda: nodes.write(file, b"x", 0),
        lambda: nodes.append(file, b"x"),
        lambda: nodes.setattr(file, mode=0o777),
        lambda: nodes.open(file, os.O_RDWR),
        lambda: nodes.entries(below),
    ):
        with fails_with(errno.ESTALE):
            act()
    outside.assert_untouched()
    link = nodes.lookup(nodes.root, "d")
    assert stat.S_ISLNK(link.mode)
    for act in (lambda: nodes.lookup(link, "secret"), lambda: nodes.entries(link)):
        with fails_with(errno.ENOTDIR):
            act()


@pytest.mark.parametrize("name", ["", ".", "..", "../outside", "a/b", "/etc", "nul\0"])
def test_no_name_leads_elsewhere(nodes: Any, outside: Outside, name: str) -> None:
    directory = nodes.mkdir(nodes.root, "d", 0o755, os.getuid(), os.getgid())
    for above in (nodes.root, directory):
        assert nodes.lookup(above, name) is None
        for act in (nodes.unlink, nodes.rmdir):
            with fails_with(errno.ENOENT):
                act(above, name)
        with fails_with(errno.EINVAL):
            nodes.create(above, name, FILE, 0, 0)
        with fails_with(errno.ENOENT):
            nodes.rename(above, name, nodes.root, "x")
        with fails_with(errno.EINVAL):
            nodes.rename(nodes.root, "d", above, name)


def test_directories_that_others_moved_into_one_another_do_not_hang(nodes: Any, root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    outer, inner = nodes.lookup(nodes.root, "a"), nodes.lookup(nodes.lookup(nodes.root, "a"), "b")
    nodes.close()
    os.rename(root / "a" / "b", root / "b")
    os.rename(root / "a", root / "b" / "a")
    assert nodes.lookup(nodes.lookup(nodes.root, "b"), "a") is outer
    outer.parent, inner.parent = inner, outer  # as it is when others are faster than whoever looks
    nodes.close()
    with fails_with(errno.ESTALE):
        nodes.entries(inner)


# ---- hard links


def test_a_number_that_was_given_again_is_another_node(nodes: Any, root: Path) -> None:
    """The host gives numbers of removed inodes to new ones, while doors still have the old."""
    table = nodes._table
    kinds = (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK)
    number = os.stat(root).st_ino + 1
    rest = dict.fromkeys(("st_rdev", "st_blocks", "st_atime_ns", "st_mtime_ns", "st_ctime_ns"), 0)

    def given(kind: int) -> Any:
        always = (kind | 0o700, number, os.stat(root).st_dev, 1, *[0] * 6)
        return table.seen(nodes.root, "n", os.stat_result(always, rest))

    held = [given(kind) for kind in kinds]
    assert held[0].ino == number
    assert given(stat.S_IFLNK) is held[2]
    del held[2]
    again = [given(kind) for kind in (stat.S_IFLNK, stat.S_IFREG, stat.S_IFLNK)]
    assert len({node.ino for node in (*held, *again)}) == 5
    assert [stat.S_IFMT(node.mode) for node in (*held, *again)] == [*kinds[:2], *kinds[:0:-1], kinds[2]]


def test_a_file_of_the_outside_is_copied_before_it_is_written(nodes: Any, root: Path, outside: Outside) -> None:
    for change in (
        lambda node: nodes.write(node, b"mine", 0),
        lambda node: nodes.append(node, b"mine"),
        lambda node: nodes.setattr(node, size=3),
        lambda node: nodes.setattr(node, mode=0o777),
        lambda node: nodes.setattr(node, mtime_ns=5),
        lambda node: nodes.setxattr(node, "user.a", b"1"),
        lambda node: nodes.allocate(node, 0, 100, 0),
        lambda node: nodes.open(node, os.O_WRONLY | os.O_TRUNC),
    ):
        os.link(outside.path / "secret", root / "in")
        node = nodes.lookup(nodes.root, "in")
        assert read(nodes, node) == SECRET
        number = node.ino
        change(node)
        outside.assert_untouched()
        assert nodes.lookup(nodes.root, "in") is node  # for a door, which may have it open, it is the same file
        assert (node.ino, node.nlink) == (number, 1)
        nodes.unlink(nodes.root, "in")
        nodes.forget(node)


def test_all_names_that_are_known_get_the_copy(nodes: Any, root: Path, outside: Outside) -> None:
    for name in ("one", "two", "unseen"):
        os.link(outside.path / "secret", root / name)
    node = nodes.lookup(nodes.root, "one")
    assert nodes.lookup(nodes.root, "two") is node
    nodes.write(node, b"MINE", 0)
    assert (root / "one").read_bytes() == (root / "two").read_bytes() == b"MINE" + SECRET[4:]
    assert os.stat(root / "one").st_ino == os.stat(root / "two").st_ino
    unseen = nodes.lookup(nodes.root, "unseen")
    assert unseen is not node
    assert unseen.ino != node.ino
    assert read(nodes, unseen) == SECRET
    os.unlink(root / "unseen")
    nodes.write(node, b"again", 0)
    assert (root / "two").read_bytes()[:5] == b"again"


def test_links_made_by_nodes_are_names_of_one_file(nodes: Any, root: Path) -> None:
    node = nodes.create(nodes.root, "a", FILE, os.getuid(), os.getgid())
    nodes.link(node, nodes.root, "b")
    nodes.close()
    nodes.write(node, b"content", 0)
    assert (root / "a").read_bytes() == (root / "b").read_bytes() == b"content"


# ---- what is open


def test_descriptors_are_bounded(nodes: Any, root: Path) -> None:
    room = RecentlyUsed()._room
    before = open_descriptors()
    made = []
    for number in range(room + 200):
        node = nodes.create(nodes.root, str(number), FILE, os.getuid(), os.getgid())
        nodes.write(node, b"x", 0)
        made.append(node)
    assert open_descriptors() - before <= room + 5
    assert b"".join(read(nodes, node) for node in made) == b"x" * len(made)
    for number, node in enumerate(made):
        nodes.unlink(nodes.root, str(number))
        nodes.forget(node)
    assert open_descriptors() - before <= 5


def test_what_has_no_name_is_held_until_it_is_forgotten(nodes: Any, root: Path) -> None:
    before = open_descriptors()
    made = [nodes.create(nodes.root, str(n), FILE, os.getuid(), os.getgid()) for n in range(20)]
    nodes.write(made[0], b"content", 0)
    for number in range(20):
        nodes.unlink(nodes.root, str(number))
    nodes.close()
    assert read(nodes, made[0]) == b"content"
    nodes.write(made[1], b"more", 0)
    assert read(nodes, made[1]) == b"more"
    for node in made:
        nodes.forget(node)
    assert open_descriptors() <= before


def test_deep_trees_are_reached(nodes: Any) -> None:
    node = nodes.root
    for _ in range(600):
        node = nodes.mkdir(node, "d", 0o755, os.getuid(), os.getgid())
    nodes.close()
    file = nodes.create(node, "f", FILE, os.getuid(), os.getgid())
    nodes.write(file, b"deep", 0)
    assert read(nodes, node_at(nodes, "/d" * 600 + "/f")) == b"deep"


def test_modes_are_those_asked_for_whatever_the_umask(nodes: Any, root: Path) -> None:
    old = os.umask(0o077)
    try:
        nodes.create(nodes.root, "f", stat.S_IFREG | 0o666, os.getuid(), os.getgid())
        nodes.mkdir(nodes.root, "d", 0o777, os.getuid(), os.getgid())
        nodes.create(nodes.root, "p", stat.S_IFIFO | 0o622, os.getuid(), os.getgid())
    finally:
        os.umask(old)
    assert [stat.S_IMODE(os.stat(root / name).st_mode) for name in "fdp"] == [0o666, 0o777, 0o622]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may give files away")
def test_an_owner_that_cannot_be_given_leaves_nothing_behind(nodes: Any, root: Path) -> None:
    with fails_with(errno.EPERM):
        nodes.create(nodes.root, "f", FILE, 0, 0)
    assert os.listdir(root) == []


def test_many_threads_share_a_view(nodes: Any, root: Path) -> None:
    def work(number: int) -> None:
        for step in range(60):
            name = f"{number}-{step}"
            node = nodes.create(nodes.root, name, FILE, os.getuid(), os.getgid())
            nodes.write(node, name.encode(), 0)
            nodes.close()  # at any moment another thread may need the room
            assert read(nodes, node) == name.encode()
            assert nodes.lookup(nodes.root, name) is node
            nodes.rename(nodes.root, name, nodes.root, name + "r")
            assert read(nodes, node) == name.encode()
            if step % 2:
                nodes.unlink(nodes.root, name + "r")
                assert read(nodes, node) == name.encode()
            nodes.forget(node)

    in_threads(6, work)
    assert len(os.listdir(root)) == 6 * 30


def test_the_api_and_a_view_of_one_process_agree_at_once(fs: LocalFileSystem, nodes: Any, root: Path) -> None:
    heard: list[tuple[Any, str, Any]] = []
    end = nodes.watch(lambda *change: heard.append(change))
    fs.pipe_file("/f", b"old")
    node = nodes.lookup(nodes.root, "f")
    fs.pipe_file("/f", b"new")
    new = nodes.lookup(nodes.root, "f")
    assert (nodes.root, "f", new) in heard
    assert (None, "", node) in heard
    assert read(nodes, node) == b"old"  # whoever has it open reads on
    heard.clear()
    with fs.posix.open_handle("/f", os.O_RDWR) as handle:
        handle.pwrite(b"N", 0)
    fs.posix.chmod("/f", 0o600)
    assert heard == [(None, "", new)] * 2
    heard.clear()
    fs.mv("/f", "/g")
    assert (nodes.root, "f", None) in heard
    assert (nodes.root, "g", nodes.lookup(nodes.root, "g")) in heard
    heard.clear()
    fs.rm("/", recursive=True)
    assert (nodes.root, "g", None) in heard
    end()
    other = fs.posix.nodes
    nodes.watch(lambda *change: heard.append(change))
    heard.clear()
    other.create(other.root, "theirs", FILE, os.getuid(), os.getgid())
    assert heard == [(nodes.root, "theirs", nodes.lookup(nodes.root, "theirs"))]


def test_fsync_of_one(nodes: Any) -> None:
    directory = nodes.mkdir(nodes.root, "d", 0o755, os.getuid(), os.getgid())
    node = nodes.create(directory, "f", FILE, os.getuid(), os.getgid())
    nodes.write(node, b"x", 0)
    for one in (node, directory, nodes.root):
        nodes.fsync(one)
    nodes.sync()
