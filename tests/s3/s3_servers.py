"""Servers that speak S3, each in a process of its own, and filesystems on them."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.s3 import S3FileSystem
from tests.processes import started

SECRET = "wJalrXUtnFEMI"

LOCALSTACK = Path(sys.prefix, "localstack", "bin", "python")
"""The interpreter that `make setup` has given LocalStack to, where it could."""

needs_localstack = pytest.mark.skipif(not LOCALSTACK.exists(), reason=f"no {LOCALSTACK}: scripts/setup_localstack.sh")


def served_by_moto() -> AbstractContextManager[str]:
    """The URL of a server, which ends with the block."""
    return _served(sys.executable, "moto_serving.py")


def served_by_localstack() -> AbstractContextManager[str]:
    """The URL of one that others have made, from another understanding of S3."""
    return _served(str(LOCALSTACK), "localstack_serving.py")


@contextmanager
def _served(python: str, program: str) -> Iterator[str]:
    with started([python, str(Path(__file__).with_name(program))], stderr=subprocess.DEVNULL) as (_, url):
        yield url


def options(url: str, **more: Any) -> dict[str, Any]:
    """What everybody needs who talks to such a server."""
    return {"endpoint_url": url, "key": "AKIATEST", "secret": SECRET, "region": "us-east-1", **more}


def filesystem(url: str, bucket: str = "", **more: Any) -> S3FileSystem:
    """A filesystem; the same one for the same arguments."""
    return S3FileSystem(bucket_name=bucket, **options(url, **more))


def new_bucket(fs: S3FileSystem, name: str = "") -> str:
    """The name of a new empty bucket, made by a filesystem of all buckets."""
    bucket = name or f"b-{uuid.uuid4().hex[:12]}"
    fs.mkdir(f"/{bucket}")
    return bucket


def new_versioned_bucket(fs: S3FileSystem) -> str:
    """The name of one that keeps what is replaced or removed in it."""
    bucket = new_bucket(fs)

    async def ask() -> None:
        service: Any = fs.reach().service
        kept = {"Status": "Enabled"}
        await service._client("put_bucket_versioning", Bucket=bucket, VersioningConfiguration=kept)

    fs.wait(ask())
    return bucket


def uploads_of(fs: S3FileSystem, bucket: str) -> list[str]:
    """The keys of uploads that were begun in a bucket and not ended."""

    async def ask() -> list[str]:
        service: Any = fs.reach().service
        reply = await service._client("list_multipart_uploads", Bucket=bucket)
        return [upload["Key"] for upload in reply.get("Uploads", ())]

    return fs.wait(ask())
