"""Moving: a rename is one step, with POSIX's answers to the odd cases."""

from __future__ import annotations

import errno
from contextlib import suppress

from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import fails_with, files_below, names_below
from chuk_fsspec.testing.needs import needs


class Moving:
    """``mv`` on any filesystem that can be written to."""

    def test_a_file_moves(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        fs.mv(f"{root}/a", f"{root}/b")
        assert files_below(fs, root) == {"b": b"content"}

    def test_a_tree_moves(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/d/{path}": path.encode() for path in ("f", "e/g", "e/h/i")})
        fs.mv(f"{root}/d", f"{root}/new", recursive=True)
        assert files_below(fs, root) == {"new/f": b"f", "new/e/g": b"e/g", "new/e/h/i": b"e/h/i"}

    def test_a_directory_as_target_takes_the_source_inside(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"1", f"{root}/b": b"2", f"{root}/d/f": b"3"})
        fs.mv(f"{root}/a", f"{root}/d")
        fs.mv(f"{root}/b", f"{root}/new/")
        assert files_below(fs, root) == {"d/a": b"1", "d/f": b"3", "new/b": b"2"}

    def test_lists_and_patterns_move(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a1": b"1", f"{root}/a2": b"2", f"{root}/b": b"3", f"{root}/c": b"4"})
        fs.mv(f"{root}/a*", f"{root}/globbed/")
        fs.mv([f"{root}/b", f"{root}/c"], [f"{root}/x", f"{root}/y"])
        assert files_below(fs, root) == {"globbed/a1": b"1", "globbed/a2": b"2", "x": b"3", "y": b"4"}

    def test_a_pattern_keeps_the_directories_below_it(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/d/{path}": path.encode() for path in ("a/x", "b/x", "c/y")})
        fs.mv(f"{root}/d/*/x", f"{root}/new")
        assert files_below(fs, root) == {"d/c/y": b"c/y", "new/a/x": b"a/x", "new/b/x": b"b/x"}

    def test_what_is_too_deep_for_maxdepth_is_not_lost(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/d/{path}": path.encode() for path in ("f", "e/g", "e/h/i")})
        with suppress(ValueError):
            fs.mv(f"{root}/d", f"{root}/new", recursive=True, maxdepth=1)
        assert sorted(files_below(fs, root).values()) == [b"e/g", b"e/h/i", b"f"]

    def test_onto_itself_nothing_happens(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        fs.mv(f"{root}/a", f"{root}/a")
        assert files_below(fs, root) == {"a": b"content"}

    def test_a_missing_source_is_an_error(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/b", b"content")
        for target in (f"{root}/b", f"{root}/new", f"{root}/missing"):
            with fails_with(errno.ENOENT, f"{root}/missing"):
                fs.mv(f"{root}/missing", target)
        assert files_below(fs, root) == {"b": b"content"}


@needs("rename")
class Renaming:
    """``mv`` where it is one atomic step."""

    def test_a_directory_moves_without_being_asked_to_recurse(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/e/f", b"content")
        fs.mv(f"{root}/d", f"{root}/new")
        assert files_below(fs, root) == {"new/e/f": b"content"}

    @needs("directories")
    def test_empty_directories_move(self, fs: AbstractFileSystem, root: str) -> None:
        fs.makedirs(f"{root}/d/empty")
        fs.mv(f"{root}/d", f"{root}/new")
        assert names_below(fs, root) == ["new", "new/empty"]

    def test_a_directory_cannot_move_into_itself(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/e/f", b"content")
        for target in (f"{root}/d/x", f"{root}/d/e/x", f"{root}/d/e"):
            with fails_with(errno.EINVAL):
                fs.mv(f"{root}/d", target)
        assert files_below(fs, root) == {"d/e/f": b"content"}

    def test_a_failed_move_makes_no_directories(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        with fails_with(errno.EINVAL):
            fs.mv(f"{root}/d", f"{root}/d/new/x")
        with fails_with(errno.ENOENT):
            fs.mv(f"{root}/missing", f"{root}/new/x")
        assert names_below(fs, root) == ["d", "d/f"]

    @needs("modified_times")
    def test_a_moved_file_keeps_its_times(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        before = fs.info(f"{root}/a")
        fs.mv(f"{root}/a", f"{root}/b")
        after = fs.info(f"{root}/b")
        assert (after["mtime"], after["created"]) == (before["mtime"], before["created"])

    @needs("attributes")
    def test_a_moved_file_is_the_same_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        fs.posix.chmod(f"{root}/a", 0o600)
        before = fs.posix.stat(f"{root}/a")
        fs.mv(f"{root}/a", f"{root}/d/b")
        after = fs.posix.stat(f"{root}/d/b")
        assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)

    @needs("attributes")
    def test_so_is_each_of_many(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/{name}": b"" for name in ("a1", "a2", "b", "c")})
        numbers = [fs.posix.stat(f"{root}/{name}").st_ino for name in ("a1", "a2", "b", "c")]
        fs.mv(f"{root}/a*", f"{root}/d")
        fs.mv([f"{root}/b"], f"{root}/d")
        fs.mv([f"{root}/c"], [f"{root}/d/new"])
        assert [fs.posix.stat(f"{root}/d/{name}").st_ino for name in ("a1", "a2", "b", "new")] == numbers

    def test_a_directory_matched_by_a_pattern_moves_whole(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/d1/f": b"1", f"{root}/d2/e/g": b"2"})
        fs.mv(f"{root}/d?", f"{root}/new", recursive=True)
        assert files_below(fs, root) == {"new/d1/f": b"1", "new/d2/e/g": b"2"}


@needs("rename", "replace")
class Replacing:
    """``mv`` over a file that exists."""

    def test_a_file_replaces_a_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"new", f"{root}/b": b"a longer old one"})
        fs.mv(f"{root}/a", f"{root}/b")
        assert files_below(fs, root) == {"b": b"new"}

    @needs("directories")
    def test_a_directory_does_not_replace_a_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/d/f": b"1", f"{root}/b": b"2"})
        with fails_with(errno.ENOTDIR):
            fs.mv(f"{root}/d", f"{root}/b")
        assert files_below(fs, root) == {"d/f": b"1", "b": b"2"}

    @needs("directories")
    def test_a_directory_inside_the_target_is_in_the_way(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/d/f": b"1", f"{root}/target/d/g": b"2", f"{root}/a": b"3", f"{root}/target/a/h": b"4"})
        with fails_with(errno.ENOTEMPTY):
            fs.mv(f"{root}/d", f"{root}/target")
        with fails_with(errno.EISDIR):
            fs.mv(f"{root}/a", f"{root}/target")
        assert files_below(fs, root) == {"d/f": b"1", "target/d/g": b"2", "a": b"3", "target/a/h": b"4"}

    def test_a_reader_of_the_replaced_file_reads_on(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"new", f"{root}/b": b"old content"})
        with fs.open(f"{root}/b", "rb") as file:
            assert file.read(3) == b"old"
            fs.mv(f"{root}/a", f"{root}/b")
            assert file.read() == b" content"
