"""The machine of snapshots on each engine that takes them."""

from __future__ import annotations

import os
import tempfile
import uuid

from hypothesis.stateful import invariant

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.maintenance import check
from chuk_fsspec.backends.sqlite.options import Options
from chuk_fsspec.backends.sqlite.shared import SharedDatabase
from tests.snapshots.snapshot_machine import SnapshotMachine
from tests.sqlite.sqlite_checker import problems


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
    """chuksqlite with small chunks; in the end nothing is wrong in the file, nor left over without the snapshots."""

    deduplicates = False

    def __init__(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.fs = self.opened()
        super().__init__()

    def opened(self) -> SqliteFileSystem:
        return SqliteFileSystem(
            database=os.path.join(self.directory.name, "w.db"),
            chunk_size=4096,
            synchronous="off",
            deduplicate=self.deduplicates,
            skip_instance_cache=True,
        )

    def teardown(self) -> None:
        database = os.path.join(self.directory.name, "w.db")
        found = check(database)
        assert found.ok, found.problems
        super().teardown()
        found = check(database)
        assert found.ok, found.problems
        assert problems(database) == []
        self.directory.cleanup()


class SharingMachine(SqliteMachine):
    """The same, where equal chunks are there once."""

    deduplicates = True


class TwoSessionsMachine(SqliteMachine):
    """The same, where every other step is another program's."""

    def __init__(self) -> None:
        super().__init__()
        self.other = self.opened()
        options = Options(synchronous="off", chunk_size=4096)
        self.other.stand_on(SharedDatabase("other", self.other.database, options))

    @invariant()
    def take_turns(self) -> None:
        assert isinstance(self.fs, SqliteFileSystem)
        self.fs, self.other = self.other, self.fs
        self.views.clear()
