"""Removing a tree of a filesystem of others, name by name: what looks like a pattern is a name."""

from __future__ import annotations

import errno
from contextlib import suppress

from chuk_fsspec.contract.expansion import has_glob
from chuk_fsspec.contract.operations import FSSPEC
from chuk_fsspec.mounted.access import call
from chuk_fsspec.mounted.table import Mount


def remove(mount: Mount, path: str, *, recursive: bool, maxdepth: int | None = None) -> None:
    """Remove a file, or a directory with what it holds.

    Args:
        mount: a mount.
        path: as the tree names it.
        recursive: allow directories.
        maxdepth: remove only files this many levels down; None for everything, directories too.
    """
    names = mount.names
    inner = names.inward(path)
    if not recursive or not call(mount, FSSPEC["isdir"], (inner,), (path,)):
        call(mount, FSSPEC["rm_file"], (inner,), (path,))
        return
    found = call(mount, FSSPEC["find"], (inner,), (path,), maxdepth=maxdepth, withdirs=True, detail=True)
    files = [name for name, info in found.items() if info["type"] != "directory"]
    plain = [name for name in files if not has_glob(name)]
    if plain:
        call(mount, FSSPEC["rm"], (), (path,), plain)
    for name in set(files) - set(plain):
        call(mount, FSSPEC["rm_file"], (name,), (names.outward(name),))
    if maxdepth is None:
        directories = {name for name, info in found.items() if info["type"] == "directory"} | {inner}
        for name in sorted(directories, reverse=True):
            _remove_directory(mount, name)


def _remove_directory(mount: Mount, inner: str) -> None:
    """Remove an empty directory; where directories are only what files lie in, it has gone with the last one."""
    with suppress(NotImplementedError):
        try:
            call(mount, FSSPEC["rmdir"], (inner,), (mount.names.outward(inner),))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTSUP):
                raise
