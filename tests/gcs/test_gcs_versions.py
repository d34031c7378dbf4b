"""Generations of objects, as versions of files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chuk_fsspec.backends.gcs import GCSFileSystem
from tests.gcs.gcs_opening import filesystem, new_bucket
from tests.gcs.server.serving import GcsServer
from tests.remote.versions import Versions


class TestVersions(Versions):
    @pytest.fixture
    def versioned(self, server: GcsServer) -> Iterator[GCSFileSystem]:
        bucket = new_bucket(server)
        server.cloud.bucket(bucket).versioned = True
        opened = filesystem(server, bucket_name=bucket)
        yield opened
        opened.close()

    def test_what_is_no_generation_is_none_that_is_kept(self, versioned: GCSFileSystem) -> None:
        versioned.pipe_file("/f", b"1")
        with pytest.raises(FileNotFoundError):
            versioned.cat_file("/f", version_id="first")
