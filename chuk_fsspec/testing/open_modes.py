"""The open modes beyond ``r`` and ``w``: appending, exclusive creation, and those with ``+``."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import failing, fails_with
from chuk_fsspec.testing.needs import needs


@needs("append")
class Appending:
    """``ab`` adds to the end."""

    def test_what_is_written_comes_after_what_is_there(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"one ")
        with fs.open(f"{root}/f", "ab") as file:
            assert file.tell() == 4
            file.write(b"two")
            assert file.tell() == 7
        assert fs.cat_file(f"{root}/f") == b"one two"

    def test_a_missing_file_is_made(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.open(f"{root}/new/f", "ab") as file:
            file.write(b"one")
        assert fs.cat_file(f"{root}/new/f") == b"one"

    def test_an_empty_append_makes_an_empty_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.open(f"{root}/f", "ab").close()
        assert fs.cat_file(f"{root}/f") == b""

    def test_a_failed_block_adds_nothing(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"one")
        with failing(fs.open(f"{root}/f", "ab")) as file:
            file.write(b"two")
        assert fs.cat_file(f"{root}/f") == b"one"

    def test_a_directory_that_came_meanwhile_is_no_file(self, fs: AbstractFileSystem, root: str) -> None:
        file = fs.open(f"{root}/f", "ab")
        file.write(b"one")
        fs.pipe_file(f"{root}/f/below", b"two")
        with fails_with(errno.EISDIR, f"{root}/f"):
            file.close()
        assert fs.cat_file(f"{root}/f/below") == b"two"

    def test_two_writers_both_add(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.open(f"{root}/f", "ab") as one, fs.open(f"{root}/f", "ab") as other:
            one.write(b"one ")
            other.write(b"other ")
        assert sorted(fs.cat_file(f"{root}/f").split()) == [b"one", b"other"]


@needs("exclusive_create")
class ExclusiveCreate:
    """``xb`` and ``mode="create"`` never replace."""

    def test_pipe_file_refuses_a_file_that_exists(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"first", mode="create")
        with fails_with(errno.EEXIST, f"{root}/f"):
            fs.pipe_file(f"{root}/f", b"second", mode="create")
        assert fs.cat_file(f"{root}/f") == b"first"

    def test_open_refuses_a_file_that_exists(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.open(f"{root}/f", "xb") as file:
            file.write(b"first")
        with fails_with(errno.EEXIST, f"{root}/f"), fs.open(f"{root}/f", "xb") as file:
            file.write(b"second")
        assert fs.cat_file(f"{root}/f") == b"first"

    def test_a_directory_is_in_the_way_too(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        with fails_with(errno.EEXIST, f"{root}/d"), fs.open(f"{root}/d", "xb") as file:
            file.write(b"x")
        with fails_with(errno.EEXIST, f"{root}/d"):
            fs.pipe_file(f"{root}/d", b"x", mode="create")

    def test_whoever_closes_first_wins(self, fs: AbstractFileSystem, root: str) -> None:
        late = fs.open(f"{root}/f", "xb")
        late.write(b"late")
        fs.pipe_file(f"{root}/f", b"early")
        with fails_with(errno.EEXIST, f"{root}/f"):
            late.close()
        assert late.closed
        assert fs.cat_file(f"{root}/f") == b"early"

    def test_a_failed_block_makes_no_file(self, fs: AbstractFileSystem, root: str) -> None:
        with failing(fs.open(f"{root}/f", "xb")) as file:
            file.write(b"half")
        assert not fs.exists(f"{root}/f")

    def test_put_file_refuses_a_file_that_exists(self, fs: AbstractFileSystem, root: str, tmp_path: Path) -> None:
        (tmp_path / "local").write_bytes(b"second")
        fs.pipe_file(f"{root}/f", b"first")
        with fails_with(errno.EEXIST, f"{root}/f"):
            fs.put_file(str(tmp_path / "local"), f"{root}/f", mode="create")
        assert fs.cat_file(f"{root}/f") == b"first"


@needs("random_write")
class Updating:
    """The ``+`` modes work on a private copy, which is published whole like any other write."""

    def test_r_plus_changes_what_is_there(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"0123456789")
        with fs.open(f"{root}/f", "r+b") as file:
            assert file.read(2) == b"01"
            file.write(b"XX")
            file.seek(-1, 2)
            file.write(b"YZ")
            assert fs.cat_file(f"{root}/f") == b"0123456789"
        assert fs.cat_file(f"{root}/f") == b"01XX45678YZ"

    def test_r_plus_wants_a_file(self, fs: AbstractFileSystem, root: str) -> None:
        with fails_with(errno.ENOENT, f"{root}/f"):
            fs.open(f"{root}/f", "r+b")

    def test_w_plus_starts_empty_and_reads_back(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        with fs.open(f"{root}/f", "w+b") as file:
            assert file.read() == b""
            file.write(b"new")
            file.seek(0)
            assert file.read() == b"new"
        assert fs.cat_file(f"{root}/f") == b"new"

    def test_a_plus_starts_at_the_end(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"one ")
        with fs.open(f"{root}/f", "a+b") as file:
            file.write(b"two")
            file.seek(0)
            assert file.read() == b"one two"
        assert fs.cat_file(f"{root}/f") == b"one two"

    def test_x_plus_refuses_a_file_that_exists(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        with fails_with(errno.EEXIST, f"{root}/f"):
            fs.open(f"{root}/f", "x+b")

    def test_truncate_cuts(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"0123456789")
        with fs.open(f"{root}/f", "r+b") as file:
            file.truncate(4)
        assert fs.cat_file(f"{root}/f") == b"0123"

    @pytest.mark.parametrize("mode", ["wb", "w+b", "r+b"])
    def test_truncate_grows_with_zeros_and_stays_in_place(self, fs: AbstractFileSystem, root: str, mode: str) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        with fs.open(f"{root}/f", mode) as file:
            file.write(b"new")
            assert file.truncate(6) == 6
            assert file.tell() == 3
            file.write(b"er")
            assert file.truncate() == 5
            file.seek(7)
            assert file.truncate() == 7
            with pytest.raises((ValueError, OSError)):
                file.truncate(-1)
        assert fs.cat_file(f"{root}/f") == b"newer\0\0"

    def test_a_failed_block_leaves_the_old_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        with failing(fs.open(f"{root}/f", "r+b")) as file:
            file.write(b"new")
        assert fs.cat_file(f"{root}/f") == b"old"
