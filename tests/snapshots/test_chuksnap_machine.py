"""Snapshots of chuksnap against the same model as those that an engine takes of itself: both ways mean the same."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import uuid
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from chuk_fsspec.backends.memory import drop_store
from chuk_fsspec.contract.changes import Kind
from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem
from tests.snapshots.snapshot_machine import File, SnapshotMachine, seen

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


class _AsEngine:
    """A chuksnap with the snapshots of an engine, for the machine."""

    def __init__(self, fs: SnapshotFileSystem) -> None:
        self._fs = fs
        self.snapshots = self
        self.create, self.taken = fs.create_snapshot, fs.list_snapshots
        self.delete, self.restore, self.at = fs.delete_snapshot, fs.restore, fs.at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fs, name)


def times(fs: Any) -> Any:
    return {path: info["mtime_ns"] for path, info in fs.find("/", withdirs=True, detail=True).items()}


class StoredMachine(SnapshotMachine):
    """Over chukmem, in a store on the host; prunes are deep, so that each step gives space back."""

    store = True

    def __init__(self) -> None:
        self.directory = tempfile.mkdtemp()
        self.name = f"machine-{uuid.uuid4().hex}"
        store = f"file://{self.directory}/store" if self.store else ""
        wrapped = SnapshotFileSystem(target_protocol="chukmem", target_options={"name": self.name}, store=store)
        self.fs: Any = _AsEngine(wrapped)
        super().__init__()

    def teardown(self) -> None:
        assert self.fs.verify(deep=True) == []
        super().teardown()
        drop_store(self.name)
        shutil.rmtree(self.directory)

    @rule()
    def take(self) -> None:
        self.number += 1
        name = f"s{self.number}"
        self.fs.create_snapshot(name)
        self.model.kept[name] = copy.deepcopy(self.model.root)
        self.stamps[name] = times(self.fs)

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.model.kept)))
        self.fs.restore(name)
        self.model.root = copy.deepcopy(self.model.kept[name])
        assert times(self.fs) == self.stamps[name]
        assert len(self.fs.diff(name)) == 0
        assert seen(self.fs) == self.model.shown()

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data(), again=st.booleans())
    def look_at_the_past(self, data: st.DataObject, again: bool) -> None:
        name = data.draw(st.sampled_from(list(self.model.kept)))
        view: Any = self.views.get(name) if again else None
        if view is None:
            view = self.views[name] = self.fs.at(name)
        assert seen(view) == self.model.shown(self.model.kept[name])
        assert times(view) == self.stamps[name]

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data(), path=st.sampled_from(["/d", "/d/e", "/x", "/a", "/d/b"]))
    def restore_one(self, data: st.DataObject, path: str) -> None:
        """Only what lies there is brought back; hard links to the outside are the business of other tests."""
        name = data.draw(st.sampled_from(list(self.model.kept)))
        old, now = _found(self.model.kept[name], path), self.model.find(path)
        roots = [self.model.kept[name], self.model.root]
        if (old is None and now is None) or any(_has_hard_links(root) for root in roots):
            return
        above = path.rpartition("/")[0]
        if self.model.find(above) is None or self.model.find(above).kind != "directory":  # type: ignore[union-attr]
            return
        self.fs.restore(name, [path])
        _, _, last = path.rpartition("/")
        parent = self.model.find(above)
        assert parent is not None
        parent.entries.pop(last, None)
        if old is not None:
            parent.entries[last] = copy.deepcopy(old)
        assert seen(self.fs) == self.model.shown()

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data())
    def compare(self, data: st.DataObject) -> None:
        """The diff to now explains every path that differs, and no other one."""
        name = data.draw(st.sampled_from(list(self.model.kept)))
        before, after = self.model.shown(self.model.kept[name]), self.model.shown()
        changes = self.fs.diff(name)
        gone = {change.path for change in changes.removed}
        new = {change.path for change in changes.added}
        for change in changes.renamed:
            assert change.source is not None
            inside = change.facts.type == "directory"
            gone |= {
                path for path in before if path == change.source or (inside and path.startswith(change.source + "/"))
            }
            new |= {path for path in after if path == change.path or (inside and path.startswith(change.path + "/"))}
        assert before.keys() - after.keys() <= gone
        assert after.keys() - before.keys() <= new
        told = {change.path for change in changes}
        for path in before.keys() & after.keys() - gone - new:
            if before[path][:3] != after[path][:3] or before[path][4:] != after[path][4:]:
                assert path in told, path
        untold = {change.path for change in changes if change.kind is Kind.MODIFIED and change.facts.type == "file"}
        for path in untold & before.keys() & after.keys():
            assert before[path] != after[path]


class NativeMachine(StoredMachine):
    """Over chukmem, which takes snapshots of itself."""

    store = False


def _found(root: File, path: str) -> File | None:
    found: File | None = root
    for name in filter(None, path.split("/")):
        found = found.entries.get(name) if found is not None and found.kind == "directory" else None
    return found


def _has_hard_links(root: File) -> bool:
    pending, known = [root], set()
    while pending:
        one = pending.pop()
        if id(one) in known:
            return True
        known.add(id(one))
        pending += one.entries.values()
    return False


@pytest.mark.parametrize("machine", [StoredMachine, NativeMachine], ids=["stored", "native"])
def test_snapshots_are_what_the_model_says(machine: type[SnapshotMachine]) -> None:
    examples, steps = (1000, 50) if NIGHTLY else (25, 25)
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    )
