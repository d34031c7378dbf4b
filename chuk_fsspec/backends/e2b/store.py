"""The files of a sandbox as a ``RemoteStore``.

Names, looks and content go through the files API of the sandbox; what that cannot do safely, through ``scripts``.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import e2b

from chuk_fsspec.backends.e2b.asking import Asker
from chuk_fsspec.backends.e2b.downloading import opened, pieces_of, read_span
from chuk_fsspec.backends.e2b.entries import entry_of
from chuk_fsspec.backends.e2b.errors import told
from chuk_fsspec.backends.e2b.linking import Links
from chuk_fsspec.backends.e2b.listing import Listing, list_directory
from chuk_fsspec.backends.e2b.place import Place, is_reserved
from chuk_fsspec.backends.e2b.publishing import Publisher, require_replaceable
from chuk_fsspec.backends.e2b.scripts import (
    COPY,
    MAKE_DIRECTORY,
    MOVE,
    REMOVE_DIRECTORY,
    REMOVE_FILE,
    SET_ATTRIBUTES,
)
from chuk_fsspec.backends.e2b.uploading import Sent, StreamedUpload
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.paths import join
from chuk_fsspec.contract.threads import ended, to_its_end
from chuk_fsspec.remote.store import Attributes, Entry, Traits, Upload
from chuk_fsspec.remote.streams import closing

TRAITS = Traits(
    Capabilities(
        write=True,
        directories=True,
        rename=True,
        replace=True,
        atomic_write=True,
        exclusive_create=True,
        modified_times=True,
        symlinks=True,
        attributes=True,
        shared_between_threads=True,
        shared_between_processes=True,
    ),
    parallel_requests=16,
    resolves_links=True,
)

ABANDONED_SECONDS = 3600.0
"""How long nobody has written to a temporary file before it counts as left behind."""

_ALL_LEVELS = 2**31 - 1

_ANY_SIZE = 1 << 62
"""Of what may come in one request, as long as it keeps coming."""


class E2BStore:
    """What the filesystem asks of a sandbox, in one event loop."""

    traits = TRAITS

    def __init__(self, asker: Asker, place: Place) -> None:
        """Begin without a request.

        Args:
            asker: makes the requests.
            place: what is shown of the sandbox.
        """
        self.asker = asker
        self._place = place
        self._links = Links(asker, place)
        self._publisher = Publisher(asker, place)

    # ---- looking

    async def look(self, path: str) -> Entry | None:
        real = self._place.real(path)
        try:
            info = await self.asker.files(path, lambda files: files.get_info(real, **self.asker.how))
            destination = await self._links.held(path, info)
        except FileNotFoundError:
            return None
        return entry_of(info, path, await self.asker.people(), destination)

    async def descend(self, path: str, *, names_only: bool = False) -> AsyncIterator[Sequence[Entry]]:
        yield await self._entries(path, await self._all_below(path), _ALL_LEVELS)

    async def _all_below(self, path: str) -> Mapping[str, e2b.EntryInfo]:
        """All levels of a directory in one request. It fails when a directory goes meanwhile, and is made again."""
        for _ in range(self.asker.patience.attempts):
            try:
                return (await self._listed(path, _ALL_LEVELS)).entries
            except (FileNotFoundError, NotADirectoryError):  # noqa: PERF203 - each is asked anew
                with suppress(NotADirectoryError):
                    entry = await self.look(path)
                    if entry is not None and entry.kind == "directory":
                        continue
                return {}
        raise os_error(errno.EAGAIN, path, hint="directories below it come and go faster than they can be listed")

    async def _listed(self, path: str, depth: int) -> Listing:
        asker, real, client = self.asker, self._place.real(path), await self.asker.client()
        return await asker.calls(path, lambda: list_directory(client, real, asker.user, asker.patience.timeout, depth))

    async def _entries(self, path: str, found: Mapping[str, e2b.EntryInfo], depth: int) -> list[Entry]:
        held, people = await self._links.held_below(path, found, depth), await self.asker.people()
        shown = {way: info for way, info in found.items() if not is_reserved(way)}
        return [entry_of(info, join(path, way), people, held.get(way, "")) for way, info in shown.items()]

    async def list(self, path: str, *, names_only: bool = False) -> list[Entry]:
        found = await self._listed(path, 1)
        await self._sweep(found)
        return await self._entries(path, found.entries, 1)

    # ---- reading

    async def read(self, path: str, start: int, stop: int | None, etag: str = "") -> bytes:
        real, client = self._place.real(path), await self.asker.client()
        user, patience = self.asker.user or "", self.asker.patience.timeout
        return await self.asker.calls(
            path, lambda: read_span(client, real, user, start, stop, patience), size=_ANY_SIZE
        )

    async def read_latest(self, path: str, start: int, stop: int) -> tuple[Entry, bytes]:
        """Which version that would be is not told."""
        raise not_supported("to tell the version of what is read", path)

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        real, client = self._place.real(path), await self.asker.client()
        response = await self.asker.calls(path, lambda: opened(client, real, self.asker.user or ""))
        with told(path):
            async with closing(pieces_of(response, self.asker.patience.timeout)) as pieces:
                async for piece in pieces:
                    yield piece

    # ---- writing

    async def write(self, path: str, data: bytes, besides: Attributes, condition: Condition | None) -> Entry:
        how = {**self._kept(besides), "request_timeout": self.asker.patience.time_for(len(data))}

        async def write(temporary: str) -> object:
            def ask(files: Any) -> Any:
                return files.write(temporary, data, use_octet_stream=True, **how)

            return await self.asker.files(path, ask, size=len(data))

        return await self._published(path, write, condition)

    async def _published(
        self, path: str, make: Callable[[str], Awaitable[object]], condition: Condition | None, *, keeps: bool = True
    ) -> Entry:
        """Have a file made under a temporary name, look at what it replaces meanwhile, and publish it."""
        temporary = self._place.temporary(path)
        looking = asyncio.ensure_future(self.look(path))
        try:
            await make(temporary)
            return await self._publisher.publish(temporary, path, await looking, condition, keeps=keeps)
        except BaseException:
            looking.cancel()
            await ended(looking)
            await self._publisher.discard(temporary)
            raise

    async def upload(self, path: str, besides: Attributes, condition: Condition | None) -> Upload:
        temporary, before = self._place.temporary(path), await self.look(path)
        if condition is None or not condition.is_new:
            require_replaceable(path, before)
        files = (await self.asker.sandbox()).files
        return StreamedUpload(
            Sent(
                path,
                self.asker.patience.timeout,
                post=lambda body: files.write(temporary, body, use_octet_stream=True, **self._kept(besides)),
                publish=lambda: self._publisher.publish(temporary, path, before, condition),
                discard=lambda: self._publisher.discard(temporary),
            )
        )

    def _kept(self, besides: Attributes) -> dict[str, object]:
        return {"user": self.asker.user, "metadata": dict(besides.metadata) if besides.metadata else None}

    async def make_directory(self, path: str, *, is_missing: bool = False) -> None:
        await self.asker.run(path, MAKE_DIRECTORY, repeatable=False, TARGET=self._place.real(path))

    async def set_attributes(self, path: str, changed: Attributes) -> None:
        owner = (await self.asker.people()).owner(changed.uid, changed.gid)
        mode = "" if changed.mode is None else f"{changed.mode:05o}"  # of five digits: chmod(1) clears no bits of 4
        mtime = "" if changed.mtime is None else f"{changed.mtime:.9f}"
        real = self._place.real(path)
        await self.asker.run(path, SET_ATTRIBUTES, TARGET=real, OWNER=owner, MODE=mode, MTIME=mtime)

    async def make_link(self, path: str, destination: str) -> None:
        await self._links.make(path, destination)

    # ---- removing, copying, moving

    async def remove_file(self, path: str, condition: Condition | None) -> None:
        await self.asker.remove(path, REMOVE_FILE, self._place.real(path))

    async def remove_directory(self, path: str) -> None:
        real = self._place.real(path)
        try:
            await self.asker.remove(path, REMOVE_DIRECTORY, real)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or await self.list(path):
                raise
            await self.asker.remove(path, REMOVE_DIRECTORY, real)

    async def remove_tree(self, path: str) -> None:
        reals = (
            [self._place.real(path)] if path != "/" else [self._place.real(one.path) for one in await self.list(path)]
        )
        await asyncio.gather(*(self._remove_all(path, real) for real in reals))

    async def _remove_all(self, path: str, real: str) -> None:
        await self.asker.files(path, lambda files: files.remove(real, **self.asker.how))

    async def copy_file(self, source: str, target: str, condition: Condition | None, source_etag: str = "") -> Entry:
        real = self._place.real(source)

        def copy(temporary: str) -> Awaitable[str]:
            # The sandbox goes on by itself, and would make the file after its removal.
            return to_its_end(self.asker.run(source, COPY, SOURCE=real, TARGET=temporary))

        return await self._published(target, copy, condition, keeps=False)

    async def move(self, source: Entry, target: str, condition: Condition | None, source_etag: str = "") -> None:
        old, new = self._place.real(source.path), self._place.real(target)
        await self.asker.run(source.path, MOVE, repeatable=False, SOURCE=old, TARGET=new)

    # ---- the rest

    async def sign(self, path: str, expiration: int, method: str) -> str:
        if method != "GET":
            raise not_supported("signed URLs for anything but GET", path)
        sandbox = await self.asker.sandbox()
        try:
            url: str = sandbox.download_url(
                self._place.real(path), self.asker.user, use_signature_expiration=expiration
            )
        except e2b.InvalidArgumentException as error:
            raise not_supported("signed URLs, for the sandbox is open to all", path) from error
        return url

    async def close(self) -> None:
        await self.asker.close()

    async def _sweep(self, listing: Listing) -> None:
        """Remove what writers left behind that ended without a word. The clock of this machine has no say in it."""
        if listing.moment is None:
            return
        latest = listing.moment - ABANDONED_SECONDS
        temporary = [info for way, info in listing.entries.items() if is_reserved(way)]
        # Sandboxes of old templates tell no times, which are 0 then.
        left = [one.path for one in temporary if 0 < one.modified_time.timestamp() < latest]
        await asyncio.gather(*(self._publisher.discard(real) for real in left))
