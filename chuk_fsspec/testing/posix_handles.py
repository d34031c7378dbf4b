"""Random-access handles: reads and writes in place, seen by everybody at once."""

from __future__ import annotations

import errno
import os
import random
import stat

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import TICK, fails_with, names_below
from chuk_fsspec.testing.needs import needs

O_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
O_TMPFILE = getattr(os, "O_TMPFILE", 0)


@needs("random_write")
class PosixHandles:
    """``posix.open_handle`` and ``contract.Handle``."""

    @pytest.fixture
    def file(self, fs: AbstractFileSystem, root: str) -> str:
        """A file that holds ten digits."""
        fs.pipe_file(f"{root}/file", b"0123456789")
        return f"{root}/file"

    def test_pread(self, fs: AbstractFileSystem, file: str) -> None:
        with fs.posix.open_handle(file) as handle:
            assert handle.pread(3, 2) == b"234"
            assert handle.pread(99, 8) == b"89"
            assert handle.pread(5, 10) == b""
            assert handle.pread(5, 1000) == b""
            assert handle.pread(0, 0) == b""
            assert type(handle.pread(1, 0)) is bytes

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_pwrite(self, fs: AbstractFileSystem, file: str, kind: type) -> None:
        source = bytearray(b"XY")
        with fs.posix.open_handle(file, os.O_RDWR) as handle:
            assert handle.pwrite(kind(source), 3) == 2
            source[:] = b"??"
            assert handle.pread(99, 0) == b"012XY56789"
            assert fs.cat_file(file) == b"012XY56789"
            assert handle.pwrite(b"", 500) == 0
        assert fs.cat_file(file) == b"012XY56789"

    @pytest.mark.parametrize("offset", [10, 12, 65_536, 200_000])
    def test_writing_past_the_end_leaves_zeros(self, fs: AbstractFileSystem, file: str, offset: int) -> None:
        with fs.posix.open_handle(file, os.O_WRONLY) as handle:
            handle.pwrite(b"END", offset)
            assert handle.stat().st_size == offset + 3
        assert fs.cat_file(file) == b"0123456789" + bytes(offset - 10) + b"END"

    def test_every_access_mode_allows_what_it_says(self, fs: AbstractFileSystem, file: str) -> None:
        with fs.posix.open_handle(file, os.O_RDONLY) as handle:
            with fails_with(errno.EBADF):
                handle.pwrite(b"x", 0)
            with fails_with(errno.EBADF):
                handle.truncate(0)
        with fs.posix.open_handle(file, os.O_WRONLY) as handle, fails_with(errno.EBADF):
            handle.pread(1, 0)
        assert fs.cat_file(file) == b"0123456789"

    def test_a_closed_handle_is_a_bad_one(self, fs: AbstractFileSystem, file: str) -> None:
        handle = fs.posix.open_handle(file, os.O_RDWR)
        handle.close()
        handle.close()
        for act in (
            lambda: handle.pread(1, 0),
            lambda: handle.pwrite(b"x", 0),
            lambda: handle.truncate(0),
            handle.flush,
            handle.fsync,
            handle.stat,
        ):
            with fails_with(errno.EBADF):
                act()

    def test_truncate(self, fs: AbstractFileSystem, file: str) -> None:
        with fs.posix.open_handle(file, os.O_RDWR) as handle:
            handle.truncate(4)
            assert handle.pread(99, 0) == b"0123"
            handle.truncate(6)
            assert handle.pread(99, 0) == b"0123\0\0"
            with fails_with(errno.EINVAL):
                handle.truncate(-1)
            with fails_with(errno.EFBIG):
                handle.truncate(2**63)

    def test_impossible_ranges(self, fs: AbstractFileSystem, file: str) -> None:
        with fs.posix.open_handle(file, os.O_RDWR) as handle:
            for size, offset in ((-1, 0), (1, -1)):
                with fails_with(errno.EINVAL):
                    handle.pread(size, offset)
            with fails_with(errno.EINVAL):
                handle.pwrite(b"x", -1)
            with fails_with(errno.EFBIG):
                handle.pwrite(b"x", 2**63 - 1)
        assert fs.cat_file(file) == b"0123456789"

    def test_create(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.posix.open_handle(f"{root}/new", os.O_CREAT | os.O_WRONLY, 0o640) as handle:
            handle.pwrite(b"content", 0)
            assert handle.stat().st_mode == stat.S_IFREG | 0o640
        assert fs.cat_file(f"{root}/new") == b"content"
        with fs.posix.open_handle(f"{root}/new", os.O_CREAT) as handle:
            assert handle.pread(99, 0) == b"content"

    def test_create_exclusively(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
        fs.posix.open_handle(f"{root}/new", flags).close()
        with fails_with(errno.EEXIST, file):
            fs.posix.open_handle(file, flags)

    def test_truncating_open(self, fs: AbstractFileSystem, file: str) -> None:
        fs.posix.open_handle(file, os.O_RDONLY | os.O_TRUNC).close()
        assert fs.size(file) in (0, 10)  # open(2) leaves this one open
        fs.posix.open_handle(file, os.O_WRONLY | os.O_TRUNC).close()
        assert fs.cat_file(file) == b""

    def test_appending_goes_to_the_end_whatever_the_offset(self, fs: AbstractFileSystem, file: str) -> None:
        with fs.posix.open_handle(file, os.O_WRONLY | os.O_APPEND) as handle:
            assert handle.pwrite(b"A", 0) == 1
            with fs.posix.open_handle(file, os.O_WRONLY | os.O_APPEND) as other:
                other.pwrite(b"B", 3)
            handle.pwrite(b"C", 0)
        assert fs.cat_file(file) == b"0123456789ABC"

    def test_two_handles_see_each_other(self, fs: AbstractFileSystem, file: str) -> None:
        with fs.posix.open_handle(file, os.O_RDWR) as one, fs.posix.open_handle(file, os.O_RDWR) as other:
            one.pwrite(b"X", 0)
            assert other.pread(2, 0) == b"X1"
            other.truncate(1)
            assert one.stat().st_size == 1

    def test_a_handle_sees_a_published_file(self, fs: AbstractFileSystem, file: str) -> None:
        with fs.posix.open_handle(file) as handle:
            fs.pipe_file(file, b"published")
            assert handle.pread(99, 0) == b"published"

    def test_a_reader_does_not_mix_two_published_files(self, fs: AbstractFileSystem, file: str) -> None:
        size = 300_000
        with fs.posix.open_handle(file, os.O_WRONLY) as handle:
            handle.pwrite(b"a" * size, 0)
        with fs.open(file, "rb") as reader:
            first = reader.read(10)
            fs.pipe_file(file, b"b" * size)
            assert set(first + reader.read()) == {ord("a")}

    def test_flush_and_fsync(self, fs: AbstractFileSystem, file: str) -> None:
        with fs.posix.open_handle(file, os.O_RDWR) as handle:
            handle.pwrite(b"X", 0)
            handle.flush()
            handle.fsync()
        assert fs.cat_file(file) == b"X123456789"

    def test_opening_what_is_no_regular_file(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        for flags in (os.O_RDONLY, os.O_RDWR, os.O_CREAT | os.O_RDWR):
            with fails_with(errno.EISDIR, root):
                fs.posix.open_handle(root, flags)
            with fails_with(errno.ENOTDIR, f"{file}/x"):
                fs.posix.open_handle(f"{file}/x", flags)
        with fails_with(errno.ENOENT, f"{root}/missing"):
            fs.posix.open_handle(f"{root}/missing", os.O_RDWR)
        with fails_with(errno.ENOENT, f"{root}/missing/x"):
            fs.posix.open_handle(f"{root}/missing/x", os.O_CREAT | os.O_RDWR)
        with fails_with(errno.ENOTDIR, file):
            fs.posix.open_handle(file, os.O_DIRECTORY)

    @needs("symlinks")
    def test_links(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.posix.symlink("file", f"{root}/link")
        fs.posix.symlink("new", f"{root}/dangling")
        with fs.posix.open_handle(f"{root}/link") as handle:
            assert handle.pread(2, 0) == b"01"
        for flags in (O_NOFOLLOW, O_NOFOLLOW | os.O_CREAT):
            with fails_with(errno.ELOOP, f"{root}/link"):
                fs.posix.open_handle(f"{root}/link", flags)
        with fails_with(errno.EEXIST, f"{root}/dangling"):
            fs.posix.open_handle(f"{root}/dangling", os.O_CREAT | os.O_EXCL)
        fs.posix.open_handle(f"{root}/dangling", os.O_CREAT | os.O_WRONLY).close()
        assert fs.cat_file(f"{root}/new") == b""

    @pytest.mark.skipif(not O_TMPFILE, reason="this system has no O_TMPFILE")
    def test_a_file_without_a_name(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        with fs.posix.open_handle(root, O_TMPFILE | os.O_RDWR, 0o600) as handle:
            handle.pwrite(b"secret", 0)
            assert handle.pread(99, 0) == b"secret"
            assert (handle.stat().st_nlink, handle.stat().st_mode & 0o7777) == (0, 0o600)
            assert names_below(fs, root) == ["file"]
        with fails_with(errno.ENOTDIR, file):
            fs.posix.open_handle(file, O_TMPFILE | os.O_RDWR)
        with fails_with(errno.EINVAL, root):
            fs.posix.open_handle(root, O_TMPFILE | os.O_RDONLY)

    @needs("etags", "modified_times")
    def test_a_write_in_place_changes_etag_and_size(self, fs: AbstractFileSystem, file: str) -> None:
        before = fs.info(file)
        with fs.posix.open_handle(file, os.O_RDWR) as handle:
            handle.pwrite(b"X", 10)
            after = fs.info(file)
            assert after["etag"] != before["etag"]
            assert after["size"] == 11
            handle.truncate(11)
            assert after["mtime"] >= before["mtime"] - TICK

    @pytest.mark.parametrize("seed", range(8))
    def test_random_edits_agree_with_a_bytearray(self, fs: AbstractFileSystem, root: str, seed: int) -> None:
        choose = random.Random(seed)  # noqa: S311 - the same edits in every run
        span = choose.choice([300, 70_000, 400_000])
        start = choose.randbytes(choose.randrange(span))
        model = bytearray(start)
        fs.pipe_file(f"{root}/f", start)
        with fs.posix.open_handle(f"{root}/f", os.O_RDWR) as handle:
            for _ in range(60):
                offset, size = choose.randrange(span), choose.randrange(span // 3)
                if choose.random() < 0.6:
                    data = choose.randbytes(size)
                    handle.pwrite(data, offset)
                    model.extend(bytes(max(offset - len(model), 0)) if data else b"")
                    model[offset : offset + size] = data
                elif choose.random() < 0.5:
                    handle.truncate(offset)
                    model.extend(bytes(max(offset - len(model), 0)))
                    del model[offset:]
                assert handle.pread(size, offset) == model[offset : offset + size]
                assert handle.stat().st_size == len(model)
        assert fs.cat_file(f"{root}/f") == model
        assert fs.cat_file(f"{root}/f", start=100, end=-100) == model[100:-100]
        with fs.open(f"{root}/f", "rb") as file:
            assert file.read() == model
