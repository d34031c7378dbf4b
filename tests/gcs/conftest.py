"""A Google Cloud Storage on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chuk_fsspec.backends.gcs import GCSFileSystem
from tests.gcs.gcs_opening import filesystem, new_bucket
from tests.gcs.server.serving import GcsServer, serving


@pytest.fixture(scope="session")
def server() -> Iterator[GcsServer]:
    """One server for all tests; each makes buckets of its own."""
    with serving() as started:
        yield started


@pytest.fixture(scope="session")
def shared(server: GcsServer) -> Iterator[GCSFileSystem]:
    """A bucket for tests that each work in a directory of their own."""
    opened = filesystem(server, bucket_name=new_bucket(server))
    yield opened
    opened.close()


@pytest.fixture
def bucket(server: GcsServer) -> str:
    """The name of an empty bucket."""
    return new_bucket(server)


@pytest.fixture
def fs(server: GcsServer, bucket: str) -> Iterator[GCSFileSystem]:
    """An empty bucket."""
    opened = filesystem(server, bucket_name=bucket)
    yield opened
    opened.close()
