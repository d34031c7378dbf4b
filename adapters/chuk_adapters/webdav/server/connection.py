"""One connection: bytes in and out, with patience for a slow peer and none for a stalled one."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol

from chuk_adapters.webdav.server.head import END_OF_HEAD
from chuk_adapters.webdav.server.limits import MIB, Limits
from chuk_adapters.webdav.server.refusal import RefusedError

WANTS_READ = (BlockingIOError, ssl.SSLWantReadError)
WANTS = (*WANTS_READ, ssl.SSLWantWriteError)

_TLS_BLOCK = 256 * 1024


class ReadableInto(Protocol):
    """A file that reads into a buffer."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read up to as many bytes as fit."""


class Pace:
    """How far a transfer has come, and how long its peer may keep it waiting."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._began = time.monotonic()
        self._moved = 0

    def moved(self, count: int) -> None:
        """So many bytes more."""
        self._moved += count

    def patience(self) -> float:
        """Seconds to wait for the next byte, 0 if the peer was too slow already."""
        limits = self._limits
        until = self._began + limits.stall_seconds + self._moved / limits.bytes_per_second
        return min(limits.stall_seconds, max(until - time.monotonic(), 0.0))


class Connection:
    """A non-blocking socket, plain or TLS, and what has been received but not yet used.

    Attributes:
        sock: the socket.
        peer: the address of the other end, without port.
        is_tls: whether it is encrypted.
        buffer: received and unused bytes.
        head_size: bytes of the complete head at the start of ``buffer``; 0 while there is none.
        silent_since: monotonic time since when the server waits for the peer; None while it does not.
        deadline: monotonic time when the waiting room gives it up.
    """

    __slots__ = ("_looked_at", "_poll", "buffer", "deadline", "head_size", "is_tls", "peer", "silent_since", "sock")

    def __init__(self, sock: socket.socket, peer: str) -> None:
        self.sock = sock
        self.peer = peer
        self.is_tls = isinstance(sock, ssl.SSLSocket)
        self.buffer = bytearray()
        self.head_size = 0
        self.silent_since: float | None = time.monotonic()
        self.deadline = 0.0
        self._looked_at = 0
        self._poll: select.poll | None = None

    def find_head(self) -> bool:
        """Whether a complete head has been received."""
        if not self._looked_at:
            while self.buffer[:2] == b"\r\n":  # RFC 9112, 2.2: empty lines before a request are ignored
                del self.buffer[:2]
        found = END_OF_HEAD.search(self.buffer, max(self._looked_at - 2, 0))
        self._looked_at = len(self.buffer)
        self.head_size = found.end() if found else 0
        return self.head_size > 0

    def take_head(self) -> bytes:
        """The head that was found; it is taken from the buffer."""
        head = bytes(memoryview(self.buffer)[: self.head_size])
        del self.buffer[: self.head_size]
        self.head_size = self._looked_at = 0
        return head

    def wait(self, event: int, seconds: float) -> bool:
        """Wait until the socket can be read (``select.POLLIN``) or written; False if it cannot after that time."""
        poll = self._poll
        if poll is None:
            poll = self._poll = select.poll()
        poll.register(self.sock, event)
        self.silent_since = time.monotonic()
        try:
            return bool(poll.poll(seconds * 1000))
        finally:
            self.silent_since = None

    def receive_into(self, view: memoryview, pace: Pace) -> int:
        """Receive at least a byte, at most ``len(view)``.

        Returns:
            The number of bytes, 0 if the peer will send no more.

        Raises:
            RefusedError: 408 if the peer is too slow.
            OSError: the connection is broken.
        """
        while True:
            try:
                count = self.sock.recv_into(view)
            except WANTS as want:  # noqa: PERF203 - each round is a system call
                self._wait_or_refuse(select.POLLIN, want, pace)
            else:
                pace.moved(count)
                return count

    def send(self, parts: Sequence[bytes | bytearray | memoryview], pace: Pace) -> None:
        """Send all of it, in one system call where that is possible.

        Raises:
            RefusedError: 408 if the peer does not take it.
            OSError: the connection is broken.
        """
        if self.is_tls:
            for part in parts:
                self._send_one(memoryview(part), pace)
            return
        try:
            sent = self.sock.sendmsg(parts)
        except BlockingIOError:
            sent = 0
        pace.moved(sent)
        for part in parts:
            if sent < len(part):
                self._send_one(memoryview(part)[sent:], pace)
            sent = max(sent - len(part), 0)

    def send_file(self, fd: int, offset: int, count: int, pace: Pace) -> int:
        """Send bytes of an open file, without a copy where the system can; how many there were."""
        if self.is_tls or not hasattr(os, "sendfile"):
            return self._send_blocks(fd, offset, count, pace)
        done = 0
        while done < count:
            try:
                sent = os.sendfile(self.sock.fileno(), fd, offset + done, count - done)
            except BlockingIOError as want:
                self._wait_or_refuse(select.POLLOUT, want, pace)
                continue
            if not sent:
                break
            pace.moved(sent)
            done += sent
        return done

    def send_from(self, file: ReadableInto, count: int, pace: Pace) -> int:
        """Send bytes of a file from its position on, through one buffer; how many there were."""
        buffer = memoryview(bytearray(min(count, MIB)))
        done = 0
        while done < count:
            size = file.readinto(buffer[: count - done])
            if not size:
                break
            self.send([buffer[:size]], pace)
            done += size
        return done

    def abort(self) -> None:
        """End it from another thread: whoever waits for the peer finds it gone."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def _send_blocks(self, fd: int, offset: int, count: int, pace: Pace) -> int:
        done = 0
        while done < count:
            block = os.pread(fd, min(count - done, MIB), offset + done)
            if not block:
                break
            self.send([block], pace)
            done += len(block)
        return done

    def _send_one(self, view: memoryview, pace: Pace) -> None:
        while view:
            try:
                sent = self.sock.send(view[:_TLS_BLOCK] if self.is_tls else view)
            except WANTS as want:  # noqa: PERF203 - each round is a system call
                self._wait_or_refuse(select.POLLOUT, want, pace)
            else:
                pace.moved(sent)
                view = view[sent:]

    def _wait_or_refuse(self, event: int, want: OSError, pace: Pace) -> None:
        if isinstance(want, ssl.SSLWantReadError):
            event = select.POLLIN
        elif isinstance(want, ssl.SSLWantWriteError):
            event = select.POLLOUT
        if not self.wait(event, pace.patience()):
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, "the transfer is too slow")
