"""Directories: made, kept while empty, and removed."""

from __future__ import annotations

import errno

from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import fails_with, files_below, names_below
from chuk_fsspec.testing.needs import needs


@needs("directories")
class Directories:
    """``mkdir``, ``makedirs`` and ``rmdir``."""

    def test_mkdir_makes_an_empty_directory(self, fs: AbstractFileSystem, root: str) -> None:
        fs.mkdir(f"{root}/d")
        assert fs.isdir(f"{root}/d")
        assert fs.info(f"{root}/d")["type"] == "directory"
        assert fs.ls(f"{root}/d") == []
        assert names_below(fs, root) == ["d"]

    def test_mkdir_makes_parents_unless_told_not_to(self, fs: AbstractFileSystem, root: str) -> None:
        fs.mkdir(f"{root}/a/b/c")
        assert names_below(fs, root) == ["a", "a/b", "a/b/c"]
        with fails_with(errno.ENOENT, f"{root}/x/y"):
            fs.mkdir(f"{root}/x/y", create_parents=False)
        assert not fs.exists(f"{root}/x")

    def test_mkdir_refuses_what_exists(self, fs: AbstractFileSystem, root: str) -> None:
        fs.mkdir(f"{root}/d")
        fs.pipe_file(f"{root}/f", b"content")
        for path in (f"{root}/d", f"{root}/f", "/"):
            with fails_with(errno.EEXIST, path):
                fs.mkdir(path)
        assert files_below(fs, root) == {"f": b"content"}

    def test_makedirs(self, fs: AbstractFileSystem, root: str) -> None:
        fs.makedirs(f"{root}/a/b/c")
        fs.makedirs(f"{root}/a/b/c", exist_ok=True)
        fs.makedirs("/", exist_ok=True)
        assert names_below(fs, root) == ["a", "a/b", "a/b/c"]
        with fails_with(errno.EEXIST, f"{root}/a/b"):
            fs.makedirs(f"{root}/a/b")

    def test_makedirs_refuses_a_file_whatever_is_ok(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        for exist_ok in (True, False):
            with fails_with(errno.EEXIST, f"{root}/f"):
                fs.makedirs(f"{root}/f", exist_ok=exist_ok)

    def test_nothing_is_made_below_a_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        with fails_with(errno.ENOTDIR, f"{root}/f/d"):
            fs.mkdir(f"{root}/f/d")
        with fails_with(errno.ENOTDIR, f"{root}/f/d/e"):
            fs.makedirs(f"{root}/f/d/e")
        with fails_with(errno.ENOTDIR, f"{root}/f/d/e"):
            fs.makedirs(f"{root}/f/d/e", exist_ok=True)
        assert names_below(fs, root) == ["f"]

    def test_a_directory_outlives_its_last_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        fs.rm_file(f"{root}/d/f")
        assert fs.isdir(f"{root}/d")
        assert fs.ls(f"{root}/d") == []

    def test_rmdir_removes_an_empty_directory(self, fs: AbstractFileSystem, root: str) -> None:
        fs.mkdir(f"{root}/a/b")
        fs.rmdir(f"{root}/a/b")
        assert names_below(fs, root) == ["a"]

    def test_rmdir_refuses_all_else(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        with fails_with(errno.ENOTEMPTY, f"{root}/d"):
            fs.rmdir(f"{root}/d")
        with fails_with(errno.ENOTDIR, f"{root}/d/f"):
            fs.rmdir(f"{root}/d/f")
        with fails_with(errno.ENOENT, f"{root}/missing"):
            fs.rmdir(f"{root}/missing")
        with fails_with(errno.EBUSY, "/"):
            fs.rmdir("/")
        assert files_below(fs, root) == {"d/f": b"content"}

    def test_a_deep_tree(self, fs: AbstractFileSystem, root: str) -> None:
        deep = root + "/d" * 200
        fs.makedirs(deep)
        fs.pipe_file(f"{deep}/f", b"content")
        assert fs.cat_file(f"{deep}/f") == b"content"
        assert fs.find(root) == [f"{deep}/f"]
        fs.rm(f"{root}/d", recursive=True)
        assert fs.ls(root) == []
