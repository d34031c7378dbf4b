"""chukmem against a real tmpfs: by path, and mounted."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.contract.posix import FALLOC_KEEP_SIZE, RENAME_EXCHANGE

if sys.platform != "linux":
    pytest.skip("the reference is tmpfs, which Linux has", allow_module_level=True)

from tests.engine.posix_calls import engine_calls, host_calls
from tests.engine.posix_machine import BY_PATH, MOUNTED, THROUGH_LIBFUSE, Deviation, PosixMachine

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
STEPS = settings(max_examples=200 if NIGHTLY else 12, stateful_step_count=50, deadline=None)

# By path, and mounted with these options.
SUBJECTS = [
    pytest.param(None, id="by path"),
    pytest.param({}, id="mounted", marks=pytest.mark.mount),
    pytest.param({"writeback": True}, id="mounted with writeback", marks=pytest.mark.mount),
    pytest.param({"direct_io": True}, id="mounted with direct_io", marks=pytest.mark.mount),
    pytest.param({"transport": "fusepy"}, id="mounted through libfuse", marks=pytest.mark.mount),
]

_numbers = itertools.count()


class EngineMachine(PosixMachine):
    """chukmem through ``fs.posix``; in the end, nothing of what was made may be left in its accounts."""

    def __init__(self, reference: Path) -> None:
        self.name = f"posix-machine-{next(_numbers)}"
        self.fs = MemoryFileSystem(self.name, capacity=2**30)
        self.empty = self.fs.posix.statvfs()
        super().__init__(host_calls(fresh_directory(reference)), engine_calls(self.fs), BY_PATH)

    def teardown(self) -> None:
        super().teardown()
        self.fs.rm("/*", recursive=True)
        assert self.fs.posix.statvfs() == self.empty, "space or inodes leaked"
        drop_store(self.name)


class MountMachine(PosixMachine):
    """chukmem through the kernel and a FUSE mount."""

    def __init__(self, reference: Path, mounted: Path, deviations: tuple[Deviation, ...]) -> None:
        super().__init__(host_calls(fresh_directory(reference)), host_calls(fresh_directory(mounted)), deviations)


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
            command = ["mount", "-t", "tmpfs", "tmpfs", str(path)]
            mounted = subprocess.run(command, check=False, capture_output=True, text=True)
            if mounted.returncode:
                pytest.skip(f"/dev/shm is no tmpfs, and none can be mounted: {mounted.stderr.strip()}")
            yield path
            subprocess.run(["umount", path], check=True)
    finally:
        os.umask(mask)


def is_tmpfs(path: Path) -> bool:
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return {fields[1]: fields[2] for fields in mounts}.get(str(path)) == "tmpfs"


@pytest.fixture(scope="module", params=SUBJECTS)
def make_machine(
    request: pytest.FixtureRequest, tmpfs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], PosixMachine]]:
    """What makes a machine with new, empty sides."""
    if request.param is None:
        yield lambda: EngineMachine(tmpfs)
        return
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("/dev/fuse cannot be opened")
    from chuk_adapters.fuse import MountOptions, mount

    options = MountOptions(**request.param)
    deviations: tuple[Deviation, ...] = MOUNTED
    if options.transport == "fusepy":
        require_libfuse_3()
        deviations = MOUNTED + THROUGH_LIBFUSE
    point = tmp_path_factory.mktemp("mnt")
    with mount(MemoryFileSystem(f"posix-machine-{next(_numbers)}"), point, options):
        yield lambda: MountMachine(tmpfs, point, deviations)


def require_libfuse_3() -> None:
    from chuk_adapters.fuse.fusepy.transport import load_library

    try:
        version = load_library().VERSION
    except OSError as missing:
        pytest.skip(str(missing))
    if version < (3, 0):
        pytest.skip("libfuse 2 lacks some of the calls")


@pytest.mark.timeout(1800)
def test_chukmem_behaves_like_tmpfs(make_machine):
    run_state_machine_as_test(make_machine, settings=STEPS)


# What the machine has found, as short as it gets, so that each run tries it again.
FOUND: dict[str, Callable[[PosixMachine], Any]] = {
    "mkdir sets no set-user-ID or set-group-ID": lambda m: [m.mkdir("/w/d", 0o6777)],
    "link: a name in the way comes before a directory as the source": lambda m: [
        m.mkdir("/w/d", 0o755),
        m.link("/w/d", "/w/f"),
    ],
    "rename: two names of one file are not swapped": lambda m: [
        m.link("/w/f", "/w/g"),
        m.both("utime", "/w", ns=(5, 5)),
        m.rename("/w/f", "/w/g", RENAME_EXCHANGE),
    ],
    "rename: the directory that a file lies in is not empty": lambda m: [
        m.mkdir("/w/d", 0o755),
        m.rename("/w/f", "/w/d/f", 0),
        m.rename("/w/d/f", "/w/d", 0),
    ],
    "chown clears set-user-ID of what nobody can execute": lambda m: [
        m.chmod("/w/f", 0o4644),
        m.chown("/w/f", -1, -1, True),
    ],
    "truncate to the same size stamps nothing": lambda m: [m.utime("/w/f", (5, 5), True), m.truncate("/w/f", 0)],
    "ftruncate to the same size stamps the file": lambda m: [
        m.utime("/w/f", (5, 5), True),
        m.ftruncate(m.open("/w/f", os.O_RDWR, 0), 0),
    ],
    "fallocate stamps the file even where it keeps nothing": lambda m: [
        m.utime("/w/f", (5, 5), True),
        m.fallocate(m.open("/w/f", os.O_RDWR, 0), FALLOC_KEEP_SIZE, 10, 10),
    ],
    "pwrite of nothing looks at the offset": lambda m: [m.pwrite(m.open("/w/f", os.O_RDWR, 0), b"", -1)],
    "a link that ends in a slash leads to a directory": lambda m: [
        m.symlink("f/", "/w/l"),
        m.symlink("f/.", "/w/m"),
        m.look_at("/w/l", "stat"),
        m.look_at("/w/m", "stat"),
        m.look_at("/w/l/x", "stat"),
    ],
    "a link to a name that is too long": lambda m: [m.symlink("n" * 256, "/w/l"), m.look_at("/w/l", "stat")],
    "a FIFO has no user attributes": lambda m: [
        m.mknod("/w/p", stat.S_IFIFO, 0o644),
        m.setxattr("/w/p", "user.a", b"", 0),
        m.getxattr("/w/p", "user.a"),
        m.removexattr("/w/p", "user.a"),
    ],
    "an attribute's name that is too long is not merely missing": lambda m: [
        m.getxattr("/w/f", "user." + "n" * 251),
        m.removexattr("/w/f", "user." + "n" * 251),
    ],
    "open makes no directories": lambda m: [
        m.open("/w/d", os.O_CREAT | os.O_DIRECTORY, 0o755),
        m.open("/w", os.O_CREAT | os.O_TMPFILE | os.O_RDWR, 0o755),
    ],
    "a link is no directory, before it is a link": lambda m: [
        m.symlink(".", "/w/l"),
        m.open("/w/l", os.O_DIRECTORY | os.O_NOFOLLOW, 0),
        m.open("/w/l", os.O_TMPFILE | os.O_NOFOLLOW | os.O_RDWR, 0o644),
    ],
    "O_TRUNC empties a file that is opened for reading": lambda m: [
        m.truncate("/w/f", 5),
        m.open("/w/f", os.O_RDONLY | os.O_TRUNC, 0),
    ],
    "a part of a page is written to a file that nobody may read": lambda m: [
        m.open("/w", os.O_TMPFILE | os.O_WRONLY, 0o644),
        *[m.pwrite(pair, b"end", 3 * 65536) for pair in m.open_pairs],
        *[m.pwrite(pair, b"middle", 20) for pair in m.open_pairs],
    ],
    "a file without a name has the group of its directory": lambda m: [
        m.mkdir("/w/d", 0o755),
        m.chown("/w/d", -1, 1234, True),
        m.chmod("/w/d", 0o2755),
        m.open("/w/d", os.O_TMPFILE | os.O_RDWR, 0o644),
    ],
}


@pytest.mark.parametrize("steps", FOUND.values(), ids=FOUND)
def test_found_by_the_machine(make_machine, steps):
    machine = make_machine()
    try:
        machine.mknod("/w/f", stat.S_IFREG, 0o644)
        steps(machine)
        machine.trees_are_alike()
        machine.open_files_are_alike()
    finally:
        machine.teardown()
