"""One process mounts a filesystem, uses the mount, and starts programs in it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_adapters.fuse import Mount, MountOptions, mount
from chuk_fsspec import MemoryFileSystem

pytestmark = pytest.mark.mount


@pytest.fixture
def mounted(chukmem: MemoryFileSystem, tmp_path: Path) -> Iterator[Mount]:
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(chukmem, target) as live:
        yield live


def test_a_program_can_start_in_a_directory_of_the_mount(mounted: Mount) -> None:
    """With vfork this waits for ever: see ``chuk_adapters.fuse.spawning``."""
    (mounted.path / "d").mkdir()
    done = subprocess.run(["pwd", "-P"], cwd=mounted.path / "d", check=True, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == str(mounted.path / "d")


def test_a_program_on_the_mount_can_be_started(mounted: Mount) -> None:
    script = mounted.path / "hello"
    shutil.copy("/bin/echo", script)
    for close_fds in (True, False):
        done = subprocess.run([script, "hi"], check=True, capture_output=True, close_fds=close_fds, timeout=30)
        assert done.stdout == b"hi\n"


def test_asyncio_can_mount_and_start_programs(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    async def work() -> bytes:
        async with mount(chukmem, tmp_path) as live:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "print(open('f').read())", cwd=live.path, stdout=subprocess.PIPE
            )
            return (await process.communicate())[0]

    chukmem.pipe_file("/f", b"content")
    assert asyncio.run(work()) == b"content\n"
    assert os.listdir(tmp_path) == []


def switch() -> object:
    return getattr(subprocess, "_USE_VFORK")  # noqa: B009 - mypy does not know it


def test_the_way_of_starting_programs_is_restored(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    before = switch()
    with mount(chukmem, tmp_path):
        assert not switch()
    assert switch() == before


def test_unmounting_while_a_file_is_open_frees_the_mount_point_and_keeps_the_file(
    chukmem: MemoryFileSystem, tmp_path: Path
) -> None:
    live = mount(chukmem, tmp_path)
    (tmp_path / "f").write_text("content")
    with (tmp_path / "f").open() as file:
        live.unmount(timeout=0.2)
        assert os.listdir(tmp_path) == []
        assert file.read() == "content"
    assert live.wait(10)


def test_a_read_only_mount_refuses_changes(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    chukmem.pipe_file("/f", b"x")
    with mount(chukmem, tmp_path, MountOptions(readonly=True)):
        assert (tmp_path / "f").read_bytes() == b"x"
        with pytest.raises(OSError, match="Read-only"):
            (tmp_path / "g").write_bytes(b"")


def test_direct_io_reads_what_was_written_elsewhere(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    with mount(chukmem, tmp_path, MountOptions(direct_io=True)):
        (tmp_path / "f").write_bytes(b"0123456789" * 1000)
        with (tmp_path / "f").open("r+b", buffering=0) as file:
            chukmem.pipe_file("/f", b"new")
            assert file.read() == b"new"
            file.write(b"!")
        assert chukmem.cat_file("/f") == b"new!"


@pytest.mark.parametrize(
    ("make", "error", "advice"),
    [
        (lambda path: None, FileNotFoundError, "mkdir -p"),
        (lambda path: path.write_text(""), NotADirectoryError, "must be a directory"),
        (lambda path: (path.mkdir(), (path / "x").mkdir()), OSError, "empty directory"),
    ],
    ids=["missing", "file", "not empty"],
)
def test_a_bad_mount_point_is_refused_with_advice(
    chukmem: MemoryFileSystem, tmp_path: Path, make: object, error: type[OSError], advice: str
) -> None:
    target = tmp_path / "point"
    make(target)  # type: ignore[operator]
    with pytest.raises(error, match=advice):
        mount(chukmem, target)


@pytest.mark.skipif(shutil.which("fusermount3") is None, reason="fusermount3 is not installed")
def test_without_root_the_helper_mounts(
    chukmem: MemoryFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with mount(chukmem, tmp_path):
        (tmp_path / "f").write_text("x")
        assert chukmem.cat_file("/f") == b"x"
    assert os.listdir(tmp_path) == []


def test_a_program_that_ends_takes_its_mount_with_it(tmp_path: Path) -> None:
    imports = "import sys, fsspec; from chuk_adapters.fuse import mount"
    program = f"{imports}; live = mount(fsspec.filesystem('chukmem'), sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=30)
    assert os.listdir(tmp_path) == []
    assert not os.path.ismount(tmp_path)
