"""Files that are made with content and attributes at once, by inode operations."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import replace

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.nodes import Node, WholeFile, WholeFileNodes
from chuk_fsspec.testing.checks import fails_with, files_below, node_at, same_filesystem
from chuk_fsspec.testing.needs import needs

FILE = WholeFile("f", b"content", 0o4750, 12, 34, 10**18 + 1, 10**18 + 2, {"user.a": b"1", "user.b": b""})


@needs("whole_files", "nodes", "attributes", "xattrs", "symlinks")
class WholeFiles:
    """``contract.WholeFileNodes``, on a view that ``posix.nodes`` gives."""

    @pytest.fixture
    def nodes(self, fs: AbstractFileSystem) -> WholeFileNodes:
        """A view of the filesystem under test."""
        view: WholeFileNodes = fs.posix.nodes
        return view

    @pytest.fixture
    def top(self, nodes: WholeFileNodes, root: str) -> Node:
        """The node of the test's own directory."""
        return node_at(nodes, root)

    def test_all_of_it_is_there(self, fs: AbstractFileSystem, nodes: WholeFileNodes, top: Node, root: str) -> None:
        large = replace(FILE, name="large", data=os.urandom(300_000), xattrs={})
        nodes.make_files(top, [FILE, large])
        assert files_below(fs, root) == {"f": b"content", "large": large.data}
        found = fs.posix.stat(f"{root}/f")
        assert (found.st_mode, found.st_uid, found.st_gid) == (stat.S_IFREG | 0o4750, 12, 34)
        assert (found.st_atime_ns, found.st_mtime_ns, found.st_nlink) == (10**18 + 1, 10**18 + 2, 1)
        assert found.st_ctime_ns > found.st_mtime_ns
        assert {name: fs.posix.getxattr(f"{root}/f", name) for name in fs.posix.listxattr(f"{root}/f")} == FILE.xattrs
        assert fs.posix.listxattr(f"{root}/large") == []

    def test_times_that_are_not_given_are_now(self, nodes: WholeFileNodes, top: Node) -> None:
        [made] = nodes.make_files(top, [replace(FILE, atime_ns=None, mtime_ns=None)])
        assert made.atime_ns == made.mtime_ns == made.ctime_ns

    def test_the_directory_may_say_the_group(
        self, fs: AbstractFileSystem, nodes: WholeFileNodes, top: Node, root: str
    ) -> None:
        fs.posix.chown(root, -1, 77)
        fs.posix.chmod(root, 0o2755)
        fs.posix.utime(root, ns=(0, 0))
        [made] = nodes.make_files(top, [FILE])
        assert made.gid == 77
        assert fs.posix.stat(root).st_mtime_ns > 0

    def test_what_is_there_is_kept_unless_it_is_replaced(
        self, fs: AbstractFileSystem, nodes: WholeFileNodes, top: Node, root: str
    ) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        old = node_at(nodes, f"{root}/f")
        with fails_with(errno.EEXIST):
            nodes.make_files(top, [replace(FILE, name="other"), FILE])
        assert files_below(fs, root) == {"f": b"old"}
        with fs.posix.open_handle(f"{root}/f") as handle:
            [made] = nodes.make_files(top, [FILE], replace=True)
            assert handle.pread(9, 0) == b"old"
        assert made.ino != old.ino
        assert files_below(fs, root) == {"f": b"content"}

    def test_a_link_is_replaced_and_not_followed(
        self, fs: AbstractFileSystem, nodes: WholeFileNodes, top: Node, root: str
    ) -> None:
        fs.pipe_file(f"{root}/behind", b"old")
        fs.posix.symlink("behind", f"{root}/f")
        assert fs.cat_file(f"{root}/f") == b"old"
        nodes.make_files(top, [FILE], replace=True)
        assert files_below(fs, root) == {"behind": b"old", "f": b"content"}

    def test_another_name_of_what_is_replaced_stays(
        self, fs: AbstractFileSystem, nodes: WholeFileNodes, top: Node, root: str
    ) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        fs.posix.link(f"{root}/f", f"{root}/twin")
        nodes.make_files(top, [FILE], replace=True)
        assert files_below(fs, root) == {"f": b"content", "twin": b"old"}
        assert fs.posix.stat(f"{root}/twin").st_nlink == 1

    @pytest.mark.parametrize(
        ("bad", "code"),
        [
            (replace(FILE, name="directory"), errno.EISDIR),
            (replace(FILE, name="first"), errno.EEXIST),
            (replace(FILE, name="x" * 256), errno.ENAMETOOLONG),
            (replace(FILE, xattrs={"user.a": bytes(70_000)}), errno.E2BIG),
            (replace(FILE, xattrs={"user." + "x" * 300: b""}), errno.ERANGE),
        ],
        ids=["directory", "twice", "long name", "large attribute", "long attribute"],
    )
    def test_all_are_made_or_none(
        self, fs: AbstractFileSystem, nodes: WholeFileNodes, top: Node, root: str, bad: WholeFile, code: int
    ) -> None:
        fs.pipe({f"{root}/f": b"old", f"{root}/directory/x": b""})
        with fails_with(code):
            nodes.make_files(top, [replace(FILE, name="first"), bad], replace=True)
        assert files_below(fs, root) == {"f": b"old", "directory/x": b""}

    def test_not_in_what_is_no_directory_or_is_gone(
        self, fs: AbstractFileSystem, nodes: WholeFileNodes, top: Node, root: str
    ) -> None:
        [made] = nodes.make_files(top, [FILE])
        with fails_with(errno.ENOTDIR):
            nodes.make_files(made, [FILE])
        gone = nodes.mkdir(top, "d", 0o755, 0, 0)
        nodes.rmdir(top, "d")
        with fails_with(errno.ENOENT):
            nodes.make_files(gone, [FILE])

    @needs("transactions")
    def test_a_transaction_undoes_it(self, fs: AbstractFileSystem, nodes: WholeFileNodes, top: Node, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        with pytest.raises(KeyError), fs.transaction:  # noqa: PT012 - the block is what fails
            nodes.make_files(top, [FILE, replace(FILE, name="new")], replace=True)
            raise KeyError
        assert files_below(fs, root) == {"f": b"old"}

    def test_watchers_hear_of_it(self, fs: AbstractFileSystem, nodes: WholeFileNodes, root: str) -> None:
        heard: list[tuple[int | None, str]] = []
        stop = nodes.watch(lambda directory, name, node: heard.append((directory.ino if directory else None, name)))
        others: WholeFileNodes = same_filesystem(fs).posix.nodes
        top = node_at(others, root)
        others.make_files(top, [FILE, replace(FILE, name="g")])
        stop()
        assert [entry for entry in heard if entry[1]] == [(top.ino, "f"), (top.ino, "g")]
