"""A mount that is taken down even if the process that serves it is killed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from chuk_adapters.fuse.unmounting import unmount
from chuk_fsspec.cli.mounts import find_mount


@contextlib.contextmanager
def guarded(path: Path, *, temporary: bool) -> Iterator[None]:
    """Have a process wait for the end of this one, to unmount a directory then, if that is still mounted.

    Args:
        path: the mount point, absolute.
        temporary: whether the directory is to be removed, too.
    """
    command = [sys.executable, "-m", __name__, str(path), *["temporary"] * temporary]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    assert guard.stdin is not None
    try:
        yield
    finally:
        guard.stdin.close()
        guard.wait()


def wait_and_unmount(path: Path, *, temporary: bool) -> None:
    """Wait until nobody holds the other end of standard input, then clean up."""
    sys.stdin.buffer.read()
    if find_mount(path) is not None:
        unmount(path, lazy=True)
    if temporary:
        with contextlib.suppress(FileNotFoundError):
            path.rmdir()


if __name__ == "__main__":
    wait_and_unmount(Path(sys.argv[1]), temporary=len(sys.argv) > 2)
