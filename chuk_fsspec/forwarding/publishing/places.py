"""Where a file is written under a temporary name before it takes the place of another one: two kinds of filesystem."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from contextlib import suppress
from typing import Any, Protocol

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.conditions import Condition, given
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import join, normalise, split
from chuk_fsspec.forwarding.publishing.attributes import copy_as_declared, copy_on_host
from chuk_fsspec.forwarding.publishing.leftovers import sweeper, temporary_name

LINKS_MAX = 40
"""How many links in a row are followed, as on Linux."""

PRIVATE = 0o600
"""Mode of a file that is going to replace another one, until it has that one's mode."""

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class Place(Protocol):
    """A filesystem on which a rename takes the place of what is there. Paths are the filesystem's own."""

    def resolve(self, path: str) -> str:
        """Where a write to ``path`` ends up, final links followed. EISDIR, ELOOP; EINVAL for a special file."""

    def beside(self, path: str) -> str:
        """A temporary name in the same directory; what killed processes left there is removed."""

    def create(self, temporary: str, target: str) -> Any:
        """Open a new file for writing, which nobody may read who cannot read the target."""

    def exists(self, path: str) -> bool:
        """Whether there is an entry of this name, be it a link to nothing."""

    def finish(self, file: Any) -> None:
        """Close what ``create`` opened, durable where that is in our hands."""

    def swap(self, temporary: str, target: str, exclusive: bool) -> None:
        """Give the temporary file the target's mode, owner and attributes, and then its name, in one step.

        With ``exclusive``, FileExistsError if there is a target.
        """

    def remove(self, path: str) -> None:
        """Remove a file that may be gone already."""


class HostPlace:
    """fsspec's own local filesystem. Its paths are those of the host."""

    def __init__(self, fs: LocalFileSystem) -> None:
        self._fs = fs

    def resolve(self, path: str) -> str:
        target: str = os.path.realpath(self._fs._strip_protocol(path))
        try:
            mode = os.lstat(target).st_mode
        except FileNotFoundError:
            return target
        if stat.S_ISLNK(mode):  # realpath gives up where links go round in circles
            raise os_error(errno.ELOOP, path)
        _require_file(path, is_directory=stat.S_ISDIR(mode), is_file=stat.S_ISREG(mode))
        return target

    def beside(self, path: str) -> str:
        directory = os.path.dirname(path)
        if self._fs.auto_mkdir:
            os.makedirs(directory, exist_ok=True)
        sweeper.sweep(
            f"file://{directory}",
            lambda: os.listdir(directory),
            lambda name: time.time() - os.lstat(os.path.join(directory, name)).st_mtime,
            lambda name: os.unlink(os.path.join(directory, name)),
        )
        return os.path.join(directory, temporary_name())

    def create(self, temporary: str, target: str) -> Any:
        mode = PRIVATE if os.path.exists(target) else 0o666
        return open(temporary, "xb", opener=lambda path, flags: os.open(path, flags, mode))

    def exists(self, path: str) -> bool:
        return os.path.lexists(path)

    def finish(self, file: Any) -> None:
        with file:
            file.flush()
            os.fsync(file.fileno())

    def swap(self, temporary: str, target: str, exclusive: bool) -> None:
        if not (exclusive and self._link(temporary, target)):
            with suppress(FileNotFoundError):
                copy_on_host(target, temporary)
            os.replace(temporary, target)
        if sys.platform != "win32":
            _sync(os.path.dirname(target))

    def _link(self, temporary: str, target: str) -> bool:
        """Publish without replacing. False, with nothing done, where the filesystem knows no hard links. EEXIST."""
        try:
            os.link(temporary, target)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            if os.path.lexists(target):
                raise os_error(errno.EEXIST, target) from None
            return False
        os.unlink(temporary)
        return True

    def remove(self, path: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(path)


class DeclaredPlace:
    """A filesystem that declares ``rename`` and ``replace``, and on ``posix`` what it knows of attributes."""

    def __init__(self, fs: AbstractFileSystem) -> None:
        self._fs = fs
        self._can = capabilities_of(fs)

    def resolve(self, path: str) -> str:
        target: str = self._fs._strip_protocol(path)
        for _ in range(LINKS_MAX):
            if not self._fs.lexists(target):
                return target
            info = self._fs.info(target)
            if not info.get("islink"):
                _require_file(path, is_directory=info["type"] == "directory", is_file=info["type"] == "file")
                return target
            # The text of a link counts from where the link is.
            target = normalise(os.path.join(split(target)[0], info["destination"]))
        raise os_error(errno.ELOOP, path)

    def beside(self, path: str) -> str:
        directory: str = self._fs._parent(path)
        self.sweep(directory)
        return join(directory, temporary_name())

    def sweep(self, directory: str) -> None:
        """Remove what killed processes left in a directory, and uploads that nobody resumed."""
        sweeper.sweep(
            f"{hash(self._fs)}:{directory}",
            lambda: [path.rstrip("/").rpartition("/")[2] for path in self._fs.ls(directory, detail=False)],
            lambda name: self._idle(join(directory, name)),
            lambda name: self._fs.rm_file(join(directory, name)),
        )

    def _idle(self, path: str) -> float:
        changed = self._fs.info(path).get("mtime")
        return time.time() - changed if changed is not None else 0.0

    def create(self, temporary: str, target: str) -> Any:
        file = self._fs.open(temporary, "xb")
        if self._can.attributes and self._fs.exists(target) and self._fs.exists(temporary):
            self._fs.posix.chmod(temporary, PRIVATE)
        return file

    def exists(self, path: str) -> bool:
        return bool(self._fs.lexists(path))

    def finish(self, file: Any) -> None:
        file.close()

    def swap(self, temporary: str, target: str, exclusive: bool, condition: Condition | None = None) -> None:
        if exclusive and self._fs.lexists(target):
            raise os_error(errno.EEXIST, target)
        with suppress(FileNotFoundError):
            copy_as_declared(self._fs, target, temporary)
        asked = condition or Condition()
        self._fs.mv(temporary, target, **given(if_target_match=asked.if_match, if_none_match=asked.if_none_match))

    def remove(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self._fs.rm_file(path)


def _require_file(path: str, *, is_directory: bool, is_file: bool) -> None:
    if is_directory:
        raise os_error(errno.EISDIR, path)
    if not is_file:
        raise os_error(errno.EINVAL, path, hint="not a regular file, so nothing can take its place")


def _sync(directory: str) -> None:
    """Make a directory's entries durable."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
