"""The head of a request: RFC 9112, read strictly."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import NamedTuple

from chuk_adapters.webdav.server.refusal import RefusedError, malformed

END_OF_HEAD = re.compile(rb"\n\r?\n")
"""Also ends a head whose lines end without CR, so that it is refused at once."""

_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_HEAD = re.compile(
    rf"({_NAME}) ([\x21-\x7e]+) HTTP/([0-9]\.[0-9])\r\n((?:{_NAME}:[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n", re.ASCII
)
_TARGET = re.compile(r"(?:https?://([^/?#]*))?(/[^?#]*)?(?:\?([^#]*))?", re.ASCII | re.IGNORECASE)
_HALF_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"(?:[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)

_LISTS = {"accept", "accept-encoding", "accept-language", "cache-control", "connection", "forwarded", "if-match"}
_LISTS |= {"if-none-match", "pragma", "te", "trailer", "upgrade", "via", "x-forwarded-for"}
"""Fields that may come in several lines; every other repeated field could be read in two ways."""


class Head(NamedTuple):
    """What a request says before its body.

    Attributes:
        method: as sent; methods are case-sensitive.
        target: the path as sent, percent-encoded; ``*`` for a question about the server.
        query: what follows the question mark.
        version: "1.0" or "1.1".
        fields: field name in lower case -> value.
        length: bytes of the body, None if it comes in chunks.
        expects_continue: whether the client waits for a word before it sends the body.
        keep_alive: whether the client would use the connection again.
    """

    method: str
    target: str
    query: str
    version: str
    fields: dict[str, str]
    length: int | None
    expects_continue: bool
    keep_alive: bool


def parse_head(data: bytes, most_fields: int) -> Head:
    """Parse a request head.

    Args:
        data: everything up to and with the empty line.
        most_fields: how many fields it may have.

    Raises:
        RefusedError: with 400 for anything that RFC 9112 does not allow, 431 for too many fields, 501 for a transfer
            coding other than chunked, 505 for another version, 417 for an unknown expectation.
    """
    match = _HEAD.fullmatch(data.decode("latin-1"))
    if match is None:
        raise malformed("the request head is not HTTP")
    method, target, version, lines = match.groups()
    if version not in ("1.1", "1.0"):
        raise RefusedError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "this server speaks HTTP/1.1")
    fields = _fields(lines, most_fields)
    path, query = _target(method, target, fields)
    length = _body_length(fields, version)
    connection = fields.get("connection", "").lower()
    keep_alive = "close" not in connection if version == "1.1" else "keep-alive" in connection
    expects_continue = False
    if "expect" in fields and version == "1.1":
        if fields["expect"].lower() != "100-continue":
            raise RefusedError(HTTPStatus.EXPECTATION_FAILED, "the only expectation known is 100-continue")
        expects_continue = length != 0
    return Head(method, path, query, version, fields, length, expects_continue, keep_alive)


def _fields(lines: str, most: int) -> dict[str, str]:
    fields: dict[str, str] = {}
    rows = lines.split("\r\n")
    rows.pop()
    if len(rows) > most:
        raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {most} fields")
    for row in rows:
        name, _, value = row.partition(":")
        name = name.lower()
        value = value.strip(" \t")
        if name in fields:
            if name not in _LISTS:
                raise malformed(f"the field {name} is there twice")
            value = f"{fields[name]}, {value}"
        fields[name] = value
    return fields


def _target(method: str, target: str, fields: dict[str, str]) -> tuple[str, str]:
    """Path and query; an absolute target says the host (RFC 9112, 3.2.2)."""
    host = fields.get("host")
    if host is None:
        raise malformed("the field Host is missing")
    if target == "*" and method == "OPTIONS":
        path, query = "*", ""
    else:
        match = _TARGET.fullmatch(target)
        if match is None or not (match[1] or match[2]):
            raise malformed("the request target is neither a path nor a URL of this server")
        path, query = match[2] or "/", match[3] or ""
        if match[1] is not None:
            fields["host"] = host = match[1]
    if "%" in path and _HALF_ESCAPE.search(path):
        raise malformed("a percent sign in the request target is not followed by two hexadecimal digits")
    if _HOST.fullmatch(host) is None:
        raise malformed("the field Host is not a host")
    return path, query


def _body_length(fields: dict[str, str], version: str) -> int | None:
    coding = fields.get("transfer-encoding")
    length = fields.get("content-length")
    if coding is None:
        if length is None:
            return 0
        if _LENGTH.fullmatch(length) is None:
            raise malformed("Content-Length is not a number of bytes")
        return int(length)
    if length is not None:
        raise malformed("Content-Length and Transfer-Encoding exclude each other")
    if version == "1.0":
        raise malformed("HTTP/1.0 has no Transfer-Encoding")
    if coding.lower() != "chunked":
        raise RefusedError(HTTPStatus.NOT_IMPLEMENTED, "the only transfer coding known is chunked")
    return None
