"""Sparse files: what was never written reads as zeros and takes no space."""

from __future__ import annotations

import errno
import os

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.posix import FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE
from chuk_fsspec.testing.checks import fails_with, node_at
from chuk_fsspec.testing.needs import needs

MIB = 1 << 20
GRAIN = 65_536
"""Holes need not be exact to the byte; they are to this many."""


@needs("sparse", "random_write")
class SparseFiles:
    """Holes, by path and by handle."""

    def test_a_hole_takes_no_space(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.posix.open_handle(f"{root}/f", os.O_CREAT | os.O_RDWR) as handle:
            handle.truncate(1 << 40)
            handle.pwrite(b"X", 1 << 39)
            found = handle.stat()
            assert found.st_size == 1 << 40
            assert 0 < found.st_blocks * 512 <= MIB
            assert handle.pread(3, (1 << 39) - 1) == b"\0X\0"
            assert handle.pread(2, (1 << 40) - 1) == b"\0"
        assert fs.cat_file(f"{root}/f", start=-1) == b"\0"
        assert fs.size(f"{root}/f") == 1 << 40

    def test_an_open_file_reads_through_holes(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.posix.open_handle(f"{root}/f", os.O_CREAT | os.O_RDWR) as handle:
            handle.pwrite(b"END", 5 * MIB)
        with fs.open(f"{root}/f", "rb") as file:
            assert file.size == 5 * MIB + 3
            file.seek(-5, os.SEEK_END)
            assert file.read() == b"\0\0END"

    def test_truncating_makes_a_hole_of_what_was_there(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"x" * MIB)
        fs.posix.truncate(f"{root}/f", 100_000)
        fs.posix.truncate(f"{root}/f", MIB)
        assert fs.cat_file(f"{root}/f") == b"x" * 100_000 + bytes(MIB - 100_000)
        assert fs.posix.stat(f"{root}/f").st_blocks * 512 <= MIB // 2


@needs("sparse", "nodes")
class HolesByNode:
    """fallocate(2) and lseek(2), through ``posix.nodes``."""

    @pytest.fixture
    def path(self, fs: AbstractFileSystem, root: str) -> str:
        """A file of one MiB without holes."""
        fs.pipe_file(f"{root}/f", b"x" * MIB)
        return f"{root}/f"

    @pytest.mark.parametrize("mode", [FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, FALLOC_ZERO_RANGE, FALLOC_ZERO_RANGE | 1])
    @pytest.mark.parametrize(("offset", "length"), [(0, MIB), (100, 50), (1000, 500_000), (GRAIN, GRAIN), (MIB - 5, 5)])
    def test_a_range_becomes_zeros(
        self, fs: AbstractFileSystem, path: str, mode: int, offset: int, length: int
    ) -> None:
        nodes = fs.posix.nodes
        nodes.allocate(node_at(nodes, path), offset, length, mode)
        assert fs.cat_file(path) == b"x" * offset + bytes(length) + b"x" * (MIB - offset - length)

    def test_a_punched_hole_takes_no_space_and_can_be_found(self, fs: AbstractFileSystem, path: str) -> None:
        nodes = fs.posix.nodes
        node = node_at(nodes, path)
        before = nodes.getattr(node).allocated
        nodes.allocate(node, 2 * GRAIN, 8 * GRAIN, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE)
        assert nodes.getattr(node).allocated <= before - 8 * GRAIN
        assert nodes.seek(node, 0, os.SEEK_DATA) == 0
        assert nodes.seek(node, 0, os.SEEK_HOLE) == 2 * GRAIN
        assert nodes.seek(node, 3 * GRAIN, os.SEEK_HOLE) == 3 * GRAIN
        assert nodes.seek(node, 3 * GRAIN, os.SEEK_DATA) == 10 * GRAIN
        assert nodes.seek(node, 10 * GRAIN, os.SEEK_HOLE) == MIB

    @pytest.mark.parametrize("mode", [FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE])
    def test_the_size_is_kept(self, fs: AbstractFileSystem, path: str, mode: int) -> None:
        nodes = fs.posix.nodes
        nodes.allocate(node_at(nodes, path), MIB - 10, MIB, mode)
        assert fs.cat_file(path) == b"x" * (MIB - 10) + bytes(10)

    def test_reserving_grows_the_file_unless_told_not_to(self, fs: AbstractFileSystem, path: str) -> None:
        nodes = fs.posix.nodes
        node = node_at(nodes, path)
        nodes.allocate(node, MIB, MIB, FALLOC_KEEP_SIZE)
        assert fs.size(path) == MIB
        nodes.allocate(node, MIB, MIB, 0)
        assert fs.cat_file(path) == b"x" * MIB + bytes(MIB)
        assert nodes.getattr(node).allocated >= 2 * MIB

    def test_errors(self, fs: AbstractFileSystem, path: str, root: str) -> None:
        nodes = fs.posix.nodes
        node = node_at(nodes, path)
        for offset, length, mode, code in (
            (-1, 5, 0, errno.EINVAL),
            (0, 0, 0, errno.EINVAL),
            (2**63 - 1, 5, 0, errno.EFBIG),
            (0, 5, FALLOC_PUNCH_HOLE, errno.ENOTSUP),
            (0, 5, 0x80, errno.ENOTSUP),
        ):
            with fails_with(code):
                nodes.allocate(node, offset, length, mode)
        for whence in (os.SEEK_DATA, os.SEEK_HOLE):
            with fails_with(errno.ENXIO):
                nodes.seek(node, MIB, whence)
        with fails_with(errno.EISDIR):
            nodes.allocate(node_at(nodes, root), 0, 5, 0)
        assert fs.cat_file(path) == b"x" * MIB
