"""chuks3 on S3 itself, or on what speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.live.accounts import S3
from tests.remote.flat_keys import ABSTRACT_DEVIATIONS, SlowConcurrency, SlowRaces
from tests.s3.test_s3_behaviour import DEVIATIONS

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def place() -> Iterator[Any]:
    with S3.place() as fs:
        yield fs


@pytest.fixture(scope="module")
def by_obstore() -> Iterator[Any]:
    with S3.place(engine="obstore") as fs:
        yield fs


class TestS3(BehaviourSuite):
    deviations: ClassVar = DEVIATIONS
    TestConcurrency = SlowConcurrency
    TestConditionalRaces = SlowRaces

    @pytest.fixture
    def fs(self, place: Any) -> Any:
        return place


class TestS3ByObstore(BehaviourSuite):
    deviations: ClassVar = DEVIATIONS
    TestConcurrency = SlowConcurrency
    TestConditionalRaces = SlowRaces

    @pytest.fixture
    def fs(self, by_obstore: Any) -> Any:
        return by_obstore


class TestS3AsFsspecHasIt(FsspecAbstractSuite):
    deviations: ClassVar = ABSTRACT_DEVIATIONS

    @pytest.fixture
    def fs(self, place: Any) -> Any:
        return place
