"""Starting other processes from a process that serves a mount.

``vfork`` stops the calling thread, which holds the interpreter lock, until the child has changed its directory and
loaded its program. If either lies on a mount of this process, its threads would have to answer first, and wait for that
lock: both for ever. So ``subprocess`` forks in the plain way while a mount is live (its documented ``_USE_VFORK``
switch).
"""

from __future__ import annotations

import os
import subprocess
import threading

_SWITCHES = ("_USE_VFORK", "_USE_POSIX_SPAWN")

_lock = threading.RLock()
_before: dict[str, bool] = {}
_devices: list[int] = []


def mount_begins(device: int) -> None:
    """A mount of this process goes live on an open descriptor of /dev/fuse, -1 if that is held elsewhere."""
    with _lock:
        if not _devices:
            for switch in _SWITCHES:
                _before[switch] = getattr(subprocess, switch, False)
                setattr(subprocess, switch, False)
        _devices.append(device)


def mount_ends(device: int) -> None:
    """It is over."""
    with _lock:
        _devices.remove(device)
        if not _devices:
            for switch, value in _before.items():
                setattr(subprocess, switch, value)


def _leave_mounts_to_the_parent() -> None:
    """A forked child that kept the device open would keep a mount alive that nobody answers any more."""
    global _lock  # noqa: PLW0603 - the parent's may be held by a thread that does not exist here
    _lock = threading.RLock()
    for device in _devices:
        if device != -1:
            os.close(device)
    _devices.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_mounts_to_the_parent)
