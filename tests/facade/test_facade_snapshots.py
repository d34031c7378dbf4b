"""Snapshots of a facade, wherever its files are: the filesystem's own, or kept in a store."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec import (
    AsyncSnapshotManager,
    AsyncVirtualFileSystem,
    MemoryFileSystem,
    SnapshotManager,
    VirtualFileSystem,
    capabilities_of,
)
from tests.facade.facade_kinds import KINDS, PLAIN, error_of, open_facade

KEPT = [kind for kind in KINDS if kind != "objects"]


@pytest.fixture(params=KEPT)
def fs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirtualFileSystem]:
    with open_facade(request.param, tmp_path) as facade:
        yield facade


def everything(fs: VirtualFileSystem) -> dict[str, bytes | None]:
    return {path: None if fs.is_dir(path) else fs.read_binary(path) for path in fs.find(path="/")}


def test_what_was_is_back(fs: VirtualFileSystem) -> None:
    manager = SnapshotManager(fs)
    fs.batch_write_files({"/d/a": "1", "/d/s/b": bytes(range(256))})
    before = everything(fs)
    assert manager.create_snapshot("first", "as it was") == "first"
    fs.write_file("/d/a", "changed")
    fs.rm("/d/s", recursive=True)
    fs.write_file("/new/f", "new")
    after = everything(fs)
    automatic = manager.create_snapshot()
    manager.restore_snapshot("first")
    assert everything(fs) == before
    manager.restore_snapshot(automatic)
    assert everything(fs) == after
    assert [(one["name"], one["description"]) for one in manager.list_snapshots()] == [
        (automatic, ""),
        ("first", "as it was"),
    ]
    manager.delete_snapshot("first")
    assert [one["name"] for one in manager.list_snapshots()] == [automatic]


@pytest.mark.parametrize("kind", [kind for kind in KEPT if kind not in PLAIN])
def test_attributes_and_empty_directories_are_back(kind: str, tmp_path: Path) -> None:
    fs = open_facade(kind, tmp_path)
    fs.write_file("/d/f", "x")
    fs.mkdir("/d/empty")
    fs.set_metadata("/d/f", {"author": "Ada"})
    fs.fs.posix.chmod("/d/f", 0o600)
    fs.fs.posix.symlink("f", "/d/link")
    before = [fs.get_node_info(path) for path in ("/d/f", "/d/link")]
    manager = SnapshotManager(fs)
    manager.create_snapshot("first")
    fs.rm("/d", recursive=True)
    manager.restore_snapshot("first")
    assert fs.ls("/d") == ["empty", "f", "link"]
    for one, old in zip([fs.get_node_info("/d/f"), fs.get_node_info("/d/link")], before, strict=True):
        assert one is not None
        assert old is not None
        assert (one.permissions, one.custom_meta, one.target) == (old.permissions, old.custom_meta, old.target)
        assert one.modified_at == old.modified_at


def test_mistakes_are_named(fs: VirtualFileSystem, tmp_path: Path) -> None:
    manager = SnapshotManager(fs)
    fs.write_file("/f", "x")
    manager.create_snapshot("first")
    assert error_of(manager.create_snapshot, "first") == errno.EEXIST
    assert error_of(manager.create_snapshot, "a/b") == errno.EINVAL
    for call in (manager.restore_snapshot, manager.delete_snapshot):
        assert error_of(call, "second") == errno.ENOENT
    assert error_of(manager.export_snapshot, "second", tmp_path / "x.tar") == errno.ENOENT
    with pytest.raises(ValueError, match="format"):
        manager.export_snapshot("first", str(tmp_path / "x.rar"))
    assert fs.read_file("/f") == "x"


@pytest.mark.parametrize("ending", ["tar.gz", "zip", "json"])
def test_snapshots_travel(fs: VirtualFileSystem, ending: str, tmp_path: Path) -> None:
    manager = SnapshotManager(fs)
    fs.batch_write_files({"/d/a": "1", "/binary": bytes(range(256))})
    before = everything(fs)
    manager.create_snapshot("first")
    fs.write_file("/later", "x")
    path = tmp_path / f"exported.{ending}"
    for _ in range(2):
        manager.export_snapshot("first", str(path))

    with VirtualFileSystem() as other:
        theirs = SnapshotManager(other)
        other.write_file("/mine", "y")
        assert theirs.import_snapshot(str(path)) == "exported"
        assert other.ls() == ["mine"]
        assert error_of(theirs.import_snapshot, str(path)) == errno.EEXIST
        assert theirs.import_snapshot(str(path), "again") == "again"
        theirs.restore_snapshot("exported")
        assert everything(other) == before
        theirs.delete_snapshot("exported")
        assert [one["name"] for one in theirs.list_snapshots()] == ["again"]


OF_THE_ORIGINAL = {
    "snapshot": {
        "version": 1,
        "timestamp": 1795408085.1247778,
        "provider": "memory",
        "directories": {},
        "files": {
            "/b": {"name": "b", "parent": "/", "content": "/wA="},
            "/d/f": {"name": "f", "parent": "/d", "content": "eA=="},
        },
    },
    "metadata": {"created": 1795408085.1249642, "description": "text", "fs_provider": "memory"},
}
"""What chuk-virtual-fs 0.5.3 exports."""


def test_what_the_original_exported_is_imported(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps(OF_THE_ORIGINAL))
    fs = VirtualFileSystem()
    fs.write_file("/later", "x")
    manager = SnapshotManager(fs)
    manager.import_snapshot(str(tmp_path / "old.json"))
    manager.restore_snapshot("old")
    assert everything(fs) == {"/b": b"\xff\0", "/d": None, "/d/f": b"x"}


def test_what_is_no_filesystem_is_refused() -> None:
    with pytest.raises(TypeError, match="not str"):
        SnapshotManager("memory")


def test_a_bad_file_changes_nothing(tmp_path: Path) -> None:
    fs = VirtualFileSystem()
    fs.write_file("/f", "x")
    manager = SnapshotManager(fs)
    bad = tmp_path / "bad.tar"
    bad.write_bytes(b"no archive" * 100)
    assert error_of(manager.import_snapshot, str(bad)) is not None
    assert error_of(manager.import_snapshot, str(tmp_path / "missing.tar")) == errno.ENOENT
    assert (fs.ls(), manager.list_snapshots()) == (["f"], [])


def test_a_store_keeps_snapshots(tmp_path: Path) -> None:
    options: dict[str, Any] = {"store": f"file://{tmp_path}/store"}
    fs = VirtualFileSystem("filesystem", root_path=tmp_path / "root", durable=False)
    fs.write_file("/f", "old")
    SnapshotManager(fs, **options).create_snapshot("first")
    fs.write_file("/f", "new")
    again = SnapshotManager(fs, **options)
    assert [one["name"] for one in again.list_snapshots()] == ["first"]
    again.restore_snapshot("first")
    assert fs.read_file("/f") == "old"


def test_rules_hold_for_restoring() -> None:
    below = MemoryFileSystem.private()
    below.pipe_file("/f", b"old")
    manager = SnapshotManager(VirtualFileSystem(below, security_profile="readonly"))
    manager.create_snapshot("first")
    below.pipe_file("/f", b"new")
    assert error_of(manager.restore_snapshot, "first") in (errno.EROFS, errno.EACCES)
    assert below.cat_file("/f") == b"new"


def test_only_a_filesystem_itself_takes_snapshots_of_itself(tmp_path: Path) -> None:
    for kind in KINDS:
        with open_facade(kind, tmp_path) as fs:
            assert not capabilities_of(fs.fs).snapshots or hasattr(fs.fs, "snapshots"), kind


def test_coroutines(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncVirtualFileSystem() as fs:
            manager = AsyncSnapshotManager(fs)
            await fs.write_file("/f", "old")
            assert await manager.create_snapshot("first", "text") == "first"
            await fs.write_file("/f", "new")
            await manager.restore_snapshot("first")
            assert await fs.read_file("/f") == "old"
            await manager.export_snapshot("first", str(tmp_path / "first.tar"))
            assert await manager.import_snapshot(str(tmp_path / "first.tar"), "second") == "second"
            assert {one["name"] for one in await manager.list_snapshots()} == {"first", "second"}
            await manager.delete_snapshot("second")

    asyncio.run(main())
