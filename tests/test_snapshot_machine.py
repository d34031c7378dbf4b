"""Native snapshots against a model, on each engine that takes them."""

from __future__ import annotations

import os
import uuid

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from tests.snapshot_machine import SnapshotMachine

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


MACHINES = {"chukmem": MemoryMachine}


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_snapshots_are_what_the_model_says(machine: type[SnapshotMachine]) -> None:
    examples, steps = (2000, 60) if NIGHTLY else (100, 30)
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None, phases=Phase),
    )
