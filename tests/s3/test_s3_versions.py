"""Versions of objects, with both engines."""

from __future__ import annotations

import pytest

from chuk_fsspec.backends.s3 import S3FileSystem
from tests.remote.versions import Versions
from tests.s3.s3_servers import filesystem, new_bucket, new_versioned_bucket


class TestVersions(Versions):
    @pytest.fixture(params=["s3fs", pytest.param("obstore", marks=pytest.mark.slow)])
    def versioned(self, s3_url: str, all_buckets: S3FileSystem, request: pytest.FixtureRequest) -> S3FileSystem:
        return filesystem(s3_url, new_versioned_bucket(all_buckets), engine=request.param)

    def test_the_removal_is_a_version_too(self, versioned: S3FileSystem) -> None:
        versioned.pipe_file("/f", b"1")
        versioned.rm("/f")
        removal, first = versioned.versions.list("/f")
        assert (removal.is_removal, removal.is_latest, first.is_latest) == (True, True, False)
        with pytest.raises(FileNotFoundError):
            versioned.cat_file("/f", version_id=removal.version_id)
        versioned.versions.remove("/f", removal.version_id)
        assert versioned.cat_file("/f") == b"1"


def test_all_buckets_have_them_too(all_buckets: S3FileSystem) -> None:
    path = f"/{new_versioned_bucket(all_buckets)}/f"
    all_buckets.pipe_file(path, b"1")
    first = all_buckets.info(path)["version_id"]
    all_buckets.pipe_file(path, b"2")
    assert all_buckets.cat_file(path, version_id=first) == b"1"
    all_buckets.versions.restore(path, first)
    assert [one.size for one in all_buckets.versions.list(path)] == [1, 1, 1]
    with pytest.raises(PermissionError, match="buckets"):
        all_buckets.versions.list("/f")


def test_a_bucket_that_keeps_none_has_the_latest(all_buckets: S3FileSystem) -> None:
    path = f"/{new_bucket(all_buckets)}/f"
    all_buckets.pipe_file(path, b"1")
    all_buckets.pipe_file(path, b"22")
    (only,) = all_buckets.versions.list(path)
    assert (only.version_id, only.size, only.is_latest) == ("null", 2, True)
    all_buckets.rm(path)
    with pytest.raises(FileNotFoundError):
        all_buckets.versions.list(path)
