"""Extended attributes."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.testing.needs import needs

CREATE, REPLACE = 1, 2
"""``os.XATTR_CREATE`` and ``os.XATTR_REPLACE``, which not every system has."""


@needs("xattrs")
class PosixXattrs:
    """``posix.setxattr``, ``getxattr``, ``listxattr`` and ``removexattr``."""

    @pytest.fixture
    def file(self, fs: AbstractFileSystem, root: str) -> str:
        """A file without extended attributes."""
        fs.pipe_file(f"{root}/file", b"content")
        return f"{root}/file"

    @pytest.mark.parametrize("value", [b"", b"value", bytes(range(256)), b"x" * 65_536])
    def test_a_value_comes_back(self, fs: AbstractFileSystem, file: str, value: bytes) -> None:
        fs.posix.setxattr(file, "user.key", value)
        assert fs.posix.getxattr(file, "user.key") == value
        assert fs.posix.listxattr(file) == ["user.key"]

    def test_many_names(self, fs: AbstractFileSystem, file: str) -> None:
        names = ["user.a", "user.grün", "security.capability", "trusted.overlay.opaque", "user." + "x" * 250]
        for name in names:
            fs.posix.setxattr(file, name, name.encode())
        assert sorted(fs.posix.listxattr(file)) == sorted(names)
        fs.posix.removexattr(file, "user.a")
        assert sorted(fs.posix.listxattr(file)) == sorted(names[1:])
        assert all(fs.posix.getxattr(file, name) == name.encode() for name in names[1:])

    def test_directories_have_them_too(self, fs: AbstractFileSystem, root: str) -> None:
        fs.posix.setxattr(root, "user.key", b"value")
        assert fs.posix.getxattr(root, "user.key") == b"value"

    def test_content_leaves_them_alone_and_they_leave_it(self, fs: AbstractFileSystem, file: str) -> None:
        fs.posix.setxattr(file, "user.key", b"value")
        assert fs.cat_file(file) == b"content"
        fs.pipe_file(file, b"other")
        assert fs.posix.getxattr(file, "user.key") == b"value"

    @needs("rename")
    def test_they_move_with_the_file(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.posix.setxattr(file, "user.key", b"value")
        fs.mv(file, f"{root}/moved")
        assert fs.posix.getxattr(f"{root}/moved", "user.key") == b"value"

    @needs("symlinks")
    def test_links_are_followed(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.posix.symlink("file", f"{root}/link")
        fs.posix.setxattr(f"{root}/link", "user.key", b"value")
        assert fs.posix.getxattr(file, "user.key") == b"value"

    @needs("hardlinks")
    def test_they_belong_to_the_file_and_not_to_a_name(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.posix.link(file, f"{root}/second")
        fs.posix.setxattr(f"{root}/second", "user.key", b"value")
        assert fs.posix.getxattr(file, "user.key") == b"value"

    def test_flags(self, fs: AbstractFileSystem, file: str) -> None:
        with fails_with(errno.ENODATA, file):
            fs.posix.setxattr(file, "user.key", b"1", REPLACE)
        fs.posix.setxattr(file, "user.key", b"2", CREATE)
        with fails_with(errno.EEXIST, file):
            fs.posix.setxattr(file, "user.key", b"3", CREATE)
        assert fs.posix.getxattr(file, "user.key") == b"2"
        fs.posix.setxattr(file, "user.key", b"4", REPLACE)
        assert fs.posix.getxattr(file, "user.key") == b"4"

    def test_what_is_not_there(self, fs: AbstractFileSystem, file: str) -> None:
        assert fs.posix.listxattr(file) == []
        with fails_with(errno.ENODATA, file):
            fs.posix.getxattr(file, "user.key")
        with fails_with(errno.ENODATA, file):
            fs.posix.removexattr(file, "user.key")

    def test_limits(self, fs: AbstractFileSystem, file: str) -> None:
        for name in ("", "user." + "x" * 251):
            with fails_with(errno.ERANGE, file):
                fs.posix.setxattr(file, name, b"")
        with fails_with(errno.E2BIG, file):
            fs.posix.setxattr(file, "user.key", b"x" * 65_537)
        assert fs.posix.listxattr(file) == []

    @pytest.mark.parametrize(
        "act",
        [
            lambda posix, path: posix.setxattr(path, "user.key", b""),
            lambda posix, path: posix.getxattr(path, "user.key"),
            lambda posix, path: posix.listxattr(path),
            lambda posix, path: posix.removexattr(path, "user.key"),
        ],
        ids=["set", "get", "list", "remove"],
    )
    def test_a_missing_path(self, fs: AbstractFileSystem, root: str, act: Callable[[object, str], object]) -> None:
        with fails_with(errno.ENOENT, f"{root}/missing"):
            act(fs.posix, f"{root}/missing")
