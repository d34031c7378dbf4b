"""What changed: kinds of changes, renames, text and the log; and which snapshots are kept."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.snapshots import Snapshot
from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem, TextChanges
from chuk_fsspec.wrappers.snapshots.retention import Retention
from tests.snapshots.snapshot_kinds import KINDS, snapshots_over


@pytest.fixture(params=KINDS)
def fs(request: pytest.FixtureRequest, chukmem: MemoryFileSystem, tmp_path: Path) -> SnapshotFileSystem:
    return snapshots_over(request.param, chukmem.name, tmp_path)


def told(changes: Any) -> list[str]:
    return [str(change).replace(", times", "") for change in changes]


@pytest.mark.parametrize("b", ["now", "after"])
def test_each_kind_of_change(fs: SnapshotFileSystem, b: str) -> None:
    fs.pipe({"/a": b"one\n", "/d/moved": b"moved", "/gone": b"1", "/mode": b"m", "/dir/x": b"x", "/dir/y": b"y"})
    fs.posix.symlink("a", "/link")
    fs.posix.chmod("/mode", 0o600)
    fs.create_snapshot("before")
    fs.pipe({"/a": b"two\n\n", "/new": b"n"})
    fs.mv("/d/moved", "/moved")
    fs.rm("/gone")
    fs.posix.chmod("/mode", 0o644)
    fs.mv("/dir", "/renamed")
    fs.pipe_file("/renamed/x", b"changed inside")
    fs.posix.unlink("/link")
    fs.posix.symlink("mode", "/link")
    fs.posix.setxattr("/d", "user.k", b"v")
    fs.mkdir("/empty")
    fs.create_snapshot("after")
    assert told(fs.diff("before", b)) == [
        "M /a (4 -> 5 bytes)",
        "P /d/ (xattrs)",
        "A /empty/",
        "D /gone (1 byte)",
        "M /link (link to a -> mode)",
        "P /mode (mode 600 -> 644)",
        "R /d/moved -> /moved",
        "A /new (1 byte)",
        "R /dir -> /renamed/",
        "M /renamed/x (1 -> 14 bytes)",
    ]
    assert len(fs.diff(b, b)) == 0


def test_text(fs: SnapshotFileSystem) -> None:
    fs.pipe({"/a": b"one\ntwo\n", "/b": b"\0\1", "/large": b"l" * 2_000_000, "/same": b"s"})
    fs.create_snapshot("before")
    fs.pipe({"/a": b"one\n2\n", "/b": b"\0\2", "/large": b"L" * 2_000_000, "/new": b"n\n"})
    changes = fs.diff("before", text=True)
    assert isinstance(changes, TextChanges)
    assert changes.text == (
        "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
        "Binary files a/b and b/b differ\n"
        "/large is too long to be compared line by line\n"
        "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+n\n"
    )
    assert str(changes).endswith("+n")


def test_the_log(fs: SnapshotFileSystem) -> None:
    fs.pipe_file("/a", b"1")
    fs.create_snapshot("one", "the beginning")
    fs.pipe({"/b": b"2", "/a": b"22"})
    fs.create_snapshot("two")
    newest, oldest = fs.log()
    assert (newest.snapshot.name, oldest.snapshot.name) == ("two", "one")
    assert newest.changes is not None
    assert newest.changes.summary() == "1 added, 1 modified"
    assert oldest.changes is None
    assert str(oldest).endswith("the first  the beginning")
    assert [entry.snapshot.name for entry in fs.log(limit=1)] == ["two"]
    assert list(fs.log(limit=0)) == []


def test_a_name_for_those_that_are_given_none(fs: SnapshotFileSystem) -> None:
    names = [fs.create_snapshot().name for _ in range(3)]
    assert [snapshot.name for snapshot in fs.list_snapshots()] == names
    assert all(name.startswith(f"{datetime.now(timezone.utc).year}-") for name in names)


def test_a_directory_of_its_own(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    """Only what is below ``root`` is kept, compared and restored, on both ways."""
    for store in ("", f"file://{tmp_path}/store"):
        chukmem.pipe({"/work/d/f": b"1", "/other": b"1"})
        fs = SnapshotFileSystem(chukmem, store=store, root="/work/d")
        fs.create_snapshot("one")
        chukmem.pipe({"/work/d/f": b"2", "/work/d/g": b"2", "/other": b"2"})
        assert [change.path for change in fs.diff("one")] == ["/work/d/f", "/work/d/g"]
        assert fs.at("one").cat_file("/work/d/f") == b"1"
        fs.restore("one")
        assert (chukmem.cat_file("/work/d/f"), chukmem.exists("/work/d/g")) == (b"1", False)
        assert chukmem.cat_file("/other") == b"2"
        with pytest.raises(OSError, match="snapshots are of /work/d"):
            fs.restore("one", ["/other"])


def test_pruning(fs: SnapshotFileSystem) -> None:
    for number in range(5):
        fs.pipe_file("/f", b"%d" % number)
        fs.create_snapshot(f"s{number}")
    would = fs.prune(keep_last=2, dry_run=True)
    assert [snapshot.name for snapshot in would] == ["s0", "s1", "s2"]
    assert len(fs.list_snapshots()) == 5
    assert fs.prune(keep_last=2) == would
    assert [snapshot.name for snapshot in fs.list_snapshots()] == ["s3", "s4"]
    assert fs.at("s3").cat_file("/f") == b"3"
    assert fs.verify(deep=True) == []
    cases: list[dict[str, Any]] = [{}, {"keep_last": -1}]
    for wrong in cases:
        with pytest.raises(ValueError, match="keep"):
            fs.prune(**wrong)


def test_which_ones_are_kept() -> None:
    start = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
    moments = [start + timedelta(hours=6 * number) for number in range(200)]
    snapshots = [Snapshot(str(number), "", int(moment.timestamp() * 1e9)) for number, moment in enumerate(moments)]
    kept = {rule: Retention(**{rule: 3}).kept(snapshots) for rule in ("last", "hourly", "daily", "weekly", "monthly")}
    assert {rule: [moments[int(one.name)].strftime("%m-%d %H") for one in found] for rule, found in kept.items()} == {
        "last": ["02-19 18", "02-20 00", "02-20 06"],
        "hourly": ["02-19 18", "02-20 00", "02-20 06"],
        "daily": ["02-18 18", "02-19 18", "02-20 06"],
        "weekly": ["02-08 18", "02-15 18", "02-20 06"],
        "monthly": ["01-31 18", "02-20 06"],
    }
    assert Retention(yearly=1, last=1).kept(snapshots) == [snapshots[-1]]
    assert Retention(last=1000).kept(snapshots) == snapshots
