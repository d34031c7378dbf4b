"""The directories above a path, made where they are missing."""

from __future__ import annotations

import os
from contextlib import suppress

from chuk_fsspec.backends.local.beneath import Beneath
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.names import named, refuse_reserved
from chuk_fsspec.backends.local.shared import SharedRoot
from chuk_fsspec.backends.local.walk import open_directory
from chuk_fsspec.contract.paths import split

DIRECTORY_PERMISSIONS = 0o777
"""Less the umask of the process."""


def make_parents(shared: SharedRoot, beneath: Beneath, path: str) -> None:
    """Make the missing directories above a normal path.

    Raises:
        OSError: ENOTDIR if something else is in the way, EACCES, EINVAL; LinkInTheWay where links are not followed.
    """
    refuse_reserved(path)
    directory, missing = _nearest(beneath, path)
    with named(path):
        for name in missing:
            with suppress(FileExistsError):
                os.mkdir(name, DIRECTORY_PERMISSIONS, dir_fd=directory.number)
                shared.entry_changed(directory, name)
            directory = open_directory(directory, name)


def make_directory(shared: SharedRoot, beneath: Beneath, path: str) -> None:
    """Make one directory. EEXIST, ENOENT, ENOTDIR, EACCES."""
    place = beneath.place(path)
    with named(path):
        os.mkdir(place.name, DIRECTORY_PERMISSIONS, dir_fd=place.directory.number)
    shared.entry_changed(place.directory, place.name)


def _nearest(beneath: Beneath, path: str) -> tuple[Descriptor, list[str]]:
    """The nearest directory above a path that is there, and the names that are missing below it."""
    missing: list[str] = []
    parent, _ = split(path)
    while True:
        with named(path), suppress(FileNotFoundError):
            return beneath.directory(parent), missing
        parent, name = split(parent)
        missing.insert(0, name)
