"""What a remote filesystem reads."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.errors import LinkInTheWay, not_a_file, not_supported, os_error
from chuk_fsspec.contract.threads import in_thread
from chuk_fsspec.remote.local import LocalTarget
from chuk_fsspec.remote.looking import Looking
from chuk_fsspec.remote.ranges import Merged, merge, ranges_of
from chuk_fsspec.remote.resolving import ToldAs
from chuk_fsspec.remote.store import Entry
from chuk_fsspec.remote.streams import closing

VERSION_ATTEMPTS = 10
"""How often a file that others replace all the time is tried before anything of it was read."""


class Reading(Looking):
    """The part of ``RemoteFileSystem`` that reads."""

    async def _cat_file(
        self,
        path: str,
        start: int | None = None,
        end: int | None = None,
        *,
        if_match: str | None = None,
        **kwargs: Any,
    ) -> bytes:
        """A file's bytes, or those from ``start`` to ``end``, which count as in a slice.

        Args:
            path: absolute path or URL.
            start: the first byte; None for the begin of the file.
            end: behind the last byte; None for the end of the file.
            if_match: the etag of the version that is wanted, where ``versioned_reads`` is declared.
            kwargs: ignored.

        Raises:
            OSError: ENOENT, EISDIR; ESTALE if there is another version.
        """
        normal = self._strip_protocol(path)
        if if_match is not None and not self.capabilities.versioned_reads:
            raise not_supported("reading a certain version", normal)
        if (start is None or start >= 0) and (end is None or end > (start or 0)):
            return await self._read(normal, start or 0, end, if_match or "")
        for _ in range(VERSION_ATTEMPTS):
            entry = await self._file_at(normal)
            if if_match not in (None, entry.etag):
                break
            first, stop, _ = slice(start, end).indices(entry.size)
            if stop <= first:
                return b""
            try:
                return await self._store.read(entry.path, first, stop, entry.etag)
            except OSError as error:
                if error.errno != errno.ESTALE:
                    raise
        hint = "there is another version" if if_match else "it is replaced faster than it can be read"
        raise os_error(errno.ESTALE, normal, hint=hint)

    async def _read(self, path: str, start: int, stop: int | None, etag: str = "") -> bytes:
        """Bytes of the file that a normal path leads to, in one request where no link is on the way."""
        if self.follow_links:
            try:
                return await self._store.read(path, start, stop, etag)
            except (FileNotFoundError, NotADirectoryError, LinkInTheWay):
                if not self.capabilities.symlinks:
                    raise await self._nothing_at(path) from None
        real = (await self._file_at(path)).path
        with ToldAs(path, real):
            return await self._store.read(real, start, stop, etag)

    async def _file_at(self, path: str) -> Entry:
        """The file that a normal path leads to. ENOENT, EISDIR."""
        entry = await self._look(path, follow=True)
        if entry.kind != "file":
            raise not_a_file(path, is_directory=entry.kind == "directory")
        return entry

    async def _stream(self, path: str) -> AsyncIterator[bytes]:
        """The whole of the file that a normal path leads to, in pieces, one version of it. ENOENT, EISDIR."""
        real = path if self._service_follows else await self._real(path)
        try:
            with ToldAs(path, real):
                async with closing(self._store.stream(real)) as stream:
                    async for piece in stream:
                        yield piece
        except FileNotFoundError:
            raise await self._nothing_at(path) from None

    async def _cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        batch_size: int | None = None,
        on_error: str = "return",
        **kwargs: Any,
    ) -> list[Any]:
        """Ranges of files, several at once.

        Args:
            paths: a file for each range; one may be named often.
            starts: the first byte of each, or one number for all.
            ends: the byte before which each ends, or one for all.
            max_gap: ranges of one file with at most so many bytes between them come in one request; None for each in
                one of its own.
            batch_size: ignored; the service says how many requests it takes at once.
            on_error: "return" the error of a range in its place, or "raise" the first one.
            kwargs: ignored.
        """
        asked = ranges_of(paths, starts, ends)
        merged = merge(asked, max_gap)
        found = await self._together(self._outcome(one) for one in merged)
        results: list[Any] = [None] * len(asked)
        for outcomes in found:
            for number, outcome in outcomes:
                if on_error != "return" and isinstance(outcome, Exception):
                    raise outcome
                results[number] = outcome
        return results

    async def _outcome(self, merged: Merged) -> list[tuple[int, Any]]:
        """The bytes, or the error, of every range in one request."""
        try:
            data = await self._cat_file(merged.path, merged.start, merged.end)
        except OSError as error:
            return [(number, error) for number, _, _ in merged.parts]
        return [(number, data[start:end]) for number, start, end in merged.parts]

    async def _get_file(
        self, rpath: str, lpath: Any, callback: Callback = DEFAULT_CALLBACK, outfile: Any = None, **kwargs: Any
    ) -> None:
        """Download a file; what was under the local name before stays until all has come.

        Args:
            rpath: what is downloaded; for a directory a local one is made.
            lpath: absolute or relative path of this machine; missing directories are made.
            callback: told of the size, where somebody listens, and of every piece.
            outfile: an open file that is written to instead.
            kwargs: ignored.

        Raises:
            OSError: ENOENT; what the local filesystem says.
        """
        normal = self._strip_protocol(rpath)
        if callback is not DEFAULT_CALLBACK:
            callback.set_size((await self._look(normal, follow=True)).size)
        target = LocalTarget(lpath, outfile)
        try:
            async with closing(self._stream(normal)) as stream:
                async for piece in stream:
                    await target.write(piece)
                    callback.relative_update(len(piece))
            await target.finish()
        except IsADirectoryError:
            await target.abandon()
            if outfile is not None or not await self._isdir(normal):
                raise
            await in_thread(lambda: os.makedirs(os.fspath(lpath), exist_ok=True))
        except BaseException:
            await target.abandon()
            raise
