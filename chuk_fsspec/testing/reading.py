"""Reading: whole files, ranges, many files at once, and file objects."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.testing.needs import needs

DIGITS = b"0123456789"


class Reading:
    """What was written comes back, by every way there is to read."""

    @pytest.fixture
    def digits(self, fs: AbstractFileSystem, root: str) -> str:
        """The path of a file that holds ``0123456789``."""
        path = f"{root}/digits"
        fs.pipe_file(path, DIGITS)
        return path

    @pytest.mark.parametrize("size", [0, 1, 255, 4096, 65_536, 65_537, 3_000_000])
    def test_cat_file_returns_the_bytes(self, fs: AbstractFileSystem, root: str, size: int) -> None:
        data = (bytes(range(256)) * (size // 256 + 1))[:size]
        fs.pipe_file(f"{root}/f", data)
        read = fs.cat_file(f"{root}/f")
        assert type(read) is bytes
        assert read == data

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (0, 4),
            (3, 7),
            (3, None),
            (None, 4),
            (-3, None),
            (None, -3),
            (-5, -2),
            (4, 4),
            (6, 2),
            (8, 99),
            (50, 60),
            (-99, 3),
        ],
    )
    def test_a_range_counts_as_in_a_slice(
        self, fs: AbstractFileSystem, digits: str, start: int | None, end: int | None
    ) -> None:
        assert fs.cat_file(digits, start=start, end=end) == DIGITS[start:end]

    def test_start_and_end_are_the_second_and_third_argument(self, fs: AbstractFileSystem, digits: str) -> None:
        assert fs.cat_file(digits, 2, 5) == b"234"

    @needs("etags", "versioned_reads")
    def test_of_a_version_comes_nothing_of_another(self, fs: AbstractFileSystem, digits: str) -> None:
        etag = fs.info(digits)["etag"]
        assert fs.cat_file(digits, if_match=etag) == DIGITS
        assert fs.cat_file(digits, 2, 5, if_match=etag) == b"234"
        assert fs.cat_file(digits, -3, if_match=etag) == b"789"
        fs.pipe_file(digits, DIGITS[::-1])
        for start, end in ((None, None), (2, 5), (-3, None)):
            assert version_or_none(fs, digits, start, end, etag) in (None, DIGITS[start:end])
        assert fs.cat_file(digits, if_match=fs.info(digits)["etag"]) == DIGITS[::-1]

    def test_cat_of_one_path_is_bytes_and_of_many_a_dict(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/a": b"1", f"{root}/b": b"2", f"{root}/c/d": b"3"})
        assert fs.cat(f"{root}/a") == b"1"
        assert fs.cat([f"{root}/a", f"{root}/b"]) == {f"{root}/a": b"1", f"{root}/b": b"2"}
        assert fs.cat(f"{root}/[ab]") == {f"{root}/a": b"1", f"{root}/b": b"2"}
        assert fs.cat([f"{root}/c/d"]) == {f"{root}/c/d": b"3"}

    def test_cat_tells_of_a_missing_file_as_asked(self, fs: AbstractFileSystem, digits: str, root: str) -> None:
        missing = f"{root}/missing"
        with fails_with(errno.ENOENT, missing):
            fs.cat([digits, missing])
        assert fs.cat([digits, missing], on_error="omit") == {digits: DIGITS}
        both = fs.cat([digits, missing], on_error="return")
        assert both[digits] == DIGITS
        assert isinstance(both[missing], FileNotFoundError)

    def test_cat_ranges(self, fs: AbstractFileSystem, digits: str) -> None:
        assert fs.cat_ranges([digits] * 3, [0, 4, 8], [2, 6, 10]) == [b"01", b"45", b"89"]
        assert fs.cat_ranges([digits] * 2, 1, 3) == [b"12", b"12"]

    def test_cat_ranges_returns_errors_or_raises_them(self, fs: AbstractFileSystem, digits: str, root: str) -> None:
        paths = [digits, f"{root}/missing"]
        first, second = fs.cat_ranges(paths, [0, 0], [1, 1])
        assert first == b"0"
        assert isinstance(second, FileNotFoundError)
        with fails_with(errno.ENOENT, f"{root}/missing"):
            fs.cat_ranges(paths, [0, 0], [1, 1], on_error="raise")

    def test_head_tail_and_block(self, fs: AbstractFileSystem, digits: str) -> None:
        assert fs.head(digits, 3) == b"012"
        assert fs.tail(digits, 3) == b"789"
        assert fs.tail(digits, 99) == DIGITS
        assert fs.read_block(digits, 2, 3) == b"234"
        assert fs.read_bytes(digits, start=8) == b"89"

    def test_an_open_file_reads_seeks_and_tells(self, fs: AbstractFileSystem, digits: str) -> None:
        with fs.open(digits, "rb") as file:
            assert file.readable()
            assert file.seekable()
            assert not file.writable()
            assert file.read(3) == b"012"
            assert file.tell() == 3
            assert file.seek(-2, io.SEEK_END) == 8
            assert file.read() == b"89"
            assert file.read() == b""
            assert file.seek(1) == 1
            assert file.seek(2, io.SEEK_CUR) == 3
            buffer = bytearray(4)
            assert file.readinto(buffer) == 4
            assert buffer == b"3456"
        assert file.closed

    def test_an_open_file_knows_its_size(self, fs: AbstractFileSystem, digits: str) -> None:
        with fs.open(digits, "rb") as file:
            assert file.size == len(DIGITS)

    def test_a_file_gives_its_lines(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/lines", b"one\ntwo\r\nthree")
        with fs.open(f"{root}/lines", "rb") as file:
            assert file.readline() == b"one\n"
            assert list(file) == [b"two\r\n", b"three"]

    def test_a_seek_before_the_start_is_an_error(self, fs: AbstractFileSystem, digits: str) -> None:
        with fs.open(digits, "rb") as file, pytest.raises((ValueError, OSError)):
            file.seek(-1)

    def test_a_file_open_for_reading_refuses_to_write(self, fs: AbstractFileSystem, digits: str) -> None:
        with fs.open(digits, "rb") as file, pytest.raises((ValueError, OSError)):
            file.write(b"x")
        assert fs.cat_file(digits) == DIGITS

    def test_a_closed_file_refuses_to_read(self, fs: AbstractFileSystem, digits: str) -> None:
        file = fs.open(digits, "rb")
        file.close()
        file.close()
        with pytest.raises(ValueError):
            file.read()

    def test_two_readers_have_a_position_each(self, fs: AbstractFileSystem, digits: str) -> None:
        with fs.open(digits, "rb") as one, fs.open(digits, "rb") as other:
            assert one.read(4) == b"0123"
            assert other.read(2) == b"01"
            assert one.read(2) == b"45"

    def test_an_unknown_mode_is_an_error(self, fs: AbstractFileSystem, digits: str) -> None:
        with pytest.raises((ValueError, NotImplementedError)):
            fs.open(digits, "qb")

    def test_get_file_downloads(self, fs: AbstractFileSystem, digits: str, tmp_path: Path) -> None:
        fs.get_file(digits, str(tmp_path / "new" / "digits"))
        assert (tmp_path / "new" / "digits").read_bytes() == DIGITS

    def test_get_of_a_missing_file_leaves_none_behind(self, fs: AbstractFileSystem, root: str, tmp_path: Path) -> None:
        with fails_with(errno.ENOENT, f"{root}/missing"):
            fs.get_file(f"{root}/missing", str(tmp_path / "local"))
        assert not (tmp_path / "local").exists()

    def test_get_downloads_a_tree(self, fs: AbstractFileSystem, root: str, tmp_path: Path) -> None:
        fs.pipe({f"{root}/d/a": b"1", f"{root}/d/e/b": b"2"})
        fs.get(f"{root}/d", str(tmp_path / "copy"), recursive=True)
        assert (tmp_path / "copy" / "a").read_bytes() == b"1"
        assert (tmp_path / "copy" / "e" / "b").read_bytes() == b"2"


def version_or_none(fs: AbstractFileSystem, path: str, start: int | None, end: int | None, etag: str) -> bytes | None:
    """Bytes of a version that may be kept although there is a newer one; None if it is not."""
    try:
        data: bytes = fs.cat_file(path, start, end, if_match=etag)
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
        return None
    return data
