"""The door as a WSGI application (PEP 3333)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from fsspec import AbstractFileSystem

from chuk_adapters.webdav.door import Door, open_door
from chuk_adapters.webdav.http.answer import Answer, refused
from chuk_adapters.webdav.http.methods import WRITING
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_adapters.webdav.http.statuses import status_line, status_of
from chuk_adapters.webdav.methods.copymove import copy, move
from chuk_adapters.webdav.methods.delete import delete
from chuk_adapters.webdav.methods.get import get
from chuk_adapters.webdav.methods.lock import lock, unlock
from chuk_adapters.webdav.methods.mkcol import mkcol
from chuk_adapters.webdav.methods.options import allowed, options
from chuk_adapters.webdav.methods.propfind import propfind
from chuk_adapters.webdav.methods.proppatch import proppatch
from chuk_adapters.webdav.methods.put import put
from chuk_adapters.webdav.options import WebDAVOptions

log = logging.getLogger("chuk_adapters.webdav")

StartResponse = Callable[..., Any]
Method = Callable[[Door, Request], Answer]

_METHODS: dict[str, Method] = {
    "COPY": copy,
    "DELETE": delete,
    "GET": get,
    "HEAD": get,
    "LOCK": lock,
    "MKCOL": mkcol,
    "MOVE": move,
    "OPTIONS": options,
    "PROPFIND": propfind,
    "PROPPATCH": proppatch,
    "PUT": put,
    "UNLOCK": unlock,
}


class Application:
    """Answers requests about one tree."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. The body is to be closed, if it can be, as PEP 3333 has it."""
        answer = self._answer(environ)
        start_response(status_line(answer.status), answer.headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            close = getattr(answer.body, "close", None)
            if close is not None:
                close()
            return ()
        return answer.body

    def _answer(self, environ: dict[str, Any]) -> Answer:
        prefix = ""
        try:
            method = self._method(environ)
            if environ["REQUEST_METHOD"] == "OPTIONS" and environ["PATH_INFO"] in ("*", "/*"):
                environ = {**environ, "PATH_INFO": "/"}
            request = Request(environ)
            prefix = request.prefix
            return method(self._door, request)
        except Refusal as refusal:
            return refused(refusal, prefix)
        except OSError as error:
            return refused(_refusal_of(error))
        except Exception:
            log.exception("a request failed: %s", environ["REQUEST_METHOD"])
            return refused(Refusal(500, "this is a fault of the server"))

    def _method(self, environ: dict[str, Any]) -> Method:
        name = environ["REQUEST_METHOD"]
        method = _METHODS.get(name)
        if method is None:
            raise Refusal(405, "there is no such method here", headers=[("Allow", allowed(self._door))])
        if self._door.is_readonly and name in WRITING:
            raise Refusal(403, "nothing can be changed here")
        return method


def make_application(fs: AbstractFileSystem, options: WebDAVOptions) -> Application:
    """Serve a filesystem by WebDAV (RFC 4918, classes 1 and 2).

    Whoever runs it frames requests, checks who asks, and leaves the name in ``environ["REMOTE_USER"]``:
    locks belong to it. ``wsgi.input`` ends where the body does; a body in chunks that breaks off raises ``OSError``,
    ``ValueError`` or ``EOFError``. What of a body was not read when the answer begins is dropped, or the connection is.

    Args:
        fs: any fsspec filesystem.
        options: see ``WebDAVOptions``.

    Returns:
        A WSGI application; it may be called from many threads at once.
    """
    return Application(open_door(fs, options))


def _refusal_of(error: OSError) -> Refusal:
    """An error of the filesystem, told without its path: that may say more than the client should know."""
    status = status_of(error)
    if status == 500:
        log.error("a request failed: %s", error, exc_info=error)
    return Refusal(status, error.strerror or type(error).__name__ if status != 500 else "this is a fault of the server")
