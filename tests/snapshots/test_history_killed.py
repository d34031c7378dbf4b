"""A process that is killed between snapshots, restores, stages and commits: each step is done, or not begun."""

from __future__ import annotations

import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.snapshots.history_machine import HistoryMachine
from tests.snapshots.history_steps import step
from tests.snapshots.snapshot_machine import seen
from tests.sqlite.sqlite_checker import problems

ROOT = Path(__file__).parents[2]

WORKER = """
import os, random, sys
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.snapshots.history_machine import HistoryMachine
from tests.snapshots.history_steps import step

class Worker(HistoryMachine):
    def __init__(self):
        self.fs = SqliteFileSystem(**eval(sys.argv[1]))
        super().__init__()
        self.make_directories()

worker, choose = Worker(), random.Random(int(sys.argv[2]))
number = 0
while True:
    os.write(1, b"%d\\n" % number)
    step(worker, choose)
    number += 1
"""

Shown = dict[str, tuple[Any, ...]]
State = tuple[Shown, dict[str, Shown]]
"""Everything as it is below all stages, and as each snapshot has it."""


class Expected(HistoryMachine):
    """What the model says after each step, without the process that is killed."""

    def __init__(self) -> None:
        self.name = f"expected-{uuid.uuid4().hex}"
        self.fs = MemoryFileSystem(self.name)
        super().__init__()
        self.make_directories()

    def state(self) -> State:
        root = self.below[0][1] if self.below else self.model.root
        return self.model.shown(root), {name: self.model.shown(kept) for name, kept in self.model.kept.items()}

    def teardown(self) -> None:
        super().teardown()
        drop_store(self.name)


@pytest.fixture
def expected() -> Iterator[Expected]:
    machine = Expected()
    yield machine
    machine.teardown()


def found(database: str) -> State:
    fs = SqliteFileSystem(database=database, skip_instance_cache=True)
    return seen(fs), {one.name: seen(fs.snapshots.at(one.name)) for one in fs.snapshots.taken()}


def kill_and_compare(tmp_path: Path, expected: Expected, seed: int, after: int, options: dict[str, Any]) -> None:
    database = str(tmp_path / f"{seed}.db")
    command = [sys.executable, "-c", WORKER, repr({"database": database, **options}), str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        while worker.stdout.readline() != f"{after}\n":
            assert worker.poll() is None
        time.sleep(random.Random(seed).random() * 0.02)
        worker.kill()
        begun = after + len(worker.stdout.read().split("\n")) - 1
    choose = random.Random(seed)
    for _ in range(begun):
        step(expected, choose)
    before = expected.state()
    step(expected, choose)
    state = found(database)
    assert state in (before, expected.state()), f"step {begun} of seed {seed} is half done"
    assert problems(database, in_use=True) == []


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 300))])
def test_each_step_is_done_or_not_begun(tmp_path: Path, expected: Expected, seed: int) -> None:
    options = {"deduplicate": True} if seed % 3 == 0 else {}
    kill_and_compare(tmp_path, expected, seed, after=random.Random(seed).randrange(1, 150), options=options)
