"""Where connections are while they are silent: one thread for all of them, however many there are."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from chuk_adapters.webdav.server.connection import WANTS, WANTS_READ, Connection
from chuk_adapters.webdav.server.exchange import log, refuse
from chuk_adapters.webdav.server.limits import KIB, Limits
from chuk_adapters.webdav.server.refusal import RefusedError, malformed

_TICK = 0.5
"""Seconds between two looks for connections whose time is over."""

_LINGERING = 5.0
"""Seconds a refused client has to read why; to close at once would throw the reply away with what it still sends."""

_SILENT = 1.0
"""Seconds of silence after which a connection may be sent away for a new one."""

_UNREAD = 512 * KIB
"""Bytes of a reply that the system may hold for a client that does not read them. Linux would go to 4 MiB for each."""

_SHORTAGE = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
"""What accepting fails with while the system has no room for another connection."""

_BLOCK = 64 * KIB
_ACCEPTED_AT_ONCE = 64


class WaitingRoom:
    """Accepts connections and holds each until a complete request head is there.

    Args:
        listener: a listening, non-blocking socket.
        tls: how to encrypt connections, None for plain ones.
        limits: see ``Limits``.
        call_in: is given each connection whose head is complete; it must not wait.
    """

    def __init__(
        self,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        limits: Limits,
        call_in: Callable[[Connection], None],
    ) -> None:
        self._listener = listener
        self._tls = tls
        self._limits = limits
        self._call_in = call_in
        self._selector = selectors.DefaultSelector()
        self._bell, self._wake = socket.socketpair()
        self._bell.setblocking(False)
        self._wake.setblocking(False)
        self._returned: deque[tuple[Connection, Callable[[Connection], None]]] = deque()
        self._lock = threading.RLock()
        self._all: set[Connection] = set()
        self._by_peer: Counter[str] = Counter()
        self._sent_away: set[Connection] = set()
        self._is_over = False

    def run(self) -> None:
        """Serve until ``stop``; for a thread of its own."""
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._selector.register(self._bell, selectors.EVENT_READ, None)
        next_look = time.monotonic() + _TICK
        while not self._is_over:
            for key, _ in self._selector.select(_TICK):
                if key.data is not None:
                    connection, step = key.data
                    self._try(step, connection)
                elif key.fileobj is self._listener:
                    self._accept()
                else:
                    with contextlib.suppress(BlockingIOError):
                        self._bell.recv(_BLOCK)
            while self._returned:
                connection, begin = self._returned.popleft()
                self._try(begin, connection)
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + _TICK
                self._end_the_late()
                if self._listener not in self._selector.get_map():
                    self._selector.register(self._listener, selectors.EVENT_READ, None)
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                self._close(key.data[0])

    @property
    def is_open(self) -> bool:
        """Whether it has not been stopped."""
        return not self._is_over

    def stop(self) -> None:
        """Accept nothing any more, and end what waits; what is being answered is answered."""
        self._is_over = True
        self._ring()

    def end_all(self) -> None:
        """Break every connection, those being answered too."""
        with self._lock:
            everyone = list(self._all)
        for connection in everyone:
            connection.abort()

    def close(self) -> None:
        """Give everything back, when nobody is in here any more."""
        while self._returned:
            self._close(self._returned.popleft()[0])
        self._selector.close()
        self._bell.close()
        self._wake.close()

    def come_back(self, connection: Connection) -> None:
        """Take a connection that may bring another request; from any thread."""
        self._return(connection, self._await_head)

    def see_off(self, connection: Connection) -> None:
        """Close a connection once its client has read its last reply; from any thread."""
        self._return(connection, self._linger)

    def _return(self, connection: Connection, begin: Callable[[Connection], None]) -> None:
        if self._is_over:
            self._close(connection)
            return
        self._returned.append((connection, begin))
        self._ring()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # a full pipe rings, too
            self._wake.send(b"x")

    # ------------------------------------------------------------------------------------------------- who may come in

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                sock, address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _SHORTAGE:
                    log.warning("no connection can be accepted for now: %s", error.strerror)
                    self._make_room(None)
                    self._selector.unregister(self._listener)  # until the next look; it would be ready all the time
                else:
                    log.debug("a connection is gone before it was accepted: %s", error.strerror)
                return
            self._admit(sock, str(address[0]))

    def _admit(self, sock: socket.socket, peer: str) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD)
        limits = self._limits
        if self._by_peer[peer] >= limits.peer_connections and not self._make_room(peer):
            sock.close()
            return
        if len(self._all) >= limits.connections and not self._make_room(None):
            sock.close()
            return
        if self._tls is not None:
            sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        connection = Connection(sock, peer)
        with self._lock:
            self._all.add(connection)
            self._by_peer[peer] += 1
        connection.deadline = time.monotonic() + limits.head_seconds
        self._try(self._shake_hands if self._tls is not None else self._await_first, connection)

    def _make_room(self, peer: str | None) -> bool:
        """Send away who has been silent longest, of one peer or of all; False if nobody is silent."""
        now = time.monotonic()
        with self._lock:
            silent = [
                (connection.silent_since, id(connection), connection)
                for connection in self._all - self._sent_away
                if connection.silent_since is not None
                and now - connection.silent_since > _SILENT
                and peer in (None, connection.peer)
            ]
            if not silent:
                return False
            oldest = min(silent)[2]
            self._sent_away.add(oldest)
        oldest.abort()
        return True

    # -------------------------------------------------------------------------------------- what a connection waits for

    def _shake_hands(self, connection: Connection) -> None:
        assert isinstance(connection.sock, ssl.SSLSocket)
        try:
            connection.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(connection, self._shake_hands)
        except ssl.SSLWantWriteError:
            self._watch(connection, self._shake_hands, selectors.EVENT_WRITE)
        else:
            self._await_first(connection)

    def _await_first(self, connection: Connection) -> None:
        self._watch(connection, self._read_head)
        self._read_decrypted(connection)

    def _await_head(self, connection: Connection) -> None:
        """Take up again with what a worker has already received."""
        limits = self._limits
        patience = limits.head_seconds if connection.buffer else limits.idle_seconds
        connection.silent_since = time.monotonic()
        connection.deadline = connection.silent_since + patience
        self._watch(connection, self._read_head)
        self._read_decrypted(connection)

    def _read_decrypted(self, connection: Connection) -> None:
        """Read what the TLS layer holds already: the selector knows of the socket alone."""
        if connection.is_tls:
            self._read_head(connection)

    def _read_head(self, connection: Connection) -> None:
        while True:
            is_first = not connection.buffer
            try:
                data = connection.sock.recv(_BLOCK)
            except WANTS:
                return
            if not data:
                self._close(connection)
                return
            connection.buffer += data
            if is_first:
                connection.deadline = time.monotonic() + self._limits.head_seconds
            if self.has_head(connection):
                self._selector.unregister(connection.sock)
                connection.silent_since = None
                self._call_in(connection)
                return
            if not connection.is_tls:  # TLS gives one record at a time, and may hold more
                return

    def has_head(self, connection: Connection) -> bool:
        """Whether a complete head has arrived.

        Raises:
            RefusedError: it is too long, or does not look like HTTP.
        """
        most = self._limits.head_bytes
        if connection.find_head() and connection.head_size <= most:
            return True
        if connection.buffer and not 0x41 <= connection.buffer[0] <= 0x5A:
            raise malformed("this is not an HTTP request")
        if connection.head_size or len(connection.buffer) > most:
            reason = f"the request head has more than {most} bytes"
            raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, reason)
        return False

    def _linger(self, connection: Connection) -> None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_WR)
        connection.silent_since = time.monotonic()
        connection.deadline = connection.silent_since + _LINGERING
        self._watch(connection, self._throw_away)

    def _throw_away(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(_BLOCK)
        except WANTS_READ:
            return
        if not data:
            self._close(connection)

    # ------------------------------------------------------------------------------------------------------ how it ends

    def _watch(
        self, connection: Connection, step: Callable[[Connection], None], event: int = selectors.EVENT_READ
    ) -> None:
        data: Any = (connection, step)
        try:
            self._selector.modify(connection.sock, event, data)
        except KeyError:
            self._selector.register(connection.sock, event, data)

    def _try(self, step: Callable[[Connection], None], connection: Connection) -> None:
        try:
            step(connection)
        except RefusedError as refusal:
            self._refuse(connection, refusal)
        except OSError as error:
            log.debug("%s: %s", connection.peer, error)
            self._close(connection)

    def _refuse(self, connection: Connection, refusal: RefusedError) -> None:
        try:
            refuse(connection, refusal, self._limits)  # it fits in the empty buffer of the socket, so nothing waits
            self._linger(connection)
        except OSError:
            self._close(connection)

    def _end_the_late(self) -> None:
        now = time.monotonic()
        for key in list(self._selector.get_map().values()):
            if key.data is None:
                continue
            connection, step = key.data
            if now < connection.deadline:
                continue
            if step == self._read_head and connection.buffer:
                self._refuse(connection, RefusedError(HTTPStatus.REQUEST_TIMEOUT, "the request head is too slow"))
            else:
                self._close(connection)

    def _close(self, connection: Connection) -> None:
        with contextlib.suppress(KeyError, ValueError, RuntimeError):
            self._selector.unregister(connection.sock)
        self.forget(connection)

    def forget(self, connection: Connection) -> None:
        """Close a connection that is not waiting here; from any thread."""
        with self._lock:
            if connection not in self._all:
                return
            self._all.remove(connection)
            self._sent_away.discard(connection)
            self._by_peer[connection.peer] -= 1
            if not self._by_peer[connection.peer]:
                del self._by_peer[connection.peer]
        connection.sock.close()
