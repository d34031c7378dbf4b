"""What happens between chuksnap and places that are far away: lost and half packs, kills, and what others change."""

from __future__ import annotations

import errno
import hashlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem, StoredSnapshot
from chuk_fsspec.wrappers.snapshots.repository.packs import PACK_BYTES
from tests.snapshots.store_places import PLACES, StorePlace, store_place
from tests.wrappers.object_fs import ObjectFileSystem

PROGRAM = Path(__file__).parent / "snapshot_killing.py"


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StorePlace]:
    with store_place(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def everything(files: Path) -> dict[str, bytes]:
    return {path.relative_to(files).as_posix(): path.read_bytes() for path in files.rglob("*") if path.is_file()}


def is_whole(pack: Path) -> bool:
    return hashlib.sha256(pack.read_bytes()).hexdigest() == pack.name


def test_a_create_that_is_killed_goes_on_where_it_was(place: StorePlace, files: Path) -> None:
    for number in range(3):
        (files / str(number)).write_bytes(random.Random(number).randbytes(PACK_BYTES // 2))
    command = [sys.executable, str(PROGRAM), "once", str(files), place.url, json.dumps(place.options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        while not any(is_whole(pack) for pack in place.packs.values()):
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    sent = {name: pack.stat() for name, pack in place.packs.items()}
    fs = place.snapshots(files)
    assert fs.list_snapshots() == []
    snapshot = fs.create_snapshot("whole")
    assert isinstance(snapshot, StoredSnapshot)
    assert snapshot.added < snapshot.bytes - sum(status.st_size for status in sent.values()) + 100_000
    assert {name: place.packs[name].stat().st_mtime_ns for name in sent} == {
        name: status.st_mtime_ns for name, status in sent.items()
    }
    assert fs.verify(deep=True) == []
    before = everything(files)
    for number in range(0, 3, 2):
        (files / str(number)).unlink()
    fs.restore("whole")
    assert everything(files) == before


@pytest.mark.parametrize("damage", ["lost", "cut off"])
def test_a_pack_that_the_store_has_lost(damage: str, place: StorePlace, files: Path) -> None:
    """It is found without reading, the file is named, and nothing at all is changed for the sake of the others."""
    fs = place.snapshots(files)
    fs.pipe({"/a": b"a", "/d/z": b"z"})
    fs.create_snapshot("one")
    fs.pipe_file("/d/large", random.Random(1).randbytes(PACK_BYTES + 1))
    fs.create_snapshot("two")
    [pack] = [pack for pack in place.packs.values() if pack.stat().st_size > PACK_BYTES]
    if damage == "lost":
        pack.unlink()
    else:
        pack.write_bytes(pack.read_bytes()[: PACK_BYTES // 2])
    fs.pipe({"/a": b"changed", "/d/large": b"changed", "/d/z": b"changed", "/new": b"n"})
    before = everything(files)

    later = place.snapshots(files)
    assert [(one.snapshot, one.path) for one in later.verify()] == [("two", "/d/large")]
    for one in (fs, later):
        with fails_with(errno.EIO, "/d/large"):
            one.restore("two")
        assert everything(files) == before
        with fails_with(errno.EIO, "/d/large"):
            one.at("two").cat_file("/d/large", start=PACK_BYTES - 10)
    later.restore("two", ["/a", "/d/z", "/new"])
    assert everything(files) == {"a": b"a", "d/z": b"z", "d/large": b"changed"}
    later.restore("one")
    assert everything(files) == {"a": b"a", "d/z": b"z"}


def test_nothing_is_removed_for_what_turns_out_to_be_damaged(place: StorePlace, files: Path) -> None:
    """A file in the snapshot, in whose place a directory stands."""
    fs = place.snapshots(files)
    fs.pipe_file("/d/was", b"a file" * 1000)
    fs.create_snapshot("one")
    [pack] = place.packs.values()
    pack.write_bytes(pack.read_bytes().replace(b"a filea file", b"a fileA file", 1))
    fs.rm("/d/was")
    fs.pipe_file("/d/was/now", b"a directory")
    fs = place.snapshots(files)
    with fails_with(errno.EIO, "/d/was"):
        fs.restore("one")
    assert everything(files) == {"d/was/now": b"a directory"}


class CachedListings(ObjectFileSystem):
    """Objects whose listings are kept, as s3fs and gcsfs keep them, while somebody else changes the objects."""

    changes = 0

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        key = self._strip_protocol(path)
        if key not in self.dircache:
            self.dircache[key] = super().ls(path, detail=True)
        return self.dircache[key] if detail else [info["name"] for info in self.dircache[key]]

    def invalidate_cache(self, path: str | None = None) -> None:
        if path is None:
            self.dircache.clear()
        else:
            self.dircache.pop(self._strip_protocol(path), None)

    def cat_file(self, path: str, *args: Any, **kwargs: Any) -> bytes:
        data = super().cat_file(path, *args, **kwargs)
        if self.changes:
            self.changes -= 1
            self.change(path, b"%0*d" % (len(data), self.changes))
        return data

    def change(self, path: str, data: bytes) -> None:
        """What another client does."""
        key = self._strip_protocol(path)
        self.objects[key] = data, self.objects[key][1] + 10


def test_what_others_change_is_seen_behind_a_listing_that_is_kept(tmp_path: Path) -> None:
    below = CachedListings()
    below.objects = {"d/f": (b"first", 1e9), "d/g": (b"other", 1e9)}
    fs = SnapshotFileSystem(below, store=f"file://{tmp_path}/store")
    fs.create_snapshot("one")
    below.change("d/f", b"later")
    assert [change.path for change in fs.diff("one").modified] == ["/d/f"]
    fs.create_snapshot("two")
    assert fs.at("two").cat_file("/d/f") == b"later"
    below.change("d/f", b"again")
    fs.restore("two")
    assert below.cat_file("d/f") == b"later"


def test_what_others_change_while_it_is_read_is_told(tmp_path: Path) -> None:
    """The size stays, and the listing from before is still there: without asking again, old facts would go with it."""
    below = CachedListings()
    below.objects = {"d/f": (b"first", 1e9)}
    fs = SnapshotFileSystem(below, store=f"file://{tmp_path}/store")
    below.changes = 1
    snapshot = fs.create_snapshot("one")
    assert isinstance(snapshot, StoredSnapshot)
    assert snapshot.read_again == ("/d/f",)
    assert fs.at("one").cat_file("/d/f") == b"00000"
    assert len(fs.diff("one")) == 0
    below.changes = 100
    below.change("d/f", b"other")
    with fails_with(errno.ESTALE, "/d/f"):
        fs.create_snapshot("two")
    assert [one.name for one in fs.list_snapshots()] == ["one"]
