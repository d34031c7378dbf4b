"""Snapshots and stages together, on a filesystem and on a plain model."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from chuk_fsspec import stage
from tests.snapshots.snapshot_machine import File, SnapshotMachine, seen, stamps

STAGES_MAX = 3
"""Stages on one another."""


class HistoryMachine(SnapshotMachine):
    """A subclass makes ``fs``, which is empty; while stages are open, ``fs`` is the innermost one."""

    def __init__(self) -> None:
        super().__init__()
        self.base = self.fs
        self.below: list[tuple[Any, File]] = []

    @precondition(lambda self: len(self.below) < STAGES_MAX)
    @rule()
    def stage(self) -> None:
        self.below.append((self.fs, self.model.root))
        self.model.root = copy.deepcopy(self.model.root)
        self.fs = stage(self.fs)

    @precondition(lambda self: self.below)
    @rule()
    def commit(self) -> None:
        self._leave(commit=True)

    @precondition(lambda self: self.below)
    @rule()
    def abort(self) -> None:
        self._leave(commit=False)

    def _leave(self, *, commit: bool) -> None:
        fs, before = self.below.pop()
        with self.fs as staged:
            if commit:
                staged.commit()
        self.fs = fs
        if not commit:
            self.model.root = before

    # ---- snapshots of what lies below all stages

    @precondition(lambda self: not self.below)
    @rule()
    def take(self) -> None:
        self.number += 1
        name = f"s{self.number}"
        self.base.snapshots.create(name)
        self.model.kept[name] = copy.deepcopy(self.model.root)
        self.stamps[name] = stamps(self.base)

    @precondition(lambda self: self.model.kept and not self.below)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        self.restore_to(data.draw(st.sampled_from(list(self.model.kept))))

    def restore_to(self, name: str) -> None:
        self.base.snapshots.restore(name)
        self.model.root = copy.deepcopy(self.model.kept[name])

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.delete_snapshot(data.draw(st.sampled_from(list(self.model.kept))))

    def delete_snapshot(self, name: str) -> None:
        self.base.snapshots.delete(name)
        del self.model.kept[name], self.stamps[name]

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data())
    def look_at_the_past(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.model.kept)))
        view = self.base.snapshots.at(name)
        assert seen(view) == self.model.shown(self.model.kept[name])
        assert stamps(view) == self.stamps[name]

    @invariant()
    def snapshots_are_listed(self) -> None:
        assert [one.name for one in self.base.snapshots.taken()] == list(self.model.kept)

    def teardown(self) -> None:
        while self.below:
            self._leave(commit=len(self.below) % 2 == 0)
        super().teardown()
