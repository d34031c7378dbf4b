"""Take a mount down, dead or alive."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

from chuk_adapters.fuse.kernel.device import unmount as unmount_on_linux
from chuk_fsspec.contract.errors import os_error


def unmount(path: Path, *, lazy: bool = False) -> None:
    """Unmount a directory, also one whose server has died.

    Args:
        path: the mount point, absolute; it is not looked at, since a dead mount answers nothing.
        lazy: take it out of the tree at once, and end it when its last user is gone.

    Raises:
        OSError: EBUSY while somebody uses it, EINVAL if nothing is mounted there, EPERM.
    """
    if sys.platform == "linux":
        unmount_on_linux(path, lazy=lazy)
    else:
        _unmount_by_command(path, ["-f"] if lazy else [])


def _unmount_by_command(path: Path, flags: list[str]) -> None:
    done = subprocess.run(["umount", *flags, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        text = done.stderr.strip()
        raise os_error(errno.EBUSY if "busy" in text.lower() else errno.EINVAL, str(path), hint=text)
