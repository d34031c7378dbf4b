"""Removing a whole tree, without ever following a link."""

from __future__ import annotations

import errno
from contextlib import suppress

from chuk_fsspec.backends.local import entries
from chuk_fsspec.backends.local.beneath import Beneath, Place
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.scan import scan
from chuk_fsspec.backends.local.shared import SharedRoot
from chuk_fsspec.backends.local.walk import open_directory
from chuk_fsspec.contract.paths import join

_NO_DIRECTORY = frozenset((errno.ENOTDIR, errno.ELOOP))


def remove_tree(shared: SharedRoot, beneath: Beneath, path: str, *, itself: bool) -> None:
    """Remove what a directory holds, however deep, and the directory.

    Args:
        shared: the root.
        beneath: its paths.
        path: the directory's absolute normal path.
        itself: remove the directory too.

    Raises:
        OSError: ENOENT, ENOTDIR, EACCES; ENOTEMPTY if somebody adds to it meanwhile.
    """
    directories: list[str] = []
    pending = [path]
    while pending:
        above = pending.pop()
        with named(above):
            below = _remove_files(shared, beneath, above)
        if below is not None:
            directories.append(above)
            pending += below
    for above in reversed(directories if itself else directories[1:]):
        with named(above), suppress(FileNotFoundError):
            entries.rmdir(shared, beneath.place(above))


def _remove_files(shared: SharedRoot, beneath: Beneath, path: str) -> list[str] | None:
    """Remove everything but directories from a directory; returns those, or None if it is no directory any more."""
    place = beneath.place(path)
    try:
        directory = open_directory(place.directory, place.name)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno not in _NO_DIRECTORY:
            raise
        entries.unlink(shared, place)
        return None
    below: list[str] = []
    for found in scan(directory):
        if found.is_directory:
            below.append(join(path, found.name))
        else:
            with suppress(FileNotFoundError):
                entries.unlink(shared, Place(directory, found.name))
    return below
