"""Transactions: everything that a block did, or nothing of it."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import TICK, failing, fails_with, files_below, in_threads, names_below, same_filesystem
from chuk_fsspec.testing.needs import needs

Step = Callable[[AbstractFileSystem, str], Any]

STEPS: dict[str, Step] = {
    "pipe_new": lambda fs, root: fs.pipe_file(f"{root}/new", b"new"),
    "pipe_over": lambda fs, root: fs.pipe_file(f"{root}/a", b"new"),
    "pipe_in_new_directory": lambda fs, root: fs.pipe_file(f"{root}/x/y/z", b"new"),
    "touch_new": lambda fs, root: fs.touch(f"{root}/new"),
    "touch_over": lambda fs, root: fs.touch(f"{root}/a"),
    "rm": lambda fs, root: fs.rm(f"{root}/a"),
    "rm_tree": lambda fs, root: fs.rm(f"{root}/d", recursive=True),
    "rm_file": lambda fs, root: fs.rm_file(f"{root}/d/e/f"),
    "mv": lambda fs, root: fs.mv(f"{root}/a", f"{root}/new"),
    "mv_over": lambda fs, root: fs.mv(f"{root}/a", f"{root}/b"),
    "mv_tree": lambda fs, root: fs.mv(f"{root}/d", f"{root}/new", recursive=True),
    "mv_inside": lambda fs, root: fs.mv(f"{root}/a", f"{root}/d"),
    "cp": lambda fs, root: fs.cp_file(f"{root}/a", f"{root}/new"),
    "cp_over": lambda fs, root: fs.cp_file(f"{root}/a", f"{root}/b"),
    "cp_tree": lambda fs, root: fs.copy(f"{root}/d", f"{root}/new", recursive=True),
    "mkdir": lambda fs, root: fs.mkdir(f"{root}/new/below"),
    "makedirs": lambda fs, root: fs.makedirs(f"{root}/new/below"),
    "rmdir": lambda fs, root: fs.rmdir(f"{root}/empty"),
    "write_text": lambda fs, root: fs.write_text(f"{root}/a", "new"),
}

POSIX_STEPS: dict[str, tuple[str, Step]] = {
    "chmod": ("attributes", lambda fs, root: fs.posix.chmod(f"{root}/a", 0o600)),
    "utime": ("attributes", lambda fs, root: fs.posix.utime(f"{root}/a", ns=(1, 2))),
    "symlink": ("symlinks", lambda fs, root: fs.posix.symlink("a", f"{root}/new")),
    "link": ("hardlinks", lambda fs, root: fs.posix.link(f"{root}/a", f"{root}/new")),
    "setxattr": ("xattrs", lambda fs, root: fs.posix.setxattr(f"{root}/a", "user.x", b"1")),
    "exchange": ("rename_flags", lambda fs, root: fs.posix.rename(f"{root}/a", f"{root}/d", 2)),
    "truncate": ("random_write", lambda fs, root: fs.posix.truncate(f"{root}/a", 1)),
    "unlink": ("attributes", lambda fs, root: fs.posix.unlink(f"{root}/a")),
}


@needs("transactions", "directories")
class Transactions:
    """``with fs.transaction``."""

    @pytest.fixture
    def tree(self, fs: AbstractFileSystem, root: str) -> str:
        """A directory with files, a subtree and an empty directory."""
        fs.pipe({f"{root}/a": b"A", f"{root}/b": b"B", f"{root}/d/c": b"C", f"{root}/d/e/f": b"F"})
        fs.mkdir(f"{root}/empty")
        return root

    @pytest.mark.parametrize("step", STEPS)
    def test_a_failed_block_undoes(self, fs: AbstractFileSystem, tree: str, step: str) -> None:
        before = fs.find(tree, withdirs=True, detail=True)
        content = files_below(fs, tree)
        with failing(fs.transaction):
            STEPS[step](fs, tree)
        assert files_below(fs, tree) == content
        assert fs.find(tree, withdirs=True, detail=True) == before

    @pytest.mark.parametrize("step", STEPS)
    def test_a_block_that_ends_well_keeps(self, fs: AbstractFileSystem, tree: str, step: str) -> None:
        twin = f"{tree}-twin"
        fs.copy(tree, twin, recursive=True)
        STEPS[step](fs, twin)
        with fs.transaction:
            STEPS[step](fs, tree)
        assert files_below(fs, tree) == files_below(fs, twin)
        assert names_below(fs, tree) == names_below(fs, twin)
        fs.rm(twin, recursive=True)

    @pytest.mark.parametrize("step", POSIX_STEPS)
    def test_a_failed_block_undoes_posix(self, fs: AbstractFileSystem, tree: str, step: str) -> None:
        capability, act = POSIX_STEPS[step]
        if not getattr(fs.capabilities, capability):
            pytest.skip(f"needs {capability}, which this filesystem does not declare")
        before = fs.find(tree, withdirs=True, detail=True)
        content = files_below(fs, tree)
        with failing(fs.transaction):
            act(fs, tree)
        assert files_below(fs, tree) == content
        assert fs.find(tree, withdirs=True, detail=True) == before

    @needs("random_write")
    def test_a_failed_block_undoes_writes_in_place(self, fs: AbstractFileSystem, tree: str) -> None:
        large = b"x" * 200_000
        fs.pipe_file(f"{tree}/large", large)
        with failing(fs.transaction):
            for name in ("a", "large"):
                with fs.posix.open_handle(f"{tree}/{name}", os.O_RDWR) as handle:
                    handle.pwrite(b"!", 0)
                    handle.pwrite(b"!", 100_000)
                    handle.truncate(50_000)
        assert fs.cat_file(f"{tree}/a") == b"A"
        assert fs.cat_file(f"{tree}/large") == large

    def test_files_appear_together_at_the_end(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.transaction:
            fs.pipe_file(f"{root}/a", b"1")
            with fs.open(f"{root}/b", "wb") as file:
                file.write(b"2")
            with fs.open(f"{root}/c", "w") as file:
                file.write("3")
            assert not fs.exists(f"{root}/a")
            assert fs.find(root) == []
        assert files_below(fs, root) == {"a": b"1", "b": b"2", "c": b"3"}

    def test_steps_take_effect_in_order(self, fs: AbstractFileSystem, tree: str) -> None:
        with fs.transaction:
            fs.pipe_file(f"{tree}/a", b"A2")
            fs.mv(f"{tree}/a", f"{tree}/moved")
            fs.pipe_file(f"{tree}/a", b"A3")
            fs.rm(f"{tree}/b")
            fs.pipe_file(f"{tree}/b", b"B2")
            fs.cp_file(f"{tree}/b", f"{tree}/copied")
            fs.rm(f"{tree}/d", recursive=True)
            fs.pipe_file(f"{tree}/d", b"now a file")
        assert files_below(fs, tree) == {
            "a": b"A3",
            "b": b"B2",
            "copied": b"B2",
            "d": b"now a file",
            "moved": b"A2",
        }

    def test_many_steps_are_undone_in_order(self, fs: AbstractFileSystem, tree: str) -> None:
        before = files_below(fs, tree), names_below(fs, tree)
        with failing(fs.transaction):
            for step in STEPS.values():
                with suppress(OSError):
                    step(fs, tree)
        assert (files_below(fs, tree), names_below(fs, tree)) == before

    def test_a_file_that_failed_inside_is_left_out(self, fs: AbstractFileSystem, root: str) -> None:
        with fs.transaction:
            fs.pipe_file(f"{root}/good", b"1")
            with failing(fs.open(f"{root}/bad", "wb")) as file:
                file.write(b"half")
        assert files_below(fs, root) == {"good": b"1"}

    @needs("exclusive_create", "shared_between_threads")
    def test_an_error_while_publishing_undoes_all(self, fs: AbstractFileSystem, root: str) -> None:
        def be_faster(_: int) -> None:
            same_filesystem(fs).pipe_file(f"{root}/c", b"theirs")

        with fails_with(errno.EEXIST, f"{root}/c"), fs.transaction:
            fs.mkdir(f"{root}/d")
            fs.pipe_file(f"{root}/a", b"1")
            fs.pipe_file(f"{root}/c", b"mine", mode="create")
            fs.pipe_file(f"{root}/z", b"2")
            in_threads(1, be_faster)
        assert files_below(fs, root) == {"c": b"theirs"}
        assert names_below(fs, root) == ["c"]

    @needs("isolated_transactions", "shared_between_threads")
    def test_others_wait_until_it_ends(self, fs: AbstractFileSystem, tree: str) -> None:
        begun = threading.Event()

        def write() -> None:
            mine = same_filesystem(fs)
            begun.set()
            mine.pipe_file(f"{tree}/a", b"theirs")

        other = threading.Thread(target=write)
        with fs.transaction:
            other.start()
            begun.wait()
            for _ in range(5):
                assert fs.cat_file(f"{tree}/a") == b"A"
                time.sleep(TICK)
            fs.mv(f"{tree}/a", f"{tree}/moved")
        other.join()
        assert (fs.cat_file(f"{tree}/moved"), fs.cat_file(f"{tree}/a")) == (b"A", b"theirs")

    @needs("append")
    def test_appends(self, fs: AbstractFileSystem, tree: str) -> None:
        with failing(fs.transaction), fs.open(f"{tree}/a", "ab") as file:
            file.write(b"+")
        assert fs.cat_file(f"{tree}/a") == b"A"
        with fs.transaction, fs.open(f"{tree}/a", "ab") as file:
            file.write(b"+")
        assert fs.cat_file(f"{tree}/a") == b"A+"

    def test_start_and_end_without_a_block(self, fs: AbstractFileSystem, root: str) -> None:
        fs.start_transaction()
        fs.pipe_file(f"{root}/a", b"1")
        assert not fs.exists(f"{root}/a")
        fs.end_transaction()
        assert files_below(fs, root) == {"a": b"1"}

    @needs("exclusive_create", "shared_between_threads")
    def test_an_error_at_the_end_undoes_all(self, fs: AbstractFileSystem, root: str) -> None:
        fs.start_transaction()
        fs.mkdir(f"{root}/d")
        fs.pipe_file(f"{root}/a", b"mine")
        fs.pipe_file(f"{root}/c", b"mine", mode="create")
        in_threads(1, lambda _: same_filesystem(fs).pipe_file(f"{root}/c", b"theirs"))
        with fails_with(errno.EEXIST, f"{root}/c"):
            fs.end_transaction()
        assert names_below(fs, root) == ["c"]
        fs.pipe_file(f"{root}/next", b"")
        assert files_below(fs, root) == {"c": b"theirs", "next": b""}

    def test_the_next_block_starts_afresh(self, fs: AbstractFileSystem, root: str) -> None:
        for number in range(3):
            with failing(fs.transaction):
                fs.pipe_file(f"{root}/bad{number}", b"")
            with fs.transaction:
                fs.pipe_file(f"{root}/good{number}", b"")
        fs.pipe_file(f"{root}/outside", b"")
        assert names_below(fs, root) == ["good0", "good1", "good2", "outside"]

    @needs("shared_between_threads")
    def test_other_threads_keep_what_they_do_meanwhile(self, fs: AbstractFileSystem, tree: str) -> None:
        def elsewhere(_: int) -> None:
            other = same_filesystem(fs)
            other.pipe_file(f"{tree}/theirs", b"1")
            other.pipe_file(f"{tree}/b", b"B2")
            other.rm_file(f"{tree}/d/c")

        with failing(fs.transaction):
            fs.rm_file(f"{tree}/a")
            fs.mkdir(f"{tree}/mine")
            in_threads(1, elsewhere)
            fs.pipe_file(f"{tree}/d/mine", b"2")
        assert files_below(fs, tree) == {"a": b"A", "b": b"B2", "d/e/f": b"F", "theirs": b"1"}
        assert fs.ls(f"{tree}/empty") == []
