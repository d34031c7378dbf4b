"""The tool that reads files of any kind."""

from __future__ import annotations

import base64
import posixpath

from mcp import types

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.contents import read_bytes
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.tool import TEXT, Arguments, Result, Schema, Tool, object_of
from chuk_adapters.mcp.uris import uri_of

_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".svg": "image/svg+xml",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
}
_OTHER = "application/octet-stream"


def read_media_file(call: Call, arguments: Arguments) -> Result:
    """A file as it is, in base64."""
    path = call.path(arguments["path"])
    most = call.limits.media_bytes
    data, info = read_bytes(call, path, most + 1)
    if len(data) > most:
        raise ToolError(f"EFBIG: file too large, {info['size']} bytes, and {most} is the most that is sent: {path}")
    block = _block(path, base64.b64encode(data).decode())
    return Result(
        blocks=(block,), structured={"content": [block.model_dump(mode="json", by_alias=True, exclude_none=True)]}
    )


def _block(path: str, data: str) -> types.ContentBlock:
    kind = _TYPES.get(posixpath.splitext(path)[1].lower(), _OTHER)
    if kind.startswith("image/"):
        return types.ImageContent(type="image", data=data, mime_type=kind)
    if kind.startswith("audio/"):
        return types.AudioContent(type="audio", data=data, mime_type=kind)
    held = types.BlobResourceContents(uri=uri_of(path), mime_type=kind, blob=data)
    return types.EmbeddedResource(type="resource", resource=held)


def _closed(properties: dict[str, Schema], *required: str) -> Schema:
    return object_of(properties, required=required or None, closed=True, nested=True)


_IMAGE_OR_AUDIO = _closed({"type": {"type": "string", "enum": ["image", "audio"]}, "data": TEXT, "mimeType": TEXT})
_RESOURCE = _closed(
    {
        "type": {"type": "string", "const": "resource"},
        "resource": _closed({"uri": TEXT, "mimeType": TEXT, "blob": TEXT}, "uri", "blob"),
    }
)

TOOLS = (
    Tool(
        name="read_media_file",
        title="Read Media File",
        description="Read a file and return it as a base64-encoded content block with its MIME type. Image and audio "
        "files are returned as image/audio content; any other file type is returned as an embedded "
        "resource. Only works within allowed directories.",
        properties={"path": TEXT},
        required=("path",),
        run=read_media_file,
        output=object_of(
            {"content": {"type": "array", "items": {"anyOf": [_IMAGE_OR_AUDIO, _RESOURCE]}}},
            closed=True,
        ),
    ),
)
