"""One request, as the methods read it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from chuk_adapters.webdav.http.addresses import href, path_of_request, path_of_url, prefix_of
from chuk_adapters.webdav.http.if_header import NO_IF, IfHeader, parse_if
from chuk_adapters.webdav.http.refusal import Refusal

LONGEST_XML = 1 << 20
"""Bytes of a body that is XML: the longest that clients send have some thousands."""

USER = "REMOTE_USER"
"""Where the server leaves who asks, in ``environ``."""


class Request:
    """A request and what its headers say.

    Attributes:
        environ: of WSGI.
        method: in capitals.
        path: what it is about: an absolute path in normal form.
        names_directory: whether its URL ends in a slash.
        user: who asks; empty for anybody.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path, self.names_directory = path_of_request(environ)
        self.user: str = environ.get(USER) or ""

    @cached_property
    def prefix(self) -> str:
        """What stands before every path in URLs."""
        return prefix_of(self.environ)

    @cached_property
    def condition(self) -> IfHeader:
        """The ``If`` header. Refusal."""
        header = self.environ.get("HTTP_IF")
        return NO_IF if header is None else parse_if(header)

    @property
    def tokens(self) -> frozenset[str]:
        """The lock tokens that the client shows."""
        return self.condition.tokens

    def depth(self, *, default: str, allowed: tuple[str, ...]) -> str:
        """``Depth``: "0", "1" or "infinity". Refusal 400 for another one than the method allows."""
        depth: str = self.environ.get("HTTP_DEPTH", default).strip().lower()
        if depth not in allowed:
            raise Refusal(400, f"Depth has to be {' or '.join(allowed)} here")
        return depth

    @property
    def overwrites(self) -> bool:
        """``Overwrite``. Refusal 400."""
        value = self.environ.get("HTTP_OVERWRITE", "T").strip().upper()
        if value not in ("T", "F"):
            raise Refusal(400, "Overwrite has to be T or F")
        return bool(value == "T")

    @cached_property
    def destination(self) -> str:
        """The path of ``Destination``. Refusal: 400; 502 for another server."""
        url = self.environ.get("HTTP_DESTINATION")
        if not url:
            raise Refusal(400, "Destination is missing")
        path = path_of_url(url, self.environ)
        if path is None:
            raise Refusal(502, "Destination is another server, and nothing is sent there")
        return path

    def href(self, path: str, *, is_directory: bool) -> str:
        """The URL of a resource, as answers have it."""
        return href(path, is_directory=is_directory, prefix=self.prefix)

    @property
    def length(self) -> int | None:
        """Bytes of the body; None for one in chunks, whose end is not known. Refusal 400."""
        if self.environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower() not in ("", "identity"):
            return None
        text = self.environ.get("CONTENT_LENGTH") or "0"
        if not (text.isascii() and text.isdigit()):
            raise Refusal(400, "Content-Length is no number")
        return int(text)

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes of the body; empty at its end. OSError for a client that is gone."""
        data: bytes = self.environ["wsgi.input"].read(size)
        return data

    def xml(self) -> bytes:
        """The whole body of a method that takes XML. Refusal: 413."""
        length = self.length
        if length is not None and length > LONGEST_XML:
            raise Refusal(413, f"XML may have {LONGEST_XML} bytes")
        parts: list[bytes] = []
        total = 0
        while (length is None or total < length) and (data := self._some(length, total)):
            parts.append(data)
            total += len(data)
            if total > LONGEST_XML:
                raise Refusal(413, f"XML may have {LONGEST_XML} bytes")
        if length is not None and total < length:
            raise Refusal(400, "the body ends before its length")
        return b"".join(parts)

    def refuse_body(self) -> None:
        """415 for a body on a method that has none."""
        if self.length != 0 and self.read(1):
            raise Refusal(415, f"{self.method} takes no body")

    def _some(self, length: int | None, total: int) -> bytes:
        return self.read(64 * 1024 if length is None else min(length - total, 64 * 1024))
