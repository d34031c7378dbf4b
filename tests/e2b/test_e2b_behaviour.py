from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from chuk_fsspec.backends.e2b import E2BFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.contract.suite_groups import BEYOND_SERVICES, lacking
from tests.e2b.service import Service
from tests.remote import by_path

DEVIATIONS = {
    **by_path.DEVIATIONS,
    "TestPosixAttributes::test_the_group_of_a_set_group_id_directory_is_inherited": "E2B gives what it writes away",
    "TestNofollow::test_attributes_of_a_link_itself": "the SDK tells times in microseconds",
    "TestConcurrency::test_a_moving_tree_is_always_whole": "a listing leaves out what is moved while it is made",
    "TestConcurrency::test_readers_see_whole_versions": "no etags: what changes all the time is ESTALE",
    "TestPaths::test_the_longest_path_works": "the directory of the sandbox counts, and Linux takes 4095 bytes",
}


@pytest.fixture(scope="module")
def shared(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[E2BFileSystem]:
    """Attached to a sandbox that is there, so that its arguments say which."""
    root = tmp_path_factory.mktemp("shared")
    with service.filesystem(root) as made:
        fs = E2BFileSystem(sandbox_id=made.sandbox_id, root_dir=str(root))
        yield fs
        fs.close()


@lacking(*BEYOND_SERVICES, "conditional_write", "etags", "xattrs")
class TestE2B(BehaviourSuite):
    deviations: ClassVar = DEVIATIONS

    @pytest.fixture
    def fs(self, shared: E2BFileSystem) -> E2BFileSystem:
        return shared


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture(scope="class")
    def fs(self, shared: E2BFileSystem) -> E2BFileSystem:
        return shared
