"""A facade as a directory that programs work in."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
from pathlib import Path

import pytest

from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec import AsyncVirtualFileSystem, VirtualFileSystem
from tests.facade.facade_kinds import error_of

pytestmark = pytest.mark.mount


def test_rules_hold_in_the_mount_of_a_facade(tmp_path: Path) -> None:
    fs = VirtualFileSystem(security_profile="strict")
    fs.write_file("/home/f", "Rome\nOslo\n")
    point = tmp_path / "new" / "mnt"
    with mount(fs, point):
        assert subprocess.run(["sort", point / "home" / "f"], capture_output=True, check=True).stdout == b"Oslo\nRome\n"
        (point / "home" / "g").write_text("from outside")
        assert fs.read_file("/home/g") == "from outside"
        with pytest.raises(PermissionError):
            (point / "etc").mkdir()
    assert [one["path"] for one in fs.get_security_violations()] == ["/etc"]
    assert os.listdir(point) == []


def test_the_loop_goes_on_beside_a_mount(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncVirtualFileSystem("sqlite", db_path=tmp_path / "w.db") as fs:
            await fs.write_file("/f", "x")
            async with mount(fs, tmp_path / "mnt", MountOptions(cache_timeout=1.0)) as live:
                process = await asyncio.create_subprocess_exec("sh", "-c", "cat f > g", cwd=live.path)
                assert await process.wait() == 0
                assert await fs.read_file("/g") == "x"

    asyncio.run(main())
    assert not os.path.ismount(tmp_path / "mnt")


def test_what_cannot_be_mounted_leaves_no_directory(tmp_path: Path) -> None:
    fs = VirtualFileSystem()
    fs.close()
    with pytest.raises(ValueError, match="closed"):
        mount(fs, tmp_path / "mnt")
    (tmp_path / "file").write_text("")
    assert error_of(mount, VirtualFileSystem(), tmp_path / "file") == errno.ENOTDIR
    assert error_of(mount, VirtualFileSystem(), tmp_path / "file" / "mnt") == errno.ENOTDIR
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").write_text("")
    assert error_of(mount, VirtualFileSystem(), full) == errno.ENOTEMPTY
    assert sorted(os.listdir(tmp_path)) == ["file", "full"]


def test_a_mount_that_fails_takes_its_directory_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chuk_adapters.fuse.kernel.device.DEVICE", "/nowhere/fuse")
    assert error_of(mount, VirtualFileSystem(), tmp_path / "mnt", MountOptions(transport="kernel")) is not None
    assert os.listdir(tmp_path) == []
