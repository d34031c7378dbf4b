"""A folder of a Google Drive as a store of files."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Mapping, Sequence

from chuk_fsspec.backends.gdrive.client import DriveClient
from chuk_fsspec.backends.gdrive.finding import Finder
from chuk_fsspec.backends.gdrive.known import KnownFiles
from chuk_fsspec.backends.gdrive.noting import Notes
from chuk_fsspec.backends.gdrive.options import DriveOptions
from chuk_fsspec.backends.gdrive.placing import Placer
from chuk_fsspec.backends.gdrive.reading import Reader
from chuk_fsspec.backends.gdrive.statistics import Statistics
from chuk_fsspec.backends.gdrive.uploading import DriveUpload
from chuk_fsspec.backends.gdrive.writing import Writer
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.remote.store import NOTHING_BESIDES, Attributes, Entry, Traits


def traits_of(options: DriveOptions) -> Traits:
    """What Drive can do. A title may be given twice, so nothing can be made on the condition that it is new."""
    capabilities = Capabilities(
        write=True,
        directories=True,
        rename=True,
        atomic_write=True,
        modified_times=True,
        etags=True,
        versioned_reads=True,
        xattrs=True,
        shared_between_threads=True,
        shared_between_processes=options.cache_ttl == 0,
    )
    return Traits(
        capabilities,
        part_size=options.part_size,
        parallel_requests=options.workers,
        largest_whole=options.largest_whole,
        matches_etags=True,
    )


class DriveStore:
    """Files of a Drive, by path."""

    def __init__(self, client: DriveClient, options: DriveOptions, statistics: Statistics) -> None:
        """Begin without asking anything.

        Args:
            client: makes the requests.
            options: of the filesystem.
            statistics: where hits and misses are counted.
        """
        self.traits = traits_of(options)
        self._client = client
        self._finder = Finder(client, options, KnownFiles(options.cache_ttl, statistics))
        self._reader = Reader(client, self._finder, options.part_size)
        self._writer = Writer(client, self._finder, options.properties)
        self.notes = Notes(client, self._finder)
        self._placer = Placer(client, self._finder, use_trash=options.use_trash)

    # ---- looking

    async def look(self, path: str) -> Entry | None:
        """One request if the path is known, or the folder that it is in."""
        found = await self._finder.look(path)
        return found.entry(path) if found else None

    async def descend(self, path: str, *, names_only: bool = False) -> AsyncIterator[Sequence[Entry]]:
        """One request for each folder, several at once."""
        folders = [path]
        while folders:
            inside = await asyncio.gather(*(self._listed(folder) for folder in folders))
            for entries in inside:
                yield entries
            folders = [entry.path for entries in inside for entry in entries if entry.kind == "directory"]

    async def _listed(self, path: str) -> list[Entry]:
        try:
            return await self.list(path)
        except (FileNotFoundError, NotADirectoryError):
            return []

    # ---- reading and writing

    async def read(self, path: str, start: int, stop: int | None, etag: str = "") -> bytes:
        """One request if the path is known."""
        return await self._reader.read(path, start, stop, etag)

    async def read_latest(self, path: str, start: int, stop: int) -> tuple[Entry, bytes]:
        """Of the version that is seen first, which a Drive keeps for a while."""
        found = await self._reader.file(path)
        return found.entry(path), await self._reader.read(path, start, stop, found.version)

    def stream(self, path: str) -> AsyncIterator[bytes]:
        """The whole file."""
        return self._reader.stream(path)

    async def write(self, path: str, data: bytes, besides: Attributes, condition: Condition | None) -> Entry:
        """One request for a file that is known, two for a new one: its title may be there already."""
        return (await self._writer.write(path, data, _properties(besides), condition)).entry(path)

    async def upload(self, path: str, besides: Attributes, condition: Condition | None) -> DriveUpload:
        """Send a file in parts."""
        return await self._writer.upload(path, _properties(besides), condition)

    async def make_directory(self, path: str, *, is_missing: bool = False) -> None:
        """Make a folder, and see that it is the only one of its title."""
        above, name = split(path)
        async with self._finder.alone_at(path):
            if await self._finder.look(path) is not None:
                raise os_error(errno.EEXIST, path)
            await self._finder.make_folder(path, (await self._finder.folder(above)).id, name)

    async def set_attributes(self, path: str, changed: Attributes) -> None:
        """Nothing but content, a name and properties is kept with a file."""
        raise not_supported("attributes", path)

    async def make_link(self, path: str, destination: str) -> None:
        """There are no links."""
        raise not_supported("symbolic links", path)

    # ---- removing, copying, moving

    async def remove_file(self, path: str, condition: Condition | None) -> None:
        """To the trash, unless the filesystem was told otherwise."""
        await self._placer.remove_file(path, condition)

    async def remove_directory(self, path: str) -> None:
        """Remove an empty folder."""
        await self._placer.remove_folder(path, only_empty=True)

    async def remove_tree(self, path: str) -> None:
        """One request, whatever is in the folder; of the root, only what is in it."""
        if path == "/":
            await self._placer.remove_all(path, await self._finder.folder(path))
        else:
            await self._placer.remove_folder(path, only_empty=False)

    async def copy_file(self, source: str, target: str, condition: Condition | None, source_etag: str = "") -> Entry:
        """Inside the service to a new name; over a file its content is read and written, for the file has to stay."""
        if source == target:
            return (await self._placer.stamp(source, condition)).entry(source)
        found = await self._reader.file(source, source_etag)
        replaced = await self._finder.look(target)
        if replaced is None and condition is None:
            return (await self._placer.copy(source, target, found)).entry(target)
        if found.size <= self.traits.largest_whole:
            data = await self._reader.read(source, 0, None, found.version)
            return (await self._writer.write(target, data, found.properties, condition)).entry(target)
        upload = await self._writer.upload(target, found.properties, condition)
        try:
            size = self.traits.part_size
            for number, start in enumerate(range(0, found.size, size)):
                await upload.send(number, await self._reader.read(source, start, start + size, found.version))
            return await upload.finish()
        except BaseException:
            await upload.abort()
            raise

    async def move(self, source: Entry, target: str, condition: Condition | None, source_etag: str = "") -> None:
        """One request, for a folder too."""
        if source_etag:
            await self._reader.file(source.path, source_etag)
        await self._placer.move(source.path, target, condition)

    # ---- the rest

    async def list(self, path: str, *, names_only: bool = False) -> list[Entry]:
        """One request for each thousand files."""
        return [child.entry(name) for name, child in await self._finder.children(path)]

    async def sign(self, path: str, expiration: int, method: str) -> str:
        """Drive has no such addresses: it shares files with people."""
        raise not_supported("signed addresses; share the file in the browser", path)

    async def close(self) -> None:
        """Let go of threads and connections."""
        await self._client.close()


def _properties(besides: Attributes) -> Mapping[str, str]:
    if besides == NOTHING_BESIDES or besides.metadata is None:
        return {}
    return besides.metadata
