"""Mount a filesystem, serve it from threads of this process, and take it down cleanly."""

from __future__ import annotations

import asyncio
import atexit
import errno
import importlib
import logging
import os
import stat
import sys
import threading
from pathlib import Path

from fsspec import AbstractFileSystem

from chuk_adapters.facades import Facade, filesystem_of
from chuk_adapters.fuse.options import MountOptions
from chuk_adapters.fuse.spawning import mount_begins, mount_ends
from chuk_adapters.fuse.transport import Transport
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.vfs import open_vfs

log = logging.getLogger("chuk_adapters.fuse")

_TRANSPORTS = {
    "kernel": ("chuk_adapters.fuse.kernel.transport", "KernelTransport"),
    "fusepy": ("chuk_adapters.fuse.fusepy", "FusepyTransport"),
}


class Mount:
    """A live mount. Leaving the ``with`` block (or ``async with``) flushes and unmounts.

    Attributes:
        path: the mount point.
        options: what it was mounted with.
    """

    def __init__(self, nodes: NodeOperations, path: Path, options: MountOptions) -> None:
        self.path = path
        self.options = options
        self._nodes = nodes
        self._transport = _transport(nodes, path, options)
        self._error: BaseException | None = None
        self._finished = threading.Event()
        self._transport.attach()
        mount_begins(self._transport.device)
        self._thread = threading.Thread(target=self._serve, name=f"fuse:{path}", daemon=True)
        self._thread.start()
        atexit.register(self.unmount)

    @property
    def is_live(self) -> bool:
        """Whether requests are still answered."""
        return not self._finished.is_set()

    @property
    def nodes_held(self) -> int:
        """How many files and directories the kernel holds at the moment, the root included."""
        return self._transport.nodes_held()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until somebody unmounts it.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.

        Returns:
            True if it is over.
        """
        return self._finished.wait(timeout)

    def unmount(self, timeout: float = 10.0) -> None:
        """Flush and unmount. The mount point is free at once, also if some program still has files open on the mount.

        Args:
            timeout: seconds to wait for such programs. After that their files are served on by a thread in the
                background, as long as this process lives.

        Raises:
            OSError: what could not be written back, naming where it was kept.
        """
        self._transport.detach()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
        if self._thread.is_alive():
            log.warning("%s: files are still open; they are served until this process ends", self.path)
            self._nodes.sync()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _serve(self) -> None:
        try:
            self._transport.serve()
            self._nodes.close()
        except BaseException as error:  # noqa: BLE001 - kept for the thread that unmounts
            self._error = error
        finally:
            mount_ends(self._transport.device)
            self._transport.detach()
            atexit.unregister(self.unmount)
            self._finished.set()

    def __enter__(self) -> Mount:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.unmount()

    async def __aenter__(self) -> Mount:  # noqa: PYI034 - as above
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await asyncio.to_thread(self.unmount)


def mount(fs: AbstractFileSystem | Facade, path: str | os.PathLike[str], options: MountOptions | None = None) -> Mount:
    """Mount a filesystem on a directory and serve it from a thread of this process.

    ``with mount(fs, "/mnt/work") as m:`` and ``async with`` do the same. The program may go on using ``fs``: each sees
    at once what the other changes. It may use the mount itself too, and start processes in it, with one exception:
    where Python keeps its interpreter lock while it waits for the kernel, the thread that would answer waits for the
    lock. That is when files of the own mount are mapped into memory (``mmap``, ``numpy.memmap``, importing a compiled
    module), and on Python 3.10 when ``os.walk`` meets a symbolic link. After two minutes the kernel then gives the
    mount up.

    Args:
        fs: any fsspec filesystem, or a facade of one.
        path: an existing, empty directory; for a facade a missing one is made, as chuk-virtual-fs makes it.
        options: see ``MountOptions``.

    Returns:
        The live mount.

    Raises:
        OSError: ENOENT, ENOTDIR or ENOTEMPTY for a bad mount point; EACCES, EPERM or ENODEV where this machine or user
            cannot mount, with what to do about it.
    """
    options = options or MountOptions()
    below = filesystem_of(fs)
    is_new = below is not fs and _made(path)
    try:
        target = check_mountpoint(path)
        # What the kernel asks for again is worth asking the filesystem for again.
        return Mount(open_vfs(below, cache_timeout=options.cache_timeout), target, options)
    except BaseException:
        if is_new:
            os.rmdir(path)
        raise


def _made(path: str | os.PathLike[str]) -> bool:
    """Make the directory if there is nothing; whether it was made. A dead mount is something, though it has no stat."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        os.makedirs(path)
        return True
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise
    return False


def check_mountpoint(path: str | os.PathLike[str]) -> Path:
    """The mount point as an absolute path, if it can be one. ENOENT, ENOTDIR, ENOTEMPTY; ENOTCONN for a dead mount."""
    target = Path(os.path.abspath(path))
    try:
        mode = target.stat().st_mode
        if not stat.S_ISDIR(mode):
            raise os_error(errno.ENOTDIR, str(target), hint="a mount point must be a directory")
        if any(target.iterdir()):
            raise os_error(errno.ENOTEMPTY, str(target), hint="mount on an empty directory")
    except FileNotFoundError:
        raise os_error(errno.ENOENT, str(target), hint=f"make it first: mkdir -p {target}") from None
    except OSError as error:
        if error.errno == errno.ENOTCONN:
            hint = f"a dead mount is in the way: chuk-fsspec umount {target}"
            raise os_error(errno.ENOTCONN, str(target), hint=hint) from None
        raise
    return target


def _transport(nodes: NodeOperations, path: Path, options: MountOptions) -> Transport:
    name = options.transport
    if name == "auto":
        name = "kernel" if sys.platform == "linux" else "fusepy"
    module, attribute = _TRANSPORTS[name]
    transport: Transport = getattr(importlib.import_module(module), attribute)(nodes, path, options)
    return transport
