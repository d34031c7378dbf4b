from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import ClassVar

import pytest

if sys.platform != "linux":
    pytest.skip("the deviations are those of Linux", allow_module_level=True)

from chuk_fsspec.backends.local import LocalFileSystem, support
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.paths import Paths
from chuk_fsspec.testing.posix_attributes import PosixAttributes, PosixStatVfs
from chuk_fsspec.testing.posix_nodes import PosixNodes
from chuk_fsspec.testing.posix_special import PosixSpecialFiles
from tests.contract.suite_groups import by_day, lacking
from tests.local.local_roots import tmpfs

__all__ = ["tmpfs"]

PUBLISHED_IS_NEW = "what is published is a new file under the name, for on a disk nothing else is done in one step"
DEVIATIONS = {
    "TestHardLinks::test_writing_under_one_name_shows_under_the_other": PUBLISHED_IS_NEW,
    "TestPosixAttributes::test_replaced_content_leaves_the_attributes": PUBLISHED_IS_NEW,
    "TestPosixHandles::test_a_handle_sees_a_published_file": PUBLISHED_IS_NEW,
    "TestInfos::test_etags_do_not_change_with_attributes": "the host counts no versions: the etag has the time in it",
    "TestPosixNodes::test_setattr_changes_what_is_given": "the host stamps the time of change itself",
    "TestPosixXattrs::test_many_names": "the host looks into security.capability",
}


class CollectedStatVfs(PosixStatVfs):
    """Inodes of removed files are counted until nobody holds them, and old exceptions do."""

    @pytest.fixture(autouse=True)
    def _collect(self) -> None:
        gc.collect()


class WalkedPaths(Paths):
    test_the_longest_path_works = None  # type: ignore[assignment] # it does, in half a minute: each of 2,000 directories is opened from the root


@lacking("snapshots", "transactions", "whole_files")
class Local(BehaviourSuite):
    deviations: ClassVar[dict[str, str]] = DEVIATIONS
    TestPosixStatVfs = CollectedStatVfs

    @pytest.fixture
    def fs(self, tmpfs: Path) -> LocalFileSystem:
        return LocalFileSystem(root=str(tmpfs))

    @pytest.fixture(autouse=True)
    def _what_users_may(self, request: pytest.FixtureRequest) -> None:
        if os.geteuid() and issubclass(request.cls, (PosixAttributes, PosixNodes, PosixSpecialFiles)):
            pytest.skip("only root gives files away, makes devices, and gets into directories of mode 0")


class TestLocal(Local):
    """As Linux does it: the kernel resolves paths, and inodes are held."""


@by_day(
    "Copying",
    "Directories",
    "Errors",
    "HardLinks",
    "Listing",
    "Moving",
    "Nofollow",
    "PosixAttributes",
    "PosixNodes",
    "PosixRename",
    "Removing",
    "Renaming",
    "Replacing",
    "SymbolicLinks",
)
class TestLocalByWalking(Local):
    """As it is done where the kernel has no openat2(2): one open directory after the other.

    By day, the groups in which that is all: what is done with a file that is open is the same.
    """

    TestPaths = WalkedPaths

    @pytest.fixture(autouse=True)
    def _walk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(support, "has_openat2", lambda: False)


class TestLocalByName(Local):
    """As it is done without /proc, which is also the way of other systems: nothing is held, all is found by name."""

    TestPaths = WalkedPaths
    TestPosixNodes = None  # type: ignore[assignment]
    TestHolesByNode = None  # type: ignore[assignment]
    deviations: ClassVar[dict[str, str]] = {
        name: reason for name, reason in DEVIATIONS.items() if not name.startswith("TestPosixNodes")
    }

    @pytest.fixture(autouse=True)
    def _name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(support, "has_openat2", lambda: False)
        monkeypatch.setattr(support, "can_hold", lambda: False)
