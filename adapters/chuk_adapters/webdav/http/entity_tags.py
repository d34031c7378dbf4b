"""Etags in headers (RFC 9110, 8.8.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ANY = "*"

_TAG = re.compile(r'\s*((?:W/)?"[^"]*")\s*(?:,|$)')


def entity_tag(info: Mapping[str, Any]) -> str | None:
    """The etag of a file as a header has it; None for what has none.

    A filesystem that keeps no etags has its times: they make a weak one, which never stands for the very same bytes.
    """
    etag = info.get("etag")
    if isinstance(etag, str) and etag:
        return f'"{etag}"' if '"' not in etag else '"{}"'.format(etag.replace('"', ""))
    mtime = info.get("mtime")
    return None if mtime is None else f'W/"{info["size"]:x}-{int(float(mtime) * 1e6):x}"'


def tags_of(header: str) -> list[str]:
    """The etags of ``If-Match`` and ``If-None-Match``, with their quotes; what is malformed matches nothing.

    One without quotes is taken as one with: some clients leave them out.
    """
    header = header.strip()
    if '"' not in header:
        return [part if part == ANY else f'"{part}"' for part in map(str.strip, header.split(",")) if part]
    tags: list[str] = []
    position = 0
    while match := _TAG.match(header, position):
        tags.append(match[1])
        position = match.end()
    return tags


def same_bytes(one: str, other: str | None) -> bool:
    """Strong comparison (RFC 9110, 8.8.3.2)."""
    return one == other and not one.startswith("W/")


def same_meaning(one: str, other: str | None) -> bool:
    """Weak comparison (RFC 9110, 8.8.3.2)."""
    return other is not None and one.removeprefix("W/") == other.removeprefix("W/")
