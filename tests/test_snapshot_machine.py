"""Native snapshots against a model, on each engine that takes them."""

from __future__ import annotations

import os
import tempfile
import uuid

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.maintenance import check
from tests.snapshot_machine import SnapshotMachine
from tests.sqlite_checker import problems

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


class MemoryMachine(SnapshotMachine):
    """chukmem; in the end it takes the space of its files, and none once they are removed."""

    def __init__(self) -> None:
        self.fs = MemoryFileSystem(f"machine-{uuid.uuid4().hex}")
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        self.fs.rm("/", recursive=True)
        space = self.fs.store._space  # type: ignore[attr-defined]
        assert (space.used, space.inodes) == (0, 1)
        drop_store(self.fs.name)


class SqliteMachine(SnapshotMachine):
    """chuksqlite with small chunks; in the end nothing is wrong in the file, nor left over once the snapshots are gone."""

    deduplicates = False

    def __init__(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.fs = SqliteFileSystem(
            database=os.path.join(self.directory.name, "w.db"),
            chunk_size=4096,
            synchronous="off",
            deduplicate=self.deduplicates,
        )
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        database = self.fs.database
        report = check(database)
        assert report.ok, report.problems
        assert problems(database) == []
        self.directory.cleanup()


class SharingMachine(SqliteMachine):
    """The same, where equal chunks are there once."""

    deduplicates = True


MACHINES = {"chukmem": MemoryMachine, "chuksqlite": SqliteMachine, "chuksqlite-deduplicate": SharingMachine}


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_snapshots_are_what_the_model_says(machine: type[SnapshotMachine]) -> None:
    examples, steps = (2000, 60) if NIGHTLY else (100, 30)
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None, phases=tuple(Phase)),
    )
