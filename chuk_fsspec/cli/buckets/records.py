"""Buckets and objects as ``--json`` and people see them."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.cli.files.records import moment
from chuk_fsspec.contract.buckets import Bucket, StoredObject


def bucket_record(bucket: Bucket) -> dict[str, Any]:
    """A bucket for programs: what is known of it, ``created`` in ISO 8601 and UTC."""
    found: dict[str, Any] = {"bucket": bucket.name}
    if bucket.created is not None:
        found["created"] = _iso(bucket.created)
    if bucket.location:
        found["location"] = bucket.location
    if bucket.versioned is not None:
        found["versioned"] = bucket.versioned
    return found


def object_record(bucket: str, one: StoredObject) -> dict[str, Any]:
    """An object for programs: ``size`` in bytes, ``mtime`` and ``etag`` where they are known."""
    found: dict[str, Any] = {"bucket": bucket, "key": one.key, "size": one.size}
    if one.mtime is not None:
        found["mtime"] = _iso(one.mtime)
    if one.etag:
        found["etag"] = one.etag
    return found


def day(time: float | None) -> str:
    """The day of a time, seconds since the epoch, in UTC; nothing for None."""
    return "" if time is None else f"{moment(int(time * 1e9)):%Y-%m-%d}"


def _iso(time: float) -> str:
    return moment(int(time * 1e9)).isoformat().replace("+00:00", "Z")
