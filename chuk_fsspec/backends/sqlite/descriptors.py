"""Files that SQLite has open too, opened without harm."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_OWN = "/dev/fd"


@contextmanager
def descriptor(path: str) -> Iterator[int]:
    """A descriptor of a file, for reading: one that this process has already, or a new one that is closed afterwards.

    Whoever closes a descriptor of a file drops all the locks that the process has on that file (fcntl(2)), SQLite's
    too; another process would then believe that it is alone and take the write-ahead log away.

    Args:
        path: of the file on the host.

    Raises:
        OSError: ENOENT, EACCES.
    """
    own = next(descriptors_of(os.stat(path)), None)
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC) if own is None else own
    try:
        yield fd
    finally:
        if own is None:
            os.close(fd)


def descriptors_of(wanted: os.stat_result) -> Iterator[int]:
    """The descriptors that this process has of a file, SQLite's own among them; not to be closed."""
    try:
        names = os.listdir(_OWN)
    except FileNotFoundError:
        return
    for name in names:
        try:
            found = os.fstat(int(name))
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            yield int(name)
