"""Renaming: in one step where the filesystem can, by copying and removing where it cannot."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import check_name
from chuk_fsspec.contract.posix import RENAME_EXCHANGE, RENAME_NOREPLACE
from chuk_fsspec.vfs import looking, naming
from chuk_fsspec.vfs.backend import Backend
from chuk_fsspec.vfs.copying import move_by_copying
from chuk_fsspec.vfs.errors import os_errors
from chuk_fsspec.vfs.node import DirectoryNode, PathNode, Place
from chuk_fsspec.vfs.openfiles import OpenFiles
from chuk_fsspec.vfs.volume import Volume


def rename(volume: Volume, files: OpenFiles, source: Place, target: Place, flags: int) -> None:
    """Move an entry, replacing what is at its new place as POSIX says (rename(2), renameat2(2)).

    Open files stay open under their new names. A file that is replaced while it is open lives on without a name.
    Without the ``rename`` capability, files are copied; if that fails, the copies are removed again.

    Args:
        volume: the filesystem.
        files: its open files.
        source: what is moved.
        target: where to.
        flags: ``RENAME_NOREPLACE``; ``RENAME_EXCHANGE`` where the filesystem declares ``rename_flags``.

    Raises:
        OSError: ENOENT, EEXIST, EISDIR, ENOTDIR, ENOTEMPTY, EROFS; EINVAL for a directory into itself and for flags
            that are not supported; whatever the filesystem says.
    """
    native = volume.backend.capabilities.rename_flags
    if flags not in (0, RENAME_NOREPLACE, RENAME_EXCHANGE) or (flags == RENAME_EXCHANGE and not native):
        raise os_error(errno.EINVAL, source[1], target[1], hint="flags that this filesystem does not know")
    check_name(target[1])
    table = volume.table
    with _claimed(volume, source, target) as (node, old):
        if flags == RENAME_NOREPLACE and old is not None:
            raise os_error(errno.EEXIST, source[1], target[1])
        if flags == RENAME_EXCHANGE and old is None:
            raise os_error(errno.ENOENT, source[1], target[1])
        if old is node:
            return
        _check(node, source, old, target, flags)
        names, new_names = ([*table.names(directory), name] for directory, name in (source, target))
        volume.backend.require_write(names)
        try:
            if flags == RENAME_EXCHANGE and old is not None:
                _rename_natively(volume.backend, names, new_names, flags)
                table.swap(node, source, old, target)
            elif old is not None:
                with naming.rescued(files, old, new_names):
                    _clear_target(volume, old, new_names)
                    _move(volume, node, names, new_names)
                    table.detach(old, target)
                    table.move(node, source, target)
            else:
                _move(volume, node, names, new_names)
                table.move(node, source, target)
        except OSError:
            table.doubt(*source)
            table.doubt(*target)
            raise
        table.remember_emptied(source[0])
        for directory in (node, old):
            if isinstance(directory, DirectoryNode):
                table.remember(directory)


@contextmanager
def _claimed(volume: Volume, source: Place, target: Place) -> Iterator[tuple[PathNode, PathNode | None]]:
    """Claim two entries with the nodes behind them, None for a target that is free. ENOENT."""
    table = volume.table
    entries = [source] if source == target else [source, target]
    while True:
        node = looking.lookup(volume, *source)
        if node is None:
            raise os_error(errno.ENOENT, source[1], target[1])
        old = looking.lookup(volume, *target)
        moved = [node] if old is None or old is node else [node, old]
        with table.claims.hold(source[0], target[0], entries=entries, moved=moved):
            # While we waited for the claims, others may have changed what is there. That nothing is known of a name
            # proves nothing, so a free one is looked up again.
            there = table.child(*target) if old is not None else looking.find(volume, *target, table.names(target[0]))
            if table.child(*source) is node and there is old:
                yield node, old
                return


def _check(node: PathNode, source: Place, old: PathNode | None, target: Place, flags: int) -> None:
    """Refuse what rename(2) refuses, in its order, as far as can be told without asking the filesystem."""
    if target[0].gone:
        raise os_error(errno.ENOENT, source[1], target[1], hint="the directory was removed")
    if target[0].is_inside(node):
        raise os_error(errno.EINVAL, source[1], target[1], hint="a directory cannot move into itself")
    if old is None:
        return
    if source[0].is_inside(old):
        raise os_error(errno.EINVAL if flags == RENAME_EXCHANGE else errno.ENOTEMPTY, source[1], target[1])
    if flags == RENAME_EXCHANGE:
        return
    if isinstance(old, DirectoryNode) and not isinstance(node, DirectoryNode):
        raise os_error(errno.EISDIR, source[1], target[1])
    if isinstance(node, DirectoryNode) and not isinstance(old, DirectoryNode):
        raise os_error(errno.ENOTDIR, source[1], target[1])


def _clear_target(volume: Volume, old: PathNode, new_names: list[str]) -> None:
    """Make room for what is moved where the move itself will not. ENOTEMPTY."""
    capabilities = volume.backend.capabilities
    if isinstance(old, DirectoryNode):
        if not capabilities.rename_flags:
            naming.remove_directory(volume, old, new_names)
    elif capabilities.rename and not capabilities.replace:
        volume.backend.remove(new_names)


def _move(volume: Volume, node: PathNode, names: list[str], new_names: list[str]) -> None:
    backend = volume.backend
    if backend.capabilities.rename_flags:
        _rename_natively(backend, names, new_names, 0)
    elif not backend.capabilities.rename:
        move_by_copying(volume, node, names, new_names)
    else:
        try:
            backend.move(names, new_names)
        except FileNotFoundError:
            # A directory that only we remember has nothing to be moved.
            if not volume.table.is_remembered(node):
                raise


def _rename_natively(backend: Backend, names: list[str], new_names: list[str], flags: int) -> None:
    path = backend.path(names)
    with os_errors(path):
        backend.posix.rename(path, backend.path(new_names), flags)
