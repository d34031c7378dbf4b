"""The time that inodes are stamped with."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

_LINUX_CLOCK_REALTIME_COARSE = 5  # <linux/time.h>; the time module does not name it

_read_clock: Callable[[], int] = (
    partial(time.clock_gettime_ns, _LINUX_CLOCK_REALTIME_COARSE) if sys.platform == "linux" else time.time_ns
)
_last = 0


def now_ns() -> int:
    """Nanoseconds since the epoch, on Linux at the kernel's tick (about 4 ms), with which it stamps its own inodes.

    Within one tick the same int object is returned, so that files made in bulk share it instead of holding 48 bytes
    each.
    """
    global _last  # noqa: PLW0603 - one clock for the process
    now = _read_clock()
    if now != _last:
        _last = now
    return _last
