"""Replies of S3 as the tree of keys wants them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chuk_fsspec.contract.versions import FileVersion
from chuk_fsspec.remote.keys import Guard, Key, Labels, Source

_HEADERS = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "StorageClass")


def key_of(name: str, reply: Mapping[str, Any], *, has_labels: bool = False) -> Key:
    """An object, from a listing or from the reply to a request for it alone."""
    modified = reply.get("LastModified")
    storage_class = class_of(reply.get("StorageClass", ""))
    told = {"version_id": reply.get("VersionId") if has_labels else None, "storage_class": storage_class or None}
    return Key(
        name,
        size=int(reply.get("Size", reply.get("ContentLength", 0))),
        mtime=time_of(modified) if isinstance(modified, datetime) else None,
        etag=etag_of(reply),
        labels=_labels_of(reply) if has_labels else None,
        details={name: value for name, value in told.items() if value is not None},
        storage_class=storage_class,
    )


def version_of(reply: Mapping[str, Any], *, is_removal: bool) -> FileVersion:
    """A version, or a delete marker, from a listing."""
    return FileVersion(
        reply["VersionId"],
        int(reply.get("Size", 0)),
        reply["LastModified"].timestamp(),
        etag_of(reply),
        is_latest=reply["IsLatest"],
        is_removal=is_removal,
    )


def class_of(told: str) -> str:
    """A storage class, but for the first one, which listings tell and replies about one object do not."""
    return "" if told == "STANDARD" else told


def time_of(moment: datetime) -> float:
    """Seconds since the epoch, whole ones: S3 tells no more when it is asked for one object."""
    return float(int(moment.timestamp()))


def etag_of(reply: Mapping[str, Any]) -> str:
    """The etag, without its quotes."""
    return str(reply.get("ETag", "")).strip('"')


def parameters_of_labels(labels: Labels) -> dict[str, Any]:
    """Labels as parameters of a request that makes an object."""
    parameters: dict[str, Any] = dict(labels.headers)
    if labels.metadata:
        parameters["Metadata"] = dict(labels.metadata)
    if labels.content_type:
        parameters["ContentType"] = labels.content_type
    return parameters


def parameters_of_guard(guard: Guard | None) -> dict[str, Any]:
    """A guard as parameters of a request that changes an object (RFC 9110, 13.1)."""
    if guard is None:
        return {}
    return {"IfMatch": f'"{guard.etag}"'} if guard.etag else {"IfNoneMatch": "*"}


def parameters_of_source(source: Source) -> dict[str, Any]:
    """A source as parameters of a copy."""
    place = {"Bucket": source.bucket, "Key": source.key, **parameters_of_version(source.version)}
    parameters: dict[str, Any] = {"CopySource": place}
    if source.etag:
        parameters["CopySourceIfMatch"] = f'"{source.etag}"'
    return parameters


def parameters_of_version(version: str) -> dict[str, str]:
    """A version as a parameter; nothing for the latest."""
    return {"VersionId": version} if version else {}


def range_of(start: int, stop: int | None) -> dict[str, Any]:
    """A range as a parameter; nothing for the whole (RFC 9110, 14.2)."""
    if start == 0 and stop is None:
        return {}
    return {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}


def whole_size(reply: Mapping[str, Any]) -> int:
    """Bytes of an object, from the reply to a request for some of them (RFC 9110, 14.4)."""
    _, _, size = str(reply.get("ContentRange", "")).rpartition("/")
    return int(size) if size.isdecimal() else int(reply.get("ContentLength", 0))


def _labels_of(reply: Mapping[str, Any]) -> Labels:
    return Labels(
        content_type=reply.get("ContentType", ""),
        metadata=reply.get("Metadata", {}),
        headers={name: reply[name] for name in _HEADERS if reply.get(name)},
    )
