"""Making and removing entries."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from chuk_fsspec.contract.attributes import Attributes
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import check_name
from chuk_fsspec.vfs import looking
from chuk_fsspec.vfs.changing import settle_new
from chuk_fsspec.vfs.errors import os_errors
from chuk_fsspec.vfs.node import DirectoryNode, PathNode
from chuk_fsspec.vfs.openfiles import OpenFiles
from chuk_fsspec.vfs.table import DIRECTORY_MODE
from chuk_fsspec.vfs.volume import Volume

_S_IFREG = stat.S_IFREG


def create(
    volume: Volume, directory: DirectoryNode, name: str, mode: int, uid: int, gid: int, rdev: int = 0
) -> PathNode:
    """Make a file, or a special file where the filesystem has them. EEXIST, ENOENT, EPERM, EROFS."""
    kind = stat.S_IFMT(mode) or _S_IFREG
    backend = volume.backend
    with _new_entry(volume, directory, name) as names:
        if kind == _S_IFREG:
            made = kind | backend.make_file(names, mode & 0o7777)
        elif backend.capabilities.special_files:
            made = kind | mode & 0o7777
            with os_errors(backend.path(names)):
                backend.posix.mknod(backend.path(names), made, rdev)
        else:
            raise os_error(errno.EPERM, backend.path(names), hint="no special files on this filesystem")
        node = volume.table.add(directory, name, Attributes(made))
        settle_new(volume, node, names, mode, uid, gid)
    return node


def mkdir(volume: Volume, directory: DirectoryNode, name: str, mode: int, uid: int, gid: int) -> DirectoryNode:
    """Make a directory, remembered if the filesystem does not keep it while it is empty. EEXIST, ENOENT, EROFS."""
    with _new_entry(volume, directory, name) as names:
        volume.backend.make_directory(names, create_parents=volume.table.is_remembered(directory))
        node = volume.table.add(directory, name, Attributes(DIRECTORY_MODE))
        assert isinstance(node, DirectoryNode)
        volume.table.remember(node)
        volume.table.learn_all(node, {}, volume.table.clock)
        settle_new(volume, node, names, mode, uid, gid)
    return node


def symlink(volume: Volume, directory: DirectoryNode, name: str, target: str, uid: int, gid: int) -> PathNode:
    """Make a symbolic link. EPERM where the filesystem has none, as symlink(2) says; EEXIST, ENOENT, EROFS."""
    backend = volume.backend
    with _new_entry(volume, directory, name) as names:
        path = backend.path(names)
        if not backend.capabilities.symlinks:
            raise os_error(errno.EPERM, path, hint="no symbolic links on this filesystem")
        with os_errors(path):
            backend.posix.symlink(target, path)
        size = len(target.encode("utf-8", "surrogateescape"))
        node = volume.table.add(directory, name, Attributes(stat.S_IFLNK | 0o777, size=size, target=target))
        settle_new(volume, node, names, 0o777, uid, gid)
    return node


def link(volume: Volume, node: PathNode, directory: DirectoryNode, name: str) -> None:
    """Give a file one more name. EPERM where the filesystem has no hard links, and for directories."""
    backend = volume.backend
    with _new_entry(volume, directory, name, node) as names:
        if isinstance(node, DirectoryNode) or not backend.capabilities.hardlinks:
            raise os_error(errno.EPERM, name, hint="no hard links on this filesystem, or not of directories")
        if node.gone:
            raise os_error(errno.ENOENT, name, hint="the file was removed")
        source, path = backend.path(volume.table.names(node)), backend.path(names)
        with os_errors(path):
            backend.posix.link(source, path)
        volume.table.link(node, (directory, name))


def readlink(volume: Volume, node: PathNode) -> str:
    """Where a symbolic link points. EINVAL for anything else."""
    if not stat.S_ISLNK(node.mode):
        raise os_error(errno.EINVAL, node.name, hint="not a symbolic link")
    if node.target is not None:
        return node.target
    with volume.table.using(node) as names:
        path = volume.backend.path(names)
        with os_errors(path):
            return volume.backend.posix.readlink(path)


def unlink(volume: Volume, files: OpenFiles, directory: DirectoryNode, name: str) -> None:
    """Remove a file; whoever has it open keeps it. ENOENT, EISDIR, EROFS; errors of saving what is open."""
    with _old_entry(volume, directory, name) as (node, names):
        if isinstance(node, DirectoryNode):
            raise os_error(errno.EISDIR, volume.backend.path(names))
        with rescued(files, node, names):
            try:
                volume.backend.remove(names)
            except FileNotFoundError:
                # Somebody else was faster. Where content is still to be written back, the file was there for us.
                if node.content is None or not node.content.dirty:
                    raise
            volume.table.detach(node, (directory, name))
        volume.table.remember_emptied(directory)


def rmdir(volume: Volume, directory: DirectoryNode, name: str) -> None:
    """Remove an empty directory. ENOENT, ENOTDIR, ENOTEMPTY, EROFS."""
    with _old_entry(volume, directory, name) as (node, names):
        remove_directory(volume, node, names)
        volume.table.remember_emptied(directory)


def remove_directory(volume: Volume, node: PathNode, names: list[str]) -> None:
    """Remove an empty directory, by one who has a claim to. ENOTDIR, ENOTEMPTY."""
    path = volume.backend.path(names)
    if not isinstance(node, DirectoryNode):
        raise os_error(errno.ENOTDIR, path)
    if looking.ask_entries(volume, node, names, own_uses=0):
        raise os_error(errno.ENOTEMPTY, path)
    try:
        volume.backend.remove_directory(names)
    except FileNotFoundError:
        # What only we remember has ended with its last file.
        if not volume.table.is_remembered(node):
            raise
    volume.table.detach(node, node.place)


@contextmanager
def rescued(files: OpenFiles, node: PathNode, names: list[str]) -> Iterator[None]:
    """Have the content of an open file here while the file is removed inside the block: its handles keep working."""
    content = files.join(node)
    if content is None:
        yield
        return
    try:
        # If it is gone already, its readers will hear that.
        with suppress(FileNotFoundError):
            content.fetch(names)
        yield
    finally:
        files.close(content)


@contextmanager
def _new_entry(volume: Volume, directory: DirectoryNode, name: str, *used: PathNode) -> Iterator[list[str]]:
    """Claim an entry that is free, and the paths of ``used``; tells the names that lead to it."""
    table = volume.table
    check_name(name)
    with table.claims.hold(directory, *used, entries=[(directory, name)]):
        names = table.names(directory)
        path = volume.backend.path([*names, name])
        volume.backend.require_write(names)
        if directory.gone:
            raise os_error(errno.ENOENT, path, hint="the directory was removed")
        if looking.find(volume, directory, name, names) is not None:
            raise os_error(errno.EEXIST, path)
        try:
            yield [*names, name]
        except OSError:
            table.doubt(directory, name)
            raise


@contextmanager
def _old_entry(volume: Volume, directory: DirectoryNode, name: str) -> Iterator[tuple[PathNode, list[str]]]:
    """Claim an entry and the node behind it, to be removed; tells the names that lead to it. ENOENT."""
    table = volume.table
    while True:
        node = looking.lookup(volume, directory, name)
        if node is None:
            raise os_error(errno.ENOENT, name)
        with table.claims.hold(directory, entries=[(directory, name)], moved=[node]):
            # While we waited for the claim, others may have put something else in its place.
            if table.child(directory, name) is not node:
                continue
            names = [*table.names(directory), name]
            volume.backend.require_write(names)
            try:
                yield node, names
            except OSError:
                table.doubt(directory, name)
                raise
            return
