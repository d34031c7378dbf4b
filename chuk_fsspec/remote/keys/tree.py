"""A tree of files over the objects of one bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.remote.calling import Calls
from chuk_fsspec.remote.keys import copying, labelling, looking, moving, reading, removing, writing
from chuk_fsspec.remote.keys.keystore import KeyTraits
from chuk_fsspec.remote.keys.service import KeyService
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.keys.uploading import KeyTreeUpload
from chuk_fsspec.remote.store import Attributes, Entry, Traits


def traits_of(keys: KeyTraits, *, keeps_posix: bool, parallel_requests: int) -> Traits:
    """The traits of a tree over objects."""
    return Traits(
        Capabilities(
            write=True,
            directories=True,
            atomic_write=True,
            exclusive_create=keys.guards_writes,
            conditional_write=keys.guards_writes and keys.guards_all,
            etags=True,
            versioned_reads=True,
            symlinks=keeps_posix,
            attributes=keeps_posix,
            shared_between_threads=True,
            shared_between_processes=True,
            versions=True,
        ),
        part_size=keys.part_size,
        parallel_parts=keys.parallel_parts,
        parallel_requests=parallel_requests,
        largest_whole=keys.largest_put,
        implied_directories=True,
    )


class KeyTree:
    """Files and directories, as ``RemoteStore`` has them, in a ``Space`` of keys.

    A file is an object. A directory is there as long as there are keys below it: its marker, which ``make_directory``
    puts there, or any other. A name that is an object and a prefix too is a file, and what is below it is not shown.
    """

    def __init__(self, space: Space, traits: Traits, service: KeyService) -> None:
        """A tree.

        Args:
            space: where its objects are.
            traits: how it is best used.
            service: that has them.
        """
        self.space = space
        self.service = service
        self._traits = traits

    def at(self, version: str) -> KeyTree:
        """The same tree, in which one file is read as a version of it."""
        return KeyTree(replace(self.space, version=version), self._traits, self.service)

    def space_of(self, path: str) -> Space:
        """The objects among which a path is."""
        return self.space

    @property
    def calls(self) -> Calls:
        """What makes requests."""
        return self.space.calls

    @property
    def traits(self) -> Traits:
        """How it is best used."""
        return self._traits

    async def look(self, path: str) -> Entry | None:
        """As ``RemoteStore`` has it; so are all that follow."""
        return await looking.look(self.space, path)

    async def list(self, path: str, *, names_only: bool = False) -> list[Entry]:
        """What is in a directory."""
        return await looking.list_directory(self.space, path, names_only=names_only)

    def descend(self, path: str, *, names_only: bool = False) -> AsyncIterator[Sequence[Entry]]:
        """Everything below a directory."""
        return looking.descend(self.space, path, names_only=names_only)

    async def read(self, path: str, start: int, stop: int | None, etag: str = "") -> bytes:
        """Bytes of a file."""
        return await reading.read(self.space, path, start, stop, etag)

    async def read_latest(self, path: str, start: int, stop: int) -> tuple[Entry, bytes]:
        """Bytes of whatever version is there, and which one that is."""
        return await reading.read_latest(self.space, path, start, stop)

    def stream(self, path: str) -> AsyncIterator[bytes]:
        """The whole of a file."""
        return reading.stream(self.space, path)

    async def write(self, path: str, data: bytes, besides: Attributes, condition: Condition | None) -> Entry:
        """Make or replace a file."""
        return await writing.write(self.space, path, data, besides, condition)

    async def upload(self, path: str, besides: Attributes, condition: Condition | None) -> KeyTreeUpload:
        """Begin to make or replace a file in parts."""
        return await writing.upload(self.space, path, besides, condition)

    async def make_directory(self, path: str, *, is_missing: bool = False) -> None:
        """Make a directory."""
        await writing.make_directory(self.space, path, is_missing=is_missing)

    async def set_attributes(self, path: str, changed: Attributes) -> None:
        """Change what is kept besides the content."""
        await labelling.set_attributes(self.space, path, changed)

    async def make_link(self, path: str, destination: str) -> None:
        """Make a symbolic link."""
        await writing.make_link(self.space, path, destination)

    async def remove_file(self, path: str, condition: Condition | None) -> None:
        """Remove a file or a link."""
        await removing.remove_file(self.space, path, condition)

    async def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        await removing.remove_directory(self.space, path)

    async def remove_tree(self, path: str) -> None:
        """Remove a directory with all that is in it."""
        await removing.remove_tree(self.space, path)

    async def copy_file(self, source: str, target: str, condition: Condition | None, source_etag: str = "") -> Entry:
        """Copy a file."""
        return await copying.copy_file(self.space, source, self.space, target, condition, source_etag)

    async def move(self, source: Entry, target: str, condition: Condition | None, source_etag: str = "") -> None:
        """Give a file or a directory another name."""
        await moving.move(self.space, source, self.space, target, condition, source_etag)

    async def sign(self, path: str, expiration: int, method: str) -> str:
        """A URL that anybody can use for so many seconds."""
        key = self.space.names.key(path)
        return await self.space.calls(path, lambda: self.space.keys.sign(key, expiration, method))

    async def close(self) -> None:
        """Let go of connections."""
        await self.service.close()
