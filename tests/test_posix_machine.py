"""chukmem against a real tmpfs: by path, and mounted."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store

if sys.platform != "linux":
    pytest.skip("tmpfs is the reference", allow_module_level=True)

from tests.posix_machine import PosixMachine, engine_calls, host_calls

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
STEPS = settings(max_examples=200 if NIGHTLY else 10, stateful_step_count=50, deadline=None)

_numbers = itertools.count()


class EngineMachine(PosixMachine):
    """chukmem through ``fs.posix``; in the end, nothing of what was made may be left in its accounts."""

    def __init__(self, reference: Path) -> None:
        self.name = f"posix-machine-{next(_numbers)}"
        self.fs = MemoryFileSystem(self.name, capacity=2**30)
        self.empty = self.fs.posix.statvfs()
        super().__init__(host_calls(fresh_directory(reference)), engine_calls(self.fs))

    def teardown(self) -> None:
        super().teardown()
        self.fs.rm("/*", recursive=True)
        assert self.fs.posix.statvfs() == self.empty, "space or inodes leaked"
        drop_store(self.name)


class MountMachine(PosixMachine):
    """chukmem through the kernel and a FUSE mount."""

    def __init__(self, reference: Path, mounted: Path) -> None:
        super().__init__(host_calls(fresh_directory(reference)), host_calls(fresh_directory(mounted)))


def fresh_directory(parent: Path) -> str:
    path = parent / str(next(_numbers))
    path.mkdir()
    return str(path)


@pytest.fixture(scope="module")
def tmpfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory on a real tmpfs, with no umask in the way."""
    shared = Path("/dev/shm")
    mask = os.umask(0)
    try:
        if is_tmpfs(shared) and os.access(shared, os.W_OK):
            path = shared / f"posix-machine-{os.getpid()}"
            path.mkdir(mode=0o700)
            yield path
            shutil.rmtree(path)
        else:
            path = tmp_path_factory.mktemp("tmpfs")
            mounted = subprocess.run(
                ["mount", "-t", "tmpfs", "tmpfs", path], check=False, capture_output=True, text=True
            )
            if mounted.returncode:
                pytest.skip(f"/dev/shm is no tmpfs, and none can be mounted: {mounted.stderr.strip()}")
            yield path
            subprocess.run(["umount", path], check=True)
    finally:
        os.umask(mask)


def is_tmpfs(path: Path) -> bool:
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    kinds = {fields[1]: fields[2] for fields in mounts}
    return kinds.get(str(path)) == "tmpfs"


@pytest.mark.timeout(1800)
def test_chukmem_behaves_like_tmpfs(tmpfs):
    run_state_machine_as_test(lambda: EngineMachine(tmpfs), settings=STEPS)


@pytest.mark.mount
@pytest.mark.timeout(1800)
def test_mounted_chukmem_behaves_like_tmpfs(tmpfs, tmp_path):
    fuse = pytest.importorskip("chuk_adapters.fuse")
    fs = MemoryFileSystem(f"posix-machine-{next(_numbers)}")
    with fuse.mount(fs, tmp_path, fuse.MountOptions()):
        run_state_machine_as_test(lambda: MountMachine(tmpfs, tmp_path), settings=STEPS)
