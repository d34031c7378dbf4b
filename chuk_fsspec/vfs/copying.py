"""Moving on filesystems that cannot rename: copy everything, then remove the originals."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import nullcontext, suppress

from chuk_fsspec.vfs.backend import Backend, Names
from chuk_fsspec.vfs.node import DirectoryNode, PathNode
from chuk_fsspec.vfs.volume import Volume

Below = list[str]
"""Names that lead from the directory that is moved to something in it."""


def move_by_copying(volume: Volume, node: PathNode, names: Names, new_names: Names) -> None:
    """Move a file or a whole directory; if copying fails, the copies are removed and everything is as before.

    Args:
        volume: the filesystem.
        node: what is moved.
        names: where it is.
        new_names: where to; a file there is replaced.

    Raises:
        OSError: whatever the filesystem says. If an original cannot be removed, it and its copy are both there.
    """
    backend = volume.backend
    if not isinstance(node, DirectoryNode):
        _copy_file(volume, names, new_names)
        backend.remove(names)
        return
    directories, files = _all_below(backend, names)
    copied: list[Below] = []
    try:
        for below in directories:
            backend.make_directory([*new_names, *below])
        for below in files:
            copied.append(below)
            _copy_file(volume, [*names, *below], [*new_names, *below])
    except OSError:
        _remove_all(backend, new_names, directories, copied, quietly=True)
        raise
    _remove_all(backend, names, directories, files, quietly=False)


def _all_below(backend: Backend, names: Names) -> tuple[list[Below], list[Below]]:
    """Directories, each after the one that holds it and the first of them the start itself, and files."""
    directories: list[Below] = [[]]
    files: list[Below] = []
    for directory in directories:
        try:
            found = backend.entries([*names, *directory])
        except FileNotFoundError:
            # A directory that only we remember has nothing in it to be copied.
            continue
        for name, attributes in found.items():
            (directories if attributes.is_directory else files).append([*directory, name])
    return directories, files


def _copy_file(volume: Volume, names: Names, new_names: Names) -> None:
    backend = volume.backend
    try:
        backend.copy_file(names, new_names)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        with volume.spools.borrowed_path() as path:
            backend.download(names, path)
            backend.upload(path, os.stat(path).st_size, new_names, beside=False)


def _remove_all(
    backend: Backend, names: Names, directories: list[Below], files: Iterable[Below], *, quietly: bool
) -> None:
    for below in files:
        with suppress(OSError) if quietly else nullcontext():
            backend.remove([*names, *below])
    for below in reversed(directories):
        # In a bucket, a directory that nobody has made is gone with its last file.
        with suppress(OSError if quietly else FileNotFoundError):
            backend.remove_directory([*names, *below])
