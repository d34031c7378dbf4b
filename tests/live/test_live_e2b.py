"""chuke2b in a sandbox of E2B itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.e2b.test_e2b_behaviour import DEVIATIONS
from tests.live.accounts import e2b_place

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def place() -> Iterator[Any]:
    with e2b_place() as fs:
        yield fs


class TestE2B(BehaviourSuite):
    deviations: ClassVar = DEVIATIONS

    @pytest.fixture
    def fs(self, place: Any) -> Any:
        return place


class TestE2BAsFsspecHasIt(FsspecAbstractSuite):
    @pytest.fixture
    def fs(self, place: Any) -> Any:
        return place
