"""The behaviour suite as one class: its groups of tests, its fixtures, and its list of known deviations."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.testing.concurrency import Concurrency
from chuk_fsspec.testing.conditional import (
    ConditionalRaces,
    ConditionalRemoving,
    ConditionalTransactions,
    ConditionalWrites,
)
from chuk_fsspec.testing.copying import Copying
from chuk_fsspec.testing.directories import Directories
from chuk_fsspec.testing.errors import Errors
from chuk_fsspec.testing.info import Infos
from chuk_fsspec.testing.listing import Listing
from chuk_fsspec.testing.moving import Moving, Renaming, Replacing
from chuk_fsspec.testing.needs import missing_capabilities
from chuk_fsspec.testing.nofollow import Nofollow
from chuk_fsspec.testing.open_modes import Appending, ExclusiveCreate, Updating
from chuk_fsspec.testing.paths import Paths
from chuk_fsspec.testing.posix_attributes import PosixAttributes, PosixStatVfs
from chuk_fsspec.testing.posix_handles import PosixHandles
from chuk_fsspec.testing.posix_links import HardLinks, SymbolicLinks
from chuk_fsspec.testing.posix_nodes import PosixNodes
from chuk_fsspec.testing.posix_rename import PosixRename, RenameFlags
from chuk_fsspec.testing.posix_special import PosixSpecialFiles
from chuk_fsspec.testing.posix_xattrs import PosixXattrs
from chuk_fsspec.testing.readers import Readers
from chuk_fsspec.testing.reading import Reading
from chuk_fsspec.testing.removing import Removing, RemovingOpenFiles
from chuk_fsspec.testing.snapshots import Snapshots
from chuk_fsspec.testing.snapshots_restoring import RestoringSnapshots
from chuk_fsspec.testing.sparse import HolesByNode, SparseFiles
from chuk_fsspec.testing.text_and_compression import TextAndCompression
from chuk_fsspec.testing.transactions import Transactions
from chuk_fsspec.testing.urls import Urls
from chuk_fsspec.testing.whole_files import WholeFiles
from chuk_fsspec.testing.writing import Writing


class BehaviourSuite:
    """Subclass it under a name that starts with ``Test`` and give it a fixture ``fs``; pytest finds the groups in it.

    A group that does not apply at all is left out by setting its attribute to None.
    """

    deviations: ClassVar[Mapping[str, str]] = {}
    """Tests that this filesystem is known to fail, and why.

    A test is named as pytest shows it below the suite: ``TestGroup::test_name``, with ``[…]`` for one parameter only.
    The declaration is strict: a deviation that passes fails the suite until it is removed.
    """

    TestAppending = Appending
    TestConcurrency = Concurrency
    TestConditionalRaces = ConditionalRaces
    TestConditionalRemoving = ConditionalRemoving
    TestConditionalTransactions = ConditionalTransactions
    TestConditionalWrites = ConditionalWrites
    TestCopying = Copying
    TestDirectories = Directories
    TestErrors = Errors
    TestExclusiveCreate = ExclusiveCreate
    TestHardLinks = HardLinks
    TestHolesByNode = HolesByNode
    TestInfos = Infos
    TestListing = Listing
    TestMoving = Moving
    TestNofollow = Nofollow
    TestPaths = Paths
    TestPosixAttributes = PosixAttributes
    TestPosixHandles = PosixHandles
    TestPosixNodes = PosixNodes
    TestPosixRename = PosixRename
    TestPosixSpecialFiles = PosixSpecialFiles
    TestPosixStatVfs = PosixStatVfs
    TestPosixXattrs = PosixXattrs
    TestReaders = Readers
    TestReading = Reading
    TestRemoving = Removing
    TestRemovingOpenFiles = RemovingOpenFiles
    TestRenameFlags = RenameFlags
    TestRenaming = Renaming
    TestReplacing = Replacing
    TestRestoringSnapshots = RestoringSnapshots
    TestSnapshots = Snapshots
    TestSparseFiles = SparseFiles
    TestSymbolicLinks = SymbolicLinks
    TestTextAndCompression = TextAndCompression
    TestTransactions = Transactions
    TestUpdating = Updating
    TestUrls = Urls
    TestWholeFiles = WholeFiles
    TestWriting = Writing

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in cls.deviations:
            group, _, test = name.partition("[")[0].partition("::")
            if not callable(getattr(getattr(cls, group, None), test, None)):
                raise TypeError(f"{cls.__name__}.deviations names {name!r}, which is not a test of the suite")

    @pytest.fixture
    def fs(self) -> AbstractFileSystem:
        """The filesystem under test. It need not be empty, and it may be the same for all tests."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture named fs that returns a filesystem")

    @pytest.fixture
    def root(self, fs: AbstractFileSystem) -> Iterator[str]:
        """A directory of its own for each test, as a normal path; it is removed afterwards."""
        if not capabilities_of(fs).write:
            pytest.skip("needs write, which this filesystem does not declare")
        path = f"/behaviour-{uuid.uuid4().hex}"
        fs.makedirs(path)
        yield path
        if fs.exists(path):
            fs.rm(path, recursive=True)

    @pytest.fixture(autouse=True)
    def _select(self, request: pytest.FixtureRequest, fs: AbstractFileSystem) -> None:
        """Skip what the filesystem does not declare, and expect the failures that the suite declares."""
        missing = missing_capabilities(request.function, fs)
        if missing:
            pytest.skip(f"needs {', '.join(missing)}, which this filesystem does not declare")
        group, name = request.node.nodeid.partition("[")[0].split("::")[-2:]
        for test in (f"{group}::{request.node.name}", f"{group}::{name}"):
            if test in self.deviations:
                request.applymarker(pytest.mark.xfail(reason=self.deviations[test], strict=True))
