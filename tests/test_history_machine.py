"""Snapshots and stages together, against a model: no difference, whatever the order."""

from __future__ import annotations

import os
import uuid

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from tests.history_machine import HistoryMachine

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


class MemoryHistory(HistoryMachine):
    """chukmem."""

    def __init__(self) -> None:
        self.name = f"history-{uuid.uuid4().hex}"
        self.fs = MemoryFileSystem(self.name)
        super().__init__()

    def teardown(self) -> None:
        super().teardown()
        drop_store(self.name)


MACHINES = {"chukmem": MemoryHistory}


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_history_is_what_the_model_says(machine: type[HistoryMachine]) -> None:
    examples, steps = (2000, 60) if NIGHTLY else (100, 40)
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None, phases=tuple(Phase)),
    )
