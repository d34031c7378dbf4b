"""``if_match`` and ``if_none_match``: a change is made to what its caller has seen, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.testing.checks import fails_with, files_below, in_threads, names_below, same_filesystem
from chuk_fsspec.testing.needs import needs

Write = Callable[..., Any]
Act = Callable[[], object]

NEVER = "0-never"
"""An etag that no file has."""


def _open(mode: str) -> Write:
    def write(fs: AbstractFileSystem, path: str, local: Path, **conditions: Any) -> None:
        with fs.open(path, mode, **conditions) as file:
            file.write(b"new" if "b" in mode else "new")

    return write


def _put_file(fs: AbstractFileSystem, path: str, local: Path, **conditions: Any) -> None:
    local.write_bytes(b"new")
    fs.put_file(str(local), path, **conditions)


def _cp_file(fs: AbstractFileSystem, path: str, local: Path, **conditions: Any) -> None:
    source = f"{path.rpartition('/')[0]}-source"
    fs.pipe_file(source, b"new")
    try:
        fs.cp_file(source, path, **conditions)
    finally:
        fs.rm_file(source)


WRITES: dict[str, Write] = {
    "pipe_file": lambda fs, path, local, **conditions: fs.pipe_file(path, b"new", **conditions),
    "pipe": lambda fs, path, local, **conditions: fs.pipe(path, b"new", **conditions),
    "pipe_dict": lambda fs, path, local, **conditions: fs.pipe({path: b"new"}, **conditions),
    "write_bytes": lambda fs, path, local, **conditions: fs.write_bytes(path, b"new", **conditions),
    "write_text": lambda fs, path, local, **conditions: fs.write_text(path, "new", **conditions),
    "open": _open("wb"),
    "open_text": _open("w"),
    "put_file": _put_file,
    "cp_file": _cp_file,
}


@contextmanager
def refused(path: str, expected: str | None, found: str | None) -> Iterator[None]:
    """Check that a block fails for what is at a path.

    Args:
        path: where.
        expected: the etag that was asked for; None if there was one that was not to be found.
        found: the etag that is there; None for nothing.
    """
    with pytest.raises(PreconditionFailed) as caught:
        yield
    error = caught.value
    assert (error.path, error.expected, error.found) == (path, expected, found)
    assert error.errno == (errno.EEXIST if isinstance(error, FileExistsError) else errno.ESTALE)


def etag_of(fs: AbstractFileSystem, path: str) -> str:
    """As ``info`` shows it."""
    return str(fs.info(path)["etag"])


@needs("conditional_write", "etags")
class ConditionalWrites:
    """What makes or replaces a file."""

    @pytest.fixture
    def file(self, fs: AbstractFileSystem, root: str) -> str:
        """A file."""
        fs.pipe_file(f"{root}/file", b"old")
        return f"{root}/file"

    @pytest.mark.parametrize("write", WRITES)
    def test_the_etag_that_is_there(self, fs: AbstractFileSystem, file: str, tmp_path: Path, write: str) -> None:
        etag = etag_of(fs, file)
        WRITES[write](fs, file, tmp_path / "f", if_match=etag)
        assert fs.cat_file(file) == b"new"
        assert etag_of(fs, file) != etag

    @pytest.mark.parametrize("write", WRITES)
    def test_another_etag(self, fs: AbstractFileSystem, file: str, root: str, tmp_path: Path, write: str) -> None:
        etag = etag_of(fs, file)
        with refused(file, NEVER, etag):
            WRITES[write](fs, file, tmp_path / "f", if_match=NEVER)
        assert (files_below(fs, root), etag_of(fs, file)) == ({"file": b"old"}, etag)

    @pytest.mark.parametrize("write", WRITES)
    @pytest.mark.parametrize("etag", [NEVER, "*"])
    def test_an_etag_of_nothing(self, fs: AbstractFileSystem, root: str, tmp_path: Path, write: str, etag: str) -> None:
        fs.mkdir(f"{root}/d")
        path = f"{root}/d/new" if write == "cp_file" else f"{root}/d/e/f/new"
        with refused(path, etag, None):
            WRITES[write](fs, path, tmp_path / "f", if_match=etag)
        assert names_below(fs, root) == ["d"]

    @pytest.mark.parametrize("write", WRITES)
    def test_nothing_may_be_there(
        self, fs: AbstractFileSystem, file: str, root: str, tmp_path: Path, write: str
    ) -> None:
        WRITES[write](fs, f"{root}/d/e/new", tmp_path / "f", if_none_match="*")
        for path in (file, f"{root}/d/e/new"):
            with pytest.raises(FileExistsError) as caught:
                WRITES[write](fs, path, tmp_path / "f", if_none_match="*")
            assert isinstance(caught.value, PreconditionFailed)
            assert (caught.value.path, caught.value.found) == (path, etag_of(fs, path))
        assert files_below(fs, root) == {"file": b"old", "d/e/new": b"new"}

    @pytest.mark.parametrize("write", WRITES)
    def test_another_one_has_to_be_there(
        self, fs: AbstractFileSystem, file: str, root: str, tmp_path: Path, write: str
    ) -> None:
        etag = etag_of(fs, file)
        with refused(file, None, etag):
            WRITES[write](fs, file, tmp_path / "f", if_none_match=etag)
        assert fs.cat_file(file) == b"old"
        WRITES[write](fs, file, tmp_path / "f", if_none_match=NEVER)
        WRITES[write](fs, f"{root}/new", tmp_path / "f", if_none_match=etag)
        assert files_below(fs, root) == {"file": b"new", "new": b"new"}

    @pytest.mark.parametrize("write", WRITES)
    def test_anything_may_be_there(self, fs: AbstractFileSystem, file: str, tmp_path: Path, write: str) -> None:
        WRITES[write](fs, file, tmp_path / "f", if_match="*")
        WRITES[write](fs, file, tmp_path / "f", if_match=None, if_none_match=None)
        assert fs.cat_file(file) == b"new"

    def test_the_new_etag_is_told(self, fs: AbstractFileSystem, file: str, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"from here")
        etag = fs.pipe_file(file, b"1", if_match=etag_of(fs, file))
        etag = fs.touch(file, if_match=etag)
        etag = fs.touch(file, truncate=False, if_match=etag)
        etag = fs.put_file(str(tmp_path / "f"), file, if_match=etag)
        for mode in ("wb", "w", "ab", "r+b"):
            with fs.open(file, mode if mode != "r+b" or fs.capabilities.random_write else "wb", if_match=etag) as out:
                out.write("2" if mode == "w" else b"2")
            assert out.etag != etag
            etag = out.etag
        copied = fs.cp_file(file, f"{file}-copy", if_source_match=etag, if_none_match="*")
        assert (etag, copied) == (etag_of(fs, file), etag_of(fs, f"{file}-copy"))

    def test_the_new_etag_is_told_of_any_write(self, fs: AbstractFileSystem, file: str) -> None:
        assert fs.pipe_file(file, b"1") == etag_of(fs, file)
        assert fs.pipe_file(f"{file}-new", bytes(100_000)) == etag_of(fs, f"{file}-new")
        assert fs.touch(f"{file}-touched") == etag_of(fs, f"{file}-touched")

    def test_an_etag_does_not_come_back(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        etag = etag_of(fs, file)
        fs.pipe_file(file, b"other")
        fs.pipe_file(file, b"old")
        for _ in range(3):
            fs.pipe_file(f"{root}/next", b"old")
            fs.mv(f"{root}/next", file)
            with pytest.raises(PreconditionFailed):
                fs.pipe_file(file, b"mine", if_match=etag)
            fs.rm_file(file)
            fs.pipe_file(file, b"old")
            with pytest.raises(PreconditionFailed):
                fs.pipe_file(file, b"mine", if_match=etag)
        assert fs.cat_file(file) == b"old"

    def test_two_files_of_one_moment_have_different_etags(self, fs: AbstractFileSystem, file: str) -> None:
        for number in range(5):
            for path in (file, f"{file}2"):
                fs.pipe_file(path, b"%d" % number)
            etag = etag_of(fs, file)
            assert etag_of(fs, f"{file}2") != etag
            fs.mv(f"{file}2", file)
            with pytest.raises(PreconditionFailed):
                fs.pipe_file(file, b"", if_match=etag)
            fs.pipe_file(f"{file}2", b"")

    def test_the_same_etag_is_shown_everywhere(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        etag = etag_of(fs, file)
        assert [info["etag"] for info in fs.ls(root)] == [etag]
        assert fs.find(root, detail=True)[file]["etag"] == etag
        assert fs.ls(file)[0]["etag"] == etag

    @pytest.mark.parametrize("mode", ["wb", "ab", "r+b", "w", "w+b"])
    def test_a_file_that_changes_while_another_one_is_written(
        self, fs: AbstractFileSystem, file: str, root: str, mode: str
    ) -> None:
        if "+" in mode and not fs.capabilities.random_write:
            pytest.skip("needs random_write, which this filesystem does not declare")
        out = fs.open(file, mode, if_match=etag_of(fs, file))
        out.write("mine" if mode == "w" else b"mine")
        theirs = fs.pipe_file(file, b"theirs")
        with pytest.raises(PreconditionFailed) as caught:
            out.close()
        assert (caught.value.path, caught.value.found) == (file, theirs)
        assert out.closed
        assert files_below(fs, root) == {"file": b"theirs"}

    def test_a_file_that_vanishes_or_appears_while_another_one_is_written(
        self, fs: AbstractFileSystem, file: str, root: str
    ) -> None:
        etag = etag_of(fs, file)
        replacing = fs.open(file, "wb", if_match=etag)
        making = fs.open(f"{root}/new", "wb", if_none_match="*")
        fs.rm_file(file)
        theirs = fs.pipe_file(f"{root}/new", b"theirs")
        with refused(file, etag, None):
            replacing.close()
        with refused(f"{root}/new", None, theirs):
            making.close()
        assert files_below(fs, root) == {"new": b"theirs"}

    def test_what_cannot_be_published_is_not_opened(self, fs: AbstractFileSystem, file: str) -> None:
        with refused(file, NEVER, etag_of(fs, file)):
            fs.open(file, "wb", if_match=NEVER)

    @needs("append")
    def test_appending(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        etag = etag_of(fs, file)
        for _ in range(2):
            with suppress(PreconditionFailed), fs.open(file, "ab", if_match=etag) as out:
                out.write(b"+")
        assert fs.cat_file(file) == b"old+"
        with fs.open(f"{root}/log", "ab", if_none_match="*") as out:
            out.write(b"first")
        with refused(f"{root}/log", None, out.etag), fs.open(f"{root}/log", "ab", if_none_match="*") as again:
            again.write(b"second")
        assert files_below(fs, root) == {"file": b"old+", "log": b"first"}

    @needs("random_write")
    def test_edits_in_place_are_noticed(self, fs: AbstractFileSystem, file: str) -> None:
        with fs.posix.open_handle(file, os.O_RDWR) as handle:
            for content in (b"abc", b"abd", b"abe", b"abf"):
                etag = etag_of(fs, file)
                handle.pwrite(content, 0)
                handle.flush()
                with pytest.raises(PreconditionFailed):
                    fs.pipe_file(file, b"mine", if_match=etag)
        assert fs.cat_file(file) == b"abf"

    def test_many_files_with_an_etag_each(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/{name}": b"old" for name in "abc"})
        etags = {f"{root}/{name}": etag_of(fs, f"{root}/{name}") for name in "abc"}
        fs.pipe(dict.fromkeys(etags, b"new"), if_match=etags)
        with pytest.raises(PreconditionFailed):
            fs.pipe(dict.fromkeys(etags, b"late"), if_match={**etags, f"{root}/a": None})
        with pytest.raises(ValueError, match="no etag for"):
            fs.pipe(dict.fromkeys(etags, b"late"), if_match={f"{root}/a": None})
        with pytest.raises(FileExistsError):
            fs.pipe({f"{root}/d": b"", f"{root}/c": b"late"}, if_none_match="*")
        assert files_below(fs, root) == {"a": b"new", "b": b"new", "c": b"new"}

    def test_copying_what_was_seen(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        etag = etag_of(fs, file)
        with refused(file, NEVER, etag):
            fs.cp_file(file, f"{root}/d/copy", if_source_match=NEVER)
        assert names_below(fs, root) == ["file"]
        fs.cp_file(file, f"{root}/copy", if_source_match=etag)
        assert fs.cat_file(f"{root}/copy") == b"old"

    def test_copying_a_tree_over_nothing(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/from/a": b"A", f"{root}/from/d/b": b"B", f"{root}/to/d/b": b"theirs"})
        with pytest.raises(FileExistsError):
            fs.copy(f"{root}/from/", f"{root}/to/", recursive=True, if_none_match="*")
        assert fs.cat_file(f"{root}/to/d/b") == b"theirs"

    def test_what_makes_no_sense(self, fs: AbstractFileSystem, file: str) -> None:
        etag = etag_of(fs, file)
        with pytest.raises(ValueError, match="if_match"):
            fs.open(file, "rb", if_match=etag)
        with pytest.raises(ValueError, match="cannot both be met"):
            fs.pipe_file(file, b"", if_match=etag, if_none_match="*")
        with pytest.raises(ValueError, match="if_match is empty"):
            fs.pipe_file(file, b"", if_match="")
        with pytest.raises(TypeError, match="if_none_match is an etag"):
            fs.pipe_file(file, b"", if_none_match=5)
        assert fs.cat_file(file) == b"old"

    @needs("symlinks")
    def test_through_a_link(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.posix.symlink("file", f"{root}/link")
        fs.posix.symlink("nowhere", f"{root}/dangling")
        assert fs.pipe_file(f"{root}/link", b"new", if_match=etag_of(fs, file)) == etag_of(fs, f"{root}/link")
        with pytest.raises(PreconditionFailed):
            fs.pipe_file(f"{root}/link", b"late", if_match=NEVER)
        with pytest.raises(PreconditionFailed):
            fs.pipe_file(f"{root}/dangling", b"late", if_match="*")
        for link in ("link", "dangling"):
            with pytest.raises(FileExistsError):
                fs.pipe_file(f"{root}/{link}", b"late", if_none_match="*")
        assert fs.cat_file(file) == b"new"
        assert not fs.exists(f"{root}/nowhere")


@needs("conditional_write", "etags")
class ConditionalRemoving:
    """What takes a name away, or moves it."""

    @pytest.fixture
    def file(self, fs: AbstractFileSystem, root: str) -> str:
        """A file."""
        fs.pipe_file(f"{root}/file", b"old")
        return f"{root}/file"

    @pytest.mark.parametrize("remove", ["rm_file", "rm"])
    def test_removing(self, fs: AbstractFileSystem, file: str, root: str, remove: str) -> None:
        etag = etag_of(fs, file)
        with refused(file, NEVER, etag):
            getattr(fs, remove)(file, if_match=NEVER)
        assert files_below(fs, root) == {"file": b"old"}
        assert etag_of(fs, file) == etag
        getattr(fs, remove)(file, if_match=etag)
        for expected in (etag, "*"):
            with refused(file, expected, None):
                getattr(fs, remove)(file, if_match=expected)
        fs.pipe_file(file, b"old")
        getattr(fs, remove)(file, if_match="*")
        assert not fs.exists(file)

    def test_removing_several(self, fs: AbstractFileSystem, root: str) -> None:
        paths = [f"{root}/{name}" for name in "abc"]
        fs.pipe(dict.fromkeys(paths, b""))
        etags = {path: etag_of(fs, path) for path in paths}
        with pytest.raises(PreconditionFailed):
            fs.rm(paths, if_match={**etags, paths[2]: NEVER})
        assert names_below(fs, root) == ["a", "b", "c"]
        fs.rm(paths, if_match={**etags, paths[2]: None})
        assert names_below(fs, root) == []

    @needs("directories")
    def test_a_directory_has_no_etag_to_compare(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"old")
        etag = etag_of(fs, f"{root}/d")
        acts: list[Act] = [
            lambda: fs.rm(f"{root}/d", recursive=True, if_match=etag),
            lambda: fs.rm_file(f"{root}/d", if_match=etag),
            lambda: fs.mv(f"{root}/d", f"{root}/e", if_match=etag),
        ]
        for act in acts:
            with fails_with(errno.EISDIR, f"{root}/d"):
                act()
        assert files_below(fs, root) == {"d/f": b"old"}

    @needs("symlinks")
    def test_a_link_has_no_etag_to_compare(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.posix.symlink("file", f"{root}/link")
        acts: list[Act] = [
            lambda: fs.rm_file(f"{root}/link", if_match=etag_of(fs, file)),
            lambda: fs.mv(f"{root}/link", f"{root}/moved", if_match=etag_of(fs, file)),
        ]
        for act in acts:
            with fails_with(errno.EINVAL):
                act()
        fs.rm_file(f"{root}/link", if_match="*")
        assert names_below(fs, root) == ["file"]

    @needs("rename")
    def test_moving_what_was_seen(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        etag = etag_of(fs, file)
        with refused(file, NEVER, etag):
            fs.mv(file, f"{root}/d/moved", if_match=NEVER)
        assert names_below(fs, root) == ["file"]
        fs.mv(file, f"{root}/d/moved", if_match=etag)
        assert files_below(fs, root) == {"d/moved": b"old"}
        assert etag_of(fs, f"{root}/d/moved") == etag

    @needs("rename")
    def test_moving_over_nothing(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.pipe_file(f"{root}/other", b"theirs")
        with refused(f"{root}/other", None, etag_of(fs, f"{root}/other")):
            fs.mv(file, f"{root}/other", if_none_match="*")
        assert files_below(fs, root) == {"file": b"old", "other": b"theirs"}
        fs.mv(file, f"{root}/moved", if_match="*", if_none_match="*")
        assert files_below(fs, root) == {"moved": b"old", "other": b"theirs"}

    @needs("rename", "replace")
    def test_moving_over_what_was_seen(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.pipe_file(f"{root}/other", b"theirs")
        etag, theirs = etag_of(fs, file), etag_of(fs, f"{root}/other")
        with refused(f"{root}/other", etag, theirs):
            fs.mv(file, f"{root}/other", if_target_match=etag)
        with refused(f"{root}/d/missing", "*", None):
            fs.mv(file, f"{root}/d/missing", if_target_match="*")
        assert files_below(fs, root) == {"file": b"old", "other": b"theirs"}
        fs.mv(file, f"{root}/other", if_match=etag, if_target_match=theirs)
        assert files_below(fs, root) == {"other": b"old"}

    @needs("rename", "directories")
    def test_moving_a_directory_over_nothing(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"1")
        fs.mv(f"{root}/d", f"{root}/e", recursive=True, if_none_match="*")
        fs.pipe_file(f"{root}/x/e/g", b"2")
        with pytest.raises(FileExistsError):
            fs.mv(f"{root}/e", f"{root}/x", recursive=True, if_none_match="*")
        assert files_below(fs, root) == {"e/f": b"1", "x/e/g": b"2"}


@needs("conditional_write", "etags", "transactions")
class ConditionalTransactions:
    """Conditions inside ``with fs.transaction``."""

    def test_a_write_is_checked_at_the_end(self, fs: AbstractFileSystem, root: str) -> None:
        etag = fs.pipe_file(f"{root}/a", b"old")
        with fs.transaction:
            assert fs.pipe_file(f"{root}/a", b"new", if_match=etag) is None
            fs.pipe_file(f"{root}/b", b"new", if_none_match="*")
        assert files_below(fs, root) == {"a": b"new", "b": b"new"}

    def test_a_failed_one_undoes_the_block(self, fs: AbstractFileSystem, root: str) -> None:
        etag = fs.pipe_file(f"{root}/a", b"old")
        fs.pipe_file(f"{root}/gone", b"")
        with refused(f"{root}/a", NEVER, etag), fs.transaction:
            fs.mkdir(f"{root}/d")
            fs.rm_file(f"{root}/gone")
            fs.pipe_file(f"{root}/b", b"new")
            fs.pipe_file(f"{root}/a", b"new", if_match=NEVER)
        assert files_below(fs, root) == {"a": b"old", "gone": b""}
        assert names_below(fs, root) == ["a", "gone"]
        with refused(f"{root}/a", NEVER, etag), fs.transaction:
            fs.pipe_file(f"{root}/b", b"new")
            fs.rm_file(f"{root}/a", if_match=NEVER)
        assert files_below(fs, root) == {"a": b"old", "gone": b""}


@needs("conditional_write", "etags", "shared_between_threads")
class ConditionalRaces:
    """Several threads that change one file, each what it has read."""

    def test_no_update_is_lost(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/counter", b"0")

        def count(number: int) -> int:
            mine, done, ways = same_filesystem(fs), 0, 0
            while done < 15:
                etag = etag_of(mine, f"{root}/counter")
                value = str(int(mine.cat_file(f"{root}/counter")) + 1).encode()
                ways += 1
                with suppress(PreconditionFailed):
                    if ways % 2:
                        mine.pipe_file(f"{root}/counter", value, if_match=etag)
                    else:
                        with mine.open(f"{root}/counter", "wb", if_match=etag) as file:
                            file.write(value)
                    done += 1
            return done

        assert sum(in_threads(4, count)) == int(fs.cat_file(f"{root}/counter"))

    def test_one_makes_a_file(self, fs: AbstractFileSystem, root: str) -> None:
        def make(number: int) -> int:
            made, mine = 0, same_filesystem(fs)
            for one in range(10):
                with suppress(FileExistsError):
                    mine.pipe_file(f"{root}/d{one}/lock", b"", if_none_match="*")
                    made += 1
            return made

        assert sum(in_threads(4, make)) == 10

    def test_one_removes_a_file(self, fs: AbstractFileSystem, root: str) -> None:
        etags = {f"{root}/{one}": fs.pipe_file(f"{root}/{one}", b"") for one in range(10)}

        def remove(number: int) -> int:
            removed, mine = 0, same_filesystem(fs)
            for path, etag in etags.items():
                with suppress(PreconditionFailed):
                    mine.rm_file(path, if_match=etag)
                    removed += 1
            return removed

        assert sum(in_threads(4, remove)) == 10
        assert names_below(fs, root) == []
