"""Symbolic and hard links."""

from __future__ import annotations

import errno
import os

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import fails_with, files_below, names_below
from chuk_fsspec.testing.needs import needs


@needs("symlinks", "directories")
class SymbolicLinks:
    """``posix.symlink``, ``posix.readlink``, and what everybody else makes of a link."""

    @pytest.mark.parametrize("target", ["a", "../x/./y", "/absolute", "missing", "trailing/", "grün", "x" * 4095])
    def test_a_link_holds_its_target_as_given(self, fs: AbstractFileSystem, root: str, target: str) -> None:
        fs.posix.symlink(target, f"{root}/link")
        assert fs.posix.readlink(f"{root}/link") == target

    @pytest.mark.parametrize("target", ["file", "d/../file", "{root}/file", "./file", "d/up/file"])
    def test_reading_follows(self, fs: AbstractFileSystem, root: str, target: str) -> None:
        fs.pipe({f"{root}/file": b"content", f"{root}/d/f": b""})
        fs.posix.symlink("..", f"{root}/d/up")
        fs.posix.symlink(target.format(root=root), f"{root}/link")
        assert fs.cat_file(f"{root}/link") == b"content"
        with fs.open(f"{root}/link", "rb") as file:
            assert file.read() == b"content"
        assert fs.exists(f"{root}/link")
        assert fs.isfile(f"{root}/link")
        assert fs.posix.stat(f"{root}/link").st_ino == fs.posix.stat(f"{root}/file").st_ino

    def test_writing_follows(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/file", b"old")
        fs.posix.symlink("file", f"{root}/link")
        fs.posix.symlink("d/new", f"{root}/dangling")
        fs.mkdir(f"{root}/d")
        fs.pipe_file(f"{root}/link", b"piped")
        assert fs.cat_file(f"{root}/file") == b"piped"
        with fs.open(f"{root}/link", "wb") as file:
            file.write(b"written")
        fs.pipe_file(f"{root}/dangling", b"through")
        fs.posix.symlink("d/appended", f"{root}/appending")
        with fs.open(f"{root}/appending", "ab") as file:
            file.write(b"one")
        assert fs.cat_file(f"{root}/d/appended") == b"one"
        assert fs.posix.readlink(f"{root}/link") == "file"
        assert fs.posix.readlink(f"{root}/dangling") == "d/new"
        assert fs.cat_file(f"{root}/file") == b"written"
        assert fs.cat_file(f"{root}/d/new") == b"through"

    def test_links_inside_a_path_are_followed(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/e/f", b"content")
        fs.posix.symlink("d/e", f"{root}/link")
        assert fs.cat_file(f"{root}/link/f") == b"content"
        fs.pipe_file(f"{root}/link/g", b"new")
        assert fs.cat_file(f"{root}/d/e/g") == b"new"
        assert sorted(fs.ls(f"{root}/link", detail=False)) == [f"{root}/link/f", f"{root}/link/g"]
        assert fs.isdir(f"{root}/link")

    def test_info_of_a_link_to_a_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/file", b"content")
        fs.posix.symlink("file", f"{root}/link")
        info = fs.info(f"{root}/link")
        assert (info["type"], info["size"], info["islink"], info["destination"]) == ("file", 7, True, "file")
        assert fs.info(f"{root}/file")["islink"] is False

    @pytest.mark.parametrize("target", ["missing", "d", "loop"])
    def test_info_of_a_link_to_anything_else(self, fs: AbstractFileSystem, root: str, target: str) -> None:
        fs.mkdir(f"{root}/d")
        fs.posix.symlink("loop", f"{root}/loop")
        fs.posix.symlink(target, f"{root}/link")
        info = fs.info(f"{root}/link")
        assert (info["type"], info["islink"], info["destination"]) == ("link", True, target)
        assert info in fs.ls(root)

    def test_a_link_to_nothing(self, fs: AbstractFileSystem, root: str) -> None:
        fs.posix.symlink("missing", f"{root}/link")
        assert not fs.exists(f"{root}/link")
        assert fs.lexists(f"{root}/link")
        with fails_with(errno.ENOENT, f"{root}/link"):
            fs.cat_file(f"{root}/link")
        assert names_below(fs, root) == ["link"]

    @needs("exclusive_create")
    def test_a_link_to_nothing_is_in_the_way_of_exclusive_creation(self, fs: AbstractFileSystem, root: str) -> None:
        fs.posix.symlink("missing", f"{root}/link")
        with fails_with(errno.EEXIST, f"{root}/link"):
            fs.open(f"{root}/link", "xb")
        with fails_with(errno.EEXIST, f"{root}/link"):
            fs.pipe_file(f"{root}/link", b"", mode="create")
        assert not fs.exists(f"{root}/missing")

    def test_loops_end(self, fs: AbstractFileSystem, root: str) -> None:
        fs.posix.symlink("b", f"{root}/a")
        fs.posix.symlink("a", f"{root}/b")
        for act in (fs.cat_file, fs.posix.stat, lambda path: fs.open(path, "wb"), lambda path: fs.ls(path + "/x")):
            with fails_with(errno.ELOOP):
                act(f"{root}/a")
        assert not fs.exists(f"{root}/a")
        assert not fs.isfile(f"{root}/a")
        assert not fs.isdir(f"{root}/a")
        assert fs.lexists(f"{root}/a")
        assert len(fs.ls(root)) == 2
        fs.rm(f"{root}/a")

    def test_forty_links_are_followed_and_no_more(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/0", b"content")
        for number in range(41):
            fs.posix.symlink(str(number), f"{root}/{number + 1}")
        assert fs.cat_file(f"{root}/40") == b"content"
        with fails_with(errno.ELOOP, f"{root}/41"):
            fs.cat_file(f"{root}/41")

    def test_links_to_the_directory_count_too(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d0/f0", b"content")
        for number in range(1, 26):
            fs.posix.symlink(f"d{number - 1}", f"{root}/d{number}")
            fs.posix.symlink(f"f{number - 1}", f"{root}/d0/f{number}")
        assert fs.cat_file(f"{root}/d20/f20") == b"content"
        with fails_with(errno.ELOOP):
            fs.cat_file(f"{root}/d25/f25")

    def test_trees_are_listed_without_following(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        fs.posix.symlink("..", f"{root}/d/up")
        assert names_below(fs, root) == ["d", "d/f", "d/up"]
        assert [path for path, _, _ in fs.walk(root)] == [root, f"{root}/d"]
        assert fs.glob(f"{root}/**/f") == [f"{root}/d/f"]

    def test_removing_takes_the_link_and_not_what_is_behind(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/keep/f": b"1", f"{root}/d/g": b"2"})
        for name in ("one", "two", "d/three", "x4", "x5", "six"):
            fs.posix.symlink(f"{root}/keep", f"{root}/{name}")
        fs.rm_file(f"{root}/one")
        fs.rm(f"{root}/two", recursive=True)
        fs.rm(f"{root}/d", recursive=True)
        fs.rm(f"{root}/x*", recursive=True)
        fs.rm(f"{root}/six", recursive=True, maxdepth=1)
        assert names_below(fs, root) == ["keep", "keep/f"]

    def test_moving_takes_the_link_and_not_what_is_behind(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/file": b"content", f"{root}/other": b"other"})
        fs.posix.symlink("file", f"{root}/link")
        fs.mv(f"{root}/link", f"{root}/moved")
        assert fs.posix.readlink(f"{root}/moved") == "file"
        fs.mv(f"{root}/other", f"{root}/moved")
        assert files_below(fs, root) == {"file": b"content", "moved": b"other"}

    def test_a_path_is_not_remembered_through_a_link_that_changed(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/one/f": b"1", f"{root}/two/f": b"2"})
        fs.posix.symlink("one", f"{root}/link")
        assert fs.cat_file(f"{root}/link/f") == b"1"
        fs.posix.unlink(f"{root}/link")
        fs.posix.symlink("two", f"{root}/link")
        assert fs.cat_file(f"{root}/link/f") == b"2"
        fs.posix.symlink("one", f"{root}/next")
        fs.posix.rename(f"{root}/next", f"{root}/link")
        assert fs.cat_file(f"{root}/link/f") == b"1"
        fs.mv(f"{root}/one", f"{root}/gone")
        assert not fs.exists(f"{root}/link/f")

    def test_copying_follows(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/file", b"content")
        fs.posix.symlink("file", f"{root}/link")
        fs.cp_file(f"{root}/link", f"{root}/copy")
        assert fs.cat_file(f"{root}/copy") == b"content"
        assert fs.info(f"{root}/copy")["islink"] is False
        fs.cp_file(f"{root}/link", f"{root}/file")
        assert fs.cat_file(f"{root}/file") == b"content"

    def test_lstat_looks_at_the_link(self, fs: AbstractFileSystem, root: str) -> None:
        fs.posix.symlink("grün", f"{root}/link")
        found = fs.posix.lstat(f"{root}/link")
        assert (found.st_size, found.st_nlink) == (5, 1)
        assert found.st_mode == 0o120777

    def test_errors(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/file", b"content")
        with fails_with(errno.EEXIST, f"{root}/file"):
            fs.posix.symlink("x", f"{root}/file")
        with fails_with(errno.EINVAL, f"{root}/file"):
            fs.posix.readlink(f"{root}/file")
        with fails_with(errno.EINVAL, root):
            fs.posix.readlink(root)
        with fails_with(errno.ENOENT, f"{root}/missing"):
            fs.posix.readlink(f"{root}/missing")
        with fails_with(errno.ENOENT, f"{root}/missing/link"):
            fs.posix.symlink("x", f"{root}/missing/link")
        with fails_with(errno.ENOENT, f"{root}/link"):
            fs.posix.symlink("", f"{root}/link")
        with fails_with(errno.ENAMETOOLONG, f"{root}/link"):
            fs.posix.symlink("x" * 4096, f"{root}/link")
        assert names_below(fs, root) == ["file"]


@needs("hardlinks", "attributes")
class HardLinks:
    """``posix.link``: two names for one file."""

    def test_both_names_are_the_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        fs.posix.link(f"{root}/a", f"{root}/b")
        one, other = fs.posix.stat(f"{root}/a"), fs.posix.stat(f"{root}/b")
        assert one.st_ino == other.st_ino
        assert one.st_nlink == other.st_nlink == 2
        assert fs.info(f"{root}/a")["nlink"] == 2

    def test_writing_under_one_name_shows_under_the_other(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        fs.posix.link(f"{root}/a", f"{root}/b")
        fs.pipe_file(f"{root}/b", b"piped")
        assert fs.cat_file(f"{root}/a") == b"piped"
        with fs.open(f"{root}/a", "wb") as file:
            file.write(b"written")
        assert fs.cat_file(f"{root}/b") == b"written"
        fs.posix.chmod(f"{root}/a", 0o600)
        assert fs.posix.stat(f"{root}/b").st_mode & 0o7777 == 0o600

    def test_a_file_lives_until_its_last_name_goes(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        fs.posix.link(f"{root}/a", f"{root}/b")
        fs.rm_file(f"{root}/a")
        assert files_below(fs, root) == {"b": b"content"}
        assert fs.posix.stat(f"{root}/b").st_nlink == 1

    def test_errors(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"1", f"{root}/b": b"2"})
        fs.mkdir(f"{root}/d")
        with fails_with(errno.EEXIST, f"{root}/a", f"{root}/b"):
            fs.posix.link(f"{root}/a", f"{root}/b")
        with fails_with(errno.EPERM, f"{root}/d", f"{root}/x"):
            fs.posix.link(f"{root}/d", f"{root}/x")
        with fails_with(errno.ENOENT, f"{root}/missing", f"{root}/x"):
            fs.posix.link(f"{root}/missing", f"{root}/x")
        with fails_with(errno.ENOENT, f"{root}/a", f"{root}/missing/x"):
            fs.posix.link(f"{root}/a", f"{root}/missing/x")
        assert names_below(fs, root) == ["a", "b", "d"]

    @needs("symlinks")
    def test_a_symbolic_link_can_have_two_names(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/file", b"content")
        fs.posix.symlink("file", f"{root}/link")
        fs.posix.link(f"{root}/link", f"{root}/second")
        assert fs.posix.readlink(f"{root}/second") == "file"
        assert fs.posix.lstat(f"{root}/second").st_nlink == 2
        assert fs.posix.stat(f"{root}/file").st_nlink == 1

    @needs("random_write")
    def test_a_handle_on_one_name_writes_to_both(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a", b"content")
        fs.posix.link(f"{root}/a", f"{root}/b")
        with fs.posix.open_handle(f"{root}/a", os.O_WRONLY) as handle:
            handle.pwrite(b"C", 0)
        assert fs.cat_file(f"{root}/b") == b"Content"
