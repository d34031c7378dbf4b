"""Text and compressed files: the same promises, through layers of file objects."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
from collections.abc import Callable

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import failing, fails_with
from chuk_fsspec.testing.needs import needs


class TextAndCompression:
    """``open`` with ``w`` and ``r``, with ``compression``, and with both."""

    @pytest.mark.parametrize(
        ("newline", "stored"), [(None, b"a\nb\n"), ("", b"a\nb\n"), ("\n", b"a\nb\n"), ("\r\n", b"a\r\nb\r\n")]
    )
    def test_newlines_are_written_as_asked(
        self, fs: AbstractFileSystem, root: str, newline: str | None, stored: bytes
    ) -> None:
        with fs.open(f"{root}/f", "w", newline=newline) as file:
            file.write("a\nb\n")
        assert fs.cat_file(f"{root}/f") == stored

    @pytest.mark.parametrize(
        ("newline", "lines"), [(None, ["a\n", "b\n", "c"]), ("", ["a\r\n", "b\n", "c"]), ("\n", ["a\r\n", "b\n", "c"])]
    )
    def test_newlines_are_read_as_asked(
        self, fs: AbstractFileSystem, root: str, newline: str | None, lines: list[str]
    ) -> None:
        fs.pipe_file(f"{root}/f", b"a\r\nb\nc")
        with fs.open(f"{root}/f", "r", newline=newline) as file:
            assert list(file) == lines

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
    def test_encodings(self, fs: AbstractFileSystem, root: str, encoding: str) -> None:
        with fs.open(f"{root}/f", "wt", encoding=encoding) as file:
            file.write("grüße")
        assert fs.cat_file(f"{root}/f") == "grüße".encode(encoding)
        with fs.open(f"{root}/f", "rt", encoding=encoding) as file:
            assert file.read() == "grüße"
        assert fs.read_text(f"{root}/f", encoding=encoding) == "grüße"

    def test_undecodable_text_is_handled_as_asked(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"a\xffb")
        with fs.open(f"{root}/f", "r", encoding="utf-8") as file, pytest.raises(UnicodeDecodeError):
            file.read()
        assert fs.read_text(f"{root}/f", encoding="utf-8", errors="replace") == "a\ufffdb"

    def test_a_text_file_appears_when_it_is_closed(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.open(f"{root}/f", "w") as file:
            file.write("content")
            file.flush()
            assert not fs.exists(f"{root}/f")
        assert fs.cat_file(f"{root}/f") == b"content"

    def test_a_failed_text_block_makes_no_file(self, fs: AbstractFileSystem, root: str) -> None:
        with failing(fs.open(f"{root}/f", "w")) as file:
            file.write("half")
        assert file.closed
        assert not fs.exists(f"{root}/f")

    def test_a_failed_text_block_leaves_the_old_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        with failing(fs.open(f"{root}/f", "w")) as file:
            file.write("half" * 100_000)
        assert fs.cat_file(f"{root}/f") == b"old"

    def test_text_that_cannot_be_encoded_writes_nothing(self, fs: AbstractFileSystem, root: str) -> None:
        with pytest.raises(UnicodeEncodeError), fs.open(f"{root}/f", "w", encoding="ascii") as file:
            file.writelines(["plain", "grün"])
        assert not fs.exists(f"{root}/f")

    @needs("append")
    def test_text_is_appended(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"one\n")
        with fs.open(f"{root}/f", "a") as file:
            file.write("two\n")
        with failing(fs.open(f"{root}/f", "a")) as file:
            file.write("three\n")
        assert fs.cat_file(f"{root}/f") == b"one\ntwo\n"

    @needs("exclusive_create")
    def test_text_is_created_exclusively(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.open(f"{root}/f", "x") as file:
            file.write("first")
        with fails_with(errno.EEXIST, f"{root}/f"), fs.open(f"{root}/f", "x") as file:
            file.write("second")
        assert fs.cat_file(f"{root}/f") == b"first"

    @pytest.mark.parametrize(
        ("codec", "ending", "unpack"),
        [("gzip", "gz", gzip.decompress), ("bz2", "bz2", bz2.decompress), ("xz", "xz", lzma.decompress)],
    )
    def test_compression_by_name_and_by_ending(
        self, fs: AbstractFileSystem, root: str, codec: str, ending: str, unpack: Callable[[bytes], bytes]
    ) -> None:
        data = b"content" * 1000
        with fs.open(f"{root}/named", "wb", compression=codec) as file:
            file.write(data)
        with fs.open(f"{root}/inferred.{ending}", "wb", compression="infer") as file:
            file.write(data)
        for path in (f"{root}/named", f"{root}/inferred.{ending}"):
            assert unpack(fs.cat_file(path)) == data
            with fs.open(path, "rb", compression=codec) as file:
                assert file.read() == data

    def test_no_ending_infers_no_compression(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.open(f"{root}/f.txt", "wb", compression="infer") as file:
            file.write(b"content")
        assert fs.cat_file(f"{root}/f.txt") == b"content"

    @pytest.mark.parametrize("mode", ["wb", "w"])
    def test_a_failed_compressed_block_leaves_the_old_file(self, fs: AbstractFileSystem, root: str, mode: str) -> None:
        fs.pipe_file(f"{root}/f.gz", b"old")
        with failing(fs.open(f"{root}/f.gz", mode, compression="infer")) as file:
            file.write("half" if mode == "w" else b"half")
        assert file.closed
        assert fs.cat_file(f"{root}/f.gz") == b"old"

    def test_compressed_text(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.open(f"{root}/f.gz", "wt", compression="infer", encoding="utf-8") as file:
            file.write("grüße\n")
        assert gzip.decompress(fs.cat_file(f"{root}/f.gz")) == "grüße\n".encode()
        with fs.open(f"{root}/f.gz", "rt", compression="infer", encoding="utf-8") as file:
            assert file.read() == "grüße\n"
