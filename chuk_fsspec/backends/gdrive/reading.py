"""Bytes of files."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator

from chuk_fsspec.backends.gdrive.client import DriveClient
from chuk_fsspec.backends.gdrive.finding import Finder
from chuk_fsspec.backends.gdrive.resources import Resource, revision_of
from chuk_fsspec.backends.gdrive.wire import Part
from chuk_fsspec.contract.errors import not_found, os_error, precondition_failed


class Reader:
    """Reads files by path."""

    def __init__(self, client: DriveClient, finder: Finder, part_size: int) -> None:
        """Begin.

        Args:
            client: makes the requests.
            finder: finds files.
            part_size: bytes that are asked for at once when a whole file is read.
        """
        self._client, self._finder, self._part_size = client, finder, part_size

    async def read(self, path: str, start: int, stop: int | None, etag: str = "") -> bytes:
        """As ``RemoteStore.read``: one request if the path is known."""
        return (await self._part(path, start, stop, revision_of(etag))).data

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        """As ``RemoteStore.stream``: one request for a small file, and one for each piece of another."""
        size = self._part_size
        part = await self._part(path, 0, size, "")
        if part.size <= size:
            yield part.data
            return
        # Which version the first piece was of is not told: of one that is known, read all.
        found = _readable(path, await self._finder.look(path))
        for start in range(0, found.size, size):
            yield (await self._part(path, start, start + size, found.revision)).data

    async def file(self, path: str, etag: str = "") -> Resource:
        """What is known now of a file, which has to have an etag unless that is empty. PreconditionFailed."""
        found = _readable(path, await self._finder.look(path))
        if etag and found.version != etag:
            raise precondition_failed(path, etag, found.version, exists=False)
        return found

    async def _part(self, path: str, start: int, stop: int | None, revision: str) -> Part:
        found = _readable(path, await self._finder.find(path))
        try:
            return await self._client.read(path, found, start, stop, revision)
        except FileNotFoundError:
            self._finder.known.forget(path)
            if revision:
                raise os_error(errno.ESTALE, path, hint="this version is not there any more; open it again") from None
        found = _readable(path, await self._finder.look(path))
        return await self._client.read(path, found, start, stop)


def _readable(path: str, found: Resource | None) -> Resource:
    """A file that has bytes. ENOENT, EISDIR, EOPNOTSUPP."""
    if found is None:
        raise not_found(path)
    check_is_file(path, found)
    return found


def check_is_file(path: str, found: Resource) -> None:
    """EISDIR for a folder, EOPNOTSUPP for what has no bytes of its own."""
    if found.kind == "directory":
        raise os_error(errno.EISDIR, path)
    if found.kind == "other":
        hint = "a document of Google's has no bytes; export it in the browser"
        raise os_error(errno.EOPNOTSUPP, path, hint=hint)
