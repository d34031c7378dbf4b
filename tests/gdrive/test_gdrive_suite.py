"""The rules that every filesystem of the family keeps, and fsspec's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import ClassVar

import pytest

from chuk_fsspec.backends.gdrive import GoogleDriveFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.contract.suite_groups import BEYOND_SERVICES, lacking
from tests.gdrive.server.running import DriveServer

SMALL = "Google Drive keeps 124 bytes of a name and its value"
LEVELS = "Google Drive takes 100 levels of folders"

DEVIATIONS = {
    "TestPaths::test_the_longest_path_works": LEVELS,
    "TestDirectories::test_a_deep_tree": LEVELS,
    **{f"TestPosixXattrs::test_a_value_comes_back[{value}]": SMALL for value in ("value2", "value3")},
    "TestPosixXattrs::test_many_names": SMALL,
}


@pytest.fixture(scope="module")
def one_drive(shared_server: DriveServer) -> Iterator[GoogleDriveFileSystem]:
    fs = GoogleDriveFileSystem(
        credentials=shared_server.credentials,
        root_folder=f"suite-{uuid.uuid4().hex}",
        endpoint_url=shared_server.address,
    )
    yield fs
    fs.close()


@lacking(*BEYOND_SERVICES, "attributes", "conditional_write", "exclusive_create", "replace", "symlinks")
class TestGoogleDrive(BehaviourSuite):
    deviations: ClassVar = DEVIATIONS

    @pytest.fixture
    def fs(self, one_drive: GoogleDriveFileSystem) -> GoogleDriveFileSystem:
        return one_drive


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture
    def fs(self, one_drive: GoogleDriveFileSystem) -> GoogleDriveFileSystem:
        return one_drive
