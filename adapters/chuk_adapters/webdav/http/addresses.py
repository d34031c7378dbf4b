"""Between URLs and paths of the filesystem."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from chuk_adapters.webdav.http.refusal import Refusal
from chuk_fsspec.contract.paths import normalise

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SAFE = "/!$&'()*+,;=:@~"  # RFC 3986, 3.3: what a path may hold as it is
_PLAIN = re.compile("[A-Za-z0-9_./-]*")


def path_of_request(environ: dict[str, Any]) -> tuple[str, bool]:
    """The path that a request is about, and whether its URL ends in a slash.

    Args:
        environ: of WSGI; ``PATH_INFO`` has the bytes of the URL as characters (PEP 3333).

    Returns:
        An absolute path in normal form. Bytes that are not UTF-8 are surrogate escapes (PEP 383).

    Raises:
        Refusal: 400 for ``.``, ``..``, NUL and an escaped slash.
        OSError: ENAMETOOLONG.
    """
    raw: str = environ["PATH_INFO"]
    if "%2f" in environ.get("REQUEST_URI", "").lower():
        raise Refusal(400, "a name cannot hold a slash")
    if not raw.isascii():
        raw = raw.encode("latin-1").decode("utf-8", "surrogateescape")
    return _checked(raw), raw.endswith("/")


def path_of_url(url: str, environ: dict[str, Any]) -> str | None:
    """The path that a URL of a header leads to, such as ``Destination``.

    Args:
        url: absolute, or a path; as it came, percent-encoded.
        environ: of WSGI.

    Returns:
        An absolute path in normal form; None if the URL is of another server, or of another tree of this one.

    Raises:
        Refusal: 400 for what is no URL, and as ``path_of_request``.
        OSError: ENAMETOOLONG.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise Refusal(400, "this is no URL") from None
    if not parts.path.startswith("/") or "%2f" in parts.path.lower():
        raise Refusal(400, "a URL, or the absolute path of one, is expected")
    if parts.netloc and not is_this_server(parts.scheme, parts.netloc, environ):
        return None
    path = unquote_to_bytes(parts.path.encode("latin-1", "replace")).decode("utf-8", "surrogateescape")
    prefix = environ.get("SCRIPT_NAME", "").encode("latin-1").decode("utf-8", "surrogateescape").rstrip("/")
    if prefix:
        if not path.startswith(prefix + "/"):
            return None
        path = path[len(prefix) :]
    return _checked(path)


def prefix_of(environ: dict[str, Any]) -> str:
    """What stands before every path in the URLs of this tree, percent-encoded."""
    script = environ.get("SCRIPT_NAME", "")
    return quote(script.encode("latin-1"), _SAFE).rstrip("/") if script else ""


def href(path: str, *, is_directory: bool, prefix: str = "") -> str:
    """The absolute path of a resource's URL; that of a collection ends in a slash (RFC 4918, 5.2).

    Args:
        path: absolute path in normal form.
        is_directory: whether it is a collection.
        prefix: as ``prefix_of`` gives it.
    """
    quoted = prefix + (path if _PLAIN.fullmatch(path) else quote(path, _SAFE, errors="surrogateescape"))
    return quoted + "/" if is_directory and path != "/" else quoted


def require_text(path: str) -> None:
    """400 for a new name that is not UTF-8, or has control characters: few clients could show it."""
    if _CONTROL.search(path, path.rfind("/")):
        raise Refusal(400, "a new name cannot hold control characters")
    if not path.isascii():
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            raise Refusal(400, "a new name has to be UTF-8") from None


def is_this_server(scheme: str, host: str, environ: dict[str, Any]) -> bool:
    """Whether a URL leads to the host that a request was sent to; a proxy before us may have taken TLS off.

    Args:
        scheme: of the URL.
        host: its name or address, and the port unless it is the scheme's own.
        environ: of WSGI.
    """
    default = {"http": ":80", "https": ":443"}.get(scheme.lower())
    if default is None:
        return False
    here: str = environ.get("HTTP_HOST", "")
    return host.lower().removesuffix(default) == here.lower().removesuffix(default)


def _checked(path: str) -> str:
    if "\0" in path:
        raise Refusal(400, "a path cannot hold a NUL character")
    if "/." in path and not {".", ".."}.isdisjoint(path.split("/")):
        raise Refusal(400, "a path cannot hold '.' or '..'")
    return normalise(path)
