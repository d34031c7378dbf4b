"""Processes that are killed and disks that are full, while an archive is imported."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from chuk_fsspec.archives import export_archive, import_archive
from tests.disks import small_disk

KILLED = """
import os, signal, sys
import fsspec
from chuk_fsspec.archives import export_archive, import_archive

def die(member):
    if member.path.endswith("150"):
        os.kill(os.getpid(), signal.SIGKILL)

protocol, key, value, archive, path, existing = sys.argv[1:]
fs = fsspec.filesystem(protocol, **{key: value})
if existing == "export":
    export_archive(fs, path, archive, on_member=die, overwrite=True)
import_archive(archive, fs, path, existing=existing, on_member=die)
"""


@pytest.fixture
def archive(tmp_path: Path) -> str:
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for number in range(200):
            info = tarfile.TarInfo(f"d{number % 7}/{number:03}")
            info.size = 1000
            tar.addfile(info, io.BytesIO(bytes([number]) * 1000))
    return str(path)


def killed(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("existing", ["refuse", "merge", "replace"])
def test_killed_in_a_transaction(tmp_path: Path, archive: str, existing: str) -> None:
    database = str(tmp_path / "w.db")
    fs = fsspec.filesystem("chuksqlite", database=database, skip_instance_cache=True)
    fs.pipe({"/box/mine": b"mine", "/box/d0/000": b"old"})
    path = "/new" if existing == "refuse" else "/box"
    killed("chuksqlite", "database", database, archive, path, existing)
    assert fs.cat(fs.find("/")) == {"/box/mine": b"mine", "/box/d0/000": b"old"}
    import_archive(archive, fs, path, existing=existing)  # type: ignore[arg-type]
    assert fs.cat_file(f"{path}/d0/000") == bytes(1000)


@pytest.mark.parametrize("existing", ["refuse", "merge", "replace"])
def test_killed_beside_or_inside_the_target(tmp_path: Path, archive: str, existing: str) -> None:
    root = tmp_path / "root"
    fs = fsspec.filesystem("chuklocal", root=str(root), create=True, durable=False)
    fs.pipe({"/box/mine": b"mine", "/box/d0/000": b"old"})
    path = "/new" if existing == "refuse" else "/box"
    killed("chuklocal", "root", str(root), archive, path, existing)
    left = [name for name in fs.find("/") if "/import-" not in name]
    assert fs.cat(left) == {"/box/mine": b"mine", "/box/d0/000": b"old"}
    import_archive(archive, fs, path, existing=existing)  # type: ignore[arg-type]
    assert fs.cat_file(f"{path}/d0/000") == bytes(1000)


def test_a_killed_export_leaves_the_old_archive(tmp_path: Path, archive: str) -> None:
    root = tmp_path / "root"
    fs = fsspec.filesystem("chuklocal", root=str(root), create=True, durable=False)
    import_archive(archive, fs, "/new")
    before = Path(archive).read_bytes()
    killed("chuklocal", "root", str(root), archive, "/new", "export")
    assert Path(archive).read_bytes() == before
    export_archive(fs, "/", archive, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["root", "x.tar.gz"]


def test_an_archive_is_not_in_itself(tmp_path: Path) -> None:
    """A file that is still being written is not a file of the tree yet, not even in the tree's own directory."""
    fs = fsspec.filesystem("chuklocal", root=str(tmp_path))
    fs.pipe_file("/f", b"x")
    assert export_archive(fs, "/", tmp_path / "x.tar").files == 1
    plain = fsspec.filesystem("file")
    assert export_archive(plain, str(tmp_path), tmp_path / "y.tar").files == 2


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 KiB."""
    with small_disk(tmp_path / "disk", "200k") as point:
        yield point


def test_a_full_disk(full: Path, archive: str, tmp_path: Path) -> None:
    for protocol, options in (
        ("chuklocal", {"root": str(full)}),
        ("chuksqlite", {"database": str(full / "w.db")}),
        ("file", {}),
    ):
        fs = fsspec.filesystem(protocol, **options, skip_instance_cache=True)
        top = str(full) if protocol == "file" else ""
        fs.pipe_file(f"{top}/mine", b"mine")
        for path in (f"{top}/new", f"{top}/box/new"):
            with pytest.raises(OSError) as caught:
                import_archive(archive, fs, path)
            assert caught.value.errno == errno.ENOSPC
            assert str(tmp_path) not in str(caught.value) or protocol == "file"
        assert [name for name in fs.find(top or "/") if "w.db" not in name] == [f"{top}/mine"]
        assert fs.cat_file(f"{top}/mine") == b"mine"
        assert not fs.exists(f"{top}/box")
    fs = fsspec.filesystem("chukmem", name=tmp_path.name)
    fs.pipe_file("/f", os.urandom(300_000))
    with pytest.raises(OSError) as caught:
        export_archive(fs, "/", full / "x.tar")
    assert caught.value.errno == errno.ENOSPC
    assert not [name for name in os.listdir(full) if "x.tar" in name or "part" in name]
