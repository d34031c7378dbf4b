"""Buckets and objects in memory, with the generations and preconditions of Google Cloud Storage."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

WRITABLE = ("cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType", "metadata")
_FIELD = re.compile(r"(\w+)(?:\(([^)]*)\))?")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Stored:
    """An object: one generation of it."""

    bucket: str
    name: str
    data: bytes
    generation: int
    created: float
    metageneration: int = 1
    updated: float = 0.0
    properties: Mapping[str, Any] = field(default_factory=dict)
    deleted: float = 0.0

    def resource(self) -> dict[str, Any]:
        """As the JSON API describes it."""
        gone = {"timeDeleted": rfc3339(self.deleted)} if self.deleted else {}
        md5 = base64.b64encode(hashlib.md5(self.data).digest()).decode()
        return {
            "kind": "storage#object",
            "bucket": self.bucket,
            "name": self.name,
            "size": str(len(self.data)),
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "timeCreated": rfc3339(self.created),
            "updated": rfc3339(self.updated or self.created),
            "md5Hash": md5,
            "etag": f"{self.generation}/{self.metageneration}",
            "storageClass": "STANDARD",
            **self.properties,
            **gone,
        }


@dataclass
class Bucket:
    """A bucket."""

    name: str
    created: float
    location: str
    objects: dict[str, Stored] = field(default_factory=dict)
    versioned: bool = False
    requester_pays: bool = False
    old: list[Stored] = field(default_factory=list)
    """The generations that were replaced or removed, where they are kept."""

    def resource(self) -> dict[str, Any]:
        """As the JSON API describes it."""
        return {
            "kind": "storage#bucket",
            "name": self.name,
            "timeCreated": rfc3339(self.created),
            "location": self.location,
            "versioning": {"enabled": self.versioned},
        }


class Cloud:
    """All buckets. Each method is one step."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._generations = itertools.count(time.time_ns() // 1000)
        self._lock = threading.RLock()
        self.rewrite_calls = 1
        """How many requests a copy takes, as one from a place of Google's to another does."""

    def buckets(self) -> list[Bucket]:
        return sorted(self._buckets.values(), key=lambda bucket: bucket.name)

    def bucket(self, name: str) -> Bucket:
        if name not in self._buckets:
            raise RefusedError(404, "notFound", "The specified bucket does not exist.")
        return self._buckets[name]

    def make_bucket(self, name: str, location: str) -> Bucket:
        with self._lock:
            if not _NAME.fullmatch(name):
                raise RefusedError(400, "invalid", f"Invalid bucket name: '{name}'")
            if name in self._buckets:
                raise RefusedError(409, "conflict", "Your previous request to create the named bucket succeeded.")
            self._buckets[name] = Bucket(name, time.time(), location.upper() or "US")
            return self._buckets[name]

    def remove_bucket(self, name: str) -> None:
        with self._lock:
            if self.bucket(name).objects:
                raise RefusedError(409, "conflict", "The bucket you tried to delete is not empty.")
            del self._buckets[name]

    def get(self, bucket: str, name: str, query: Mapping[str, str] | None = None) -> Stored:
        with self._lock:
            found = self.bucket(bucket).objects.get(name)
            asked = (query or {}).get("generation")
            if asked is not None and (found is None or int(asked) != found.generation):
                old = self.bucket(bucket).old
                found = next((one for one in old if (one.name, one.generation) == (name, int(asked))), None)
            if found is None:
                raise RefusedError(404, "notFound", f"No such object: {bucket}/{name}")
            check(found, query or {})
            return found

    def put(
        self, bucket: str, name: str, data: bytes, properties: Mapping[str, Any], query: Mapping[str, str]
    ) -> Stored:
        with self._lock:
            if not name or len(name.encode()) > 1024 or name in (".", "..") or "\n" in name or "\r" in name:
                raise RefusedError(400, "invalid", "Invalid object name")
            objects = self.bucket(bucket).objects
            check(objects.get(name), query)
            self._keep(bucket, name)
            kept = {key: value for key, value in properties.items() if key in WRITABLE}
            objects[name] = Stored(bucket, name, data, next(self._generations), time.time(), properties=kept)
            return objects[name]

    def patch(self, bucket: str, name: str, changes: Mapping[str, Any], query: Mapping[str, str]) -> Stored:
        with self._lock:
            found = self.get(bucket, name, query)
            properties = merged(found.properties, {key: changes[key] for key in changes if key in WRITABLE})
            changed = replace(
                found, properties=properties, metageneration=found.metageneration + 1, updated=time.time()
            )
            self.bucket(bucket).objects[name] = changed
            return changed

    def remove(self, bucket: str, name: str, query: Mapping[str, str]) -> None:
        with self._lock:
            if self.bucket(bucket).requester_pays and "userProject" not in query:
                raise RefusedError(400, "required", "Bucket is a requester pays bucket but no user project provided.")
            found = self.get(bucket, name, query)
            if found.deleted:
                self.bucket(bucket).old.remove(found)
                return
            if "generation" not in query:
                self._keep(bucket, name)
            del self.bucket(bucket).objects[name]

    def _keep(self, bucket: str, name: str) -> None:
        """Keep the latest generation, which is about to go, if the bucket does that."""
        there = self.bucket(bucket).objects.get(name)
        if there is not None and self.bucket(bucket).versioned:
            self.bucket(bucket).old.append(replace(there, deleted=time.time()))

    def copy(
        self,
        source: tuple[str, str],
        target: tuple[str, str],
        properties: Mapping[str, Any] | None,
        query: Mapping[str, str],
    ) -> Stored:
        with self._lock:
            found = self.get(*source, {"generation": query["sourceGeneration"]} if "sourceGeneration" in query else {})
            check(found, query, "ifSource")
            return self.put(*target, found.data, found.properties if properties is None else properties, query)


def check(found: Stored | None, query: Mapping[str, str], prefix: str = "if") -> None:
    """The preconditions of a request; generation 0 means that there is no object."""
    for name, value, wanted in (
        ("GenerationMatch", found.generation if found else 0, True),
        ("GenerationNotMatch", found.generation if found else 0, False),
        ("MetagenerationMatch", found.metageneration if found else 0, True),
        ("MetagenerationNotMatch", found.metageneration if found else 0, False),
    ):
        asked = query.get(f"{prefix}{name}")
        if asked is not None and (int(asked) == value) is not wanted:
            raise RefusedError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")


def merged(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396), as PATCH has it."""
    new = dict(old)
    for key, value in changes.items():
        if value is None:
            new.pop(key, None)
        elif isinstance(value, dict):
            new[key] = merged(new.get(key) or {}, value)
        else:
            new[key] = value
    return new


def selected(resource: Mapping[str, Any], fields: str) -> dict[str, Any]:
    """The part of a reply that ``fields`` asks for (cloud.google.com/storage/docs/json_api#partial-response)."""
    if not fields:
        return dict(resource)
    wanted = dict(_FIELD.findall(fields))
    return {
        name: [selected(one, wanted[name]) for one in value] if wanted[name] else value
        for name, value in resource.items()
        if name in wanted
    }


def rfc3339(moment: float) -> str:
    """A time as the service writes it, to milliseconds."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{whole}.{int(moment % 1 * 1000):03}Z"
