"""What is known of a file, whichever filesystem tells it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

Info = dict[str, Any]
"""As ``contract.Info``; filesystems of others leave some of it out."""


def is_directory(info: Mapping[str, Any]) -> bool:
    """Whether it is a collection."""
    return bool(info["type"] == "directory")


def with_seconds(info: Info) -> Info:
    """The same with times in seconds, as float: filesystems of others have them as dates too, or by other names."""
    for name, others in (("mtime", ("LastModified", "last_modified", "updated", "created")), ("created", ())):
        value = info.get(name)
        if type(value) is float:
            continue
        for other in others:
            if value is None:
                value = info.get(other)
        seconds = value.timestamp() if isinstance(value, datetime) else value
        if isinstance(seconds, (int, float)):
            info = {**info, name: float(seconds)}
        elif value is not None:
            info = {key: kept for key, kept in info.items() if key != name}
    return info
