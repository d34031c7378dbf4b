"""Telling the kernel what changed behind its back, so that it may cache without time limits.

A notice can wait for a directory that some request holds locked, and that request may be waiting for a thread of ours.
So a thread that serves a mount never sends a notice itself: it leaves that to a thread of its own.
"""

from __future__ import annotations

import errno
import os
import queue
import stat
import threading

from chuk_adapters.fuse.kernel.protocol import (
    NOTIFY_ENTRY,
    NOTIFY_INODE,
    NOTIFY_INVAL_ENTRY,
    NOTIFY_INVAL_INODE,
)
from chuk_adapters.fuse.kernel.table import Known, NodeTable
from chuk_fsspec.contract.nodes import Node

serving = threading.local()
"""``serving.mount`` is set in the threads that answer requests."""

_EXPECTED = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.EBADF, errno.ENOTCONN, errno.ENOTEMPTY))
"""The kernel does not hold it (any more), or is gone: nothing to do."""
_MOMENT = 0.0005
"""Seconds: a notice that nothing keeps waiting is sent by then."""


class Notices:
    """Sends invalidations for one mount; ``changed`` is the callback for ``NodeOperations.watch``."""

    def __init__(self, fd: int, table: NodeTable, *, kernel_owns_sizes: bool) -> None:
        self._fd = fd
        self._table = table
        self._kernel_owns_sizes = kernel_owns_sizes
        self._queue: queue.SimpleQueue[tuple[Node | None, str, Node | None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._open = True

    def changed(self, directory: Node | None, name: str, node: Node | None) -> None:
        """An entry, a node, or anything (see ``contract.nodes.Change``) changed through somebody else."""
        if not self._open:
            return
        if not hasattr(serving, "mount"):
            self._tell(directory, name, node)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_queued, name="fuse-notices", daemon=True)
            self._thread.start()
        self._queue.put((directory, name, node))

    def written_elsewhere(self, node: Node, offset: int) -> None:
        """What a request wrote lies elsewhere than at ``offset``, where the kernel has put it in its page cache.

        To be called before the request is answered, so that whoever wrote reads what is there. The last page may be
        locked until then; but what it holds is not believed in that case, and it is dropped afterwards.
        """
        known = self._table.current(node)
        if known is not None:
            sender = threading.Thread(target=self._invalidate_from, args=(known, offset), daemon=True)
            sender.start()
            sender.join(_MOMENT)

    def close(self) -> None:
        """Send nothing more."""
        self._open = False
        self._queue.put(None)

    def _send_queued(self) -> None:
        while (change := self._queue.get()) is not None:
            self._tell(*change)

    def _tell(self, directory: Node | None, name: str, node: Node | None) -> None:
        if directory is not None:
            self._entry_changed(directory, name)
            if node is not None and (known := self._table.current(node)) is not None:
                self._invalidate_node(known, content=False)
        elif node is not None:
            if (known := self._table.current(node)) is not None:
                self._node_changed(known)
        else:
            for known in self._table.all():
                self._node_changed(known)

    def _entry_changed(self, directory: Node, name: str) -> None:
        known = self._table.current(directory)
        if known is not None:
            self._invalidate_entry(known.nodeid, name)
            self._invalidate_node(known, content=True)

    def _node_changed(self, known: Known) -> None:
        """With its write-back cache on, the kernel takes no new size for an inode it holds, so it gets a new one."""
        if self._kernel_owns_sizes and stat.S_ISREG(known.node.mode):
            self._table.retire(known)
        for parent_id, name in known.names():
            if name:
                self._invalidate_entry(parent_id, name)
        self._invalidate_node(known, content=True)

    def _invalidate_entry(self, parent_id: int, name: str) -> None:
        encoded = os.fsencode(name)
        length = NOTIFY_ENTRY.size + len(encoded) + 1
        header = NOTIFY_ENTRY.pack(length, NOTIFY_INVAL_ENTRY, 0, parent_id, len(encoded), 0)
        self._send(header + encoded + b"\0")

    def _invalidate_node(self, known: Known, *, content: bool) -> None:
        self._invalidate_from(known, 0 if content else -1)

    def _invalidate_from(self, known: Known, offset: int) -> None:
        self._send(NOTIFY_INODE.pack(NOTIFY_INODE.size, NOTIFY_INVAL_INODE, 0, known.nodeid, offset, 0))

    def _send(self, notice: bytes) -> None:
        try:
            os.write(self._fd, notice)
        except OSError as error:
            if error.errno not in _EXPECTED:
                raise
