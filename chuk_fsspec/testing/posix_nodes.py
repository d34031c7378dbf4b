"""Inode operations: what doors stand on."""

from __future__ import annotations

import errno
import os
import stat

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.testing.checks import fails_with, files_below, in_threads, names_below, node_at, same_filesystem
from chuk_fsspec.testing.needs import needs

RAW_NAME = os.fsdecode(b"raw-\xff")


def require_stateless(nodes: NodeOperations) -> None:
    """Skip the test where content is read and written by open handles only."""
    if not nodes.stateless:
        pytest.skip("needs stateless nodes")


@needs("nodes", "directories")
class PosixNodes:
    """``contract.NodeOperations``, on a view that ``posix.nodes`` gives."""

    @pytest.fixture
    def nodes(self, fs: AbstractFileSystem) -> NodeOperations:
        """A view of the filesystem under test."""
        view: NodeOperations = fs.posix.nodes
        return view

    @pytest.fixture
    def top(self, nodes: NodeOperations, root: str) -> Node:
        """The node of the test's own directory."""
        return node_at(nodes, root)

    def test_lookup(self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        node = nodes.lookup(top, "f")
        assert node is not None
        assert (node.size, node.nlink, node.ino) == (7, 1, fs.info(f"{root}/f")["ino"])
        assert nodes.lookup(top, "missing") is None
        with fails_with(errno.ENOTDIR):
            nodes.lookup(node, "x")
        with fails_with(errno.ENAMETOOLONG):
            nodes.lookup(top, "x" * 256)

    def test_lookup_does_not_follow(self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str) -> None:
        link = nodes.symlink(top, "link", "f", 1, 2)
        assert stat.S_ISLNK(link.mode)
        assert nodes.readlink(link) == "f"
        found = nodes.lookup(top, "link")
        assert found is not None
        assert found.ino == link.ino
        with fails_with(errno.EINVAL):
            nodes.readlink(top)

    def test_entries(self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str) -> None:
        fs.pipe({f"{root}/a": b"1", f"{root}/d/b": b"22"})
        assert sorted((name, stat.S_IFMT(node.mode)) for name, node in nodes.entries(top)) == [
            ("a", stat.S_IFREG),
            ("d", stat.S_IFDIR),
        ]
        with fails_with(errno.ENOTDIR):
            nodes.entries(node_at(nodes, f"{root}/a"))

    def test_parents(self, nodes: NodeOperations, top: Node) -> None:
        below = nodes.mkdir(top, "d", 0o755, 0, 0)
        assert nodes.parent(below).ino == top.ino
        assert nodes.parent(nodes.root).ino == nodes.root.ino

    def test_create(self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str) -> None:
        node = nodes.create(top, "f", stat.S_IFREG | 0o640, 12, 34)
        assert (node.mode, node.uid, node.gid, node.size) == (stat.S_IFREG | 0o640, 12, 34, 0)
        device = nodes.create(top, "null", stat.S_IFCHR | 0o666, 0, 0, os.makedev(1, 3))
        assert device.rdev == os.makedev(1, 3)
        directory = nodes.mkdir(top, "d", 0o750, 12, 34)
        assert (directory.mode, directory.nlink, directory.uid) == (stat.S_IFDIR | 0o750, 2, 12)
        assert names_below(fs, root) == ["d", "f", "null"]

    def test_making_what_exists(self, nodes: NodeOperations, top: Node) -> None:
        node = nodes.create(top, "f", stat.S_IFREG | 0o640, 0, 0)
        with fails_with(errno.EEXIST):
            nodes.create(top, "f", stat.S_IFREG | 0o640, 0, 0)
        with fails_with(errno.EEXIST):
            nodes.mkdir(top, "f", 0o755, 0, 0)
        with fails_with(errno.EEXIST):
            nodes.symlink(top, "f", "x", 0, 0)
        with fails_with(errno.EEXIST):
            nodes.link(node, top, "f")

    def test_making_where_nothing_can_be_made(self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node) -> None:
        node = nodes.create(top, "f", stat.S_IFREG | 0o640, 0, 0)
        gone = nodes.mkdir(top, "gone", 0o755, 0, 0)
        nodes.rmdir(top, "gone")
        for directory, name, code in (
            (node, "x", errno.ENOTDIR),
            (gone, "x", errno.ENOENT),
            (top, "x" * 256, errno.ENAMETOOLONG),
            (top, "a/b", errno.EINVAL),
            (top, "a\0b", errno.EINVAL),
        ):
            with fails_with(code):
                nodes.create(directory, name, stat.S_IFREG | 0o640, 0, 0)
            with fails_with(code):
                nodes.mkdir(directory, name, 0o755, 0, 0)
            with fails_with(code):
                nodes.symlink(directory, name, "target", 0, 0)
            with fails_with(code):
                nodes.link(node, directory, name)

    def test_names_that_are_not_utf8(self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str) -> None:
        nodes.create(top, RAW_NAME, stat.S_IFREG | 0o644, 0, 0)
        assert [name for name, _ in nodes.entries(top)] == [RAW_NAME]
        assert nodes.lookup(top, RAW_NAME) is not None
        assert fs.ls(root, detail=False) == [f"{root}/{RAW_NAME}"]
        fs.pipe_file(f"{root}/{RAW_NAME}", b"content")
        assert fs.cat_file(f"{root}/{RAW_NAME}") == b"content"
        nodes.rename(top, RAW_NAME, top, "plain")
        assert names_below(fs, root) == ["plain"]

    def test_a_node_is_the_same_wherever_it_goes(
        self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str
    ) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        node = node_at(nodes, f"{root}/f")
        fs.mv(f"{root}/f", f"{root}/d/g")
        assert nodes.getattr(node).size == 7
        assert node_at(nodes, f"{root}/d/g").ino == node.ino

    def test_link_and_unlink(self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        node = node_at(nodes, f"{root}/f")
        nodes.link(node, top, "g")
        assert nodes.getattr(node).nlink == 2
        nodes.unlink(top, "f")
        assert files_below(fs, root) == {"g": b"content"}
        assert nodes.getattr(node).nlink == 1
        with fails_with(errno.ENOENT):
            nodes.unlink(top, "f")
        with fails_with(errno.EPERM):
            nodes.link(top, top, "loop")

    def test_unlink_and_rmdir_know_their_kinds(
        self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str
    ) -> None:
        fs.pipe_file(f"{root}/d/f", b"")
        with fails_with(errno.EISDIR):
            nodes.unlink(top, "d")
        with fails_with(errno.ENOTEMPTY):
            nodes.rmdir(top, "d")
        with fails_with(errno.ENOTDIR):
            nodes.rmdir(node_at(nodes, f"{root}/d"), "f")
        with fails_with(errno.ENOENT):
            nodes.rmdir(top, "missing")

    def test_an_open_node_outlives_its_name(
        self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str
    ) -> None:
        node = nodes.create(top, "f", stat.S_IFREG | 0o600, 0, 0)
        handle = nodes.open(node, os.O_RDWR)
        handle.pwrite(b"content", 0)
        nodes.unlink(top, "f")
        assert nodes.getattr(node).nlink == 0
        assert handle.pread(99, 0) == b"content"
        handle.close()
        nodes.forget(node)
        assert names_below(fs, root) == []

    def test_a_temporary_file_can_be_given_a_name(
        self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str
    ) -> None:
        node = nodes.temporary(nodes.root, 0o600, 0, 0)
        handle = nodes.open(node, os.O_RDWR)
        handle.pwrite(b"content", 0)
        assert names_below(fs, root) == []
        nodes.link(node, top, "f")
        handle.close()
        assert files_below(fs, root) == {"f": b"content"}
        assert nodes.getattr(node).nlink == 1

    @needs("statvfs")
    def test_a_held_node_outlives_its_name(
        self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str
    ) -> None:
        before = nodes.statvfs()
        node = nodes.create(top, "f", stat.S_IFREG | 0o600, 0, 0)
        held = {node.ino}
        stop = nodes.hold(held)
        nodes.unlink(top, "f")
        nodes.setattr(node, size=10)
        handle = nodes.open(node, os.O_RDWR)
        assert handle.pread(99, 0) == bytes(10)
        handle.close()
        assert nodes.getattr(node).size == 10
        held.clear()
        nodes.forget(node)
        stop()
        after = nodes.statvfs()
        assert after.files - after.files_free == before.files - before.files_free

    def test_open(self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        nodes.open(node_at(nodes, f"{root}/f"), os.O_WRONLY | os.O_TRUNC).close()
        assert fs.cat_file(f"{root}/f") == b""
        with fails_with(errno.EISDIR):
            nodes.open(top, os.O_RDONLY)
        with fails_with(errno.EINVAL):
            nodes.open(nodes.create(top, "fifo", stat.S_IFIFO | 0o600, 0, 0), os.O_RDONLY)

    def test_setattr_changes_what_is_given(self, nodes: NodeOperations, top: Node) -> None:
        node = nodes.create(top, "f", stat.S_IFREG | 0o644, 1, 2)
        nodes.setattr(node, size=5, mode=0o600)
        nodes.setattr(node, uid=7, gid=8, atime_ns=9, mtime_ns=10)
        after = nodes.getattr(node)
        assert (after.size, after.mode, after.uid, after.gid) == (5, stat.S_IFREG | 0o600, 7, 8)
        assert (after.atime_ns, after.mtime_ns) == (9, 10)
        nodes.setattr(node, ctime_ns=11)
        assert nodes.getattr(node).ctime_ns == 11
        for size, code in ((-1, errno.EINVAL), (2**63, errno.EFBIG)):
            with fails_with(code):
                nodes.setattr(node, size=size)
        with fails_with(errno.EISDIR):
            nodes.setattr(top, size=0)

    def test_a_failed_setattr_changes_nothing(self, nodes: NodeOperations, top: Node) -> None:
        with fails_with(errno.EISDIR):
            nodes.setattr(top, size=0, mode=0o700, uid=5)
        after = nodes.getattr(top)
        assert (after.mode & 0o7777, after.uid) == (0o755, top.uid)

    def test_reading_and_writing_without_a_handle(self, nodes: NodeOperations, top: Node) -> None:
        require_stateless(nodes)
        node = nodes.create(top, "f", stat.S_IFREG | 0o644, 0, 0)
        assert nodes.write(node, b"content", 3) == 7
        assert b"".join(nodes.read(node, 99, 0)) == b"\0\0\0content"
        assert b"".join(nodes.read(node, 99, 99)) == b""
        with fails_with(errno.EFBIG):
            nodes.write(node, b"x", 2**63 - 1)

    def test_appending_without_a_handle(
        self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str
    ) -> None:
        require_stateless(nodes)
        node = nodes.create(top, "f", stat.S_IFREG | 0o644, 0, 0)
        assert nodes.append(node, b"one") == 3
        with fs.open(f"{root}/f", "ab") as file:
            file.write(b"two")
        assert nodes.append(node, memoryview(b"three")) == 5
        assert node.size == 11
        fs.posix.truncate(f"{root}/f", 4)
        assert nodes.append(node, b"!") == 1
        assert nodes.append(node, b"") == 0
        assert nodes.getattr(node).size == 5
        assert b"".join(nodes.read(node, 99, 0)) == b"onet!"

    def test_nobody_appends_over_others(
        self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str
    ) -> None:
        require_stateless(nodes)
        nodes.create(top, "log", stat.S_IFREG | 0o644, 0, 0)

        def append(number: int) -> None:
            own = same_filesystem(fs)
            if number % 2:
                view: NodeOperations = own.posix.nodes
                node = node_at(view, f"{root}/log")
                for step in range(40):
                    assert view.append(node, b"%d %3d\n" % (number, step)) == 6
            else:
                with own.posix.open_handle(f"{root}/log", os.O_WRONLY | os.O_APPEND) as handle:
                    for step in range(40):
                        handle.pwrite(b"%d %3d\n" % (number, step), 0)

        in_threads(6, append)
        lines = [tuple(map(int, line.split())) for line in fs.cat_file(f"{root}/log").splitlines()]
        assert sorted(lines) == [(number, step) for number in range(6) for step in range(40)]
        for number in range(6):
            assert [step for owner, step in lines if owner == number] == list(range(40))

    def test_pieces_that_were_read_stay_as_they_were(self, nodes: NodeOperations, top: Node) -> None:
        require_stateless(nodes)
        for size in (1000, 200_000):
            node = nodes.create(top, str(size), stat.S_IFREG | 0o644, 0, 0)
            nodes.write(node, b"a" * size, 0)
            nodes.write(node, b"a", 5)
            nodes.read(node, size, 0)
            nodes.setattr(node, size=10)
            nodes.setattr(node, size=size)
            assert b"".join(nodes.read(node, size, 0)) == b"a" * 10 + bytes(size - 10)

    def test_xattrs(self, nodes: NodeOperations, top: Node) -> None:
        nodes.setxattr(top, "user.a", b"1")
        assert nodes.getxattr(top, "user.a") == b"1"
        assert nodes.listxattr(top) == ["user.a"]
        nodes.removexattr(top, "user.a")
        assert nodes.getxattr(top, "user.a") is None
        with fails_with(errno.ENODATA):
            nodes.removexattr(top, "user.a")

    def test_watchers_hear_of_others(self, fs: AbstractFileSystem, nodes: NodeOperations, top: Node, root: str) -> None:
        heard: list[tuple[int | None, str, int | None]] = []

        def listen(directory: Node | None, name: str, node: Node | None) -> None:
            heard.append((directory.ino if directory else None, name, node.ino if node else None))

        stop = nodes.watch(listen)
        nodes.create(top, "mine", stat.S_IFREG | 0o644, 0, 0)
        assert heard == []
        fs.pipe_file(f"{root}/theirs", b"1")
        node = node_at(nodes, f"{root}/theirs")
        assert (top.ino, "theirs", node.ino) in heard
        heard.clear()
        fs.pipe_file(f"{root}/theirs", b"2")
        assert any(told in heard for told in ((None, "", node.ino), (top.ino, "theirs", node.ino), (None, "", None)))
        heard.clear()
        fs.rm_file(f"{root}/theirs")
        assert (top.ino, "theirs", None) in heard
        heard.clear()
        stop()
        fs.pipe_file(f"{root}/unheard", b"")
        assert heard == []

    def test_sync_statvfs_and_close(self, fs: AbstractFileSystem, root: str) -> None:
        view = fs.posix.nodes
        assert isinstance(view.stateless, bool)
        assert isinstance(view.slow, bool)
        view.fsync(view.root)
        view.sync()
        assert view.statvfs().block_size > 0
        view.close()
        assert fs.exists(root)
