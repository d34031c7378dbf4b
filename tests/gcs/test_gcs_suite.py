"""chukgcs passes the suites, but for what flat keys cannot do."""

from __future__ import annotations

from typing import Any

import pytest

from chuk_fsspec.backends.gcs import GCSFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.contract.suite_groups import BEYOND_KEYS, lacking
from tests.gcs.gcs_opening import filesystem, new_bucket
from tests.gcs.server.serving import GcsServer
from tests.remote.flat_keys import ABSTRACT_DEVIATIONS, DEVIATIONS, SlowConcurrency, SlowRaces

GCS_DEVIATIONS = {
    **DEVIATIONS,
    "TestPaths::test_odd_names_are_names[a\\nb]": "the service takes no line ends in names",
}


@lacking(*BEYOND_KEYS)
class TestBucket(BehaviourSuite):
    deviations = GCS_DEVIATIONS
    TestConcurrency = SlowConcurrency
    TestConditionalRaces = SlowRaces

    @pytest.fixture
    def fs(self, shared: GCSFileSystem) -> GCSFileSystem:
        return shared


@pytest.mark.slow
class TestAllBuckets(BehaviourSuite):
    """The root is the service, and the tests work in a bucket."""

    deviations = GCS_DEVIATIONS
    TestConcurrency = SlowConcurrency
    TestConditionalRaces = SlowRaces

    @pytest.fixture
    def fs(self, server: GcsServer) -> GCSFileSystem:
        return filesystem(server)

    @pytest.fixture
    def root(self, fs: GCSFileSystem, server: GcsServer) -> str:
        root = f"/{new_bucket(server)}/inside"
        fs.mkdir(root)
        return root


class TestAbstract(FsspecAbstractSuite):
    deviations = ABSTRACT_DEVIATIONS

    @pytest.fixture
    def fs(self, fs: GCSFileSystem) -> GCSFileSystem:
        return fs


def test_the_capabilities_are_those_of_an_object_store(shared: Any) -> None:
    can = shared.capabilities
    assert can.conditional_write
    assert can.exclusive_create
    assert not can.rename
    assert not can.append
    assert not can.symlinks
