"""``posix.reader``: the short way to the files of one directory. It may always answer None, but never wrongly."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import fails_with, meets_link
from chuk_fsspec.testing.needs import needs

Read = Callable[[str], bytes | None]


def reader(fs: AbstractFileSystem, directory: str) -> Read:
    """``fs.posix.reader``; the test is skipped where there is none, for this short way is nobody's duty."""
    try:
        read: Read = fs.posix.reader(directory)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            pytest.skip("this filesystem has no reader by name")
        raise
    return read


def require_reading(fs: AbstractFileSystem, directory: str, name: str) -> None:
    """Skip the test where readers only ever answer None, and so may be given for anything."""
    if reader(fs, directory)(name) is None:
        pytest.skip("readers of this filesystem read nothing by name")


@needs("symlinks", "directories")
class Readers:
    """``posix.reader``, on a filesystem that follows links and on its view that does not."""

    @pytest.fixture(params=["fs", "nofollow"])
    def either(self, request: pytest.FixtureRequest, fs: AbstractFileSystem) -> AbstractFileSystem:
        """The filesystem under test, and its view."""
        chosen: AbstractFileSystem = fs if request.param == "fs" else fs.posix.nofollow
        return chosen

    def test_whole_files(self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/f": b"content", f"{root}/empty": b"", f"{root}/large": b"x" * 300_000})
        read = reader(either, root)
        assert read("f") in (b"content", None)
        assert read("empty") in (b"", None)
        assert read("large") in (b"x" * 300_000, None)

    def test_what_is_there_now(self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str) -> None:
        read = reader(either, root)
        assert read("f") is None
        fs.pipe_file(f"{root}/f", b"old")
        assert read("f") in (b"old", None)
        fs.pipe_file(f"{root}/f", b"newer")
        assert read("f") in (b"newer", None)
        fs.mv(f"{root}/f", f"{root}/g")
        assert read("f") is None
        assert read("g") in (b"newer", None)
        fs.rm_file(f"{root}/g")
        assert read("g") is None

    @needs("random_write")
    def test_edits_in_place(self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        read = reader(either, root)
        with fs.open(f"{root}/f", "r+b") as file:
            file.write(b"C")
        assert read("f") in (b"Content", None)
        fs.posix.truncate(f"{root}/f", 1)
        assert read("f") in (b"C", None)
        fs.posix.truncate(f"{root}/f", 3)
        assert read("f") in (b"C\0\0", None)

    def test_whatever_is_no_file_of_the_directory(
        self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str
    ) -> None:
        fs.pipe({f"{root}/d/e/f": b"below", f"{root}/f": b"above"})
        fs.posix.symlink("../f", f"{root}/d/link")
        fs.posix.symlink("e", f"{root}/d/link-to-directory")
        read = reader(either, f"{root}/d")
        for name in (
            "missing",
            "link",
            "link-to-directory",
            "e",
            "",
            ".",
            "..",
            "e/f",
            "../f",
            "./e/f",
            "/",
            "e/",
            "\0",
        ):
            assert read(name) is None
        for name in ("x" * 256, f"{root}/f", f"{root}/d/e/f", "link/", "link-to-directory/f"):
            assert read(name) is None

    @needs("special_files")
    def test_special_files(self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str) -> None:
        fs.posix.mknod(f"{root}/fifo", 0o010644)
        assert reader(either, root)("fifo") is None

    def test_a_file_that_became_a_link(self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/d/f": b"inside", f"{root}/f": b"outside"})
        read = reader(either, f"{root}/d")
        fs.rm_file(f"{root}/d/f")
        fs.posix.symlink("../f", f"{root}/d/f")
        assert read("f") is None

    def test_a_moved_directory(self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/a/d/f", b"content")
        read, read_below = reader(either, f"{root}/a"), reader(either, f"{root}/a/d")
        fs.mv(f"{root}/a", f"{root}/moved")
        assert read("f") is read_below("f") is None
        fs.mv(f"{root}/moved", f"{root}/a")
        fs.pipe_file(f"{root}/a/d/f", b"content again")
        assert read_below("f") is None

    def test_a_directory_with_a_link_in_its_place(
        self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str
    ) -> None:
        fs.pipe({f"{root}/d/f": b"inside", f"{root}/outside/f": b"outside"})
        read = reader(either, f"{root}/d")
        fs.mv(f"{root}/d", f"{root}/old")
        fs.posix.symlink("outside", f"{root}/d")
        assert read("f") is None

    def test_a_removed_directory(self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        read = reader(either, f"{root}/d")
        fs.rm(f"{root}/d", recursive=True)
        assert read("f") is None
        fs.pipe_file(f"{root}/d/f", b"another")
        assert read("f") is None

    def test_only_directories_have_readers(self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"")
        require_reading(either, root, "f")
        with fails_with(errno.ENOENT, f"{root}/missing"):
            reader(either, f"{root}/missing")
        for path in (f"{root}/f", f"{root}/f/x"):
            with fails_with(errno.ENOTDIR, path):
                reader(either, path)

    def test_links_on_the_way_to_the_directory(
        self, fs: AbstractFileSystem, either: AbstractFileSystem, root: str
    ) -> None:
        fs.pipe_file(f"{root}/f", b"")
        require_reading(either, root, "f")
        fs.makedirs(f"{root}/d/e")
        fs.posix.symlink("d", f"{root}/link")
        assert fs.isdir(f"{root}/link/e")
        for path in (f"{root}/link", f"{root}/link/e", f"{root}/link/missing"):
            with meets_link(f"{root}/link"):
                reader(either, path)
