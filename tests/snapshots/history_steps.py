"""Steps of a ``HistoryMachine`` by a seed, so that two processes take the same ones."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.snapshots.history_machine import STAGES_MAX, HistoryMachine
from tests.snapshots.snapshot_machine import LARGE

DIRECTORIES = ("", "/d", "/d/e", "/x")
NAMES = ("a", "b", "d", "e", "x")


def step(machine: HistoryMachine, choose: random.Random) -> None:
    """Take one step; some find nothing to do."""
    choose.choice((_change, _change, _turn_history))(machine, choose)


def _change(machine: HistoryMachine, choose: random.Random) -> None:
    place = choose.choice(DIRECTORIES), choose.choice(NAMES)
    source = choose.choice(DIRECTORIES), choose.choice(NAMES)
    data = bytes([choose.randrange(256)]) * choose.choice((1, 5, 5000, LARGE))
    offset, size = choose.choice((0, 3, LARGE - 2)), choose.choice((0, 2, LARGE))
    mode, uid = choose.choice((0o700, 0o644)), choose.choice((0, 7))
    changes: tuple[Callable[[], None], ...] = (
        lambda: machine.write(*place, data, False),
        lambda: machine.write_in_place(*place, offset, data),
        lambda: machine.append(*place, data),
        lambda: machine.truncate(*place, size),
        lambda: machine.mkdir(*place),
        lambda: machine.link(*source, *place),
        lambda: machine.symlink(*place),
        lambda: machine.rename(*source, *place),
        lambda: machine.remove(*place),
        lambda: _set_owner_and_mode(machine, place[0], mode, uid),
        lambda: machine.set_xattr(*place, data[:3]),
    )
    choose.choice(changes)()


def _set_owner_and_mode(machine: HistoryMachine, directory: str, mode: int, uid: int) -> None:
    """As one step."""
    with machine.fs.transaction:
        machine.set_owner_and_mode(directory, mode, uid)


def _turn_history(machine: HistoryMachine, choose: random.Random) -> None:
    kept = list(machine.model.kept)
    turns: list[Callable[[], None]] = []
    if len(machine.below) < STAGES_MAX:
        turns.append(machine.stage)
    if machine.below:
        turns += [machine.commit, machine.commit, machine.abort]
    else:
        turns.append(machine.take)
    if kept:
        name = choose.choice(kept)
        turns.append(lambda: machine.delete_snapshot(name))
        if not machine.below:
            turns.append(lambda: machine.restore_to(name))
    choose.choice(turns)()
