"""Paths of the workspace as URIs of resources: ``file:///a%20b`` (RFC 8089)."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes, urlsplit

from chuk_adapters.mcp.failures import ToolError

TEMPLATE = "file:///{+path}"
"""The URI template (RFC 6570) of all resources."""

_NOT_QUOTED = "/!$&'()*+,;=:@"
"""What may stand in a path of a URI as it is (RFC 3986, 3.3)."""


def uri_of(path: str) -> str:
    """The URI of an absolute path."""
    return f"file://{quote(path, safe=_NOT_QUOTED, errors='surrogateescape')}"


def path_of(uri: str) -> str:
    """The absolute path of a URI. What is percent-encoded is decoded once, and never names a way up.

    Raises:
        ToolError: for another scheme or host, for a query or fragment, and for ``..`` in any spelling.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise ToolError(f"Not a resource of this server: {uri}") from None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ToolError(f"Not a resource of this server: {uri}; they are file:///path")
    if parts.query or parts.fragment:
        raise ToolError(f"A file has no query or fragment: {uri}; write ? as %3F and # as %23")
    path = unquote_to_bytes(parts.path).decode("utf-8", "surrogateescape")
    if ".." in path.split("/") or "\0" in path:
        raise ToolError(f"Access denied - '..' and NUL are not allowed in a resource: {uri}")
    return path
