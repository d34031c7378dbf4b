"""Going back to a snapshot, with files open, nodes held, transactions undone and threads at work."""

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import suppress
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import failing, fails_with, files_below, in_threads, names_below, node_at
from chuk_fsspec.testing.needs import needs
from chuk_fsspec.testing.snapshot_changes import (
    CHANGES,
    EACH,
    LARGE,
    Change,
    SnapshotFixtures,
    Take,
    change_all,
    everything,
    write_in_place,
)


@needs("snapshots", "write", "random_write", "symlinks", "hardlinks", "attributes", "xattrs", "shared_between_threads")
class RestoringSnapshots(SnapshotFixtures):
    """``fs.snapshots.restore``."""

    @pytest.mark.parametrize("change", EACH, ids=lambda one: one.__name__)
    def test_everything_comes_back(
        self,
        fs: AbstractFileSystem,
        tree: str,
        take: Take,
        change: Change,
    ) -> None:
        before = everything(fs, tree)
        name = take()
        change(fs, tree)
        changed = everything(fs, tree)
        later = take()
        fs.snapshots.restore(name)
        assert everything(fs, tree) == before
        assert everything(fs.snapshots.at(later), tree) == changed
        fs.snapshots.restore(later)
        assert everything(fs, tree) == changed
        assert everything(fs.snapshots.at(name), tree) == before

    def test_restoring_goes_back_and_forth(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        states = {}
        for change in CHANGES:
            with suppress(OSError):
                change(fs, tree)
            states[take()] = everything(fs, tree)
        for name in [*states, *reversed(states), *states]:
            fs.snapshots.restore(name)
            assert everything(fs, tree) == states[name]

    def test_what_is_written_after_a_restore_is_new(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        name = take()
        fs.pipe_file(f"{tree}/file", b"abandoned")
        abandoned = fs.info(f"{tree}/file")["etag"]
        fs.snapshots.restore(name)
        before = fs.info(f"{tree}/file")["etag"]
        write_in_place(fs, tree)
        fs.pipe_file(f"{tree}/fresh", b"1")
        assert fs.cat_file(f"{tree}/file")[:8] == b"c!ntent\0"
        assert fs.info(f"{tree}/file")["etag"] not in (before, abandoned)
        past = fs.snapshots.at(name)
        assert past.cat_file(f"{tree}/file") == b"content"
        assert past.cat_file(f"{tree}/large") == LARGE
        assert not past.exists(f"{tree}/fresh")

    def test_open_files_go_on(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        name = take()
        old = fs.posix.open_handle(f"{tree}/file", os.O_RDWR)
        old.pwrite(b"CON", 0)
        new = fs.posix.open_handle(f"{tree}/made-later", os.O_RDWR | os.O_CREAT)
        new.pwrite(b"still here", 0)
        fs.snapshots.restore(name)
        assert old.pread(99, 0) == b"content"
        assert old.pwrite(b"C", 0) == 1
        assert fs.cat_file(f"{tree}/file") == b"Content"
        assert new.pread(99, 0) == b"still here"
        assert new.stat().st_nlink == 0
        assert new.pwrite(b"!", 10) == 1
        assert not fs.exists(f"{tree}/made-later")
        new.close()
        old.close()

    def test_a_file_that_was_removed_while_open_has_its_name_again(
        self, fs: AbstractFileSystem, tree: str, take: Take
    ) -> None:
        name = take()
        with fs.posix.open_handle(f"{tree}/tree/a", os.O_RDWR) as handle:
            fs.rm(f"{tree}/tree", recursive=True)
            fs.snapshots.restore(name)
            assert handle.stat().st_nlink == 1
            handle.pwrite(b"Z", 0)
        assert fs.cat_file(f"{tree}/tree/a") == b"Z"

    def test_nodes_that_are_held_show_what_was_restored(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        nodes = fs.posix.nodes
        held: set[int] = set()
        end = nodes.hold(held)
        name = take()
        file, directory = node_at(nodes, f"{tree}/file"), node_at(nodes, f"{tree}/tree")
        fs.pipe_file(f"{tree}/file", b"longer than it was")
        fs.makedirs(f"{tree}/tree/later")
        later = node_at(nodes, f"{tree}/tree/later")
        held |= {file.ino, directory.ino, later.ino}
        fs.snapshots.restore(name)
        assert nodes.getattr(file).size == 7
        assert b"".join(nodes.read(file, 99, 0)) == b"content"
        assert sorted(found for found, _ in nodes.entries(directory)) == ["a", "below"]
        assert nodes.getattr(directory).nlink == 3
        assert nodes.getattr(later).nlink == 0
        with fails_with(errno.ENOENT):
            nodes.create(later, "x", stat.S_IFREG | 0o644, 0, 0)
        held.clear()
        end()

    def test_watchers_are_told_that_anything_may_have_changed(
        self, fs: AbstractFileSystem, tree: str, take: Take
    ) -> None:
        told: list[Any] = []
        end = fs.posix.nodes.watch(lambda *change: told.append(change))
        fs.snapshots.restore(take())
        end()
        assert (None, "", None) in told

    @needs("transactions")
    def test_an_undone_transaction_leaves_snapshots_alone(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        before = everything(fs, tree)
        name = take()
        with failing(fs.transaction):
            change_all(fs, tree)
        assert files_below(fs, tree) == files_below(fs.snapshots.at(name), tree)
        assert everything(fs.snapshots.at(name), tree) == before
        fs.snapshots.restore(name)
        assert everything(fs, tree) == before

    # ---- threads

    def test_one_taken_while_others_write_is_one_moment(self, fs: AbstractFileSystem, root: str, take: Take) -> None:
        """Each writer numbers what it writes: a file is there if, and only if, all before it are."""
        stop = threading.Event()
        names: list[str] = []

        def work(thread: int) -> None:
            mine = type(fs)(*fs.storage_args, **fs.storage_options)
            if thread == 0:
                names.extend(take() for _ in range(20))
                stop.set()
                return
            number = 0
            while not stop.is_set() and number < 3000:
                mine.pipe_file(f"{root}/counter-{thread}", b"%d" % number)
                mine.pipe_file(f"{root}/{thread}-{number}", b"%d" % number)
                number += 1

        in_threads(3, work)
        for name in names:
            past = fs.snapshots.at(name)
            found = names_below(past, root)
            for thread in (1, 2):
                numbers = {int(one.partition("-")[2]) for one in found if one.startswith(f"{thread}-")}
                assert numbers == set(range(len(numbers)))
                counter = int(past.cat_file(f"{root}/counter-{thread}")) if f"counter-{thread}" in found else -1
                assert counter in (len(numbers) - 1, len(numbers))

    def test_readers_beside_a_restore_see_one_state_or_the_other(
        self, fs: AbstractFileSystem, root: str, take: Take
    ) -> None:
        states = []
        for letter in (b"a", b"b"):
            fs.pipe({f"{root}/{number}": letter * 5 for number in range(20)})
            fs.pipe_file(f"{root}/only-{letter.decode()}", letter)
            states.append(take())
            fs.rm_file(f"{root}/only-{letter.decode()}")
        stop = threading.Event()
        listings: set[tuple[str, ...]] = set()
        fs.snapshots.restore(states[0])

        def work(thread: int) -> None:
            mine = type(fs)(*fs.storage_args, **fs.storage_options)
            if thread == 0:
                for turn in range(60):
                    mine.snapshots.restore(states[turn % 2])
                stop.set()
                return
            while not stop.is_set():
                listings.add(tuple(name for name in names_below(mine, root) if name.startswith("only")))
                assert mine.cat_file(f"{root}/7") in (b"aaaaa", b"bbbbb")

        in_threads(3, work)
        assert listings <= {("only-a",), ("only-b",)}
