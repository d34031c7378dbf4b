"""Tools that describe files and the server."""

from __future__ import annotations

import time
from typing import Any

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.failures import spoken
from chuk_adapters.mcp.tool import TEXT, Arguments, Result, Tool
from chuk_fsspec.contract.capabilities import capabilities_of


def get_file_info(call: Call, arguments: Arguments) -> Result:
    """Size, times, kind and permissions of a file or directory; what the filesystem does not know is left out."""
    path = call.path(arguments["path"])
    with spoken("stat", path):
        told = _described(call, path)
    return Result("\n".join(f"{key}: {value}" for key, value in told.items()))


def _described(call: Call, path: str) -> dict[str, Any]:
    info = call.fs.info(path)
    size, mode = info["size"], info.get("mode")
    if capabilities_of(call.fs).attributes:
        size = call.fs.posix.stat(path).st_size
    told = {
        "size": size,
        "created": _date(info.get("created")),
        "modified": _date(info.get("mtime")),
        "accessed": _date(info.get("atime")),
        "isDirectory": str(info["type"] == "directory").lower(),
        "isFile": str(info["type"] == "file").lower(),
        "permissions": None if mode is None else f"{mode & 0o777:03o}",
        "etag": info.get("etag") if info["type"] == "file" else None,
    }
    return {key: value for key, value in told.items() if value is not None}


def _date(seconds: float | None) -> str | None:
    """A time as JavaScript writes it, in the time zone of the server."""
    if seconds is None:
        return None
    local = time.localtime(seconds // 1)
    zone = "Coordinated Universal Time" if local.tm_zone in ("UTC", "GMT") and not local.tm_gmtoff else local.tm_zone
    return time.strftime("%a %b %d %Y %H:%M:%S GMT%z", local) + f" ({zone})"


def list_allowed_directories(call: Call, arguments: Arguments) -> Result:
    """The directories that may be used."""
    return Result("Allowed directories:\n" + "\n".join(call.workspace.names))


TOOLS = (
    Tool(
        name="get_file_info",
        title="Get File Info",
        description="Retrieve detailed metadata about a file or directory. Returns comprehensive information "
        "including size, creation time, last modified time, permissions, and type. This tool is perfect "
        "for understanding file characteristics without reading the actual content. Only works within "
        "allowed directories.",
        properties={"path": TEXT},
        required=("path",),
        run=get_file_info,
    ),
    Tool(
        name="list_allowed_directories",
        title="List Allowed Directories",
        description="Returns the list of directories that this server is allowed to access. Subdirectories within "
        "these allowed directories are also accessible. Use this to understand which directories and "
        "their nested paths are available before trying to access files.",
        properties={},
        required=(),
        run=list_allowed_directories,
    ),
)
