"""FIFOs, sockets and device nodes: kept by name, never opened here."""

from __future__ import annotations

import errno
import os
import stat

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import fails_with, names_below
from chuk_fsspec.testing.needs import needs

KINDS = {"fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK, "char": stat.S_IFCHR, "block": stat.S_IFBLK}


@needs("special_files")
class PosixSpecialFiles:
    """``posix.mknod``."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_node_is_kept(self, fs: AbstractFileSystem, root: str, kind: str) -> None:
        device = os.makedev(7, 300) if kind in ("char", "block") else 0
        fs.posix.mknod(f"{root}/node", KINDS[kind] | 0o640, device)
        found = fs.posix.stat(f"{root}/node")
        assert (found.st_mode, found.st_rdev, found.st_size, found.st_nlink) == (KINDS[kind] | 0o640, device, 0, 1)
        info = fs.info(f"{root}/node")
        assert (info["type"], info["size"], info["mode"]) == ("other", 0, KINDS[kind] | 0o640)
        assert info in fs.ls(root)
        assert fs.exists(f"{root}/node")
        assert not fs.isfile(f"{root}/node")
        assert not fs.isdir(f"{root}/node")

    @pytest.mark.parametrize("mode", [0o644, stat.S_IFREG | 0o644])
    def test_an_empty_file(self, fs: AbstractFileSystem, root: str, mode: int) -> None:
        fs.posix.mknod(f"{root}/f", mode)
        assert fs.posix.stat(f"{root}/f").st_mode == stat.S_IFREG | 0o644
        assert fs.cat_file(f"{root}/f") == b""

    def test_reading_and_writing_is_refused_at_once(self, fs: AbstractFileSystem, root: str) -> None:
        path = f"{root}/node"
        fs.posix.mknod(path, stat.S_IFIFO | 0o644)
        for act, *arguments in (
            (fs.cat_file,),
            (fs.open, "rb"),
            (fs.open, "wb"),
            (fs.pipe_file, b"x"),
            (fs.cp_file, f"{root}/copy"),
            (fs.posix.truncate, 0),
        ):
            with fails_with(errno.EINVAL, path):
                act(path, *arguments)
        assert names_below(fs, root) == ["node"]

    def test_it_moves_and_goes_like_any_file(self, fs: AbstractFileSystem, root: str) -> None:
        fs.posix.mknod(f"{root}/node", stat.S_IFCHR | 0o600, 5)
        fs.mv(f"{root}/node", f"{root}/moved")
        assert fs.posix.stat(f"{root}/moved").st_rdev == 5
        fs.rm_file(f"{root}/moved")
        assert names_below(fs, root) == []

    def test_errors(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        with fails_with(errno.EEXIST, f"{root}/f"):
            fs.posix.mknod(f"{root}/f", stat.S_IFIFO)
        with fails_with(errno.ENOENT, f"{root}/missing/f"):
            fs.posix.mknod(f"{root}/missing/f", stat.S_IFIFO)
        for kind in (stat.S_IFDIR, stat.S_IFLNK):
            with fails_with(errno.EINVAL, f"{root}/x"):
                fs.posix.mknod(f"{root}/x", kind)
        assert names_below(fs, root) == ["f"]
