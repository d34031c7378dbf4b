"""Files that SQLite has open too, opened without harm."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from typing import TypeVar

_OWN = "/dev/fd"

Result = TypeVar("Result")


def on_descriptor(path: str, call: Callable[[int], Result]) -> Result:
    """What a call says of a file: on a descriptor that this process has already, or on a new one that is closed then.

    Whoever closes a descriptor of a file drops all the locks that the process has on that file (fcntl(2)), SQLite's
    too; another process would then believe that it is alone and take the write-ahead log away.

    Args:
        path: of the file on the host.
        call: what is done with a descriptor for reading; it may be made again.

    Raises:
        OSError: ENOENT, EACCES, and what the call raises.
    """
    for own in descriptors_of(os.stat(path)):
        try:
            return call(own)
        except OSError as error:  # noqa: PERF203 - there are one or two
            # Its owner has closed it: another thread, or the garbage collector, which has found a filesystem.
            if error.errno != errno.EBADF:
                raise
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return call(fd)
    finally:
        os.close(fd)


def descriptors_of(wanted: os.stat_result) -> Iterator[int]:
    """The descriptors that this process has of a file, SQLite's own among them; not to be closed.

    Oldest first: one of a file in a mount that this process serves from the database cannot be asked what it is before
    the caller is done, and is younger than the database.
    """
    try:
        names = sorted(os.listdir(_OWN), key=int)
    except FileNotFoundError:
        return
    for name in names:
        try:
            found = os.fstat(int(name))
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            yield int(name)
