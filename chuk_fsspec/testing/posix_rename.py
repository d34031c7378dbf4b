"""``posix.rename``: rename(2) and renameat2(2), with the answers of POSIX to the odd cases."""

from __future__ import annotations

import errno
import os

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.posix import RENAME_EXCHANGE, RENAME_NOREPLACE
from chuk_fsspec.testing.checks import fails_with, files_below, names_below
from chuk_fsspec.testing.needs import needs


@needs("attributes", "directories", "rename", "replace")
class PosixRename:
    """``posix.rename`` is rename(2): the target is the new name and nothing else."""

    def test_a_file_over_a_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"new", f"{root}/b": b"old"})
        ino = fs.posix.stat(f"{root}/a").st_ino
        fs.posix.rename(f"{root}/a", f"{root}/b")
        assert files_below(fs, root) == {"b": b"new"}
        assert fs.posix.stat(f"{root}/b").st_ino == ino

    def test_a_directory_over_an_empty_one(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        fs.mkdir(f"{root}/empty")
        fs.posix.rename(f"{root}/d", f"{root}/empty")
        assert files_below(fs, root) == {"empty/f": b"content"}

    def test_a_directory_over_one_that_is_not_empty(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/d/f": b"1", f"{root}/e/g": b"2"})
        with fails_with(errno.ENOTEMPTY, f"{root}/d", f"{root}/e"):
            fs.posix.rename(f"{root}/d", f"{root}/e")
        assert files_below(fs, root) == {"d/f": b"1", "e/g": b"2"}

    def test_unlike_kinds(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        fs.mkdir(f"{root}/d")
        with fails_with(errno.EISDIR, f"{root}/f", f"{root}/d"):
            fs.posix.rename(f"{root}/f", f"{root}/d")
        with fails_with(errno.ENOTDIR, f"{root}/d", f"{root}/f"):
            fs.posix.rename(f"{root}/d", f"{root}/f")
        assert names_below(fs, root) == ["d", "f"]

    def test_onto_itself(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/f": b"1", f"{root}/d/g": b"2"})
        fs.posix.rename(f"{root}/f", f"{root}/f")
        fs.posix.rename(f"{root}/d", f"{root}/d")
        assert files_below(fs, root) == {"f": b"1", "d/g": b"2"}

    def test_into_itself(self, fs: AbstractFileSystem, root: str) -> None:
        fs.makedirs(f"{root}/d/e")
        for target in (f"{root}/d/x", f"{root}/d/e/x", f"{root}/d/e"):
            with fails_with(errno.EINVAL, f"{root}/d", target):
                fs.posix.rename(f"{root}/d", target)
        assert names_below(fs, root) == ["d", "d/e"]

    def test_over_what_holds_it(self, fs: AbstractFileSystem, root: str) -> None:
        fs.makedirs(f"{root}/d/e")
        with fails_with(errno.ENOTEMPTY, f"{root}/d/e", f"{root}/d"):
            fs.posix.rename(f"{root}/d/e", f"{root}/d")

    def test_missing_ends(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        with fails_with(errno.ENOENT, f"{root}/missing", f"{root}/x"):
            fs.posix.rename(f"{root}/missing", f"{root}/x")
        with fails_with(errno.ENOENT, f"{root}/f", f"{root}/missing/x"):
            fs.posix.rename(f"{root}/f", f"{root}/missing/x")
        with fails_with(errno.ENOTDIR, f"{root}/f", f"{root}/f/x"):
            fs.posix.rename(f"{root}/f", f"{root}/f/x")
        assert files_below(fs, root) == {"f": b"content"}

    def test_the_root_stays(self, fs: AbstractFileSystem, root: str) -> None:
        with fails_with(errno.EBUSY, "/", f"{root}/x"):
            fs.posix.rename("/", f"{root}/x")
        with fails_with(errno.EBUSY, root, "/"):
            fs.posix.rename(root, "/")

    def test_an_overlong_name(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        with fails_with(errno.ENAMETOOLONG):
            fs.posix.rename(f"{root}/f", f"{root}/{'x' * 256}")
        assert files_below(fs, root) == {"f": b"content"}

    def test_link_counts_of_directories_follow(self, fs: AbstractFileSystem, root: str) -> None:
        fs.makedirs(f"{root}/a/d")
        fs.mkdir(f"{root}/b")
        fs.posix.rename(f"{root}/a/d", f"{root}/b/d")
        assert [fs.posix.stat(f"{root}/{path}").st_nlink for path in ("a", "b", "b/d")] == [2, 3, 2]

    @needs("random_write")
    def test_open_handles_follow(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"first", f"{root}/b": b"second"})
        with fs.posix.open_handle(f"{root}/a", os.O_RDWR) as first, fs.posix.open_handle(f"{root}/b") as second:
            fs.posix.rename(f"{root}/a", f"{root}/b")
            first.pwrite(b"FIRST", 0)
            assert second.pread(99, 0) == b"second"
            assert second.stat().st_nlink == 0
        assert files_below(fs, root) == {"b": b"FIRST"}

    @needs("hardlinks")
    def test_two_names_of_one_file_both_stay(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        fs.posix.link(f"{root}/a", f"{root}/b")
        fs.posix.rename(f"{root}/a", f"{root}/b")
        assert files_below(fs, root) == {"a": b"content", "b": b"content"}


@needs("rename_flags")
class RenameFlags:
    """renameat2(2)."""

    def test_noreplace(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"1", f"{root}/b": b"2"})
        with fails_with(errno.EEXIST, f"{root}/a", f"{root}/b"):
            fs.posix.rename(f"{root}/a", f"{root}/b", RENAME_NOREPLACE)
        with fails_with(errno.EEXIST, f"{root}/a", f"{root}/a"):
            fs.posix.rename(f"{root}/a", f"{root}/a", RENAME_NOREPLACE)
        fs.posix.rename(f"{root}/a", f"{root}/c", RENAME_NOREPLACE)
        assert files_below(fs, root) == {"b": b"2", "c": b"1"}

    def test_exchange(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"1", f"{root}/d/f": b"2", f"{root}/e/g": b"3"})
        fs.posix.rename(f"{root}/a", f"{root}/d", RENAME_EXCHANGE)
        fs.posix.rename(f"{root}/a", f"{root}/e/g", RENAME_EXCHANGE)
        assert files_below(fs, root) == {"a": b"3", "d": b"1", "e/g/f": b"2"}
        assert [fs.posix.stat(f"{root}/{path}").st_nlink for path in ("e", "e/g")] == [3, 2]

    def test_exchange_wants_both(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"1")
        with fails_with(errno.ENOENT, f"{root}/a", f"{root}/b"):
            fs.posix.rename(f"{root}/a", f"{root}/b", RENAME_EXCHANGE)

    def test_exchange_makes_no_loop(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/e/f", b"content")
        for one, other in (("d", "d/e"), ("d/e", "d"), ("d", "d/e/f")):
            with fails_with(errno.EINVAL, f"{root}/{one}", f"{root}/{other}"):
                fs.posix.rename(f"{root}/{one}", f"{root}/{other}", RENAME_EXCHANGE)
        assert files_below(fs, root) == {"d/e/f": b"content"}

    def test_flags_do_not_combine(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"1", f"{root}/b": b"2"})
        for flags in (RENAME_NOREPLACE | RENAME_EXCHANGE, 1 << 20):
            with fails_with(errno.EINVAL, f"{root}/a", f"{root}/b"):
                fs.posix.rename(f"{root}/a", f"{root}/b", flags)
