"""Permissions, owners and times."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import TICK, fails_with
from chuk_fsspec.testing.needs import needs

SECOND = 10**9
TICK_NS = int(TICK * SECOND)


@needs("attributes", "directories")
class PosixAttributes:
    """``posix.stat``, ``chmod``, ``chown``, ``utime``, ``mkdir`` and ``truncate``."""

    @pytest.fixture
    def file(self, fs: AbstractFileSystem, root: str) -> str:
        """A file of seven bytes, last changed in 1970."""
        path = f"{root}/file"
        fs.pipe_file(path, b"content")
        fs.posix.utime(path, ns=(SECOND, SECOND))
        return path

    def test_stat_of_a_file(self, fs: AbstractFileSystem, file: str) -> None:
        found = fs.posix.stat(file)
        assert stat.S_ISREG(found.st_mode)
        assert (found.st_size, found.st_nlink) == (7, 1)
        assert found.st_ino > 0
        assert fs.posix.lstat(file) == found

    def test_stat_of_a_directory(self, fs: AbstractFileSystem, root: str) -> None:
        assert fs.posix.stat(root).st_nlink == 2
        fs.mkdir(f"{root}/d")
        found = fs.posix.stat(root)
        assert stat.S_ISDIR(found.st_mode)
        assert found.st_nlink == 3
        fs.rmdir(f"{root}/d")
        assert fs.posix.stat(root).st_nlink == 2

    def test_info_agrees_with_stat(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        for path in (file, root, "/"):
            info, found = fs.info(path), fs.posix.stat(path)
            for key in ("mode", "ino", "nlink", "uid", "gid", "mtime_ns"):
                assert info[key] == getattr(found, f"st_{key}"), key
            for key in ("atime", "mtime", "ctime"):
                assert info[key] == pytest.approx(getattr(found, f"st_{key}"), abs=1e-6), key

    def test_a_file_keeps_its_number_and_no_other_has_it(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        number = fs.posix.stat(file).st_ino
        fs.pipe({f"{root}/{n}": b"" for n in range(10)})
        numbers = [info["ino"] for info in fs.ls(root)]
        assert len(set(numbers)) == len(numbers)
        assert fs.posix.stat(file).st_ino == number

    @pytest.mark.parametrize("mode", [0o000, 0o644, 0o755, 0o4755, 0o2755, 0o1777, 0o7777])
    def test_chmod(self, fs: AbstractFileSystem, file: str, root: str, mode: int) -> None:
        for path in (file, root):
            kind = stat.S_IFMT(fs.posix.stat(path).st_mode)
            fs.posix.chmod(path, mode)
            assert fs.posix.stat(path).st_mode == fs.info(path)["mode"] == kind | mode

    def test_chmod_ignores_type_bits(self, fs: AbstractFileSystem, file: str) -> None:
        fs.posix.chmod(file, stat.S_IFDIR | 0o640)
        assert fs.posix.stat(file).st_mode == stat.S_IFREG | 0o640

    def test_chown(self, fs: AbstractFileSystem, file: str) -> None:
        fs.posix.chown(file, 1234, 5678)
        assert (fs.info(file)["uid"], fs.info(file)["gid"]) == (1234, 5678)
        fs.posix.chown(file, -1, 99)
        fs.posix.chown(file, 98, -1)
        found = fs.posix.stat(file)
        assert (found.st_uid, found.st_gid) == (98, 99)

    def test_a_new_owner_gets_no_set_id_bits(self, fs: AbstractFileSystem, file: str) -> None:
        fs.posix.chmod(file, 0o6755)
        fs.posix.chown(file, 1234, -1)
        assert fs.posix.stat(file).st_mode & 0o7777 == 0o755

    @pytest.mark.parametrize("ns", [(1, 2), (1_700_000_000_123_456_789, 1_600_000_000_987_654_321), (0, 0)])
    def test_utime_keeps_nanoseconds(self, fs: AbstractFileSystem, file: str, ns: tuple[int, int]) -> None:
        fs.posix.utime(file, ns=ns)
        found = fs.posix.stat(file)
        assert (found.st_atime_ns, found.st_mtime_ns) == ns
        assert fs.info(file)["mtime_ns"] == ns[1]
        assert fs.info(file)["mtime"] == pytest.approx(ns[1] / SECOND)

    def test_utime_without_times_is_now(self, fs: AbstractFileSystem, file: str) -> None:
        before = time.time_ns()
        fs.posix.utime(file)
        found = fs.posix.stat(file)
        for stamp in (found.st_atime_ns, found.st_mtime_ns):
            assert before - TICK_NS <= stamp <= time.time_ns() + TICK_NS

    @pytest.mark.parametrize(
        "change",
        [
            lambda fs, path: fs.posix.chmod(path, 0o600),
            lambda fs, path: fs.posix.chown(path, 1, 1),
            lambda fs, path: fs.posix.utime(path, ns=(1, 1)),
            lambda fs, path: fs.mv(path, path + "2"),
            lambda fs, path: fs.pipe_file(path, b"other"),
        ],
        ids=["chmod", "chown", "utime", "mv", "pipe"],
    )
    def test_every_change_stamps_ctime(
        self, fs: AbstractFileSystem, file: str, change: Callable[[AbstractFileSystem, str], None]
    ) -> None:
        before = fs.posix.stat(file).st_ctime_ns
        time.sleep(0.02)
        change(fs, file)
        path = file if fs.exists(file) else file + "2"
        assert fs.posix.stat(path).st_ctime_ns > before

    def test_only_content_stamps_mtime(self, fs: AbstractFileSystem, file: str) -> None:
        fs.posix.chmod(file, 0o600)
        fs.posix.chown(file, 1, 1)
        fs.cat_file(file)
        assert fs.posix.stat(file).st_mtime_ns == SECOND
        fs.pipe_file(file, b"other")
        assert fs.posix.stat(file).st_mtime_ns > SECOND

    @pytest.mark.parametrize(
        "change",
        [
            lambda fs, root: fs.pipe_file(f"{root}/new", b""),
            lambda fs, root: fs.rm_file(f"{root}/file"),
            lambda fs, root: fs.mv(f"{root}/file", f"{root}/moved"),
            lambda fs, root: fs.mkdir(f"{root}/d"),
        ],
        ids=["create", "remove", "move", "mkdir"],
    )
    def test_entries_stamp_their_directory(
        self, fs: AbstractFileSystem, file: str, root: str, change: Callable[[AbstractFileSystem, str], None]
    ) -> None:
        fs.posix.utime(root, ns=(SECOND, SECOND))
        change(fs, root)
        assert fs.posix.stat(root).st_mtime_ns > SECOND

    def test_replaced_content_leaves_the_attributes(self, fs: AbstractFileSystem, file: str) -> None:
        fs.posix.chmod(file, 0o751)
        fs.posix.chown(file, 12, 34)
        number = fs.posix.stat(file).st_ino
        fs.pipe_file(file, b"other")
        with fs.open(file, "wb") as out:
            out.write(b"third")
        found = fs.posix.stat(file)
        assert (found.st_ino, found.st_mode & 0o7777, found.st_uid, found.st_gid) == (number, 0o751, 12, 34)

    def test_mkdir_with_a_mode(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.posix.mkdir(f"{root}/d", 0o710)
        assert fs.posix.stat(f"{root}/d").st_mode == stat.S_IFDIR | 0o710
        with fails_with(errno.EEXIST, f"{root}/d"):
            fs.posix.mkdir(f"{root}/d")
        with fails_with(errno.ENOENT, f"{root}/missing/d"):
            fs.posix.mkdir(f"{root}/missing/d")
        with fails_with(errno.ENOTDIR, f"{file}/d"):
            fs.posix.mkdir(f"{file}/d")

    def test_the_group_of_a_set_group_id_directory_is_inherited(self, fs: AbstractFileSystem, root: str) -> None:
        fs.posix.mkdir(f"{root}/d", 0o755)
        fs.posix.chown(f"{root}/d", -1, 4321)
        fs.posix.chmod(f"{root}/d", 0o2755)
        fs.pipe_file(f"{root}/d/f", b"")
        fs.mkdir(f"{root}/d/e")
        assert fs.posix.stat(f"{root}/d/f").st_gid == 4321
        below = fs.posix.stat(f"{root}/d/e")
        assert (below.st_gid, below.st_mode & stat.S_ISGID) == (4321, stat.S_ISGID)

    def test_truncate(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.posix.truncate(file, 3)
        assert fs.cat_file(file) == b"con"
        fs.posix.truncate(file, 5)
        assert fs.cat_file(file) == b"con\0\0"
        assert fs.posix.stat(file).st_mtime_ns > SECOND
        for size, path, code in (
            (-1, file, errno.EINVAL),
            (2**63, file, errno.EFBIG),
            (0, root, errno.EISDIR),
            (0, f"{root}/missing", errno.ENOENT),
        ):
            with fails_with(code, path):
                fs.posix.truncate(path, size)

    @needs("symlinks")
    def test_links_are_followed_unless_told_not_to(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.posix.symlink("file", f"{root}/link")
        fs.posix.chmod(f"{root}/link", 0o600)
        fs.posix.utime(f"{root}/link", ns=(5, 6))
        fs.posix.chown(f"{root}/link", 11, 12)
        found = fs.posix.stat(file)
        assert (found.st_mode & 0o7777, found.st_mtime_ns, found.st_uid) == (0o600, 6, 11)
        fs.posix.utime(f"{root}/link", ns=(7, 8), follow_symlinks=False)
        fs.posix.chown(f"{root}/link", 21, 22, follow_symlinks=False)
        link = fs.posix.lstat(f"{root}/link")
        assert (link.st_atime_ns, link.st_mtime_ns, link.st_uid, link.st_gid) == (7, 8, 21, 22)
        found = fs.posix.stat(file)
        assert (found.st_atime_ns, found.st_mtime_ns, found.st_uid) == (5, 6, 11)

    @pytest.mark.parametrize(
        "act",
        [
            lambda posix, path: posix.stat(path),
            lambda posix, path: posix.lstat(path),
            lambda posix, path: posix.chmod(path, 0),
            lambda posix, path: posix.chown(path, 0, 0),
            lambda posix, path: posix.utime(path),
        ],
        ids=["stat", "lstat", "chmod", "chown", "utime"],
    )
    def test_a_missing_path(
        self, fs: AbstractFileSystem, file: str, root: str, act: Callable[[object, str], object]
    ) -> None:
        with fails_with(errno.ENOENT, f"{root}/missing"):
            act(fs.posix, f"{root}/missing")
        with fails_with(errno.ENOTDIR, f"{file}/x"):
            act(fs.posix, f"{file}/x")


@needs("statvfs")
class PosixStatVfs:
    """``posix.statvfs``."""

    def test_figures_make_sense(self, fs: AbstractFileSystem, root: str) -> None:
        found = fs.posix.statvfs()
        assert found.block_size > 0
        assert 0 <= found.blocks_free <= found.blocks
        assert 0 <= found.files_free <= found.files
        assert found.name_max == 255

    def test_files_are_counted(self, fs: AbstractFileSystem, root: str) -> None:
        before = fs.posix.statvfs()
        fs.pipe({f"{root}/{number}": b"" for number in range(10)})
        used = before.files_free - before.files, fs.posix.statvfs().files_free - fs.posix.statvfs().files
        assert used[1] - used[0] == -10
        fs.rm([f"{root}/{number}" for number in range(10)])
        fs.pipe({f"{root}/d/{number}/e/f": b"" for number in range(10)})
        fs.rm(f"{root}/d", recursive=True)
        after = fs.posix.statvfs()
        assert after.files - after.files_free == before.files - before.files_free

    def test_content_takes_space_until_it_is_removed(self, fs: AbstractFileSystem, root: str) -> None:
        def used() -> int:
            found = fs.posix.statvfs()
            return int((found.blocks - found.blocks_free) * found.block_size)

        before = used()
        fs.pipe_file(f"{root}/f", os.urandom(4 << 20))
        assert used() >= before + (4 << 20) - 65_536
        fs.rm_file(f"{root}/f")
        assert used() <= before + 65_536
