"""What the kernel transport keeps count of, and what it tells the kernel."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_adapters.fuse import Mount, mount
from chuk_adapters.fuse.kernel.protocol import ROOT_ID
from chuk_adapters.fuse.kernel.table import NodeTable
from chuk_fsspec import MemoryFileSystem
from tests.waiting import wait_until

ENTRIES = 3000


class TestNodeTable:
    """Numbers, lookups and what they keep alive."""

    def test_the_root_has_its_number_and_is_never_forgotten(self, chukmem: MemoryFileSystem) -> None:
        table = NodeTable(chukmem.posix.nodes.root)
        assert table.node(ROOT_ID) is chukmem.posix.nodes.root
        assert table.forget(ROOT_ID, 1000) is None
        assert len(table) == 1

    def test_a_node_is_given_back_when_as_many_lookups_are_forgotten_as_were_made(
        self, chukmem: MemoryFileSystem
    ) -> None:
        nodes = chukmem.posix.nodes
        table = NodeTable(nodes.root)
        file = nodes.create(nodes.root, "f", 0o100644, 0, 0)
        nodeid = table.remember(file, ROOT_ID, "f")
        assert table.remember(file, ROOT_ID, "f") == nodeid
        assert table.forget(nodeid, 1) is None
        assert file.ino in table
        assert table.forget(nodeid, 1) is file
        assert file.ino not in table
        with pytest.raises(OSError, match="Stale") as caught:
            table.node(nodeid)
        assert caught.value.errno == errno.ESTALE

    def test_a_retired_number_works_until_it_is_forgotten_and_the_next_lookup_gets_another(
        self, chukmem: MemoryFileSystem
    ) -> None:
        nodes = chukmem.posix.nodes
        table = NodeTable(nodes.root)
        file = nodes.create(nodes.root, "f", 0o100644, 0, 0)
        old = table.remember(file, ROOT_ID, "f")
        known = table.current(file)
        assert known is not None
        table.retire(known)
        new = table.remember(file, ROOT_ID, "f")
        assert new != old
        assert table.node(old) is table.node(new) is file
        assert table.forget(new, 1) is None
        assert file.ino in table
        assert table.forget(old, 1) is file


@pytest.fixture
def mounted(chukmem: MemoryFileSystem, tmp_path: Path) -> Iterator[Mount]:
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(chukmem, target) as live:
        yield live


@pytest.mark.mount
class TestListing:
    """A directory read in parts while it changes."""

    def test_entries_removed_while_they_are_listed_hide_no_others(
        self, chukmem: MemoryFileSystem, mounted: Mount
    ) -> None:
        for number in range(ENTRIES):
            chukmem.pipe_file(f"/d/{number:04d}", b"")
        seen = []
        with os.scandir(mounted.path / "d") as entries:
            for entry in entries:
                seen.append(entry.name)
                os.unlink(entry.path)
        assert sorted(seen) == [f"{number:04d}" for number in range(ENTRIES)]
        os.rmdir(mounted.path / "d")

    def test_a_removed_name_does_not_come_back_with_the_rest_of_the_listing(
        self, chukmem: MemoryFileSystem, mounted: Mount
    ) -> None:
        for number in range(ENTRIES):
            chukmem.pipe_file(f"/d/{number:04d}", b"")
        last = mounted.path / "d" / f"{ENTRIES - 1:04d}"
        with os.scandir(mounted.path / "d") as entries:
            next(entries)
            os.unlink(last)
            names = [entry.name for entry in entries if entry.is_file()]
        assert not last.exists()
        assert len(names) in (
            ENTRIES - 2,
            ENTRIES - 1,
        )  # whether a name removed meanwhile is listed is open (readdir(3))

    def test_two_readers_of_one_directory_do_not_disturb_each_other(
        self, chukmem: MemoryFileSystem, mounted: Mount
    ) -> None:
        for number in range(ENTRIES):
            chukmem.pipe_file(f"/d/{number:04d}", b"")
        with os.scandir(mounted.path / "d") as first, os.scandir(mounted.path / "d") as second:
            pairs = [(a.name, b.name) for a, b in zip(first, second, strict=True)]
        assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == ENTRIES

    def test_attributes_come_with_the_names(self, chukmem: MemoryFileSystem, mounted: Mount) -> None:
        chukmem.pipe_file("/f", b"12345")
        chukmem.posix.symlink("f", "/l")
        chukmem.posix.mknod("/p", 0o010644)
        listed = subprocess.run(["ls", "-l", mounted.path], check=True, capture_output=True, text=True).stdout
        kinds = [line[0] for line in listed.splitlines()[1:]]
        assert kinds == ["-", "l", "p"]


@pytest.mark.mount
class TestForgetting:
    """The kernel gives back what it holds, and what has no name is freed."""

    def test_an_unlinked_file_lives_until_it_is_closed(self, chukmem: MemoryFileSystem, mounted: Mount) -> None:
        empty = chukmem.posix.statvfs().files_free
        with (mounted.path / "f").open("w+b") as file:
            file.write(b"content")
            file.flush()
            chukmem.rm_file("/f")
            assert os.pread(file.fileno(), 100, 0) == b"content"
            assert os.fstat(file.fileno()).st_nlink == 0
            os.pwrite(file.fileno(), b"CON", 0)
            assert os.pread(file.fileno(), 100, 0) == b"CONtent"
            assert not (mounted.path / "f").exists()
        wait_until(lambda: chukmem.posix.statvfs().files_free == empty)
        assert mounted.nodes_held == 1

    def test_an_error_of_ours_is_answered(
        self, chukmem: MemoryFileSystem, mounted: Mount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object) -> None:
            raise ZeroDivisionError

        chukmem.pipe_file("/f", b"x")
        os.stat(mounted.path / "f")
        with monkeypatch.context() as patch:
            patch.setattr("chuk_fsspec.engine.tree.Tree.readlink", fail)
            chukmem_link = mounted.path / "l"
            chukmem_link.symlink_to("f")
            with pytest.raises(OSError, match="Input/output error"):
                os.readlink(chukmem_link)
        assert (mounted.path / "f").read_bytes() == b"x"
