"""libfuse behaves as if the process were its own. Here is what keeps it from changing its host."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
from collections.abc import Callable, Iterator

_CLONE_FS = 0x200
_TAKEN = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)


def keep_working_directory() -> None:
    """Give this thread a working directory of its own: libfuse 3 goes to ``/`` and would take every thread along."""
    if sys.platform == "linux":
        ctypes.CDLL(None).unshare(_CLONE_FS)


@contextlib.contextmanager
def keep_signal_handlers() -> Iterator[Callable[[], None]]:
    """Put the host's signal handlers back at the end, and whenever the function it gives is called, from any thread.

    libfuse installs its own when it begins, and on the way out it does not know that Python ignores SIGPIPE.
    """
    get_handler, set_handler = ctypes.pythonapi.PyOS_getsig, ctypes.pythonapi.PyOS_setsig
    get_handler.restype = set_handler.restype = ctypes.c_void_p
    set_handler.argtypes = [ctypes.c_int, ctypes.c_void_p]
    before = {number: get_handler(number) for number in _TAKEN}

    def restore() -> None:
        for number, handler in before.items():
            set_handler(number, handler)

    try:
        yield restore
    finally:
        restore()
