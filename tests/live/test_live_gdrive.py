"""chukgdrive on a Google Drive itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.gdrive.test_gdrive_suite import DEVIATIONS
from tests.live.accounts import GDRIVE

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def place() -> Iterator[Any]:
    with GDRIVE.place() as fs:
        yield fs


class TestGoogleDrive(BehaviourSuite):
    deviations: ClassVar = DEVIATIONS

    @pytest.fixture
    def fs(self, place: Any) -> Any:
        return place


class TestGoogleDriveAsFsspecHasIt(FsspecAbstractSuite):
    @pytest.fixture
    def fs(self, place: Any) -> Any:
        return place
