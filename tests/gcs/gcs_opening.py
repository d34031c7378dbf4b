"""Buckets of the server of these tests, and filesystems on it."""

from __future__ import annotations

import uuid
from typing import Any

from chuk_fsspec.backends.gcs import GCSFileSystem
from tests.gcs.server.serving import GcsServer


def filesystem(server: GcsServer, **options: Any) -> GCSFileSystem:
    """A filesystem on a server."""
    return GCSFileSystem(**{"endpoint_url": server.url, "token": "anon", "project": "p", **options})


def new_bucket(server: GcsServer, name: str = "") -> str:
    """The name of a new empty bucket."""
    return server.cloud.make_bucket(name or f"test-{uuid.uuid4().hex}", "").name
