"""The behaviour suite, and fsspec's own, on the remote base over services of several kinds."""

from __future__ import annotations

from typing import ClassVar

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.contract.suite_groups import BEYOND_KEYS, BEYOND_SERVICES, lacking
from tests.remote import by_path
from tests.remote.dict_store import DictFileSystem

UNSEEN = "a store without directories is not asked for one before a file is opened"
IMPLIED = "a store without directories shows none that is empty"


@lacking(*BEYOND_KEYS)
class TestBucket(BehaviourSuite):
    @pytest.fixture
    def fs(self, name: str) -> AbstractFileSystem:
        return DictFileSystem(name)


@lacking(*BEYOND_KEYS, "conditional_write", "directories", "etags", "exclusive_create")
class TestBare(BehaviourSuite):
    deviations: ClassVar = {
        "TestErrors::test_a_directory_where_a_file_should_be[open_w]": UNSEEN,
        "TestErrors::test_a_directory_where_a_file_should_be[open_wb]": UNSEEN,
        "TestErrors::test_a_writer_names_the_path_in_normal_form": UNSEEN,
        "TestWriting::test_writing_over_a_directory_is_an_error": UNSEEN,
        "TestListing::test_all_listings_follow_every_change": IMPLIED,
        "TestListing::test_ls_of_the_root_names_absolute_paths": IMPLIED,
        "TestPaths::test_the_root_has_one_name": IMPLIED,
    }

    @pytest.fixture
    def fs(self, name: str) -> AbstractFileSystem:
        return DictFileSystem(name, "bare")


@lacking(*BEYOND_SERVICES, "xattrs")
class TestTree(BehaviourSuite):
    deviations: ClassVar = {
        **by_path.DEVIATIONS,
        "TestPosixAttributes::test_entries_stamp_their_directory": "the service does not stamp directories",
        "TestPosixAttributes::test_the_group_of_a_set_group_id_directory_is_inherited": "the service knows no groups",
    }

    @pytest.fixture
    def fs(self, name: str) -> AbstractFileSystem:
        return DictFileSystem(name, "tree")


class TestBucketAsFsspecHasIt(FsspecAbstractSuite):
    @pytest.fixture
    def fs(self, name: str) -> AbstractFileSystem:
        return DictFileSystem(name)
