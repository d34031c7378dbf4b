"""Requests that pages of other sites make a browser send (the Fetch standard's CORS protocol)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chuk_adapters.webdav.http.addresses import is_this_server
from chuk_adapters.webdav.http.answer import Answer, Headers, empty
from chuk_adapters.webdav.http.methods import READING, WRITING
from chuk_adapters.webdav.http.refusal import Refusal

_METHODS = ", ".join(READING + WRITING)
_REQUEST_FIELDS = (
    "Authorization, Content-Type, Depth, Destination, If, If-Match, If-Modified-Since, If-None-Match, "
    "If-Unmodified-Since, Lock-Token, Overwrite, Range, Timeout, X-OC-Mtime"
)
_REPLY_FIELDS = "Content-Range, DAV, ETag, Last-Modified, Lock-Token"
_SECONDS = "600"


class Origins:
    """The sites whose pages may use this server: none, or those that are named."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """Origins as browsers send them, such as ``https://app.example``.

        Raises:
            ValueError: for what is no origin; ``*`` is none, since it would let every page in.
        """
        self._allowed = frozenset(allowed)
        for origin in self._allowed:
            scheme, separator, rest = origin.partition("://")
            if scheme not in ("http", "https") or not separator or not rest or "/" in rest or "*" in rest:
                raise ValueError(f"{origin!r} is not an origin; one looks like https://app.example")

    def require(self, environ: dict[str, Any]) -> None:
        """Refusal 403 for a change that a page of another site asks for.

        What other methods answer is kept from such a page by the browser.
        """
        if environ["REQUEST_METHOD"] in READING:
            return
        origin = environ.get("HTTP_ORIGIN")
        if origin is None:
            if environ.get("HTTP_SEC_FETCH_SITE") in ("cross-site", "same-site"):
                raise Refusal(403, "pages of other sites may change nothing here")
        elif origin not in self._allowed and not _is_own(origin, environ):
            raise Refusal(403, "pages of other sites may change nothing here")

    def preflight(self, environ: dict[str, Any]) -> Answer | None:
        """The answer to a browser that asks, before the real request, whether a page may send it; None for others.

        ``headers`` come with it, as with every answer.
        """
        if environ["REQUEST_METHOD"] != "OPTIONS" or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in environ:
            return None
        if not self.headers(environ):
            return None
        fields = [("Access-Control-Allow-Methods", _METHODS), ("Access-Control-Allow-Headers", _REQUEST_FIELDS)]
        return empty(204, [*fields, ("Access-Control-Max-Age", _SECONDS)])

    def headers(self, environ: dict[str, Any]) -> Headers:
        """What lets a page of a named site read the answer; nothing for all others."""
        origin = environ.get("HTTP_ORIGIN")
        if origin is None or origin not in self._allowed:
            return []
        return [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Expose-Headers", _REPLY_FIELDS),
            ("Vary", "Origin"),
        ]


def _is_own(origin: str, environ: dict[str, Any]) -> bool:
    """Whether it is the origin of this server's own pages."""
    scheme, _, host = origin.partition("://")
    return is_this_server(scheme, host, environ)
