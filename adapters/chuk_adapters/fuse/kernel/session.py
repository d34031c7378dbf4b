"""The conversation with the kernel: what is agreed in INIT, and the loop that reads requests."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass

from chuk_adapters.fuse.kernel.attributes import Attributes
from chuk_adapters.fuse.kernel.directories import Directories
from chuk_adapters.fuse.kernel.files import Files
from chuk_adapters.fuse.kernel.handles import HandleTable, close_quietly
from chuk_adapters.fuse.kernel.interrupts import Interrupts
from chuk_adapters.fuse.kernel.names import Names
from chuk_adapters.fuse.kernel.notices import Notices, serving
from chuk_adapters.fuse.kernel.protocol import (
    HEADER_SIZE,
    IN_HEADER,
    INIT_IN,
    INIT_REPLY,
    INTERRUPT_IN,
    MAJOR,
    MAX_TRANSFER,
    MINOR,
    Init,
    Opcode,
)
from chuk_adapters.fuse.kernel.replies import Belief, Replies
from chuk_adapters.fuse.kernel.request import Handler
from chuk_adapters.fuse.kernel.table import NodeTable
from chuk_adapters.fuse.kernel.workers import Workers
from chuk_fsspec.contract.nodes import NodeOperations

BUFFER_SIZE = MAX_TRANSFER + 8192
PAGE = 4096
BACKGROUND = 64
"""Requests that the kernel may have under way in the background, for read-ahead and write-back."""

_NO_REPLY = frozenset((Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.INTERRUPT, Opcode.NOTIFY_REPLY))
_RETRY = frozenset((errno.EINTR, errno.ENOENT, errno.EAGAIN))
"""read(2) on the device: a request was taken back before we got it."""

log = logging.getLogger("chuk_adapters.fuse")


@dataclass(frozen=True)
class Policy:
    """What this mount asks of the kernel.

    Attributes:
        believed_seconds: how long names and attributes may be kept that change under our eyes only.
        doubted_seconds: how long those of nodes that others can change unseen.
        writeback: let the kernel gather writes.
        keeps_handles: be told of opens and closes.
        direct_io: bypass the page cache.
        announced: all foreign changes are announced, so cached content needs no check of its age.
        threads: most requests served at once.
        answer_seconds: the kernel gives the mount up if a request is not answered in this time; 0 for never.
        debug: log each request.
    """

    believed_seconds: float
    doubted_seconds: float
    writeback: bool
    keeps_handles: bool
    direct_io: bool
    announced: bool
    threads: int
    answer_seconds: int
    debug: bool


class Session:
    """One connection to the kernel, from INIT to the end of the mount."""

    def __init__(self, fd: int, nodes: NodeOperations, table: NodeTable, notices: Notices, policy: Policy) -> None:
        self._fd = fd
        self._nodes = nodes
        self._policy = policy
        self._handles = HandleTable()
        self._replies = Replies(
            fd,
            table,
            Belief.of(policy.believed_seconds),
            None if policy.announced else Belief.of(policy.doubted_seconds),
        )
        self._directories = Directories(nodes, table, self._replies)
        self._interrupts = Interrupts(self._replies)
        self._workers = Workers(self._loop, policy.threads)
        files = Files(
            nodes,
            table,
            self._replies,
            self._handles,
            notices,
            keeps_handles=policy.keeps_handles,
            direct_io=policy.direct_io,
            kernel_owns_sizes=policy.writeback,
        )
        known: dict[int, Handler] = {
            **Names(nodes, table, self._replies).handlers(),
            **Attributes(nodes, table, self._replies, self._handles).handlers(),
            **files.handlers(),
            **self._directories.handlers(),
            Opcode.DESTROY: self._destroy,
            Opcode.SYNCFS: self._sync,
            Opcode.INTERRUPT: self._interrupt,
        }
        self._handlers: list[Handler] = [known.get(opcode, self._unknown) for opcode in range(256)]

    def negotiate(self) -> None:
        """Answer INIT, the first request. ENODEV if the mount is over before it began."""
        buffer = bytearray(BUFFER_SIZE)
        os.readv(self._fd, [buffer])
        _, opcode, unique, *_ = IN_HEADER.unpack_from(buffer)
        assert opcode == Opcode.INIT, f"the kernel began with request {opcode}"
        _, minor, readahead, low, high = INIT_IN.unpack_from(buffer, HEADER_SIZE)
        offered = low | (high << 32 if low & Init.INIT_EXT else 0)
        agreed = self._wanted() & offered
        log.debug("kernel speaks 7.%d and offers %s; agreed on %s", minor, Init(offered), Init(agreed))
        self._replies.data(
            unique,
            INIT_REPLY.pack(
                MAJOR,
                min(minor, MINOR),
                max(readahead, MAX_TRANSFER),
                agreed & 0xFFFFFFFF,
                BACKGROUND,
                BACKGROUND * 3 // 4,
                MAX_TRANSFER,
                1,
                MAX_TRANSFER // PAGE,
                0,
                agreed >> 32,
                0,
                self._policy.answer_seconds,
            ),
        )

    def _wanted(self) -> Init:
        wanted = (
            Init.ASYNC_READ
            | Init.BIG_WRITES
            | Init.MAX_PAGES
            | Init.ASYNC_DIO
            | Init.PARALLEL_DIROPS
            | Init.DO_READDIRPLUS
            | Init.READDIRPLUS_AUTO
            | Init.CACHE_SYMLINKS
            | Init.HANDLE_KILLPRIV_V2
            | Init.NO_OPENDIR_SUPPORT
            | Init.INIT_EXT
        )
        if not self._policy.announced:
            wanted |= Init.AUTO_INVAL_DATA  # without it, the kernel drops what it has cached when the size has changed
        if self._policy.writeback:
            wanted |= Init.WRITEBACK_CACHE
        if self._policy.answer_seconds:
            wanted |= Init.REQUEST_TIMEOUT
        wanted |= Init.ATOMIC_O_TRUNC if self._policy.keeps_handles else Init.NO_OPEN_SUPPORT
        return wanted

    def serve(self) -> None:
        """Answer requests, in as many threads as it takes and the policy allows, until the mount is over.

        What only looks and still waits for the filesystem then is not waited for.
        """
        self._workers.run(self._interrupts.count)
        self._directories.clear()
        for handle in self._handles.clear():
            close_quietly(handle)

    def end_orphans(self) -> None:
        """Answer those requests that only look, and whose programs are gone."""
        self._interrupts.end_orphans()

    def at_the_end(self, act: Callable[[], None]) -> None:
        """Have something done when no request is under way any more."""
        self._workers.at_the_end(act)

    def _loop(self) -> bool:
        """Take requests; whether that ended with the mount, and not because enough others do so."""
        serving.mount = self
        buffer = bytearray(BUFFER_SIZE)
        into = [buffer]
        fd, readv, unpack, handlers = self._fd, os.readv, IN_HEADER.unpack_from, self._handlers
        shared = self._policy.threads > 1
        careful = shared or self._policy.debug
        while True:
            try:
                length = readv(fd, into)
            except OSError as error:
                if error.errno in _RETRY:
                    continue
                if error.errno == errno.ENODEV:
                    return True
                raise
            if not length:
                return True
            if shared:
                self._workers.begins()
            _, opcode, unique, nodeid, uid, gid, thread, _, _ = unpack(buffer)
            try:
                if careful:
                    self._answer_carefully(opcode, unique, nodeid, uid, gid, thread, buffer, length)
                else:
                    handlers[opcode](unique, nodeid, uid, gid, buffer, length)
            except Exception as error:  # noqa: BLE001 - whatever happened, the kernel waits for an answer
                self._refuse(opcode, unique, error)
            if shared and not self._workers.ends():
                return False

    def _answer_carefully(
        self, opcode: int, unique: int, nodeid: int, uid: int, gid: int, thread: int, buffer: bytearray, length: int
    ) -> None:
        """Answer one of several requests under way: it may be interrupted, and is logged if that is asked for."""
        if self._policy.debug:
            log.debug("%s node %d, %d bytes", _label(opcode), nodeid, length)
        with self._interrupts.under_way(unique, opcode, thread, buffer):
            self._handlers[opcode](unique, nodeid, uid, gid, buffer, length)

    def _refuse(self, opcode: int, unique: int, error: Exception) -> None:
        """Send the errno of an error; what is no ``OSError`` is logged, for it is a fault of ours."""
        if isinstance(error, OSError):
            code = error.errno or errno.EIO
        elif isinstance(error, MemoryError):
            code = errno.ENOMEM
        else:
            code = errno.EIO
            log.error("a %s request failed", _label(opcode), exc_info=error)
        if opcode in _NO_REPLY:
            return
        try:
            self._replies.error(unique, code)
        except OSError as refused:
            # ENOENT: the request was taken back or answered already; ENODEV: the mount is over.
            if refused.errno not in (errno.ENOENT, errno.ENODEV):
                raise

    def _interrupt(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        (target,) = INTERRUPT_IN.unpack_from(buffer, HEADER_SIZE)
        self._interrupts.interrupt(target)

    def _sync(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        self._nodes.sync()
        self._replies.done(unique)

    def _destroy(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        self._replies.done(unique)

    def _unknown(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        """ENOSYS makes the kernel do without from then on: ENOTTY for ioctl, always ready for poll, its own locks."""
        self._replies.error(unique, errno.ENOSYS)


def _label(opcode: int) -> str:
    return Opcode(opcode).name if opcode in Opcode.__members__.values() else f"unknown ({opcode})"
