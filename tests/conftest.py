"""Fixtures and hypothesis profiles of all tests."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem
from hypothesis import HealthCheck, settings

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.memory import filesystem as memory
from chuk_fsspec.wrappers.staging import stages

# A machine is busy in both cases, so a slow example is no finding. What is found at night can be found by day: CI tries
# the same few examples each time.
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
settings.load_profile(_PROFILE)

_MEMORY = "/dev/shm"
_ROOM = 4 << 30
"""Bytes, more than all tests of a run have in files at any moment."""


@pytest.fixture
def chukmem() -> Iterator[MemoryFileSystem]:
    """An empty chukmem of its own; its store is forgotten afterwards."""
    name = f"test-{uuid.uuid4().hex}"
    yield MemoryFileSystem(name=name)
    drop_store(name)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The path of a database that is still to be made."""
    return str(tmp_path / "w.db")


@pytest.fixture(autouse=True, scope="module")
def _let_go_of_filesystems() -> Iterator[None]:
    """fsspec keeps every filesystem that was made; a database that is open costs each later one, and each fork.

    Those of others stay: a client that nobody closes would be reported in the middle of some other test. What is kept
    by name until the end of the process goes too: stages, with what they stand on and the databases of their changes,
    and what is in memory. What is left is collected now, so that a finalizer that fails is told of where it was made.
    """
    yield
    classes = [AbstractFileSystem]
    for cls in classes:
        if cls.__module__.startswith("chuk_fsspec."):
            cls.clear_instance_cache()
        classes += cls.__subclasses__()
    stages._kept.clear()
    for name in list(memory._stores):
        drop_store(name)
    gc.collect()


def pytest_configure(config: pytest.Config) -> None:
    """Ctrl-C ends what tests start, as on a terminal: what runs in the background inherits that it is ignored.

    By day, files lie in memory where there is room: no test cuts the power, yet they would wait for the disk thousands
    of times. Those of chuklocal do wait, for a disk is what they are about; at night all do. What is in memory goes
    with the end; with a TMPDIR of one's own, files lie there, and those of tests that fail stay.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if _PROFILE == "ci" and "TMPDIR" not in os.environ and has_room(_MEMORY):
        directory = tempfile.mkdtemp(dir=_MEMORY, prefix="chuk-")
        os.chmod(directory, 0o711)  # other users get to their files in it, as through /tmp
        os.environ["TMPDIR"] = tempfile.tempdir = directory
        config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))


def pytest_pycollect_makeitem(collector: pytest.Collector, obj: object) -> list[pytest.Item] | None:
    """Groups that this run leaves out are not even collected: they would be a third of all tests."""
    is_slow = isinstance(obj, type) and any(mark.name == "slow" for mark in getattr(obj, "pytestmark", ()))
    return [] if is_slow and collector.config.option.markexpr == "not slow" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected and imported stays: nobody looks through it for garbage, now or later.

    The second collection tells Python so. By what the first leaves, it would let hundreds of megabytes of garbage
    gather before the next.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
        gc.collect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that mount are left out where nothing can be mounted, with the reason."""
    reason = why_no_mount()
    if reason:
        for item in items:
            if item.get_closest_marker("mount"):
                item.add_marker(pytest.mark.skip(reason=reason))


def has_room(directory: str) -> bool:
    """Whether much can be written to a directory."""
    if not os.access(directory, os.W_OK):
        return False
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize >= _ROOM


def why_no_mount() -> str:
    """Why this machine or user cannot mount; empty if it can."""
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be opened"
    if os.geteuid() != 0 and shutil.which("fusermount3") is None:
        return "neither root nor fusermount3"
    return ""
