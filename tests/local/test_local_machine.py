"""chuklocal against a plain directory, both on a real tmpfs: by path, and mounted."""

from __future__ import annotations

import itertools
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

if sys.platform != "linux":
    pytest.skip("the reference is tmpfs, which Linux has", allow_module_level=True)

from chuk_fsspec.backends.local import LocalFileSystem, support
from chuk_fsspec.backends.local.handle import LocalHandle
from chuk_fsspec.backends.local.ranges import allocate, find_data_or_hole
from tests.engine.posix_calls import PosixCalls, host_calls
from tests.engine.posix_machine import BY_PATH, MOUNTED, PosixMachine
from tests.engine.test_posix_machine import FOUND
from tests.local.local_roots import tmpfs

__all__ = ["tmpfs"]

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
STEPS = settings(max_examples=200 if NIGHTLY else 10, stateful_step_count=50, deadline=None)
SUBJECTS = [
    pytest.param("path", id="by path"),
    pytest.param("walk", id="by path, walking"),
    pytest.param("mount", id="mounted", marks=pytest.mark.mount),
]

_numbers = itertools.count()


def local_calls(fs: LocalFileSystem) -> PosixCalls:
    def listdir(path: str) -> list[str]:
        if not stat.S_ISDIR(fs.posix.stat(path).st_mode):
            raise NotADirectoryError(20, os.strerror(20), path)
        return [below.rpartition("/")[2] for below in fs.ls(path, detail=False)]

    def reserve(handle: LocalHandle, mode: int, offset: int, length: int) -> None:
        handle.pwrite(b"", 0)  # whether it is open for writing
        allocate(handle.fileno(), offset, length, mode)

    def seek(handle: LocalHandle, offset: int, whence: int) -> int:
        return find_data_or_hole(handle.fileno(), offset, whence)

    return PosixCalls(fs.posix, listdir, reserve, seek)


def fresh_directory(parent: Path) -> str:
    path = parent / f"machine-{next(_numbers)}"
    path.mkdir()
    return str(path)


@pytest.fixture(scope="module", params=SUBJECTS)
def make_machine(
    request: pytest.FixtureRequest, tmpfs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], PosixMachine]]:
    """What makes a machine with new, empty sides."""
    mask = os.umask(0)
    try:
        if request.param == "mount":
            yield from mounted_machines(tmpfs, tmp_path_factory.mktemp("mnt"))
            return
        with pytest.MonkeyPatch.context() as patch:
            if request.param == "walk":
                patch.setattr(support, "has_openat2", lambda: False)
            yield lambda: PosixMachine(
                host_calls(fresh_directory(tmpfs)),
                local_calls(LocalFileSystem(root=fresh_directory(tmpfs))),
                BY_PATH,
            )
    finally:
        os.umask(mask)


def mounted_machines(tmpfs: Path, point: Path) -> Iterator[Callable[[], PosixMachine]]:
    from chuk_adapters.fuse import mount

    with mount(LocalFileSystem(root=fresh_directory(tmpfs)), point):
        yield lambda: PosixMachine(host_calls(fresh_directory(tmpfs)), host_calls(fresh_directory(point)), MOUNTED)


@pytest.mark.parametrize("steps", FOUND.values(), ids=FOUND)
def test_found_by_the_machine_elsewhere(make_machine, steps):
    machine = make_machine()
    try:
        machine.mknod("/w/f", stat.S_IFREG, 0o644)
        steps(machine)
        machine.trees_are_alike()
        machine.open_files_are_alike()
    finally:
        machine.teardown()


@pytest.mark.timeout(1800)
def test_chuklocal_behaves_like_tmpfs(make_machine):
    run_state_machine_as_test(make_machine, settings=STEPS)
