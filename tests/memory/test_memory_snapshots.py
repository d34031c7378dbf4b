"""Snapshots of chukmem: what they cost, what they hold, and how they go together with transactions and processes."""

from __future__ import annotations

import errno
import pickle
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import cast

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.memory import store as memory_store
from chuk_fsspec.backends.memory.inode import CHANGES, OLDER, AnyInode, MemoryDirectory
from chuk_fsspec.backends.memory.restoring import Restore, Restores
from chuk_fsspec.backends.memory.store import MemoryStore
from chuk_fsspec.testing.checks import failing, fails_with

MIB = 1 << 20


def used(fs: MemoryFileSystem) -> int:
    """Bytes in use, as the filesystem tells."""
    return cast(MemoryStore, fs.store)._space.used


def own_copy(letter: str, size: int = MIB) -> bytes:
    """Content that nobody else holds."""
    return bytes(bytearray(letter.encode() * size))


# ---- what they cost


def test_taking_one_touches_no_file(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({f"/d{number % 10}/f{number}": b"x" for number in range(1000)})
    tracemalloc.start()
    for number in range(100):
        chukmem.snapshots.create(f"s{number}")
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 100_000


def test_restoring_reaches_an_inode_only_when_it_is_looked_at(
    chukmem: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [f"/d{number % 100}/f{number}" for number in range(5000)]
    chukmem.pipe(dict.fromkeys(paths, b"old"))
    chukmem.snapshots.create("before")
    chukmem.pipe(dict.fromkeys(paths, b"new"))
    chukmem.mkdir("/later")
    reached: list[AnyInode] = []
    apply = Restores._apply

    def note(self: Restores, inode: AnyInode, restore: Restore) -> None:
        reached.append(inode)
        apply(self, inode, restore)

    monkeypatch.setattr(Restores, "_apply", note)
    chukmem.snapshots.restore("before")
    assert len(reached) <= 1
    assert chukmem.cat_file("/d7/f7") == b"old"
    assert len(reached) <= 3
    assert set(chukmem.cat(paths).values()) == {b"old"}


def test_changes_pay_for_a_restore_until_nothing_is_left_to_do(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({f"/old/{number}": b"old" for number in range(300)})
    chukmem.snapshots.create("before")
    chukmem.pipe({f"/old/{number}": b"new" for number in range(300)})
    chukmem.pipe({f"/new/{number}": own_copy("n", 1000) for number in range(300)})
    chukmem.snapshots.restore("before")
    restores = cast(MemoryStore, chukmem.store).timeline.restores
    assert restores.pending
    for number in range(300):
        chukmem.pipe_file(f"/elsewhere{number}", b"")
    assert not restores.pending
    assert used(chukmem) == 300 * 3


def test_files_that_come_and_go_leave_nothing_behind(chukmem: MemoryFileSystem) -> None:
    chukmem.mkdir("/d")
    chukmem.snapshots.create("before")
    directory = cast(MemoryDirectory, chukmem.inodes.lookup(chukmem.inodes.root, "d"))
    for number in range(1000):
        chukmem.pipe_file(f"/d/temporary{number}", b"x" * 1000)
        chukmem.rm_file(f"/d/temporary{number}")
    assert directory.past is not None
    assert directory.past[CHANGES] == {}
    assert directory.past[OLDER] is None
    assert used(chukmem) == 0


def test_hundreds_may_exist(chukmem: MemoryFileSystem) -> None:
    for number in range(400):
        chukmem.pipe_file("/log", b"%d" % number)
        chukmem.pipe_file(f"/f{number % 50}", b"%d" % number)
        chukmem.snapshots.create(f"s{number}")
    for number in (0, 1, 199, 398, 399):
        past = chukmem.snapshots.at(f"s{number}")
        assert past.cat_file("/log") == b"%d" % number
        assert len(past.ls("/")) == min(number + 1, 50) + 1
    for number in range(1, 400):
        chukmem.snapshots.delete(f"s{number}")
    chukmem.snapshots.restore("s0")
    assert chukmem.find("/") == ["/f0", "/log"]


# ---- what they hold


def test_what_only_a_deleted_snapshot_needed_is_freed(chukmem: MemoryFileSystem) -> None:
    tracemalloc.start()
    chukmem.pipe({f"/{number}": own_copy("a") for number in range(8)})
    for name in ("one", "two"):
        chukmem.snapshots.create(name)
        chukmem.pipe({f"/{number}": own_copy(name[0]) for number in range(8)})
    full, _ = tracemalloc.get_traced_memory()
    assert used(chukmem) == 24 * MIB
    chukmem.snapshots.delete("two")
    assert used(chukmem) == 16 * MIB
    half, _ = tracemalloc.get_traced_memory()
    assert full - half > 7 * MIB
    chukmem.rm("/", recursive=True)
    assert used(chukmem) == 8 * MIB
    chukmem.snapshots.delete("one")
    assert used(chukmem) == 0
    empty, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert empty < MIB


def test_what_a_restore_abandons_is_freed(chukmem: MemoryFileSystem) -> None:
    chukmem.snapshots.create("empty")
    chukmem.pipe({f"/d/{number}": own_copy("x") for number in range(5)})
    chukmem.snapshots.restore("empty")
    total = chukmem.posix.statvfs()
    assert used(chukmem) == 0
    assert total.files - total.files_free == 1


def test_equal_content_counts_once(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", own_copy("x"))
    for number in range(5):
        chukmem.snapshots.create(f"s{number}")
        chukmem.posix.chmod("/f", 0o600 + number)
    assert used(chukmem) == MIB
    chukmem.rm_file("/f")
    assert used(chukmem) == MIB
    for number in range(5):
        assert used(chukmem) == MIB
        chukmem.snapshots.delete(f"s{number}")
    assert used(chukmem) == 0


def test_an_edit_in_place_copies_only_what_it_touches(chukmem: MemoryFileSystem) -> None:
    with chukmem.posix.open_handle("/f", 0o102) as handle:
        handle.pwrite(own_copy("x", 32 * MIB), 0)
        chukmem.snapshots.create("before")
        tracemalloc.start()
        handle.pwrite(b"!", 5 * MIB)
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert grown < MIB
    assert chukmem.snapshots.at("before").cat_file("/f", 5 * MIB, 5 * MIB + 2) == b"xx"
    assert chukmem.cat_file("/f", 5 * MIB, 5 * MIB + 2) == b"!x"


def test_what_snapshots_hold_counts_towards_the_capacity(chukmem: MemoryFileSystem) -> None:
    fs = MemoryFileSystem(f"{chukmem.name}-small", capacity=3 * MIB)
    fs.pipe_file("/f", own_copy("1"))
    fs.snapshots.create("one")
    fs.pipe_file("/f", own_copy("2"))
    fs.snapshots.create("two")
    fs.pipe_file("/f", own_copy("3"))
    fs.pipe_file("/f", own_copy("4"))
    with fails_with(errno.ENOSPC, "/g"):
        fs.pipe_file("/g", b"x")
    with pytest.raises(OSError, match="capacity"), fs.posix.open_handle("/f", 0o2) as handle:
        handle.pwrite(b"x", MIB)
    fs.snapshots.delete("one")
    fs.pipe_file("/g", own_copy("5"))
    fs.snapshots.restore("two")
    fs.pipe_file("/h", own_copy("6"))  # for which there is room once the restore has freed what it abandoned
    assert fs.find("/") == ["/f", "/h"]
    assert fs.cat_file("/f") == b"2" * MIB
    drop_store(fs.name)


# ---- transactions


def test_a_snapshot_waits_for_the_transaction_of_another_thread(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"before")
    began, taken = threading.Event(), threading.Event()

    def take() -> None:
        began.wait(30)
        MemoryFileSystem(chukmem.name).snapshots.create("after")
        taken.set()

    thread = threading.Thread(target=take)
    thread.start()
    with failing(chukmem.transaction):
        chukmem.rm_file("/f")
        began.set()
        assert not taken.wait(0.2)
    thread.join(30)
    assert taken.is_set()
    assert chukmem.snapshots.at("after").cat_file("/f") == b"before"


def test_it_does_not_wait_for_ever(chukmem: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_store, "TRANSACTION_WAIT", 0.05)
    chukmem.snapshots.create("before")
    failures: list[int | None] = []

    def act() -> None:
        other = MemoryFileSystem(chukmem.name)
        for work in (lambda: other.snapshots.create("now"), lambda: other.snapshots.restore("before")):
            try:
                work()
            except OSError as error:
                failures.append(error.errno)

    with chukmem.transaction:
        chukmem.mkdir("/d")
        thread = threading.Thread(target=act)
        thread.start()
        thread.join(30)
    assert failures == [errno.EBUSY, errno.EBUSY]
    assert chukmem.isdir("/d")


def test_an_undone_transaction_after_a_restore(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/d/a": b"1" * 100_000, "/d/b": b"2"})
    chukmem.snapshots.create("before")
    chukmem.pipe({"/d/a": b"3", "/d/c": b"4"})
    chukmem.snapshots.create("after")
    chukmem.snapshots.restore("before")
    with failing(chukmem.transaction):
        with chukmem.posix.open_handle("/d/a", 0o2) as handle:
            handle.pwrite(b"!", 50_000)
        chukmem.rm_file("/d/b")
        chukmem.pipe_file("/d/c", b"5")
    assert chukmem.cat("/d/*") == {"/d/a": b"1" * 100_000, "/d/b": b"2"}
    assert chukmem.snapshots.at("after").cat("/d/*") == {"/d/a": b"3", "/d/b": b"2", "/d/c": b"4"}
    for name in ("before", "after"):
        chukmem.snapshots.delete(name)
    chukmem.rm("/d", recursive=True)
    assert used(chukmem) == 0


# ---- instances and processes


def test_a_dropped_store_keeps_its_snapshots_for_those_who_have_it(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"1")
    chukmem.snapshots.create("s")
    drop_store(chukmem.name)
    chukmem.pipe_file("/f", b"2")
    past = chukmem.snapshots.at("s")
    assert past.cat_file("/f") == b"1"
    assert past.posix.nofollow.cat_file("/f") == b"1"
    assert past.storage_options["at"] == "s"
    assert past.fsid == chukmem.snapshots.at("s").fsid
    with fails_with(errno.ENOENT):
        MemoryFileSystem(chukmem.name, at="s")


def test_in_another_process_a_snapshot_says_that_it_is_elsewhere(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    chukmem.snapshots.create("s")
    (tmp_path / "fs").write_bytes(pickle.dumps(chukmem.snapshots.at("s")))
    code = f"import pickle; pickle.load(open({str(tmp_path / 'fs')!r}, 'rb')).ls('/')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "cannot be used from process" in done.stderr
