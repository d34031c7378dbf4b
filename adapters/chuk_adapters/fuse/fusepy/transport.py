"""Mount and serve through libfuse."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable
from ctypes.util import find_library
from importlib import import_module
from pathlib import Path
from types import ModuleType

from chuk_adapters.fuse.fusepy.calls import LoggedCalls, PathCalls
from chuk_adapters.fuse.fusepy.host import keep_signal_handlers, keep_working_directory
from chuk_adapters.fuse.options import SLOW_WORKERS, MountOptions
from chuk_adapters.fuse.unmounting import unmount
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import NodeOperations

NAMES_TIMEOUT = 1.0
"""Seconds the kernel may keep names where the options leave it open: through libfuse nobody announces changes."""
_COUNTS_THREADS = (3, 12)
"""From this version on, libfuse can be told how many threads it may have; else they are ten."""


class FusepyTransport:
    """One mount through libfuse (``transport.Transport``).

    libfuse mounts and serves in one call, so that call runs in a thread from ``attach`` on, and ``serve`` waits for it.
    The kernel's write cache stays off: libfuse numbers files by path, and two names of one file would cache apart.
    """

    device = -1

    def __init__(self, nodes: NodeOperations, path: Path, options: MountOptions) -> None:
        self._nodes = nodes
        self._path = path
        self._options = options
        self._live = False
        self._settled = threading.Event()
        self._error: Exception | None = None
        self._loop = threading.Thread(target=self._run, name=f"libfuse:{path}", daemon=True)
        self._detaching = threading.RLock()
        self._detached = False

    def attach(self) -> None:
        """Mount, and return once requests are answered. ENODEV without libfuse or /dev/fuse, EPERM."""
        load_library()
        check_device()
        self._loop.start()
        self._settled.wait()
        if not self._live:
            self._loop.join()
            raise self._failure()
        # macOS mounts in the background, after the first request.
        while self._loop.is_alive() and not os.path.ismount(self._path):
            time.sleep(0.01)

    def serve(self) -> None:
        """Wait until the filesystem is unmounted. EIO if libfuse gave up."""
        self._loop.join()
        if self._error is not None:
            raise self._failure()

    def nodes_held(self) -> int:
        """libfuse does not say."""
        return 0

    def detach(self) -> None:
        """Unmount, lazily if it is busy. Does nothing if it is unmounted already. EPERM."""
        with self._detaching:
            if self._detached or not self._loop.is_alive():
                return
            try:
                self._unmount()
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
            self._detached = True

    def _unmount(self) -> None:
        try:
            unmount(self._path)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            unmount(self._path, lazy=True)

    def _run(self) -> None:
        try:
            library = load_library()
            options = loop_options(self._options, library, slow=self._nodes.slow)
            keep_working_directory()
            with keep_signal_handlers() as restore_handlers:
                calls = PathCalls(self._nodes, library.caller, lambda: self._ready(restore_handlers))
                library.Loop(LoggedCalls(calls) if self._options.debug else calls, os.fspath(self._path), **options)
        except Exception as error:  # noqa: BLE001 - kept for the thread that serves
            self._error = error
        finally:
            self._settled.set()

    def _ready(self, restore_handlers: Callable[[], None]) -> None:
        """The first request has come: libfuse has mounted, and has taken the signals by now."""
        restore_handlers()
        self._live = True
        self._settled.set()

    def _failure(self) -> OSError:
        """What went wrong. libfuse returns only the number of the step that failed; it has printed why."""
        if isinstance(self._error, OSError):
            return self._error
        code = errno.EIO if self._live else errno.EPERM
        hint = f"libfuse ended with {self._error}; `chuk-fsspec doctor` looks for the cause"
        return os_error(code, str(self._path), hint=hint)


def loop_options(options: MountOptions, library: ModuleType, *, slow: bool) -> dict[str, object]:
    """The options of a mount as libfuse spells them.

    Without a timeout of the user's, attributes are asked for each time: through libfuse two names of one file are two
    files for the kernel, and a link count or a size kept for one would be wrong for the other.
    """
    chosen = options.cache_timeout
    found: dict[str, object] = {
        "foreground": True,
        "nothreads": options.threads == 1 if options.threads else not slow,
        "raw_fi": True,
        "default_permissions": True,
        "use_ino": True,
        "fsname": options.fsname.replace("\\", "\\\\").replace(",", "\\,"),
        "ro": options.readonly,
        "allow_other": options.allow_other,
        "direct_io": options.direct_io,
        "entry_timeout": NAMES_TIMEOUT if chosen is None else chosen,
        "attr_timeout": 0.0 if chosen is None else chosen,
    }
    if sys.platform == "linux":
        found["subtype"] = "chuk"
        found["big_writes"] = library.VERSION < (3, 0)
    if library.VERSION >= _COUNTS_THREADS and not found["nothreads"]:
        found["max_threads"] = options.threads or SLOW_WORKERS
    return found


def load_library() -> ModuleType:
    """Load libfuse; on Linux version 3, unless FUSE_LIBRARY_PATH or FUSE_LIBRARY_NAME say otherwise. ENODEV."""
    chosen = {"FUSE_LIBRARY_PATH", "FUSE_LIBRARY_NAME"} & os.environ.keys()
    newest = find_library("fuse3") if sys.platform == "linux" and not chosen and "mfusepy" not in sys.modules else None
    if newest:
        os.environ["FUSE_LIBRARY_PATH"] = newest
    try:
        return import_module("chuk_adapters.fuse.fusepy.bindings")
    except ImportError:
        raise os_error(errno.ENODEV, hint="install mfusepy: pip install 'chuk-fsspec[fuse]'") from None
    except (OSError, AttributeError):
        install = "brew install --cask macfuse" if sys.platform == "darwin" else "apt install fuse3"
        raise os_error(errno.ENODEV, hint=f"there is no libfuse; install it: {install}") from None
    finally:
        if newest:
            del os.environ["FUSE_LIBRARY_PATH"]


def check_device() -> None:
    """Find out before libfuse does, which would only print it. ENODEV where Linux has no FUSE, EACCES."""
    if sys.platform != "linux":
        return
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC))
    except FileNotFoundError:
        hint = "this kernel has no FUSE here: modprobe fuse, or give the container --device /dev/fuse"
        raise os_error(errno.ENODEV, "/dev/fuse", hint=hint) from None
    except PermissionError:
        raise os_error(errno.EACCES, "/dev/fuse", hint="let users mount, as root: chmod 666 /dev/fuse") from None
