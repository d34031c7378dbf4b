"""Objects and buckets as the JSON API describes them (cloud.google.com/storage/docs/json_api/v1/objects)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from chuk_fsspec.backends.gcs.errors import PRECONDITION, ServiceError
from chuk_fsspec.contract.buckets import Bucket
from chuk_fsspec.contract.versions import FileVersion
from chuk_fsspec.remote.keys import Guard, Key, Labels

_HEADERS = ("cacheControl", "contentDisposition", "contentEncoding", "contentLanguage")
_LABELS = frozenset(("metadata", *_HEADERS))
_SHOWN = ("generation", "metageneration", "storageClass", "md5Hash", "crc32c")
FIELDS = ",".join(("name", "size", "timeCreated", "contentType", "metadata", *_HEADERS, *_SHOWN))
"""What is asked of an object in listings."""
FIELDS_OF_NEW = "generation,timeCreated"
"""What is asked of an object that was just made of content that is known."""
METADATA = "x-goog-meta-"


def key_of(resource: Mapping[str, Any]) -> Key:
    """An object. Its etag is the generation, which is a new one for each content (and not for new labels)."""
    generation = resource["generation"]
    details = {name: resource[name] for name in _SHOWN if name in resource}
    details["version_id"] = generation
    size, made = int(resource.get("size", 0)), seconds(resource["timeCreated"])
    return Key(resource["name"], size, made, generation, _labels_of(resource), details)


def _labels_of(resource: Mapping[str, Any]) -> Labels:
    content_type = resource.get("contentType", "")
    if _LABELS.isdisjoint(resource):
        return _plain(content_type)
    return Labels(
        content_type,
        metadata={name.lower(): value for name, value in resource.get("metadata", {}).items()},
        headers={name: resource[name] for name in _HEADERS if name in resource},
    )


@lru_cache
def _plain(content_type: str) -> Labels:
    """What most objects of a listing have in common."""
    return Labels(content_type)


def new_key_of(name: str, resource: Mapping[str, Any]) -> Key:
    """An object that was just made."""
    return Key(name, mtime=seconds(resource["timeCreated"]), etag=resource["generation"])


def version_of(resource: Mapping[str, Any]) -> FileVersion:
    """A generation of an object; those that are not the latest have a time at which they were replaced or removed."""
    key = key_of(resource)
    return FileVersion(key.etag, key.size, key.mtime, key.etag, is_latest="timeDeleted" not in resource)


def at_generation(version: str) -> dict[str, str]:
    """A version as a query; nothing for the latest. ServiceError (404) for what is no generation."""
    if version and not (version.isascii() and version.isdigit()):
        raise ServiceError(404, "notFound")
    return {"generation": version} if version else {}


def properties_of(labels: Labels) -> dict[str, Any]:
    """Labels, as the service is told them."""
    found: dict[str, Any] = {**labels.headers, "metadata": dict(labels.metadata)}
    return {**found, "contentType": content_type_of(labels)}


def content_type_of(labels: Labels) -> str:
    """The media type of content, as the service is told it."""
    return labels.content_type or "application/octet-stream"


def bucket_of(resource: Mapping[str, Any]) -> Bucket:
    """A bucket."""
    return Bucket(
        resource["name"],
        created=seconds(resource["timeCreated"]) if "timeCreated" in resource else None,
        location=resource.get("location", ""),
        versioned=bool(resource.get("versioning", {}).get("enabled", False)),
    )


def seconds(text: str) -> float:
    """A time (RFC 3339) in seconds since the epoch."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def generation_of(etag: str) -> str:
    """The generation that an etag stands for. ServiceError, as for any other, for an etag that is none."""
    if not (etag.isascii() and etag.isdigit()):
        raise ServiceError(PRECONDITION, "conditionNotMet")
    return etag


def guarded(guard: Guard | None) -> dict[str, str]:
    """The query that has a guard checked; generation 0 stands for no object."""
    if guard is None:
        return {}
    return {"ifGenerationMatch": generation_of(guard.etag) if guard.etag else "0"}
