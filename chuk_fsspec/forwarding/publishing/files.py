"""Files open for writing whose content appears when they are closed, whole, and never if they are discarded."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.spec import AbstractBufferedFile

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.forwarding.publishing.places import Place

_IN_MEMORY = 1024 * 1024
"""Bytes of an upload that wait in memory before they go to the disk."""


class WholeFile(io.BufferedIOBase):
    """The state that all of them have. One that is forgotten without being closed is discarded."""

    def __init__(self) -> None:
        self._discarded = False
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Buffer, /) -> int:  # type: ignore[override]
        if self.closed:
            raise ValueError("I/O operation on closed file")
        size = memoryview(data).nbytes
        try:
            self._write(data)
        except BaseException:
            self.discard()  # what is written from here on would have a gap before it
            raise
        self._position += size
        return size

    def discard(self) -> None:
        """Drop what was written; the file keeps its old content."""
        self._discarded = True

    def close(self) -> None:
        """Publish what was written. If that fails, the file is closed and unchanged, and the error is raised."""
        if self.closed:
            return
        try:
            if not self._discarded:
                self._publish()
        except BaseException:
            self._discarded = True
            raise
        finally:
            try:
                if self._discarded:
                    self._abandon()
            finally:
                super().close()

    def __exit__(self, exc_type: object, *exc_info: object) -> None:
        if exc_type is not None:
            self.discard()
        self.close()

    def __del__(self) -> None:
        if not self.closed:
            self.discard()
            self.close()

    def _write(self, data: Buffer) -> None:
        raise NotImplementedError

    def _publish(self) -> None:
        raise NotImplementedError

    def _abandon(self) -> None:
        """Leave nothing behind."""


class ReplacingFile(WholeFile):
    """Written beside its target under a temporary name; a rename puts it there."""

    _file: Any = None

    def __init__(self, place: Place, path: str, exclusive: bool) -> None:
        super().__init__()
        self._place, self._path, self._exclusive = place, path, exclusive
        with _named(path):
            if exclusive and place.exists(path):
                raise os_error(errno.EEXIST, path)
            self._target = place.resolve(path)
            self._temporary = place.beside(self._target)
            self._file = place.create(self._temporary, self._target)

    def _write(self, data: Buffer) -> None:
        with _named(self._path):
            _write_all(self._file, data)

    def _publish(self) -> None:
        with _named(self._path):
            self._place.finish(self._file)
            self._place.swap(self._temporary, self._target, self._exclusive)

    def _abandon(self) -> None:
        if self._file is not None:
            try:
                drop(self._file)
            finally:
                self._place.remove(self._temporary)


class DeferredFile(WholeFile):
    """Written as fsspec's transactions write: nothing shows until ``commit``."""

    _file: Any = None

    def __init__(self, fs: AbstractFileSystem, path: str, mode: str, options: dict[str, Any]) -> None:
        super().__init__()
        self._file = fs.open(path, mode, autocommit=False, **options)

    def _write(self, data: Buffer) -> None:
        _write_all(self._file, data)

    def _publish(self) -> None:
        self._file.close()
        commit = getattr(self._file, "commit", None)
        # A spooled file has nothing to commit once it is closed: closing it has sent it (webdav4 has these).
        if commit is not None and not isinstance(self._file, tempfile.SpooledTemporaryFile):
            commit()

    def _abandon(self) -> None:
        if self._file is not None:
            drop(self._file)


class GatheredFile(WholeFile):
    """Kept in memory, and written by one ``pipe_file``: for filesystems that keep everything in memory anyway."""

    def __init__(self, fs: AbstractFileSystem, path: str, exclusive: bool) -> None:
        super().__init__()
        _require_free(fs, path, exclusive)
        self._fs, self._path, self._exclusive = fs, path, exclusive
        self._content = io.BytesIO()

    def _write(self, data: Buffer) -> None:
        self._content.write(data)

    def _publish(self) -> None:
        self._fs.pipe_file(self._path, self._content.getvalue(), mode="create" if self._exclusive else "overwrite")


class UploadedFile(WholeFile):
    """Kept in a nameless file on this machine, and sent whole by one ``put``."""

    _content: Any = None

    def __init__(self, fs: AbstractFileSystem, path: str, exclusive: bool) -> None:
        super().__init__()
        _require_free(fs, path, exclusive)
        self._fs, self._path, self._exclusive = fs, path, exclusive
        self._content = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by close()

    def _write(self, data: Buffer) -> None:
        self._content.write(data)

    def _publish(self) -> None:
        mode = "create" if self._exclusive else "overwrite"
        with self._content:
            if self._position <= _IN_MEMORY:
                self._content.seek(0)
                self._fs.pipe_file(self._path, self._content.read(), mode=mode)
            else:
                _send(self._content, self._fs, self._path, mode)

    def _abandon(self) -> None:
        if self._content is not None:
            self._content.close()


class JoiningFile(UploadedFile):
    """Written inside a transaction, which it joins when it is complete."""

    def _publish(self) -> None:
        with self._content, self._fs.open(self._path, "xb" if self._exclusive else "wb") as file:
            self._content.seek(0)
            shutil.copyfileobj(self._content, file, _IN_MEMORY)


def drop(file: Any) -> None:
    """Close a file of another filesystem so that what was written to it is not published."""
    discard = getattr(file, "discard", None)
    if discard is not None:
        discard()
    if isinstance(file, AbstractBufferedFile):
        file.closed = True  # closing it, or forgetting it, would upload what it still holds
    else:
        file.close()


def _write_all(file: Any, data: Buffer) -> None:
    """Write all of a buffer to a file of another filesystem. EIO if it takes less."""
    written = file.write(data)
    if written is not None and written != memoryview(data).nbytes:
        raise os_error(errno.EIO, hint=f"only {written} bytes of {memoryview(data).nbytes} were taken")


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Put the path that the user knows into errors, in place of a temporary name."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = path, None
        raise


def _require_free(fs: AbstractFileSystem, path: str, exclusive: bool) -> None:
    """Fail as publishing would, but before anything is written."""
    if fs.isdir(path):
        raise os_error(errno.EISDIR, path)
    if exclusive and fs.exists(path):
        raise os_error(errno.EEXIST, path)


def _send(content: Any, fs: AbstractFileSystem, path: str, mode: str) -> None:
    """Upload a nameless file, by the name that the system has for its descriptor."""
    content.seek(0)
    fd = content.fileno()
    if os.path.exists(f"/dev/fd/{fd}"):
        content.flush()
        fs.put([f"/dev/fd/{fd}"], [path], mode=mode)
        return
    with tempfile.TemporaryDirectory(prefix="chuk-fsspec-") as directory:
        named = os.path.join(directory, "upload")
        with open(named, "wb") as file:
            shutil.copyfileobj(content, file, _IN_MEMORY)
        fs.put([named], [path], mode=mode)


class CopyForReading(io.BufferedReader):
    """A whole content, for one reader alone."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.size = len(content)
