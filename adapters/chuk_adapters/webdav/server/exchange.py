"""One request and its reply: the application between a connection's bytes (PEP 3333)."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from chuk_adapters.webdav.server.body import Body
from chuk_adapters.webdav.server.connection import Connection, Pace
from chuk_adapters.webdav.server.head import Head, parse_head
from chuk_adapters.webdav.server.limits import KIB, Limits
from chuk_adapters.webdav.server.refusal import RefusedError
from chuk_adapters.webdav.server.reply import FileReply, Reply

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger("chuk_adapters.webdav")

_SMALL_BODY = 64 * KIB
_BUFFERS = 64 * KIB


class Exchanges:
    """Answers the requests of connections with one application.

    Args:
        application: a WSGI application, called from many threads.
        limits: see ``Limits``.
        address: host and port the server is bound to.
        is_tls: whether it speaks TLS.
    """

    def __init__(self, application: WSGIApplication, limits: Limits, address: tuple[str, int], *, is_tls: bool) -> None:
        self._application = application
        self._limits = limits
        self._environ = {
            "SCRIPT_NAME": "",
            "SERVER_NAME": address[0],
            "SERVER_PORT": str(address[1]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if is_tls else "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.file_wrapper": FileReply,
            "wsgi.input_terminated": True,
        }

    def answer(self, connection: Connection) -> bool:
        """Answer the request whose head the connection holds.

        Returns:
            Whether the connection can be used again.
        """
        head = body = None
        try:
            head = parse_head(connection.take_head(), self._limits.head_fields)
            body = self._body(connection, head)
            return self._call(connection, head, body)
        except RefusedError as refusal:
            log.debug("%s: %s", connection.peer, refusal.reason)
            refuse(connection, refusal, self._limits)
            return False
        except OSError as error:
            log.debug("%s: %s", connection.peer, error)
            return False

    def _body(self, connection: Connection, head: Head) -> Body | None:
        """The body, None if it has arrived with the head or is empty."""
        most = self._limits.body_bytes
        length = head.length
        if length is not None and length <= len(connection.buffer) and (most is None or length <= most):
            return None
        return Body(connection, head, self._limits, most)

    def _call(self, connection: Connection, head: Head, body: Body | None) -> bool:
        reply = Reply(connection, head, body, self._limits)
        environ = self._describe(connection, head, body)
        try:
            result: Iterable[bytes] = self._application(environ, reply.start)
            try:
                self._give_up_if_broken(body)
                reply.send(result)
            finally:
                close = getattr(result, "close", None)
                if close is not None:
                    close()
        except Exception as error:
            if reply.has_begun:  # whatever is sent now would be taken for a part of the reply
                level = logging.DEBUG if isinstance(error, OSError) else logging.ERROR
                log.log(level, "%s %s broke off", head.method, head.target, exc_info=error)
                return False
            if isinstance(error, RefusedError):
                raise
            log.exception("%s %s failed", head.method, head.target)
            raise RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; its log says why") from None
        log.debug("%s %s %s", connection.peer, head.method, head.target)
        return reply.keep_alive

    def _give_up_if_broken(self, body: Body | None) -> None:
        """What the body has failed with goes before what the application makes of it."""
        if body is not None and body.error is not None:
            raise body.error

    def _describe(self, connection: Connection, head: Head, body: Body | None) -> dict[str, Any]:
        environ: dict[str, Any] = dict(self._environ)
        target = head.target
        environ["REQUEST_METHOD"] = head.method
        environ["REQUEST_URI"] = target
        environ["PATH_INFO"] = unquote_to_bytes(target).decode("latin-1") if "%" in target else target
        environ["QUERY_STRING"] = head.query
        environ["SERVER_PROTOCOL"] = f"HTTP/{head.version}"
        environ["REMOTE_ADDR"] = connection.peer
        for name, value in head.fields.items():
            if "_" not in name:  # such a name could not be told from one with a hyphen
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        if (kind := environ.pop("HTTP_CONTENT_TYPE", None)) is not None:
            environ["CONTENT_TYPE"] = kind
        environ.pop("HTTP_CONTENT_LENGTH", None)
        if head.length is not None and "content-length" in head.fields:
            environ["CONTENT_LENGTH"] = str(head.length)
        environ["wsgi.input"] = self._input(connection, head, body)
        return environ

    def _input(self, connection: Connection, head: Head, body: Body | None) -> Any:
        if body is not None:
            return io.BufferedReader(body, _BUFFERS)
        size = head.length or 0
        data = bytes(memoryview(connection.buffer)[:size])
        del connection.buffer[:size]
        return io.BytesIO(data)


def refuse(connection: Connection, refusal: RefusedError, limits: Limits) -> None:
    """Tell the client why its connection ends, as plain text. OSError if it is gone."""
    text = f"{refusal.reason}\n".encode()
    head = (
        f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    )
    connection.send([head.encode() + text], Pace(limits))
