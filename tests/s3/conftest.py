"""The S3 server of these tests, and buckets in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chuk_fsspec.backends.s3 import S3FileSystem
from tests.s3.s3_servers import filesystem, new_bucket, served_by_moto


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    with served_by_moto() as url:
        yield url


@pytest.fixture(scope="session")
def all_buckets(s3_url: str) -> S3FileSystem:
    """The service as a whole."""
    return filesystem(s3_url)


@pytest.fixture
def bucket(all_buckets: S3FileSystem) -> str:
    return new_bucket(all_buckets)


@pytest.fixture(scope="session")
def shared(s3_url: str, all_buckets: S3FileSystem) -> S3FileSystem:
    """A bucket for tests that make a directory of their own in it."""
    return filesystem(s3_url, new_bucket(all_buckets))
