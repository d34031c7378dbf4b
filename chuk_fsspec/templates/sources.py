"""Where templates and contents are read from: one directory, which nothing that is named in a template leads out of."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import fsspec
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from chuk_fsspec.contract.errors import LinkInTheWay, os_error
from chuk_fsspec.contract.foreign import os_error_of
from chuk_fsspec.contract.links import without_links
from chuk_fsspec.contract.paths import normalise
from chuk_fsspec.templates import checks


@dataclass(frozen=True)
class Source:
    """A directory to read from.

    Attributes:
        fs: the filesystem that reads; links lead nowhere outside of the directory, or are not followed at all.
        listing: the same filesystem, on which links show as what they are.
        root: the directory in it.
        shown: what the caller called it.
        confined: whether ``fs`` follows links, and cannot leave the directory.
    """

    fs: AbstractFileSystem
    listing: AbstractFileSystem
    root: str
    shown: str
    confined: bool

    def path_of(self, name: str, where: str) -> str:
        """The path of a file that a template names.

        Args:
            name: relative to the directory.
            where: the entry that names it, for messages.

        Raises:
            OSError: EINVAL for what is absolute or climbs with ``..``, and for what is no path.
        """
        if name.startswith("/"):
            raise checks.refused(errno.EINVAL, name, where, "give a path below the directory that contents come from")
        if ".." in name.split("/"):
            raise checks.refused(errno.EINVAL, name, where, "'..' could lead out of the directory of contents")
        below = normalise(f"/{name}")
        return below if self.root == "/" else f"{self.root}{below}"

    def open(self, name: str, where: str) -> Any:
        """Open a file to read its bytes.

        Args:
            name: relative to the directory.
            where: the entry that names it, for messages.

        Raises:
            OSError: as ``path_of``; ENOENT, EISDIR and others of the file; ELOOP for a link that is not followed.
        """
        path = self.path_of(name, where)
        try:
            return self.fs.open(path, "rb")
        except Exception as error:
            code = os_error_of(error, path).errno or errno.EIO
            hint = f"{where}: cannot be read from {self.shown or 'the directory of contents'}"
            raise os_error(code, name, hint=hint) from error

    def read(self, name: str, where: str, limit: int) -> bytes:
        """A whole file.

        Args:
            name: relative to the directory.
            where: the entry that names it, for messages.
            limit: most bytes that it may have.

        Raises:
            OSError: as ``open``; EFBIG.
        """
        with self.open(name, where) as file:
            data: bytes = file.read(limit + 1)
        if len(data) > limit:
            raise checks.too_large(where, "bytes", limit)
        return data

    def below(self, name: str) -> Source:
        """A directory in this one, by its relative path."""
        root = f"/{name}" if self.root == "/" else f"{self.root}/{name}"
        return Source(self.listing, self.listing, root, name, confined=False)

    def entries(self, *, recursive: bool = True) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything below the directory, directories before what they hold, links not followed.

        Yields:
            The path relative to the directory, and its info.

        Raises:
            OSError: of listing.
        """
        pending = [""]
        while pending:
            directory = pending.pop()
            infos = self.listing.ls(f"{self.root}/{directory}" if directory else self.root, detail=True)
            for info in sorted(infos, key=lambda one: str(one["name"])):
                name = str(info["name"]).rstrip("/").rpartition("/")[2]
                relative = f"{directory}/{name}" if directory else name
                if not name:
                    continue  # object stores may list a directory in itself
                yield relative, info
                if recursive and info["type"] == "directory":
                    pending.append(relative)


def open_source(location: str | os.PathLike[str] | AbstractFileSystem, path: str = "/") -> Source:
    """Open a directory to read from.

    Args:
        location: a directory of this machine, an fsspec URL of one, or a filesystem.
        path: the directory in the filesystem; without meaning for the others.

    Raises:
        OSError: ENOENT, ENOTDIR.
        ImportError: for a protocol whose package is not installed.
    """
    if isinstance(location, AbstractFileSystem):
        fs, path, name = location, location._strip_protocol(path), path
    else:
        name = os.fspath(location)
        fs, path = url_to_fs(name)
    if isinstance(fs, LocalFileSystem):
        return _of_this_machine(path, name)
    if not fs.isdir(path):
        raise os_error(errno.ENOTDIR if fs.exists(path) else errno.ENOENT, name)
    return _source(fs, path, name)


def open_beside(location: str | os.PathLike[str]) -> tuple[Source, str]:
    """Open the directory in which a file lies.

    Args:
        location: a file of this machine, or an fsspec URL of one.

    Returns:
        The directory, and the file's name in it.

    Raises:
        OSError: ENOENT.
    """
    name = os.fspath(location)
    fs, path = url_to_fs(name)
    if not isinstance(fs, LocalFileSystem):
        parent = fs._parent(path)
        return _source(fs, parent, name), path.rstrip("/").rpartition("/")[2]
    real = os.path.realpath(path)
    if not os.path.exists(real):
        raise os_error(errno.ENOENT, name)
    return _of_this_machine(os.path.dirname(real), name), os.path.basename(real)


def _of_this_machine(path: str, shown: str) -> Source:
    """A directory that the kernel itself keeps everything in."""
    if not os.path.isdir(path):
        raise os_error(errno.ENOTDIR if os.path.exists(path) else errno.ENOENT, shown)
    fs = fsspec.filesystem("chuklocal", root=os.path.realpath(path), read_only=True)
    return Source(fs, fs.posix.nofollow, "/", shown, confined=True)


def _source(fs: AbstractFileSystem, path: str, shown: str) -> Source:
    root = path.rstrip("/") or "/"
    view = without_links(fs)
    if root != "/" and view is not fs:
        try:
            view.info(root)
        except LinkInTheWay:
            raise os_error(errno.ELOOP, shown, hint="give the directory's own path, without symbolic links") from None
    whole = root == "/" and view is not fs
    return Source(fs if whole else view, view, root, shown, confined=whole)
