"""Wrappers, mounts and workspaces on chuksqlite."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import fsspec
import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.mounted import MountedFileSystem, open_workspace
from chuk_fsspec.testing.checks import failing, fails_with
from chuk_fsspec.wrappers.audit import AuditFileSystem, verify
from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem, SecurityViolation
from chuk_fsspec.wrappers.streaming import StreamFileSystem


@pytest.fixture
def chuksqlite(tmp_path: Path) -> SqliteFileSystem:
    fs = SqliteFileSystem(database=str(tmp_path / "w.db"))
    fs.pipe_file("/d/f", b"content")
    return fs


def test_secured(chuksqlite: SqliteFileSystem) -> None:
    fs = SecureFileSystem(fs=chuksqlite, denied_paths=["/secret"], max_file_size=1000)
    assert fs.cat_file("/d/f") == b"content"
    with pytest.raises(SecurityViolation, match="denied_paths"):
        fs.pipe_file("/secret/f", b"other")
    fs.pipe_file("/new", b"x" * 1000)
    with fails_with(errno.EFBIG):
        fs.pipe_file("/large", b"x" * 1001)
    assert chuksqlite.find("/") == ["/d/f", "/new"]


def test_audited(chuksqlite: SqliteFileSystem, tmp_path: Path) -> None:
    log = str(tmp_path / "audit.jsonl")
    fs = AuditFileSystem(fs=chuksqlite, log=log)
    fs.mv("/d/f", "/d/g")
    (record,) = fs.records(operation="mv")
    assert (record.entry.path, record.entry.path2, record.entry.decision) == ("/d/f", "/d/g", "allowed")
    assert verify(log).ok
    assert chuksqlite.cat_file("/d/g") == b"content"


def test_streamed(chuksqlite: SqliteFileSystem) -> None:
    fs = StreamFileSystem(fs=chuksqlite)
    with fs.open("/large", "wb") as file:
        for number in range(100):
            file.write(bytes([number]) * 10_000)
    assert chuksqlite.info("/large")["size"] == 1_000_000
    with failing(fs.open("/large", "wb")) as file:
        file.write(b"x" * 1_000_000)
    assert chuksqlite.cat_file("/large", start=990_000) == b"c" * 10_000
    assert chuksqlite.find("/") == ["/d/f", "/large"]


def test_read_only(chuksqlite: SqliteFileSystem) -> None:
    fs = ReadOnlyFileSystem(fs=chuksqlite)
    assert fs.cat_file("/d/f") == b"content"
    with fails_with(errno.EROFS):
        fs.pipe_file("/new", b"")
    assert not chuksqlite.exists("/new")


def test_by_chained_url(tmp_path: Path, chuksqlite: SqliteFileSystem) -> None:
    options = {"chuksqlite": {"database": chuksqlite.database}}
    with fsspec.open("chukreadonly::chuksqlite://d/f", **options) as file:
        assert file.read() == b"content"
    with fsspec.open(f"chukreadonly::chuksqlite://d/f::file://{chuksqlite.database}") as file:
        assert file.read() == b"content"


def test_mounted(chuksqlite: SqliteFileSystem, chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    other = SqliteFileSystem(database=str(tmp_path / "other.db"))
    fs = MountedFileSystem(mounts={"/": chukmem, "/keep": chuksqlite, "/other": (other, "/sub")})
    fs.pipe_file("/scratch", b"new")
    fs.mv("/scratch", "/keep/d/g")
    fs.cp_file("/keep/d/g", "/other/h")
    assert chuksqlite.cat_file("/d/g") == b"new"
    assert other.cat_file("/sub/h") == b"new"
    assert fs.find("/") == ["/keep/d/f", "/keep/d/g", "/other/h"]
    with fails_with(errno.EXDEV):
        fs.posix.link("/keep/d/f", "/other/f")


def test_a_workspace(chuksqlite: SqliteFileSystem, tmp_path: Path) -> None:
    path = tmp_path / "workspace.toml"
    mounts: dict[str, dict[str, Any]] = {
        "/": {"url": "chuksqlite://", "options": {"database": chuksqlite.database}},
        "/second": {"url": f"chuksqlite://::file://{tmp_path}/second.db"},
    }
    lines = []
    for place, mount in mounts.items():
        lines.append(f'[mounts."{place}"]\nurl = {json.dumps(mount["url"])}')
        if "options" in mount:
            lines.append(f"options = {{ database = {json.dumps(mount['options']['database'])} }}")
    path.write_text("\n".join(lines) + "\n")
    fs = open_workspace(str(path))
    fs.pipe_file("/second/f", b"second")
    assert fs.cat_file("/d/f") == b"content"
    assert SqliteFileSystem(database=str(tmp_path / "second.db")).cat_file("/f") == b"second"
