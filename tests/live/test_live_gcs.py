"""chukgcs on Google Cloud Storage itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.gcs.test_gcs_suite import GCS_DEVIATIONS
from tests.live.accounts import GCS
from tests.remote.flat_keys import ABSTRACT_DEVIATIONS, SlowConcurrency, SlowRaces

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def place() -> Iterator[Any]:
    with GCS.place() as fs:
        yield fs


class TestGCS(BehaviourSuite):
    deviations: ClassVar = GCS_DEVIATIONS
    TestConcurrency = SlowConcurrency
    TestConditionalRaces = SlowRaces

    @pytest.fixture
    def fs(self, place: Any) -> Any:
        return place


class TestGCSAsFsspecHasIt(FsspecAbstractSuite):
    deviations: ClassVar = ABSTRACT_DEVIATIONS

    @pytest.fixture
    def fs(self, place: Any) -> Any:
        return place
