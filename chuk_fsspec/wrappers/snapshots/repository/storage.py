"""The directory that a repository lives in: small files that are written once, whole, and never changed."""

from __future__ import annotations

import posixpath
from contextlib import suppress
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.paths import is_inside, normalise
from chuk_fsspec.forwarding.names import form_of
from chuk_fsspec.forwarding.publishing import WholeFiles

_TEMPORARY = ".chuk-"
"""How the names of files begin that are just being written."""


class Storage:
    """Files by relative names. Every error is that of the filesystem below."""

    def __init__(self, url: str, options: dict[str, Any] | None = None) -> None:
        """Find the directory; nothing is made yet.

        Args:
            url: any fsspec URL, or a path of the host.
            options: storage options.
        """
        fs, root = url_to_fs(url, **(options or {}))
        self.url = url
        self._fs = fs
        self._root = root.rstrip("/")
        self._made: set[str] = set()
        whole = WholeFiles(fs)
        atomic = capabilities_of(fs).atomic_write or "pipe_file" not in whole.operations
        self._pipe: Any = fs.pipe_file if atomic else whole.pipe_file
        self._normal = not atomic and not form_of(fs).is_ours
        self.is_remote = bool(fs.async_impl)

    def read(self, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """A file's bytes, or a range of them, which counts as in a slice. FileNotFoundError."""
        data: bytes = self._fs.cat_file(self._path(name), start=start, end=end)
        return data

    def is_empty(self) -> bool:
        """Whether the directory is there, with nothing in it."""
        return bool(self._fs.isdir(self._root or "/")) and not self._fs.ls(self._root or "/", detail=False)

    def lies_in(self, fs: AbstractFileSystem, root: str) -> bool:
        """Whether the directory is in another one, of a filesystem that has the same files under the same paths.

        Args:
            fs: any filesystem.
            root: a directory in it.
        """
        return fs == self._fs and is_inside(normalise(self._root), normalise(root))

    def write(self, name: str, data: bytes, *, exclusive: bool = False) -> None:
        """Write a whole file in one step. FileExistsError with ``exclusive`` if there is one."""
        path = self._path(name)
        directory = posixpath.dirname(path)
        if directory not in self._made:
            self._fs.makedirs(directory, exist_ok=True)
            self._made.add(directory)
        if self._normal:  # which is how whole files are named
            path = "/" + path.lstrip("/")
        self._pipe(path, data, mode="create" if exclusive else "overwrite")

    def names(self, directory: str) -> dict[str, dict[str, Any]]:
        """What a directory holds, temporary files left out: names and info dicts; nothing if it is not there."""
        found = self._listing(directory)
        return {name: info for name, info in found.items() if not name.startswith(_TEMPORARY)}

    def sweep(self, directory: str) -> None:
        """Remove temporary files that killed processes left; to be called while nobody writes there."""
        for name in self._listing(directory):
            if name.startswith(_TEMPORARY):
                self.remove(f"{directory}/{name}")

    def _listing(self, directory: str) -> dict[str, dict[str, Any]]:
        self._fs.invalidate_cache()
        try:
            infos = self._fs.ls(self._path(directory), detail=True)
        except FileNotFoundError:
            return {}
        return {info["name"].rpartition("/")[2]: info for info in infos if info["type"] == "file"}

    def remove(self, name: str) -> None:
        """Remove a file that may be gone already."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"
