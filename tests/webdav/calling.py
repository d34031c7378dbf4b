"""Requests to a WebDAV door in this process, and what its answers say."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from fsspec import AbstractFileSystem

from chuk_adapters.webdav.application import Application, make_application
from chuk_adapters.webdav.options import WebDAVOptions

LOCK_BODY = (
    b'<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:%s/></D:lockscope>'
    b"<D:locktype><D:write/></D:locktype><D:owner>me</D:owner></D:lockinfo>"
)


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    def hrefs(self) -> list[str]:
        return [str(one.text) for one in self.xml.iterfind("{DAV:}response/{DAV:}href")]

    def properties(self, href: str = "") -> dict[str, ElementTree.Element]:
        """The properties that a resource has, by name; without an href, of the first one."""
        for response in self.xml.iterfind("{DAV:}response"):
            if href in ("", response.findtext("{DAV:}href")):
                return {
                    one.tag: one
                    for propstat in response.iterfind("{DAV:}propstat")
                    if " 200 " in str(propstat.findtext("{DAV:}status"))
                    for one in propstat.iterfind("{DAV:}prop/*")
                }
        raise KeyError(href)

    def text(self, name: str, href: str = "") -> str | None:
        return self.properties(href)["{DAV:}" + name].text

    def statuses(self) -> dict[str, int]:
        """The status of each property of the first resource."""
        return {
            one.tag: int(str(propstat.findtext("{DAV:}status")).split()[1])
            for propstat in self.xml.iterfind("{DAV:}response/{DAV:}propstat")
            for one in propstat.iterfind("{DAV:}prop/*")
        }


class Caller:
    """A client without a network. URLs are percent-encoded; header names as HTTP has them, with ``_`` for ``-``."""

    def __init__(self, fs: AbstractFileSystem, *, user: str = "", **options: Any) -> None:
        self.application: Application = make_application(fs, WebDAVOptions(**options))
        self.user = user

    def as_user(self, user: str) -> Caller:
        """The same door for somebody else."""
        other = Caller.__new__(Caller)
        other.application, other.user = self.application, user
        return other

    def __call__(self, method: str, url: str, body: bytes | BinaryIO = b"", **headers: str) -> Reply:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(url).decode("latin-1"),
            "REQUEST_URI": url,
            "HTTP_HOST": "here:80",
            "REMOTE_USER": self.user,
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body) if isinstance(body, bytes) else body,
        }
        if isinstance(body, bytes):
            environ["CONTENT_LENGTH"] = str(len(body))
        for name, value in headers.items():
            key = name.upper()
            environ[key if key in ("CONTENT_LENGTH", "SCRIPT_NAME") else f"HTTP_{key}"] = value
        told: list[tuple[str, list[tuple[str, str]]]] = []
        pieces = self.application(environ, lambda status, fields: told.append((status, fields)))
        try:
            content = b"".join(pieces)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        ((status, fields),) = told
        assert len({name.lower() for name, _ in fields}) == len(fields), fields
        reply = Reply(int(status.split()[0]), dict(fields), content)
        if method != "HEAD" and "Content-Length" in reply.headers:
            assert int(reply.headers["Content-Length"]) == len(content)
        return reply

    def propfind(self, url: str, *names: str, depth: str = "0", **headers: str) -> Reply:
        """The named properties; all of them without a name. Those of other namespaces are ``{namespace}name``."""
        return self("PROPFIND", url, prop_body(*names) if names else b"", depth=depth, **headers)

    def proppatch(self, url: str, changes: dict[str, str | None], **headers: str) -> Reply:
        """Set properties to a text, or remove them."""
        steps = ""
        for name, value in changes.items():
            kind = "remove" if value is None else "set"
            steps += f"<D:{kind}><D:prop>{element(name, value or '')}</D:prop></D:{kind}>"
        return self(
            "PROPPATCH", url, f'<D:propertyupdate xmlns:D="DAV:">{steps}</D:propertyupdate>'.encode(), **headers
        )

    def lock(self, url: str, scope: str = "exclusive", **headers: str) -> str:
        """Lock, and give the token."""
        reply = self("LOCK", url, LOCK_BODY % scope.encode(), **headers)
        assert reply.status in (200, 201), reply
        return reply.headers["Lock-Token"].strip("<>")


def held(token: str, url: str = "") -> Any:
    """The ``If`` header that shows a lock token; ``url`` is of the resource that it locks, in angle brackets."""
    return {"if": f"{url}(<{token}>)"}


def element(name: str, inside: str = "") -> str:
    namespace, _, local = name.rpartition("}")
    return f'<x:{local} xmlns:x="{namespace[1:] or "DAV:"}">{inside}</x:{local}>'


def prop_body(*names: str) -> bytes:
    inside = "".join(map(element, names))
    return f'<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop>{inside}</D:prop></D:propfind>'.encode()
