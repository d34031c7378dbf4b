"""The filesystem below, spoken to only in fsspec's literal forms: a name with ``*`` in it is just a name.

Paths are given as names from the root. Every error that comes back is an ``OSError`` with an errno.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.attributes import Attributes, attributes_of
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.conditions import given
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import SPECIAL_NAMES
from chuk_fsspec.contract.posix import Posix
from chuk_fsspec.vfs.errors import os_errors

Names = Sequence[str]

_FILE_MODE = 0o644


class Backend:
    """One fsspec filesystem, seen from a root inside it.

    Args:
        fs: the filesystem.
        root: the path in it that is the root; empty for its own.
        capabilities: what it can do.
    """

    def __init__(self, fs: AbstractFileSystem, root: str, capabilities: Capabilities) -> None:
        self.fs = fs
        self.capabilities = capabilities
        self._root = fs._strip_protocol(root) if root else fs.root_marker
        self._prefix = self._root if not self._root or self._root.endswith("/") else f"{self._root}/"

    @property
    def posix(self) -> Posix:
        """The filesystem's POSIX side, where it declares one."""
        return cast("Posix", self.fs.posix)

    @property
    def may_replace(self) -> bool:
        """Whether a new file can take the place of an old one in one step, and nothing is lost with the old one."""
        can = self.capabilities
        return can.replace and not (can.attributes or can.xattrs or can.hardlinks)

    def path(self, names: Names) -> str:
        """The filesystem's own path of what the names lead to."""
        return self._prefix + "/".join(names) if names else self._root

    def require_write(self, names: Names) -> None:
        """Check that the filesystem takes changes. EROFS."""
        if not self.capabilities.write:
            raise os_error(errno.EROFS, self.path(names))

    # ---- looking

    def attributes(self, names: Names) -> Attributes:
        """What is there. ENOENT."""
        path = self.path(names)
        with os_errors(path):
            # How long answers are believed is for the node table to say, so the filesystem's own cache must not answer.
            self.fs.invalidate_cache(path)
            return attributes_of(self.fs.info(path))

    def entries(self, names: Names) -> dict[str, Attributes]:
        """What a directory holds, by name. ENOENT, ENOTDIR.

        Where an object store has both an object ``a`` and objects below ``a/``, the directory is shown: it may hide one
        object, the other way a whole tree would be hidden.
        """
        path = self.path(names)
        with os_errors(path):
            self.fs.invalidate_cache(path)
            infos = self.fs.ls(path, detail=True)
        own = path.strip("/")
        found: dict[str, Attributes] = {}
        for info in infos:
            full = info["name"].rstrip("/")
            name = full.rpartition("/")[2]
            if len(infos) == 1 and info["name"].lstrip("/") == own and info["type"] != "directory":
                raise os_error(errno.ENOTDIR, path)
            if name in SPECIAL_NAMES or full.strip("/") == own:
                continue
            if name not in found or info["type"] == "directory":
                found[name] = attributes_of(info)
        return found

    # ---- content

    def read(self, names: Names, start: int, stop: int, etag: str = "") -> bytes:
        """Bytes of a file, fewer only if it ends before ``stop``.

        Args:
            names: the file.
            start: the first byte.
            stop: behind the last byte.
            etag: of the version that is wanted, where the filesystem reads versions; empty for whatever is there.

        Raises:
            OSError: whatever the filesystem says; ESTALE if there is another version; EIO if more comes than was asked.
        """
        path = self.path(names)
        with os_errors(path):
            data: bytes = self.fs.cat_file(path, start=start, end=stop, **given(if_match=etag or None))
        if len(data) > stop - start:
            raise os_error(errno.EIO, path, hint="the filesystem ignores the range it is asked for")
        return data

    def download(self, names: Names, local: str) -> None:
        """Copy a whole file to a local one."""
        path = self.path(names)
        with os_errors(path):
            self.fs.get_file(path, local)

    def upload(self, local: str, size: int, names: Names, *, beside: bool) -> Attributes | None:
        """Replace a file's content by that of a local one, and make sure that it arrived.

        Args:
            local: path of the local file.
            size: its length in bytes.
            names: the file to replace or create.
            beside: write under another name in the same directory, then move that over the file.

        Returns:
            What the filesystem says of the file afterwards; None if it has not been asked, since it answers for whole
            files and told the etag of this one.

        Raises:
            OSError: whatever the filesystem says; EIO if it took the content without an error and has not got it.
        """
        if not beside:
            return self._put(local, size, names)
        aside = [*names[:-1], f".{secrets.token_hex(8)}.part"]
        try:
            self._put(local, size, aside)
            self.move(aside, names)
        except OSError:
            with suppress(OSError):
                self.remove(aside)
            raise
        return self.attributes(names)

    # ---- attributes, where the filesystem keeps them

    def set_mode(self, names: Names, mode: int) -> None:
        """Set the permission bits."""
        path = self.path(names)
        with os_errors(path):
            self.posix.chmod(path, mode & 0o7777)

    def set_owner(self, names: Names, uid: int, gid: int) -> None:
        """Set owner and group, of a link itself; -1 leaves one as it is."""
        path = self.path(names)
        with os_errors(path):
            self.posix.chown(path, uid, gid, follow_symlinks=False)

    def set_times(self, names: Names, atime_ns: int, mtime_ns: int) -> None:
        """Set the times of access and change, of a link itself."""
        path = self.path(names)
        with os_errors(path):
            self.posix.utime(path, ns=(atime_ns, mtime_ns), follow_symlinks=False)

    # ---- names

    def make_file(self, names: Names, mode: int) -> int:
        """Make an empty file; returns the permission bits that it got. EEXIST where the filesystem can tell."""
        path = self.path(names)
        with os_errors(path):
            if self.capabilities.random_write:
                self.posix.open_handle(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode).close()
                return mode
            if self.capabilities.exclusive_create:
                self.fs.pipe_file(path, b"", mode="create")
            else:
                self.fs.pipe_file(path, b"")
            return _FILE_MODE

    def make_directory(self, names: Names, *, create_parents: bool = False) -> None:
        """Make a directory, as far as the filesystem has such a thing. EEXIST; ENOENT without its parents."""
        path = self.path(names)
        try:
            with os_errors(path):
                self.fs.mkdir(path, create_parents=create_parents)
        except OSError as error:
            if self.capabilities.directories or error.errno != errno.ENOTSUP:
                raise

    def remove(self, names: Names) -> None:
        """Remove a file or link. ENOENT where the filesystem can tell."""
        path = self.path(names)
        with os_errors(path):
            self.fs.rm_file(path)

    def remove_directory(self, names: Names) -> None:
        """Remove an empty directory, as far as the filesystem has such a thing. ENOTEMPTY."""
        path = self.path(names)
        try:
            with os_errors(path):
                self.fs.rmdir(path)
        except OSError as error:
            if self.capabilities.directories or error.errno not in (errno.ENOENT, errno.ENOTSUP):
                raise

    def move(self, names: Names, new_names: Names) -> None:
        """Rename a file or directory to a free name, or a file over one where ``replace`` is declared."""
        path = self.path(names)
        with os_errors(path):
            self.fs.mv(path, self.path(new_names))

    def copy_file(self, names: Names, new_names: Names) -> None:
        """Copy one file inside the filesystem. ENOTSUP."""
        path = self.path(names)
        with os_errors(path):
            self.fs.cp_file(path, self.path(new_names))

    # ---- steps

    def _put(self, local: str, size: int, names: Names) -> Attributes | None:
        path = self.path(names)
        with os_errors(path):
            etag = self.fs.put_file(local, path)
        if etag and isinstance(etag, str) and self.capabilities.atomic_write:
            return None
        try:
            attributes = self.attributes(names)
        except FileNotFoundError as error:
            raise os_error(errno.EIO, path, hint="the filesystem took the content and does not have it") from error
        if attributes.sized and attributes.size != size:
            raise os_error(errno.EIO, path, hint=f"the filesystem has {attributes.size} of {size} bytes")
        return attributes
