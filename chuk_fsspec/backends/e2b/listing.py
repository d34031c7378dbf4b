"""What is in a directory of a sandbox: all of it. The method of the SDK leaves out links that lead nowhere.

The request is the SDK's own, ``filesystem.Filesystem/ListDir`` as JSON (Connect protocol: "Unary-Request").
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from e2b import EntryInfo
from e2b.sandbox.filesystem.filesystem import FileType

from chuk_fsspec.backends.e2b.downloading import refused

_ROUTE = "/filesystem.Filesystem/ListDir"
_TYPES = {"FILE_TYPE_FILE": FileType.FILE, "FILE_TYPE_DIRECTORY": FileType.DIR, "FILE_TYPE_SYMLINK": FileType.SYMLINK}


@dataclass(frozen=True)
class Listing:
    """What is in a directory, and in those below it.

    Attributes:
        entries: by the path from there.
        moment: of the reply (RFC 9110, 6.6.1), in seconds since the epoch, by the clock that gives files their times;
            None if it does not say.
    """

    entries: Mapping[str, EntryInfo]
    moment: float | None


async def list_directory(
    client: httpx.AsyncClient, real: str, user: str | None, timeout: float, depth: int = 1
) -> Listing:
    """List a directory.

    Args:
        client: of ``downloading.client_of``.
        real: a path of the sandbox.
        user: of the sandbox; None for the one that it has by itself.
        timeout: seconds.
        depth: how many levels.

    Raises:
        Exception: of E2B.
    """
    headers = {"Connect-Protocol-Version": "1"}
    if user:
        headers["Authorization"] = f"Basic {base64.b64encode(f'{user}:'.encode()).decode()}"
    response = await client.post(_ROUTE, json={"path": real, "depth": depth}, headers=headers, timeout=timeout)
    await refused(response)
    entries = _by_way([_info_of(told) for told in response.json().get("entries", ())])
    return Listing(entries, _moment_of(response.headers.get("date", "")))


def _moment_of(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _by_way(found: list[EntryInfo]) -> dict[str, EntryInfo]:
    """Entries by their paths from the directory, which is that of the first: it comes before what is below it.

    Where links lead to it, the sandbox tells paths as they were asked for, or as they are.
    """
    start = len(found[0].path) - len(found[0].name) if found else 0
    return {info.path[start:]: info for info in found}


def _info_of(told: Mapping[str, Any]) -> EntryInfo:
    """An entry in JSON (ProtoJSON: what has no value, or 0, is left out)."""
    return EntryInfo(
        name=told.get("name", ""),
        type=FileType.SYMLINK if told.get("isSymlink") else _TYPES.get(told.get("type", "")),
        path=told.get("path", ""),
        size=int(told.get("size", 0)),
        mode=told.get("mode", 0),
        permissions=told.get("permissions", ""),
        owner=told.get("owner", ""),
        group=told.get("group", ""),
        modified_time=datetime.fromisoformat(told.get("modifiedTime", "1970-01-01T00:00:00Z")),
        symlink_target=told.get("symlinkTarget"),
        metadata=dict(told.get("metadata", {})) or None,
    )
