"""Files and directories as MCP resources, which clients read and watch."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Callable

from mcp import types

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.conditions import state_of
from chuk_adapters.mcp.contents import read_bytes
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.listing import entries
from chuk_adapters.mcp.uris import TEMPLATE, path_of, uri_of

DIRECTORY = "inode/directory"
"""The MIME type of directories."""

Contents = types.TextResourceContents | types.BlobResourceContents


def roots(call: Call) -> list[types.Resource]:
    """The allowed directories."""
    return [
        types.Resource(uri=uri_of(path), name=path, mime_type=DIRECTORY, description="An allowed directory")
        for path in call.workspace.allowed
    ]


def templates() -> list[types.ResourceTemplate]:
    """What the URIs of files look like."""
    description = "A file of the workspace with its content, or a directory with its entries"
    return [types.ResourceTemplate(uri_template=TEMPLATE, name="file", description=description)]


def read(call: Call, uri: str) -> Contents:
    """The content of a file, or the entries of a directory.

    Args:
        call: for whom.
        uri: as ``uri_of`` gives it.

    Raises:
        ToolError: for a URI that is none of a file here, one that is not allowed, and a file that is too large.
    """
    path = call.path(path_of(uri))
    if call.fs.info(path)["type"] == "directory":
        listing = "\n".join(f"{entry.mark} {entry.name}" for entry in entries(call, path)[: call.limits.entries])
        return types.TextResourceContents(uri=uri, mime_type=DIRECTORY, text=listing)
    data, info = read_bytes(call, path, call.limits.media_bytes)
    if info["size"] > call.limits.media_bytes:
        raise ToolError(
            f"EFBIG: {path} has {info['size']} bytes, and a resource at most {call.limits.media_bytes}; "
            "read_lines reads a part of it"
        )
    kind = mimetypes.guess_type(path)[0]
    try:
        if b"\0" not in data:
            return types.TextResourceContents(uri=uri, mime_type=kind or "text/plain", text=data.decode())
    except UnicodeDecodeError:
        pass  # it is no text
    blob = base64.b64encode(data).decode()
    return types.BlobResourceContents(uri=uri, mime_type=kind or "application/octet-stream", blob=blob)


def looking_at(call: Call, uri: str) -> Callable[[], object]:
    """What says in what state a resource is, for as long as the client watches it.

    Args:
        call: of the client; others of its session are begun for each look.
        uri: of a file or directory, which need not be there.

    Raises:
        ToolError: for a URI that is none of a file here, and one that is not allowed.
    """
    path = path_of(uri)
    call.path(path)

    def look() -> object:
        now = Call(call.client.workspace, session=call.session)
        try:
            place = now.path(path)
            info = now.fs.info(place)
            if info["type"] != "directory":
                return state_of(info)
            return [(one["name"], state_of(one)) for one in now.fs.ls(place, detail=True)]
        except (ToolError, OSError, ValueError) as error:
            return str(error)

    return look
