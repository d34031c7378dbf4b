"""chuksqlite against a real tmpfs, and its contents against a ``bytearray``, in one process and in two."""

from __future__ import annotations

import itertools
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.leftovers import remove_leftovers
from chuk_fsspec.backends.sqlite.maintenance import check
from chuk_fsspec.contract.posix import FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE

if sys.platform != "linux":
    pytest.skip("the reference is tmpfs, which Linux has", allow_module_level=True)


from tests.engine.posix_calls import PosixCalls, engine_calls, host_calls
from tests.engine.posix_machine import BY_PATH, PosixMachine
from tests.engine.test_posix_machine import FOUND, tmpfs
from tests.sqlite.sqlite_checker import problems
from tests.sqlite.sqlite_other import Other, Reference

__all__ = ["tmpfs"]

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
CHUNK = 4096
PHASES = (Phase.generate,)
OPTIONS: dict[str, Any] = {"chunk_size": CHUNK, "synchronous": "off"}

_numbers = itertools.count()


def fresh_directory(parent: Path) -> Path:
    path = parent / f"machine-{os.getpid()}-{next(_numbers)}"
    path.mkdir()
    return path


# ---- against tmpfs


class SqliteMachine(PosixMachine):
    """chuksqlite through ``fs.posix``; in the end its tables must be in order, and empty when all is removed."""

    making: ClassVar[dict[str, Any]] = {}

    def __init__(self, tmpfs: Path) -> None:
        self.home = fresh_directory(tmpfs)
        (self.home / "reference").mkdir()
        self.database = str(self.home / "w.db")
        self.fs = SqliteFileSystem(database=self.database, **self.making, **OPTIONS)
        super().__init__(host_calls(str(self.home / "reference")), self.subject_calls(), BY_PATH)

    def subject_calls(self) -> PosixCalls:
        return engine_calls(self.fs)

    def teardown(self) -> None:
        super().teardown()
        assert problems(self.database) == []
        self.fs.rm("/*", recursive=True)
        assert problems(self.database) == []
        with closing(sqlite3.connect(self.database)) as connection:
            assert connection.execute("SELECT count(*) FROM inode").fetchone() == (1,), "inodes leaked"


class DeduplicatingMachine(SqliteMachine):
    """The same where equal chunks are there once; in the end, no block is left."""

    making: ClassVar[dict[str, Any]] = {"deduplicate": True}

    def teardown(self) -> None:
        assert check(self.database).ok
        super().teardown()
        with closing(sqlite3.connect(self.database)) as connection:
            assert connection.execute("SELECT count(*) FROM block").fetchone() == (0,), "blocks leaked"


class TwoSessionsMachine(SqliteMachine):
    """The same, but each call is made by this process or by another one, in turn; handles stay where they are."""

    def subject_calls(self) -> PosixCalls:
        self.other = Other(self.database, **OPTIONS)
        here = engine_calls(self.fs)
        turns = Turns(here.posix, OtherPosix(self.other))

        def listdir(path: str) -> list[str]:
            return here.listdir(path)

        def allocate(handle: Any, mode: int, offset: int, length: int) -> None:
            if isinstance(handle, OtherHandle):
                handle.pwrite(b"", 0)
                node = self.other.method(handle.reference, "_inode")
                self.other.call("nodes.allocate", node, offset, length, mode)
            else:
                here.allocate(handle, mode, offset, length)

        def seek(handle: Any, offset: int, whence: int) -> int:
            if isinstance(handle, OtherHandle):
                found: int = self.other.call(
                    "nodes.seek", self.other.method(handle.reference, "_inode"), offset, whence
                )
                return found
            return here.seek(handle, offset, whence)

        return PosixCalls(turns, listdir, allocate, seek)  # type: ignore[arg-type]

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.other.close()


class Turns:
    """Calls go to one of two sides and to the other in turn; files are opened by the first one only.

    What another process has removed is gone for those who have it open, so the removing is left to the side with the
    open files, too.
    """

    _ONLY_HERE = ("open_handle", "unlink", "rename")

    def __init__(self, here: Any, there: Any) -> None:
        self._sides = itertools.cycle((there, here))
        self._here = here

    def __getattr__(self, name: str) -> Any:
        side = self._here if name in self._ONLY_HERE else next(self._sides)
        return getattr(side, name)


class OtherPosix:
    """``fs.posix`` of the other process."""

    def __init__(self, other: Other) -> None:
        self._other = other

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            result = self._other.call(f"posix.{name}", *arguments, **options)
            return OtherHandle(self._other, result) if isinstance(result, Reference) else result

        return call


class OtherHandle:
    """A handle of the other process."""

    def __init__(self, other: Other, reference: Reference) -> None:
        self._other, self.reference = other, reference

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments: self._other.method(self.reference, name, *arguments)


MACHINES = {
    "one session": SqliteMachine,
    "two sessions": TwoSessionsMachine,
    "deduplicating": DeduplicatingMachine,
}


@pytest.fixture(scope="module", params=list(MACHINES.values()), ids=list(MACHINES))
def make_machine(request: pytest.FixtureRequest, tmpfs: Path) -> Callable[[], PosixMachine]:
    def make() -> PosixMachine:
        machine: PosixMachine = request.param(tmpfs)
        return machine

    return make


@pytest.mark.timeout(1800)
def test_chuksqlite_behaves_like_tmpfs(make_machine: Callable[[], PosixMachine]) -> None:
    steps = settings(max_examples=200 if NIGHTLY else 5, stateful_step_count=40, deadline=None, phases=PHASES)
    run_state_machine_as_test(make_machine, settings=steps)  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", FOUND.values(), ids=FOUND)
def test_found_by_the_machine(tmpfs: Path, steps: Callable[[PosixMachine], Any]) -> None:
    machine = SqliteMachine(tmpfs)
    try:
        machine.mknod("/w/f", 0o100000, 0o644)
        steps(machine)
        machine.trees_are_alike()
        machine.open_files_are_alike()
    finally:
        machine.teardown()


# ---- contents against a bytearray

# A place in a file: a chunk, and how far from its border. What is small enough lies with the inode.
places = st.tuples(st.integers(0, 4), st.integers(-3, 7)).map(lambda place: max(place[0] * CHUNK + place[1], 0))
seeds = st.integers(1, 255)


def pattern(length: int, seed: int) -> bytes:
    """Bytes that are never zero and do not repeat with the chunks, so that a misplaced one shows."""
    period = bytes((seed + i) % 255 + 1 for i in range(251))
    return (period * (length // len(period) + 1))[:length]


class ContentMachine(RuleBasedStateMachine):
    """Edits one file in all ways, by path, by node and by handle, and keeps copies and readers aside."""

    def __init__(self, tmpfs: Path) -> None:
        super().__init__()
        self.database = str(fresh_directory(tmpfs) / "w.db")
        self.fs = SqliteFileSystem(database=self.database, **OPTIONS)
        self.handles = [self.fs.posix.open_handle("/f", os.O_CREAT | os.O_RDWR)]
        self.nodes = self.fs.posix.nodes
        self.node: Any = self.nodes.lookup(self.nodes.root, "f")
        self.model = bytearray()
        self.copies: dict[str, bytes] = {}
        self.readers: list[tuple[Any, bytes | None]] = []

    def teardown(self) -> None:
        for handle in self.handles:
            handle.close()
        for file, _ in self.readers:
            file.close()
        self.readers.clear()
        remove_leftovers(self.fs.store.session)  # type: ignore[attr-defined]
        assert problems(self.database) == []

    def resize(self, size: int) -> None:
        del self.model[size:]
        self.model.extend(bytes(size - len(self.model)))
        self.edited()

    def edited(self) -> None:
        """Readers of this very content see what is edited in place from now on."""
        self.readers = [(file, None) for file, _ in self.readers]

    @initialize(length=places, seed=seeds)
    def begin_with_content_given_whole(self, length: int, seed: int) -> None:
        self.publish(length, seed)

    @rule(length=places, seed=seeds)
    def publish(self, length: int, seed: int) -> None:
        self.model = bytearray(pattern(length, seed))
        self.fs.pipe_file("/f", bytes(self.model))

    @rule(offset=places, length=places, seed=seeds)
    def write(self, offset: int, length: int, seed: int) -> None:
        data = pattern(length, seed)
        self.nodes.write(self.node, data, offset)
        if data:
            self.model.extend(bytes(max(offset - len(self.model), 0)))
            self.model[offset : offset + len(data)] = data
            self.edited()

    @rule(length=places, seed=seeds)
    def append(self, length: int, seed: int) -> None:
        data = pattern(length, seed)
        with self.fs.open("/f", "ab") as file:
            file.write(data)
        self.model += data
        self.edited()

    @rule(size=places)
    def truncate(self, size: int) -> None:
        self.nodes.setattr(self.node, size=size)
        self.resize(size)

    @rule(offset=places, length=places, kind=st.sampled_from([FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE]))
    def zero(self, offset: int, length: int, kind: int) -> None:
        if length:
            self.nodes.allocate(self.node, offset, length, kind | FALLOC_KEEP_SIZE)
            end = min(offset + length, len(self.model))
            if offset < end:
                self.model[offset:end] = bytes(end - offset)
            self.edited()

    @rule(offset=places, length=places, kind=st.sampled_from([0, FALLOC_KEEP_SIZE, FALLOC_ZERO_RANGE]))
    def reserve(self, offset: int, length: int, kind: int) -> None:
        if not length:
            return
        self.nodes.allocate(self.node, offset, length, kind)
        if kind == FALLOC_ZERO_RANGE and offset < len(self.model):
            end = min(offset + length, len(self.model))
            self.model[offset:end] = bytes(end - offset)
        if kind != FALLOC_KEEP_SIZE:
            self.resize(max(len(self.model), offset + length))

    @rule(offset=places, length=places)
    def read(self, offset: int, length: int) -> None:
        wanted = self.model[offset : offset + length]
        assert b"".join(self.nodes.read(self.node, length, offset)) == wanted
        assert self.handles[0].pread(length, offset) == wanted
        assert self.fs.cat_file("/f", offset, offset + length) == wanted

    @rule(offset=places)
    def seek(self, offset: int) -> None:
        if offset >= len(self.model):
            with pytest.raises(OSError, match="No such device or address"):
                self.nodes.seek(self.node, offset, os.SEEK_HOLE)
            return
        hole = self.nodes.seek(self.node, offset, os.SEEK_HOLE)
        assert offset <= hole <= len(self.model)
        if hole < len(self.model):
            assert not any(self.model[hole : (hole // CHUNK + 1) * CHUNK]), "data was called a hole"
        if any(self.model[offset:]):
            data = self.nodes.seek(self.node, offset, os.SEEK_DATA)
            assert not any(self.model[offset:data]), "data was passed over"

    @rule(name=st.sampled_from(["/copy", "/other"]))
    def copy(self, name: str) -> None:
        self.fs.cp_file("/f", name)
        self.copies[name] = bytes(self.model)

    @precondition(lambda self: self.copies)
    @rule(name=st.sampled_from(["/copy", "/other"]))
    def move_a_copy_here(self, name: str) -> None:
        """The edited file is another one from then on, and the old one lives on while it is open."""
        if name in self.copies:
            self.fs.mv(name, "/f")
            assert self.handles[0].pread(len(self.model) + 1, 0) == self.model
            self.handles.pop().close()
            self.handles.append(self.fs.posix.open_handle("/f", os.O_RDWR))
            self.node = self.nodes.lookup(self.nodes.root, "f")
            self.model = bytearray(self.copies.pop(name))

    @rule()
    def open_a_reader(self) -> None:
        if len(self.readers) < 3:
            self.readers.append((self.fs.open("/f", "rb"), bytes(self.model)))

    @precondition(lambda self: self.readers)
    @rule()
    def read_all_that_a_reader_has(self) -> None:
        file, wanted = self.readers.pop(0)
        data = file.read()
        file.close()
        assert wanted is None or data == wanted

    @rule(length=places, seed=seeds)
    def undo_a_transaction(self, length: int, seed: int) -> None:
        def transact() -> None:
            with self.fs.transaction:
                self.nodes.write(self.node, pattern(length, seed), length // 2)
                self.fs.pipe_file("/g", pattern(length, seed))
                self.fs.mkdir("/d")
                self.nodes.setattr(self.node, size=length // 3)
                self.fs.rm_file("/f")
                raise RuntimeError("undo")

        with pytest.raises(RuntimeError, match="undo"):
            transact()

    @rule()
    def forget_what_is_known(self) -> None:
        """As if another process had changed something."""
        self.fs.store.session.outdated()  # type: ignore[attr-defined]

    @rule()
    def list_without_contents(self) -> None:
        self.fs.ls("/")

    @invariant()
    def content_is_that_of_the_model(self) -> None:
        assert self.fs.cat_file("/f") == self.model
        status = self.fs.posix.stat("/f")
        assert status.st_size == self.handles[0].stat().st_size == len(self.model)
        assert not any(self.model) or status.st_blocks

    @invariant()
    def other_files_are_as_they_were(self) -> None:
        assert {path: self.fs.cat_file(path) for path in self.copies} == self.copies
        assert self.fs.find("/") == sorted(["/f", *self.copies])

    @invariant()
    def tables_are_in_order(self) -> None:
        assert problems(self.database, in_use=True) == []


@pytest.mark.timeout(1800)
def test_content_is_like_a_bytearray(tmpfs: Path) -> None:
    steps = settings(max_examples=200 if NIGHTLY else 30, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(lambda: ContentMachine(tmpfs), settings=steps)  # type: ignore[arg-type]
