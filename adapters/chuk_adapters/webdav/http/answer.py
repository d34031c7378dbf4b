"""What is sent back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from chuk_adapters.webdav.http.addresses import href
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.statuses import status_line

Headers = list[tuple[str, str]]

_PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'
_WITHOUT_BODY = frozenset((204, 304))


@dataclass(frozen=True)
class Answer:
    """One response.

    Attributes:
        status: the HTTP status code.
        headers: names and values.
        body: the content in pieces; what has a ``close`` is closed by the server.
    """

    status: int
    headers: Headers = field(default_factory=list)
    body: Iterable[bytes] = ()


def empty(status: int, headers: Headers | None = None) -> Answer:
    """An answer that has no content."""
    length = [] if status in _WITHOUT_BODY else [("Content-Length", "0")]
    return Answer(status, [*length, *(headers or [])])


def whole(status: int, content: str, kind: str, headers: Headers | None = None) -> Answer:
    """An answer whose content is at hand, as text."""
    data = content.encode("utf-8", "replace")
    return Answer(status, [("Content-Type", kind), ("Content-Length", str(len(data))), *(headers or [])], (data,))


def document(status: int, element: Iterable[str], headers: Headers | None = None) -> Answer:
    """An answer that is one element of XML, which comes in pieces."""
    return whole(status, "".join((_PROLOG, *element)), "application/xml; charset=utf-8", headers)


def refused(refusal: Refusal, prefix: str = "") -> Answer:
    """The answer to a request that cannot be done (RFC 4918, section 16).

    Args:
        refusal: why.
        prefix: what stands before every path in URLs.
    """
    headers = list(refusal.headers)
    if refusal.status in _WITHOUT_BODY:
        return empty(refusal.status, headers)
    if refusal.precondition:
        return document(refusal.status, [_error_element(refusal, prefix)], headers)
    text = f"{status_line(refusal.status)}\n{refusal.message}".rstrip() + "\n"
    return whole(refusal.status, text, "text/plain; charset=utf-8", headers)


def _error_element(refusal: Refusal, prefix: str) -> str:
    urls = (escape(href(path, is_directory=False, prefix=prefix)) for path in refusal.paths)
    hrefs = "".join(f"<D:href>{url}</D:href>" for url in urls)
    name = refusal.precondition
    inside = f"<D:{name}>{hrefs}</D:{name}>" if hrefs else f"<D:{name}/>"
    return f'<D:error xmlns:D="DAV:">{inside}</D:error>'
