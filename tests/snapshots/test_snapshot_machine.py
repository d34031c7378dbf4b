"""Native snapshots against a model, on each engine that takes them."""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.snapshots.engine_machines import MemoryMachine, SharingMachine, SqliteMachine, TwoSessionsMachine
from tests.snapshots.snapshot_machine import SnapshotMachine

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"

MACHINES = {
    "chukmem": MemoryMachine,
    "chuksqlite": SqliteMachine,
    "chuksqlite-deduplicate": SharingMachine,
    "chuksqlite-two-programs": TwoSessionsMachine,
}


@pytest.mark.timeout(900)  # at night
@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_snapshots_are_what_the_model_says(machine: type[SnapshotMachine]) -> None:
    examples, steps = (2000, 60) if NIGHTLY else (30, 40)
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None, phases=tuple(Phase)),
    )
