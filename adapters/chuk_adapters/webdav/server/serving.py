"""The server: a listening socket, the thread that waits, and the threads that answer."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from typing import TYPE_CHECKING

from chuk_adapters.webdav.server.connection import WANTS, Connection
from chuk_adapters.webdav.server.exchange import Exchanges, log, refuse
from chuk_adapters.webdav.server.limits import KIB, Limits
from chuk_adapters.webdav.server.refusal import RefusedError
from chuk_adapters.webdav.server.waiting_room import WaitingRoom
from chuk_adapters.webdav.server.workers import Workers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_BACKLOG = 512
_NEXT_REQUEST = 0.05
"""Seconds a worker waits for the next request itself: to hand a busy connection back for each would cost more."""

_BLOCK = 64 * KIB


class Server:
    """Serves a WSGI application from threads of this process, once started.

    Attributes:
        address: host and port it is bound to.
    """

    def __init__(
        self,
        application: WSGIApplication,
        address: tuple[str, int],
        *,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Bind and listen; connections wait until ``start``.

        Args:
            application: called from many threads at once.
            address: host name or IP address, and port; 0 for any free one.
            tls: a context with a certificate; None for plain HTTP.
            limits: see ``Limits``.

        Raises:
            OSError: EADDRINUSE, EADDRNOTAVAIL, EACCES, or an unknown host.
        """
        self._limits = limits or Limits()
        self._listener = _listen(address)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._exchanges = Exchanges(application, self._limits, self.address, is_tls=tls is not None)
        self._workers: Workers[Connection] = Workers(self._work)
        self._room = WaitingRoom(self._listener, tls, self._limits, self._workers.hand)
        self._thread = threading.Thread(target=self._room.run, name="webdav", daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Accept nothing more, let requests finish, then break what is left.

        Args:
            seconds: how long requests have to finish.
        """
        self._room.stop()
        if self._thread.ident is not None:
            self._thread.join()
        self._listener.close()
        if not self._workers.stop(seconds):
            log.warning("requests that did not end in %g s are broken off", seconds)
            self._room.end_all()
            self._workers.stop(seconds)
        self._room.close()

    def _work(self, connection: Connection) -> None:
        """Answer a connection's requests as long as they keep coming."""
        try:
            while self._exchanges.answer(connection):
                if not self._room.is_open or not self._comes_next(connection):
                    self._room.come_back(connection)
                    return
        except RefusedError as refusal:
            with contextlib.suppress(OSError):
                refuse(connection, refusal, self._limits)
        except OSError as error:
            log.debug("%s: %s", connection.peer, error)
            self._room.forget(connection)
            return
        except BaseException:
            self._room.forget(connection)
            raise
        self._room.see_off(connection)

    def _comes_next(self, connection: Connection) -> bool:
        """Whether the next head is complete, or is so in a moment; an ``OSError`` if the client has left."""
        if connection.buffer and self._room.has_head(connection):
            return True
        for may_wait in (True, False):
            try:
                data = connection.sock.recv(_BLOCK)
            except WANTS:
                if not may_wait or not connection.wait(select.POLLIN, _NEXT_REQUEST):
                    return False
                continue
            if not data:
                raise ConnectionResetError("the client has left")
            connection.buffer += data
            return self._room.has_head(connection)
        return False


def _listen(address: tuple[str, int]) -> socket.socket:
    host, port = address
    family, kind, protocol, _, target = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and target[0] == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(target)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
