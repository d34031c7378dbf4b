"""The behaviour suite, and fsspec's own, on chuks3."""

from __future__ import annotations

import uuid
from typing import ClassVar

import pytest

from chuk_fsspec.backends.s3 import S3FileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.contract.suite_groups import BEYOND_KEYS, at_night, lacking
from tests.remote import flat_keys
from tests.s3.s3_servers import filesystem, new_bucket

DIGEST = "the etag of S3 is a digest: the same content has the same one"

DEVIATIONS = {
    **flat_keys.DEVIATIONS,
    "TestConditionalWrites::test_an_etag_does_not_come_back": DIGEST,
    "TestConditionalWrites::test_the_new_etag_is_told": DIGEST,
    "TestConditionalWrites::test_two_files_of_one_moment_have_different_etags": DIGEST,
    "TestInfos::test_etags_change_with_the_content_and_only_then": DIGEST,
}
"""Those of S3."""

MOTO = {"TestPaths::test_odd_names_are_names[a\\nb]": "moto routes no path with a newline"}
"""Those of this server besides."""

NUMBERS = "a service names files by path and keeps no numbers, and not every file has a mode"
ONE_TIME = "there is one time, of the last change of content, as a float"
FEW = "directories are not stamped, counted, or asked for their group"
SEEN = "TestWriting::test_writing_below_a_file_is_an_error"  # who looks for links on the way sees files too
POSIX_DEVIATIONS = {
    **{name: reason for name, reason in DEVIATIONS.items() if name != SEEN},
    "TestPosixAttributes::test_a_file_keeps_its_number_and_no_other_has_it": NUMBERS,
    "TestPosixAttributes::test_info_agrees_with_stat": NUMBERS,
    "TestPosixAttributes::test_every_change_stamps_ctime[chmod]": ONE_TIME,
    "TestPosixAttributes::test_every_change_stamps_ctime[chown]": ONE_TIME,
    "TestPosixAttributes::test_every_change_stamps_ctime[mv]": ONE_TIME,
    "TestPosixAttributes::test_every_change_stamps_ctime[utime]": ONE_TIME,
    "TestPosixAttributes::test_links_are_followed_unless_told_not_to": ONE_TIME,
    "TestPosixAttributes::test_utime_keeps_nanoseconds[ns0]": ONE_TIME,
    "TestPosixAttributes::test_utime_keeps_nanoseconds[ns1]": ONE_TIME,
    "TestPosixAttributes::test_entries_stamp_their_directory[create]": FEW,
    "TestPosixAttributes::test_entries_stamp_their_directory[mkdir]": FEW,
    "TestPosixAttributes::test_entries_stamp_their_directory[move]": FEW,
    "TestPosixAttributes::test_entries_stamp_their_directory[remove]": FEW,
    "TestPosixAttributes::test_stat_of_a_directory": FEW,
    "TestPosixAttributes::test_the_group_of_a_set_group_id_directory_is_inherited": FEW,
}


class Races(flat_keys.SlowRaces):
    """Those that moto is fast enough for."""

    test_no_update_is_lost = None  # type: ignore[assignment]


class OnMoto(BehaviourSuite):
    """One bucket of this server, which answers twenty requests in a second: too few for races of many threads."""

    deviations: ClassVar = {**DEVIATIONS, **MOTO}
    TestConcurrency = None  # type: ignore[assignment]
    TestConditionalRaces = Races


@lacking(*BEYOND_KEYS)
@at_night("Readers", "TextAndCompression", "Transactions", "Updating")  # tests/remote has them by day, on the same code
class TestBucket(OnMoto):
    @pytest.fixture
    def fs(self, shared: S3FileSystem) -> S3FileSystem:
        return shared


@pytest.mark.slow
class TestObstore(OnMoto):
    @pytest.fixture
    def fs(self, s3_url: str, shared: S3FileSystem) -> S3FileSystem:
        return filesystem(s3_url, shared.bucket_name, engine="obstore")


@pytest.mark.slow
class TestPosix(OnMoto):
    deviations: ClassVar = {**POSIX_DEVIATIONS, **MOTO}

    @pytest.fixture(scope="class")
    def fs(self, s3_url: str, all_buckets: S3FileSystem) -> S3FileSystem:
        return filesystem(s3_url, new_bucket(all_buckets), posix=True)


@pytest.mark.slow
class TestAllBuckets(BehaviourSuite):
    """The root is the service, and the tests work in a bucket."""

    deviations: ClassVar = OnMoto.deviations

    @pytest.fixture
    def fs(self, all_buckets: S3FileSystem) -> S3FileSystem:
        return all_buckets

    @pytest.fixture
    def root(self, fs: S3FileSystem, shared: S3FileSystem) -> str:
        root = f"/{shared.bucket_name}/{uuid.uuid4().hex}"
        fs.mkdir(root)
        return root


@pytest.mark.slow
class TestAsFsspecHasIt(FsspecAbstractSuite):
    deviations: ClassVar = flat_keys.ABSTRACT_DEVIATIONS

    @pytest.fixture(scope="class")
    def fs(self, shared: S3FileSystem) -> S3FileSystem:
        return shared
