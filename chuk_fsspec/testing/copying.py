"""Copying inside the filesystem. fsspec's own abstract suite has the rules for targets; these are the others."""

from __future__ import annotations

import errno
import os

from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import fails_with, files_below, names_below
from chuk_fsspec.testing.needs import needs


class Copying:
    """``cp_file`` and ``copy``."""

    def test_a_copy_has_the_content(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content" * 20_000)
        fs.cp_file(f"{root}/a", f"{root}/b")
        assert fs.cat_file(f"{root}/b") == fs.cat_file(f"{root}/a") == b"content" * 20_000

    def test_a_copy_replaces(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"new", f"{root}/b": b"a longer old one"})
        fs.cp_file(f"{root}/a", f"{root}/b")
        assert files_below(fs, root) == {"a": b"new", "b": b"new"}

    def test_a_copy_onto_itself_changes_nothing(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        fs.cp_file(f"{root}/a", f"{root}/a")
        assert files_below(fs, root) == {"a": b"content"}

    def test_copy_and_original_part_ways(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        fs.cp_file(f"{root}/a", f"{root}/b")
        fs.pipe_file(f"{root}/a", b"other")
        fs.cp_file(f"{root}/b", f"{root}/c")
        fs.rm_file(f"{root}/b")
        assert files_below(fs, root) == {"a": b"other", "c": b"content"}

    @needs("random_write")
    def test_copy_and_original_part_ways_when_edited_in_place(self, fs: AbstractFileSystem, root: str) -> None:
        data = b"x" * 200_000
        fs.pipe_file(f"{root}/a", data)
        for name in "bcd":
            fs.cp_file(f"{root}/a", f"{root}/{name}")
        for name, offset in (("a", 0), ("b", 70_000), ("c", 199_999)):
            with fs.posix.open_handle(f"{root}/{name}", os.O_RDWR) as handle:
                handle.pwrite(b"!", offset)
            fs.cp_file(f"{root}/{name}", f"{root}/{name}{name}")
        with fs.posix.open_handle(f"{root}/bb", os.O_RDWR) as handle:
            handle.truncate(10)
        marks = {
            name: [i for i, byte in enumerate(read) if byte != ord("x")] for name, read in files_below(fs, root).items()
        }
        assert marks == {
            "a": [0], "aa": [0], "b": [70_000], "bb": [], "c": [199_999], "cc": [199_999], "d": [],
        }  # fmt: skip
        assert fs.size(f"{root}/bb") == 10

    def test_a_missing_source_is_an_error(self, fs: AbstractFileSystem, root: str) -> None:
        with fails_with(errno.ENOENT, f"{root}/missing"):
            fs.cp_file(f"{root}/missing", f"{root}/b")
        with fails_with(errno.ENOENT, f"{root}/missing"):
            fs.copy(f"{root}/missing", f"{root}/b")
        assert fs.find(root) == []

    def test_a_directory_is_not_overwritten(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"1", f"{root}/d/f": b"2"})
        with fails_with(errno.EISDIR, f"{root}/d"):
            fs.cp_file(f"{root}/a", f"{root}/d")
        assert files_below(fs, root) == {"a": b"1", "d/f": b"2"}

    def test_a_tree(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/d/a": b"1", f"{root}/d/e/b": b"2"})
        fs.copy(f"{root}/d", f"{root}/new", recursive=True)
        fs.cp(f"{root}/d", f"{root}/new", recursive=True)
        assert files_below(fs, root) == {
            "d/a": b"1", "d/e/b": b"2", "new/a": b"1", "new/e/b": b"2", "new/d/a": b"1", "new/d/e/b": b"2",
        }  # fmt: skip

    @needs("directories")
    def test_a_tree_keeps_empty_directories(self, fs: AbstractFileSystem, root: str) -> None:
        fs.makedirs(f"{root}/d/empty")
        fs.copy(f"{root}/d", f"{root}/new", recursive=True)
        assert names_below(fs, root) == ["d", "d/empty", "new", "new/empty"]

    def test_a_tree_into_itself_ends(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/d/a": b"1", f"{root}/d/e/b": b"2"})
        fs.copy(f"{root}/d", f"{root}/d/copy", recursive=True)
        assert files_below(fs, root) == {"d/a": b"1", "d/e/b": b"2", "d/copy/a": b"1", "d/copy/e/b": b"2"}

    def test_lists_and_patterns(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a1": b"1", f"{root}/a2": b"2", f"{root}/b": b"3"})
        fs.copy(f"{root}/a*", f"{root}/globbed/")
        fs.copy([f"{root}/a1", f"{root}/b"], [f"{root}/x", f"{root}/y"])
        assert files_below(fs, f"{root}/globbed") == {"a1": b"1", "a2": b"2"}
        assert (fs.cat_file(f"{root}/x"), fs.cat_file(f"{root}/y")) == (b"1", b"3")

    @needs("attributes")
    def test_a_copy_has_the_permissions(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"#!/bin/sh\n")
        fs.posix.chmod(f"{root}/a", 0o751)
        fs.cp_file(f"{root}/a", f"{root}/b")
        assert fs.posix.stat(f"{root}/b").st_mode & 0o7777 == 0o751
