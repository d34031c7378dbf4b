"""Writing: a file appears whole when it is closed, or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import failing, fails_with, files_below
from chuk_fsspec.testing.needs import needs


class Writing:
    """Whole-object writes, atomic by contract."""

    def test_pipe_file_makes_and_replaces(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"a long first version")
        fs.pipe_file(f"{root}/f", b"short")
        assert fs.cat_file(f"{root}/f") == b"short"

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_pipe_file_takes_any_bytes_and_keeps_its_own(self, fs: AbstractFileSystem, root: str, kind: type) -> None:
        source = bytearray(b"content")
        fs.pipe_file(f"{root}/f", kind(source))
        source[:] = b"CHANGED"
        assert fs.cat_file(f"{root}/f") == b"content"

    def test_pipe_takes_one_path_or_a_dict(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe(f"{root}/a", b"1")
        fs.pipe({f"{root}/b": b"2", f"{root}/c": b""})
        assert files_below(fs, root) == {"a": b"1", "b": b"2", "c": b""}

    def test_missing_directories_are_made(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a/b/piped", b"1")
        with fs.open(f"{root}/c/d/opened", "wb") as file:
            file.write(b"2")
        assert files_below(fs, root) == {"a/b/piped": b"1", "c/d/opened": b"2"}

    def test_a_new_file_appears_when_it_is_closed(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.open(f"{root}/f", "wb") as file:
            file.write(b"con")
            file.flush()
            file.write(b"tent")
            assert not fs.exists(f"{root}/f")
            assert fs.find(root) == []
        assert file.closed
        assert fs.cat_file(f"{root}/f") == b"content"

    def test_an_old_file_stays_until_the_new_one_is_closed(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        with fs.open(f"{root}/f", "wb") as file:
            file.write(b"new")
            file.flush()
            assert fs.cat_file(f"{root}/f") == b"old"
        assert fs.cat_file(f"{root}/f") == b"new"

    def test_a_failed_block_makes_no_file(self, fs: AbstractFileSystem, root: str) -> None:
        with failing(fs.open(f"{root}/f", "wb")) as file:
            file.write(b"half")
        assert file.closed
        assert not fs.exists(f"{root}/f")

    def test_a_failed_block_makes_no_directories(self, fs: AbstractFileSystem, root: str) -> None:
        for mode in ("wb", "w"):
            with failing(fs.open(f"{root}/new/d/f", mode)):
                pass
        assert not fs.exists(f"{root}/new")

    def test_a_failed_block_leaves_the_old_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        with failing(fs.open(f"{root}/f", "wb")) as file:
            file.write(b"half" * 100_000)
        assert fs.cat_file(f"{root}/f") == b"old"

    def test_a_large_file_in_many_pieces(self, fs: AbstractFileSystem, root: str) -> None:
        pieces = [bytes([number % 256]) * (1 + number * 37 % 9000) for number in range(400)]
        with fs.open(f"{root}/f", "wb") as file:
            for piece in pieces:
                assert file.write(piece) == len(piece)
        assert fs.cat_file(f"{root}/f") == b"".join(pieces)

    def test_a_closed_file_refuses_to_write(self, fs: AbstractFileSystem, root: str) -> None:
        file = fs.open(f"{root}/f", "wb")
        file.write(b"content")
        file.close()
        file.close()
        with pytest.raises(ValueError):
            file.write(b"more")
        assert fs.cat_file(f"{root}/f") == b"content"

    def test_a_file_open_for_writing_refuses_to_read(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.open(f"{root}/f", "wb") as file:
            assert file.writable()
            assert not file.readable()
            with pytest.raises((ValueError, OSError)):
                file.read()

    def test_touch_makes_and_empties(self, fs: AbstractFileSystem, root: str) -> None:
        fs.touch(f"{root}/f")
        assert fs.cat_file(f"{root}/f") == b""
        fs.pipe_file(f"{root}/f", b"content")
        fs.touch(f"{root}/f")
        assert fs.cat_file(f"{root}/f") == b""

    @needs("modified_times")
    def test_touch_without_truncate_only_stamps(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        before = fs.info(f"{root}/f")["mtime"]
        fs.touch(f"{root}/f", truncate=False)
        assert fs.cat_file(f"{root}/f") == b"content"
        assert fs.info(f"{root}/f")["mtime"] >= before

    def test_write_bytes_and_text(self, fs: AbstractFileSystem, root: str) -> None:
        fs.write_bytes(f"{root}/b", b"\x00\xff")
        fs.write_text(f"{root}/t", "grün", encoding="utf-8")
        assert files_below(fs, root) == {"b": b"\x00\xff", "t": "grün".encode()}

    def test_put_file_uploads(self, fs: AbstractFileSystem, root: str, tmp_path: Path) -> None:
        (tmp_path / "local").write_bytes(b"content" * 1000)
        fs.put_file(str(tmp_path / "local"), f"{root}/new/f")
        assert fs.cat_file(f"{root}/new/f") == b"content" * 1000

    def test_put_uploads_a_tree(self, fs: AbstractFileSystem, root: str, tmp_path: Path) -> None:
        (tmp_path / "d" / "e").mkdir(parents=True)
        (tmp_path / "d" / "a").write_bytes(b"1")
        (tmp_path / "d" / "e" / "b").write_bytes(b"2")
        fs.put(str(tmp_path / "d"), f"{root}/copy", recursive=True)
        assert files_below(fs, root) == {"copy/a": b"1", "copy/e/b": b"2"}

    def test_a_mapper_stores_and_deletes(self, fs: AbstractFileSystem, root: str) -> None:
        mapper = fs.get_mapper(f"{root}/map")
        mapper["a/b"] = b"1"
        mapper.setitems({"c": b"2"})
        assert dict(mapper) == {"a/b": b"1", "c": b"2"}
        del mapper["c"]
        assert files_below(fs, root) == {"map/a/b": b"1"}
        with pytest.raises(KeyError):
            mapper["c"]

    def test_writing_over_a_directory_is_an_error(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        with fails_with(errno.EISDIR, f"{root}/d"):
            fs.pipe_file(f"{root}/d", b"x")
        with fails_with(errno.EISDIR, f"{root}/d"):
            fs.open(f"{root}/d", "wb")
        with fails_with(errno.EISDIR, "/"):
            fs.pipe_file("/", b"x")
        assert files_below(fs, root) == {"d/f": b"content"}

    @needs("directories")
    def test_writing_below_a_file_is_an_error(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        with fails_with(errno.ENOTDIR, f"{root}/f/x"):
            fs.pipe_file(f"{root}/f/x", b"x")
        with fails_with(errno.ENOTDIR, f"{root}/f/x"), fs.open(f"{root}/f/x", "wb") as file:
            file.write(b"x")
        with fails_with(errno.ENOTDIR, f"{root}/f/x/y"):
            fs.pipe_file(f"{root}/f/x/y", b"x")
        assert files_below(fs, root) == {"f": b"content"}
