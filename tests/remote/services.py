"""Services on this machine, and the environment by which every program finds them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.gcs.server.serving import serving
from tests.gdrive.server.running import drive_server
from tests.s3.s3_servers import SECRET, served_by_moto


@contextmanager
def gcs_environment() -> Iterator[dict[str, str]]:
    """Google Cloud Storage, without buckets."""
    with serving() as server:
        yield {"STORAGE_EMULATOR_HOST": server.url, "GOOGLE_CLOUD_PROJECT": "p"}


@contextmanager
def s3_environment() -> Iterator[dict[str, str]]:
    """S3, without buckets."""
    with served_by_moto() as url:
        yield {
            "AWS_ENDPOINT_URL_S3": url,
            "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }


@contextmanager
def gdrive_environment() -> Iterator[dict[str, str]]:
    """A Google Drive without files, and who may use it."""
    with drive_server() as server:
        yield {
            "GOOGLE_DRIVE_CREDENTIALS": json.dumps(server.credentials),
            "GOOGLE_DRIVE_ENDPOINT_URL": server.address,
        }


@contextmanager
def e2b_environment() -> Iterator[dict[str, str]]:
    """Sandboxes, whose files are in a new directory of this machine."""
    pytest.importorskip("e2b", reason="the E2B SDK needs Python 3.11")
    from tests.e2b.service import served

    with TemporaryDirectory() as directory, served(Path(directory)) as service:
        yield {**service.environment, "FSSPEC_CHUKE2B_ROOT_DIR": f"{directory}/home"}


ENVIRONMENTS = {
    "e2b": e2b_environment,
    "gcs": gcs_environment,
    "gdrive": gdrive_environment,
    "s3": s3_environment,
}
"""By the name of the command for the service."""
