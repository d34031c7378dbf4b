"""Preconditions of HTTP (RFC 9110, section 13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chuk_adapters.webdav.http.dates import http_date, seconds_of
from chuk_adapters.webdav.http.entity_tags import ANY, entity_tag, same_bytes, same_meaning, tags_of
from chuk_adapters.webdav.http.refusal import Refusal

Environ = Mapping[str, Any]
Info = Mapping[str, Any]

_GIVEN_BY = ("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")


def are_given(environ: Environ) -> bool:
    """Whether a request states a precondition."""
    return any(name in environ for name in _GIVEN_BY)


def require(environ: Environ, info: Info | None) -> None:
    """Evaluate the preconditions of a request, in the order of RFC 9110, 13.2.2.

    Args:
        environ: of WSGI.
        info: what is there; None for nothing.

    Raises:
        Refusal: 412; 304 for GET and HEAD of what the client has already.
    """
    if not are_given(environ):
        return
    tag = None if info is None else entity_tag(info)
    modified = _modified(info)
    if "HTTP_IF_MATCH" in environ:
        if not _names(environ["HTTP_IF_MATCH"], info, tag, same_bytes):
            raise Refusal(412, "If-Match: it is another one by now")
    elif "HTTP_IF_UNMODIFIED_SINCE" in environ and modified is not None:
        since = seconds_of(environ["HTTP_IF_UNMODIFIED_SINCE"])
        if since is not None and modified > since:
            raise Refusal(412, "If-Unmodified-Since: it was changed since")
    is_reading = environ["REQUEST_METHOD"] in ("GET", "HEAD")
    if "HTTP_IF_NONE_MATCH" in environ:
        if _names(environ["HTTP_IF_NONE_MATCH"], info, tag, same_meaning):
            if is_reading:
                raise _not_modified(tag, modified)
            raise Refusal(412, "If-None-Match: there is one")
    elif is_reading and "HTTP_IF_MODIFIED_SINCE" in environ and modified is not None:
        since = seconds_of(environ["HTTP_IF_MODIFIED_SINCE"])
        if since is not None and modified <= since:
            raise _not_modified(tag, modified)


def range_is_wanted(environ: Environ, info: Info) -> bool:
    """Whether ``If-Range`` lets a request have the part that it asks for: the file is the one it has a part of."""
    validator = environ.get("HTTP_IF_RANGE")
    if validator is None:
        return True
    if validator.lstrip().startswith(('"', "W/")):
        return same_bytes(validator.strip(), entity_tag(info))
    seconds = seconds_of(validator)
    return seconds is not None and seconds == _modified(info)


def _names(header: str, info: Info | None, tag: str | None, is_same: Callable[[str, str | None], bool]) -> bool:
    """Whether a list of etags names what is there; ``*`` is anything."""
    if header.strip() == ANY:
        return info is not None
    return any(is_same(one, tag) for one in tags_of(header))


def _modified(info: Info | None) -> int | None:
    mtime = None if info is None else info.get("mtime")
    return None if mtime is None else int(mtime)


def _not_modified(tag: str | None, modified: int | None) -> Refusal:
    headers = [] if tag is None else [("ETag", tag)]
    if modified is not None:
        headers.append(("Last-Modified", http_date(modified)))
    return Refusal(304, headers=headers)
