"""Snapshots and stages together, against a model: no difference, whatever the order."""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.snapshots.engine_machines import MemoryMachine, SharingMachine, SqliteMachine
from tests.snapshots.history_machine import HistoryMachine

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


class MemoryHistory(HistoryMachine, MemoryMachine):
    """chukmem."""


class SqliteHistory(HistoryMachine, SqliteMachine):
    """chuksqlite."""


class SharingHistory(HistoryMachine, SharingMachine):
    """chuksqlite, where equal chunks are there once."""


MACHINES = {"chukmem": MemoryHistory, "chuksqlite": SqliteHistory, "chuksqlite-deduplicate": SharingHistory}


@pytest.mark.timeout(3600)  # at night
@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_history_is_what_the_model_says(machine: type[HistoryMachine]) -> None:
    examples, steps = (2000, 60) if NIGHTLY else (25, 40)
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None, phases=tuple(Phase)),
    )
