"""Where archives are: files of the host, open files, and files of any fsspec filesystem."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from chuk_fsspec.archives.compression import Source
from chuk_fsspec.archives.refusal import damaged
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.forwarding.publishing import open_whole

Archive = str | os.PathLike[str] | BinaryIO
"""A path on the host, an fsspec URL, or a binary file that is open."""


def name_of(archive: Archive) -> str:
    """The path whose end tells the format; empty for an open file. Of a chained URL that is the first part."""
    return os.fspath(archive).partition("::")[0] if isinstance(archive, (str, os.PathLike)) else ""


# ---- reading


@contextmanager
def opened_source(archive: Archive, options: Mapping[str, Any]) -> Iterator[Any]:
    """The archive, open for reading. A file that was open already stays so.

    Args:
        archive: where it is.
        options: storage options of a URL.

    Raises:
        OSError: ENOENT and whatever else the filesystem says.
    """
    if not isinstance(archive, (str, os.PathLike)):
        yield archive
    elif _is_url(archive):
        with fsspec.open(os.fspath(archive), "rb", **options) as file:
            yield file
    else:
        with open(archive, "rb") as file:
            yield file


class Peeked:
    """A source whose beginning was looked at already."""

    def __init__(self, source: Source, most: int) -> None:
        self._source = source
        self.start = b""
        while len(self.start) < most and (data := source.read(most - len(self.start))):
            self.start += data
        self._left = self.start

    def read(self, size: int, /) -> bytes:
        """At least one byte, at most ``size``; none at the end."""
        if not self._left:
            return self._source.read(size)
        data, self._left = self._left[:size], self._left[size:]
        return data


def require_seekable(file: Any) -> None:
    """Refuse a file that can only be read once. ArchiveRefused, with what to do."""
    if not file.seekable():
        raise damaged("a zip file is read from its end, and this one cannot seek: save it first")


# ---- writing


class CountingFile:
    """What an archive is written to; it counts, and knows no way back."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.count = 0

    def write(self, data: Buffer) -> int:
        """Write all of it."""
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            written = self._file.write(view[done:])
            done += len(view) - done if written is None else written
        self.count += done
        return done

    def flush(self) -> None:
        """Nothing waits here."""


@contextmanager
def opened_target(archive: Archive, options: Mapping[str, Any], *, overwrite: bool) -> Iterator[CountingFile]:
    """What an archive is written to. It appears under its name when the block ends well, and never otherwise.

    Args:
        archive: where it will be. A file that is open is written to as it is; after an error it is cut to what it was
            where that is possible.
        options: storage options of a URL.
        overwrite: whether it may take the place of a file that is there.

    Raises:
        FileExistsError: if there is one, and ``overwrite`` is not set.
    """
    if not isinstance(archive, (str, os.PathLike)):
        with _cut_after_failure(archive):
            yield CountingFile(archive)
        return
    fs, path = url_to_fs(os.fspath(archive), **options) if _is_url(archive) else _on_host(archive)
    if not overwrite and fs.exists(path):
        raise os_error(errno.EEXIST, os.fspath(archive), hint="choose another name, or pass overwrite=True")
    with open_whole(fs, path, "wb" if overwrite else "xb") as file:
        yield CountingFile(file)


def _on_host(archive: str | os.PathLike[str]) -> tuple[LocalFileSystem, str]:
    return LocalFileSystem(), os.path.abspath(archive)


@contextmanager
def _cut_after_failure(file: Any) -> Iterator[None]:
    start = file.tell() if file.seekable() else None
    try:
        yield
    except BaseException:
        if start is not None:
            with suppress(OSError):
                file.seek(start)
                file.truncate()
        raise


def _is_url(archive: str | os.PathLike[str]) -> bool:
    text = os.fspath(archive)
    return "://" in text or "::" in text
