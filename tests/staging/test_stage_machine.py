"""A stage against a real tmpfs: what it shows at each moment, and what its base is after each commit."""

from __future__ import annotations

import itertools
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fsspec import AbstractFileSystem
from hypothesis import settings
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

if sys.platform != "linux":
    pytest.skip("the reference is tmpfs, which Linux has", allow_module_level=True)

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.testing.checks import TICK
from chuk_fsspec.wrappers.staging import StageFileSystem
from tests.engine.posix_calls import PosixCalls, differences, host_calls, snapshot
from tests.engine.posix_machine import BY_PATH, MOUNTED, Deviation, PosixMachine, answer
from tests.engine.test_posix_machine import FOUND
from tests.local.local_roots import tmpfs

__all__ = ["tmpfs"]

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
STEPS = settings(max_examples=200 if NIGHTLY else 10, stateful_step_count=50, deadline=None)
BASES = ["chukmem", "chuklocal", "chuksqlite"]

_numbers = itertools.count()


def _is_about_a_directory(reference: PosixCalls, path: str) -> bool:
    return stat.S_ISDIR(getattr(answer(reference.posix.stat, path), "st_mode", 0))


STAGED = (
    *BY_PATH,
    Deviation(
        "times that are given to a directory",
        "they follow from its entries, so on their own they are no change that would be committed",
        avoids=lambda reference, operation, *arguments: (
            operation == "utime" and _is_about_a_directory(reference, arguments[0])
        ),
    ),
)


class Current:
    """``fs.posix`` of whatever filesystem is current."""

    def __init__(self, get: Callable[[], AbstractFileSystem]) -> None:
        self._get = get

    def __getattr__(self, name: str) -> Any:
        return getattr(self._get().posix, name)


def stage_calls(get: Callable[[], AbstractFileSystem]) -> PosixCalls:
    """A stage through ``fs.posix``; ranges are reserved and searched through ``fs.posix.nodes``."""
    posix: Any = Current(get)

    def listdir(path: str) -> list[str]:
        if not stat.S_ISDIR(posix.stat(path).st_mode):
            raise NotADirectoryError(20, os.strerror(20), path)
        return [below.rpartition("/")[2] for below in get().ls(path, detail=False)]

    def node(handle: Any) -> Any:
        if hasattr(handle, "_node"):
            return handle._node
        return handle._ForwardingHandle__handle._inode

    def allocate(handle: Any, mode: int, offset: int, length: int) -> None:
        handle.pwrite(b"", 0)  # whether it is open for writing is for whoever calls ``nodes`` to know
        posix.nodes.allocate(node(handle), offset, length, mode)

    def seek(handle: Any, offset: int, whence: int) -> int:
        found: int = posix.nodes.seek(node(handle), offset, whence)
        return found

    return PosixCalls(posix, listdir, allocate, seek)


class Kept:
    """A copy of a directory of this machine, made now."""

    def __init__(self, root: str) -> None:
        self.root, self._copy = root, f"{root}-{next(_numbers)}"
        self.keep()

    def keep(self) -> None:
        """Copy the directory as it is."""
        _mirror(self.root, self._copy)

    def give_back(self) -> None:
        """Make the directory what it was."""
        _mirror(self._copy, self.root)


def _mirror(source: str, target: str) -> None:
    subprocess.run(["find", target, "-mindepth", "1", "-delete"], check=False, stderr=subprocess.DEVNULL)
    os.makedirs(target, exist_ok=True)
    subprocess.run(["cp", "-a", "--sparse=always", f"{source}/.", target], check=True)


class StageMachine(PosixMachine):
    """A stage through ``fs.posix``. Committing changes nothing that it shows, and makes the base the same.

    Of each stage, ``below`` has what the reference was when that was the same as what the stage stands on.
    """

    def __init__(self, reference: str, base: AbstractFileSystem) -> None:
        self.base = base
        self.stages = [StageFileSystem(fs=base)]
        self.below = [Kept(reference)]
        super().__init__(host_calls(reference), stage_calls(lambda: self.stages[-1]), STAGED)

    @rule()
    def commit(self):
        """Through all stages down to the base, which then is what the reference is."""
        for stage in reversed(self.stages):
            stage.commit()
            assert not stage.diff(), stage.diff()
        found = list(differences(snapshot(self.reference), snapshot(stage_calls(lambda: self.base))))
        assert not found, "\n".join(found)
        for kept in self.below:
            kept.keep()

    @rule()
    @precondition(lambda self: not self.open_pairs)
    def abort(self):
        """Of the uppermost stage, which then shows what is below."""
        self.stages[-1].abort()
        self.below[-1].give_back()
        assert not self.stages[-1].diff()
        time.sleep(TICK)
        self.look_around()

    @rule()
    @precondition(lambda self: not self.open_pairs)
    def stage_anew(self):
        """Another stage, which has seen nothing yet, over what this one has committed."""
        self.commit()
        time.sleep(TICK)  # times of access are carried with those of change, which must not happen to be the same
        self.stages = [StageFileSystem(fs=self.base)]
        del self.below[1:]
        self.look_around()

    def look_around(self):
        """Links are counted as far as a stage has looked."""
        for stage in self.stages:
            stage.find("/")

    @rule()
    @precondition(lambda self: len(self.stages) < 3 and not self.open_pairs)
    def stage_the_stage(self):
        self.stages.append(StageFileSystem(fs=self.stages[-1]))
        self.below.append(Kept(self.below[0].root))
        self.look_around()

    @rule()
    @precondition(lambda self: len(self.stages) > 1 and not self.open_pairs)
    def commit_into_the_stage_below(self):
        self.stages[-1].commit()
        self.stages.pop().close()
        self.below.pop()


class HastyStageMachine(StageMachine):
    """Looks at nothing between the steps, so that they meet directories that were not taken over."""

    def look_around(self):
        """No."""

    @invariant()
    def trees_are_alike(self):
        """Only when all is committed."""

    @invariant()
    def open_files_are_alike(self):
        """As above: links are counted as far as a stage has looked."""

    def teardown(self) -> None:
        super().teardown()
        self.commit()


def fresh_directory(parent: Path) -> str:
    path = parent / f"stage-{next(_numbers)}"
    path.mkdir()
    return str(path)


@pytest.fixture(scope="module", params=BASES)
def make_machine(request: pytest.FixtureRequest, tmpfs: Path) -> Iterator[Callable[..., StageMachine]]:
    """What makes a machine of a kind with new, empty sides."""
    names: list[str] = []

    def base() -> AbstractFileSystem:
        if request.param == "chukmem":
            names.append(f"stage-machine-{next(_numbers)}")
            return MemoryFileSystem(names[-1])
        if request.param == "chuklocal":
            return LocalFileSystem(root=fresh_directory(tmpfs))
        return SqliteFileSystem(database=fresh_directory(tmpfs) + "/w.db", synchronous="off")

    mask = os.umask(0)
    try:
        yield lambda kind=StageMachine: kind(fresh_directory(tmpfs), base())
    finally:
        os.umask(mask)
        for name in names:
            drop_store(name)


@pytest.mark.parametrize("steps", FOUND.values(), ids=FOUND)
def test_found_by_the_machine_elsewhere(make_machine, steps):
    machine = make_machine()
    try:
        machine.mknod("/w/f", stat.S_IFREG, 0o644)
        machine.stage_anew()
        steps(machine)
        machine.trees_are_alike()
        machine.open_files_are_alike()
        machine.commit()
    finally:
        machine.teardown()


@pytest.mark.timeout(1800)
def test_a_stage_behaves_like_tmpfs(make_machine):
    run_state_machine_as_test(cast(Any, make_machine), settings=STEPS)


@pytest.mark.timeout(1800)
def test_what_was_not_looked_at_goes_along(make_machine):
    def hasty() -> Any:
        return make_machine(HastyStageMachine)

    run_state_machine_as_test(cast(Any, hasty), settings=STEPS)


@pytest.mark.mount
@pytest.mark.timeout(1800)
def test_a_mounted_stage_behaves_like_tmpfs(tmpfs, tmp_path):
    from chuk_adapters.fuse import mount

    def mounted() -> Any:
        return PosixMachine(host_calls(fresh_directory(tmpfs)), host_calls(fresh_directory(tmp_path)), MOUNTED)

    with mount(StageFileSystem(fs=LocalFileSystem(root=fresh_directory(tmpfs))), tmp_path):
        run_state_machine_as_test(cast(Any, mounted), settings=STEPS)
