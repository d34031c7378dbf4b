"""Steps that can be taken back."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import NAME_MAX, encoded_length

_MARK = "before"
_OWNER = 0o700


class Undoing:
    """Steps that are taken back one by one, the last one first.

    What is replaced waits beside its place, as ``before-…``, until everything is done. There it also lies if the
    process is killed meanwhile.
    """

    def __init__(self, fs: AbstractFileSystem) -> None:
        self._fs = fs
        self._token = secrets.token_hex(4)
        self._undo: list[tuple[str, Callable[[], None]]] = []
        self._aside: list[str] = []
        self._capabilities = capabilities_of(fs)

    def make_directory(self, path: str) -> None:
        """Make one directory."""
        self._fs.makedirs(path, exist_ok=not self._capabilities.directories)
        self._undo.append((path, lambda: self._remove_directory(path)))

    def set_directory_mode(self, path: str, mode: int) -> None:
        """Give a directory that was made its permission bits; before it is emptied again, all of the owner's."""
        self._undo.append((path, lambda: self._fs.posix.chmod(path, _OWNER)))
        self._fs.posix.chmod(path, mode)

    def set_aside(self, path: str) -> None:
        """Free the name of a file or link."""
        aside = self._beside(path)
        self._undo.append((path, lambda: self._put_back(aside, path)))
        try:
            self._rename(path, aside)
        except OSError:
            if self._capabilities.rename:  # in one step: nothing has happened
                self._undo.pop()
            raise
        self._aside.append(aside)

    @contextmanager
    def making(self, path: str) -> Iterator[None]:
        """The block makes a file or link, which must not be there. What others make meanwhile is not ours to remove.

        An ``OSError`` of an atomic write says that nothing was made; anything else may come after it.
        """
        if not self._capabilities.exclusive_create and self._fs.exists(path):
            raise os_error(errno.EEXIST, path)
        self._undo.append((path, lambda: self._remove_entry(path)))
        try:
            yield
        except OSError as error:
            if self._capabilities.atomic_write or isinstance(error, FileExistsError):
                self._undo.pop()
            raise

    def finish(self) -> None:
        """Remove what was replaced: from here on nothing can be taken back."""
        for path in self._aside:
            self._fs.rm_file(path)

    def undo(self, cause: BaseException) -> None:
        """Take everything back.

        Raises:
            OSError: EIO naming what cannot be brought back, when everything else was.
        """
        failed = [path for path, undo in reversed(self._undo) if not _succeeds(undo)]
        if failed:
            hint = f"cannot be brought back; what was there may lie beside it, as {_MARK}-{self._token}-…"
            raise os_error(errno.EIO, failed[0], hint=hint) from cause

    def _beside(self, path: str) -> str:
        parent, _, name = path.rpartition("/")
        aside = f"{_MARK}-{self._token}-{name}"
        if encoded_length(aside) > NAME_MAX:
            aside = f"{_MARK}-{self._token}-{len(self._aside)}"
        return f"{parent}/{aside}"

    def _rename(self, source: str, path: str) -> None:
        """Rename in one step where the filesystem can; fsspec's own mv takes names for patterns."""
        if self._capabilities.rename:
            self._fs.posix.rename(source, path)
        else:
            self._fs.cp_file(source, path)
            self._fs.rm_file(source)

    def _put_back(self, aside: str, path: str) -> None:
        with suppress(FileNotFoundError):  # then it had not been moved yet
            self._rename(aside, path)

    def _remove_entry(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def _remove_directory(self, path: str) -> None:
        """Remove a directory that was made, unless somebody else uses it by now."""
        try:
            self._fs.rmdir(path)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise


def _succeeds(undo: Callable[[], None]) -> bool:
    try:
        undo()
    except OSError:
        return False
    return True
