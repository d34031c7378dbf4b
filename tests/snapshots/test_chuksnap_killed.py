"""Processes that are killed with -9 in the middle of a snapshot, a restore or a deletion."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem
from tests.processes import started
from tests.snapshots.snapshot_kinds import wait_for_the_clock

PROGRAM = Path(__file__).parent / "snapshot_killing.py"
KILLS = 60 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 4


def snapshots(tmp_path: Path) -> SnapshotFileSystem:
    options = {"root": str(tmp_path / "files"), "durable": False}
    store = f"file://{tmp_path}/store"
    return SnapshotFileSystem(
        target_protocol="chuklocal", target_options=options, store=store, skip_instance_cache=True
    )


def fill(fs: SnapshotFileSystem, seed: int) -> None:
    choose = random.Random(seed)
    for number in range(200):
        fs.pipe_file(f"/d{number % 10}/f{number // 10}", choose.randbytes(choose.randrange(20_000)))


def kill_in_the_middle(what: str, tmp_path: Path, seconds: float) -> None:
    command = [sys.executable, str(PROGRAM), what, str(tmp_path / "files"), f"file://{tmp_path}/store"]
    with started(command) as (process, line):
        assert line == "ready"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def everything(fs: SnapshotFileSystem) -> dict[str, bytes]:
    return {path: fs.cat_file(path) for path in fs.find("/")}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path


@pytest.mark.parametrize("what", ["create", "delete"])
def test_nothing_refers_to_half_a_snapshot(what: str, files: Path) -> None:
    fs = snapshots(files)
    fill(fs, 1)
    fs.create_snapshot("kept")
    kept = everything(fs)
    choose = random.Random(5)
    for _ in range(KILLS):
        kill_in_the_middle(what, files, choose.random() * 0.4)
        fs = snapshots(files)
        assert fs.verify(deep=True) == []
        assert everything(fs.at("kept")) == kept
    newest = fs.create_snapshot("after all")
    assert fs.list_snapshots()[-1] == newest
    assert everything(fs.at("after all")) == everything(fs)
    fs.prune(keep_last=1)
    assert fs.verify(deep=True) == []
    assert everything(fs.at("after all")) == everything(fs)
    fs.delete_snapshot("after all")
    assert list((files / "store" / "packs").iterdir()) == []


def test_an_interrupted_restore_can_be_run_again(files: Path) -> None:
    fs = snapshots(files)
    fill(fs, 1)
    fs.create_snapshot("one")
    fill(fs, 2)
    fs.rm("/d3", recursive=True)
    fs.pipe_file("/d4/new", b"n")
    fs.create_snapshot("two")
    both = [everything(fs.at(name)) for name in ("one", "two")]
    choose = random.Random(6)
    for _ in range(KILLS):
        kill_in_the_middle("restore", files, choose.random() * 0.5)
        fs = snapshots(files)
        for path, data in everything(fs).items():
            whole = {contents.get(path) for contents in both}
            assert data in whole or path.rpartition("/")[2].startswith(".chuk-"), "no file is half"
        fs.restore("one")
        assert everything(fs) == both[0]
        assert len(fs.diff("one")) == 0


def test_an_interrupted_run_sends_nothing_twice(files: Path) -> None:
    """Packs that it left are found, and what is in them is not stored again."""
    fs = snapshots(files)
    fill(fs, 3)
    fs.pipe_file("/large", random.Random(3).randbytes(20_000_000))
    wait_for_the_clock()
    snapshot: Any = fs.create_snapshot("whole")
    store = files / "store"
    for record in (store / "snapshots").iterdir():
        record.unlink()
    for index in (store / "index").iterdir():
        index.unlink()
    before = {path.name for path in (store / "packs").iterdir()}
    again: Any = snapshots(files).create_snapshot("whole")
    assert snapshot.added > 20_000_000
    assert again.added == 0
    assert {path.name for path in (store / "packs").iterdir()} == before
    assert snapshots(files).verify(deep=True) == []


def test_half_files_of_killed_processes_are_not_kept(files: Path) -> None:
    naming = "from chuk_fsspec.forwarding.publishing.leftovers import temporary_name; print(temporary_name())"
    name = subprocess.run([sys.executable, "-c", naming], check=True, capture_output=True, text=True).stdout.strip()
    fs = snapshots(files)
    fs.pipe({"/d/f": b"1", f"/d/{name}": b"half"})
    fs.create_snapshot("one")
    assert fs.at("one").find("/") == ["/d/f"]
    fs.restore("one")
    assert fs.find("/") == ["/d/f"]
