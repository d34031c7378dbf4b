"""Removing files and trees."""

from __future__ import annotations

import errno
import os

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import fails_with, files_below, names_below
from chuk_fsspec.testing.needs import needs


class Removing:
    """``rm_file`` and ``rm``."""

    @pytest.fixture
    def tree(self, fs: AbstractFileSystem, root: str) -> str:
        """A directory with a small tree."""
        fs.pipe({f"{root}/{path}": b"" for path in ("a1", "a2", "b", "d/c", "d/e/f")})
        return root

    def test_rm_file(self, fs: AbstractFileSystem, tree: str) -> None:
        fs.rm_file(f"{tree}/b")
        fs.rm(f"{tree}/d/c")
        assert list(files_below(fs, tree)) == ["a1", "a2", "d/e/f"]

    def test_what_is_missing_cannot_be_removed(self, fs: AbstractFileSystem, tree: str) -> None:
        for remove in (fs.rm_file, fs.rm, lambda path: fs.rm(path, recursive=True)):
            with fails_with(errno.ENOENT, f"{tree}/missing"):
                remove(f"{tree}/missing")

    def test_a_directory_needs_recursive(self, fs: AbstractFileSystem, tree: str) -> None:
        for remove in (fs.rm_file, fs.rm):
            with fails_with(errno.EISDIR, f"{tree}/d"):
                remove(f"{tree}/d")
        assert len(files_below(fs, tree)) == 5
        fs.rm(f"{tree}/d", recursive=True)
        assert names_below(fs, tree) == ["a1", "a2", "b"]

    def test_recursive_takes_a_file_too(self, fs: AbstractFileSystem, tree: str) -> None:
        fs.rm(f"{tree}/b", recursive=True)
        fs.delete(f"{tree}/d", recursive=True)
        assert names_below(fs, tree) == ["a1", "a2"]

    def test_lists_and_patterns(self, fs: AbstractFileSystem, tree: str) -> None:
        fs.rm([f"{tree}/b", f"{tree}/d"], recursive=True)
        assert names_below(fs, tree) == ["a1", "a2"]
        fs.rm(f"{tree}/a*")
        assert names_below(fs, tree) == []

    def test_a_pattern_takes_trees_if_recursive(self, fs: AbstractFileSystem, tree: str) -> None:
        fs.rm(f"{tree}/[db]", recursive=True)
        assert names_below(fs, tree) == ["a1", "a2"]

    @needs("directories")
    def test_maxdepth_leaves_what_is_deeper(self, fs: AbstractFileSystem, tree: str) -> None:
        fs.rm(f"{tree}/d", recursive=True, maxdepth=1)
        assert names_below(fs, tree) == ["a1", "a2", "b", "d", "d/e", "d/e/f"]

    def test_a_pattern_without_a_match_is_an_error(self, fs: AbstractFileSystem, tree: str) -> None:
        with pytest.raises(FileNotFoundError):
            fs.rm(f"{tree}/none*")

    def test_only_what_is_named_goes(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/{path}": b"" for path in ("d/f", "d2/f", "d.txt")})
        fs.rm(f"{root}/d", recursive=True)
        assert list(files_below(fs, root)) == ["d.txt", "d2/f"]

    def test_a_reader_reads_on(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        with fs.open(f"{root}/f", "rb") as file:
            assert file.read(3) == b"con"
            fs.rm_file(f"{root}/f")
            assert file.read() == b"tent"

    def test_a_removed_name_can_be_used_again(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/x", b"file")
        fs.rm(f"{root}/x")
        fs.pipe_file(f"{root}/x/y", b"below")
        fs.rm(f"{root}/x", recursive=True)
        fs.pipe_file(f"{root}/x", b"file again")
        assert files_below(fs, root) == {"x": b"file again"}


@needs("random_write", "attributes")
class RemovingOpenFiles:
    """A file without a name lives on while it is open."""

    def test_a_handle_outlives_the_name(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        with fs.posix.open_handle(f"{root}/f", os.O_RDWR) as handle:
            fs.rm_file(f"{root}/f")
            fs.pipe_file(f"{root}/f", b"another file")
            handle.pwrite(b"C", 0)
            assert handle.pread(99, 0) == b"Content"
            assert handle.stat().st_nlink == 0
        assert files_below(fs, root) == {"f": b"another file"}

    def test_a_handle_outlives_the_tree(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/e/f", b"content")
        with fs.posix.open_handle(f"{root}/d/e/f") as handle:
            fs.rm(f"{root}/d", recursive=True)
            assert handle.pread(99, 0) == b"content"
        assert names_below(fs, root) == []

    def test_unlink_and_rmdir_know_their_kinds(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        with fails_with(errno.EISDIR, f"{root}/d"):
            fs.posix.unlink(f"{root}/d")
        with fails_with(errno.ENOTDIR, f"{root}/d/f"):
            fs.posix.rmdir(f"{root}/d/f")
        with fails_with(errno.ENOTEMPTY, f"{root}/d"):
            fs.posix.rmdir(f"{root}/d")
        fs.posix.unlink(f"{root}/d/f")
        fs.posix.rmdir(f"{root}/d")
        for remove in (fs.posix.unlink, fs.posix.rmdir):
            with fails_with(errno.ENOENT, f"{root}/d"):
                remove(f"{root}/d")
