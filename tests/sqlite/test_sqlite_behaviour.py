"""The behaviour suite on chuksqlite: a file as it is made by default, one with other settings, and one in memory.

All of it runs by day on the first; on the others, what the difference reaches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.testing import BehaviourSuite
from tests.contract.suite_groups import by_day

WAITING = "a transaction is one of the database: the other threads wait until it ends, and give up in the end"
DEVIATIONS = {
    "TestTransactions::test_an_error_while_publishing_undoes_all": WAITING,
    "TestTransactions::test_an_error_at_the_end_undoes_all": WAITING,
    "TestTransactions::test_other_threads_keep_what_they_do_meanwhile": WAITING,
}


class TestFile(BehaviourSuite):
    deviations: ClassVar[dict[str, str]] = DEVIATIONS

    @pytest.fixture(scope="class")
    def fs(self, tmp_path_factory: pytest.TempPathFactory) -> AbstractFileSystem:
        return SqliteFileSystem(database=str(tmp_path_factory.mktemp("sqlite") / "w.db"), busy_timeout=2.0)


@by_day(
    "Appending",
    "Concurrency",
    "HolesByNode",
    "PosixHandles",
    "Reading",
    "RestoringSnapshots",
    "Snapshots",
    "SparseFiles",
    "Transactions",
    "Updating",
    "Writing",
)
class TestSmallChunksAndFullSyncs(BehaviourSuite):
    """Chunks of a page, so that every larger file has many; and a journal that is rolled back."""

    deviations: ClassVar[dict[str, str]] = DEVIATIONS

    @pytest.fixture(scope="class")
    def fs(self, tmp_path_factory: pytest.TempPathFactory) -> AbstractFileSystem:
        return SqliteFileSystem(
            database=str(tmp_path_factory.mktemp("sqlite") / "w.db"),
            chunk_size=4096,
            journal_mode="delete",
            synchronous="full",
            busy_timeout=2.0,
        )


@by_day(
    "Appending",
    "Copying",
    "HolesByNode",
    "PosixHandles",
    "Reading",
    "RemovingOpenFiles",
    "RestoringSnapshots",
    "Snapshots",
    "SparseFiles",
    "Updating",
    "Writing",
)
class TestDeduplicating(BehaviourSuite):
    """Equal chunks are there once; of a page, so that there are many."""

    deviations: ClassVar[dict[str, str]] = DEVIATIONS

    @pytest.fixture(scope="class")
    def fs(self, tmp_path_factory: pytest.TempPathFactory) -> AbstractFileSystem:
        return SqliteFileSystem(
            database=str(tmp_path_factory.mktemp("sqlite") / "w.db"),
            chunk_size=4096,
            deduplicate=True,
            busy_timeout=2.0,
        )


@by_day("Concurrency", "PosixHandles", "PosixNodes", "RemovingOpenFiles", "RestoringSnapshots", "Snapshots", "Urls")
class TestInMemory(BehaviourSuite):
    """One connection, and no other process."""

    deviations: ClassVar[dict[str, str]] = DEVIATIONS

    @pytest.fixture(scope="class")
    def fs(self) -> Iterator[AbstractFileSystem]:
        yield SqliteFileSystem(database=":memory:", busy_timeout=2.0)
        SqliteFileSystem.clear_instance_cache()  # other tests open it with other options
