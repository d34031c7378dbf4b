"""The transport that speaks to /dev/fuse itself."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from chuk_adapters.fuse.kernel import device
from chuk_adapters.fuse.kernel.notices import Notices
from chuk_adapters.fuse.kernel.session import Policy, Session
from chuk_adapters.fuse.kernel.table import NodeTable
from chuk_adapters.fuse.options import SLOW_WORKERS, MountOptions
from chuk_fsspec.contract.nodes import NodeOperations

FOREVER = 10 * 365 * 24 * 3600.0
"""Seconds: how long the kernel may cache what is announced to it when it changes."""
UNANNOUNCED = 1.0
"""Seconds: how long it may cache what others can change unseen."""
ANSWER_SECONDS = 120
"""Where nothing waits for a network, a request this old means that the server waits for itself (``mounting.mount``)."""


class KernelTransport:
    """A mount on the Linux kernel's FUSE device (see ``transport.Transport``)."""

    def __init__(self, nodes: NodeOperations, path: Path, options: MountOptions) -> None:
        self._nodes = nodes
        self._path = path
        self._options = options
        self.device = -1
        self._over = False
        self._session: Session | None = None
        self._table: NodeTable | None = None
        self._endings: list[Callable[[], None]] = []

    def attach(self) -> None:
        """Mount and agree with the kernel on how to talk."""
        fd = device.mount_device(self._path, self._options)
        policy = self._policy()
        table = NodeTable(self._nodes.root)
        notices = Notices(fd, table, kernel_owns_sizes=policy.writeback)
        session = Session(fd, self._nodes, table, notices, policy)
        try:
            session.negotiate()
        except OSError:
            os.close(fd)
            device.unmount(self._path, lazy=True)
            raise
        device.raise_readahead(self._path)
        self._endings = [self._nodes.watch(notices.changed), notices.close, self._nodes.hold(table)]
        self.device, self._session, self._table = fd, session, table

    def serve(self) -> None:
        """Answer requests until the mount is over, then let go of every node."""
        assert self._session is not None
        assert self._table is not None
        try:
            self._session.serve()
        finally:
            for end in self._endings:
                end()
            for node in self._table.clear():
                self._nodes.forget(node)
            self._over = True
            self._close_device()

    def _close_device(self) -> None:
        """Close it when nobody is going to write to it any more; until then, its number leads nowhere."""
        assert self._session is not None
        device = self.device
        nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nowhere, device, inheritable=False)
        os.close(nowhere)
        self._session.at_the_end(lambda: os.close(device))

    def detach(self) -> None:
        """Unmount; one that is busy vanishes from the tree at once and ends with its last user."""
        if self.device == -1 or self._over:
            return
        assert self._session is not None
        self._session.end_orphans()
        try:
            device.unmount(self._path)
        except OSError as error:
            if error.errno == errno.EBUSY:
                device.unmount(self._path, lazy=True)
            elif error.errno != errno.EINVAL:
                raise

    def nodes_held(self) -> int:
        """How many nodes the kernel holds at the moment, the root included."""
        return len(self._table) if self._table is not None else 0

    def _policy(self) -> Policy:
        options, nodes = self._options, self._nodes
        chosen = options.cache_timeout
        return Policy(
            believed_seconds=FOREVER if chosen is None else chosen,
            doubted_seconds=UNANNOUNCED if chosen is None else chosen,
            writeback=options.writeback and nodes.stateless and not options.direct_io,
            keeps_handles=options.direct_io or not nodes.stateless,
            direct_io=options.direct_io,
            announced=nodes.announces,
            answer_seconds=0 if nodes.slow else ANSWER_SECONDS,
            threads=options.threads or (SLOW_WORKERS if nodes.slow else 1),
            debug=options.debug,
        )
