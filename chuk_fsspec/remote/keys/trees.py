"""The buckets of a service as the directories of one root."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Sequence

from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import not_found, not_supported, os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.remote.calling import Calls
from chuk_fsspec.remote.keys import copying, moving
from chuk_fsspec.remote.keys.names import Names
from chuk_fsspec.remote.keys.service import KeyService
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.keys.tree import KeyTree
from chuk_fsspec.remote.keys.uploading import KeyTreeUpload
from chuk_fsspec.remote.store import Attributes, Entry, Traits
from chuk_fsspec.remote.streams import closing

_ROOT = "/"


class BucketTrees:
    """A ``RemoteStore`` whose root has a directory for each bucket; in each of them is a ``KeyTree``.

    A bucket is made by ``make_directory`` alone, and removed like a directory. At the root there are no files.
    """

    def __init__(
        self, service: KeyService, calls: Calls, traits: Traits, *, keeps_posix: bool = False, version: str = ""
    ) -> None:
        """The buckets of a service.

        Args:
            service: which one.
            calls: makes requests.
            traits: how each tree is best used.
            keeps_posix: as for ``Space``.
            version: likewise.
        """
        self.service = service
        self.calls = calls
        self._traits = traits
        self._keeps_posix = keeps_posix
        self._version = version
        self._trees: dict[str, KeyTree] = {}

    def at(self, version: str) -> BucketTrees:
        """The same trees, in which one file is read as a version of it."""
        return BucketTrees(self.service, self.calls, self._traits, keeps_posix=self._keeps_posix, version=version)

    def space_of(self, path: str) -> Space:
        """The objects among which a path is. EPERM at the root, where only buckets are."""
        return self._tree_inside(path).space

    @property
    def traits(self) -> Traits:
        """How it is best used."""
        return self._traits

    # ---- looking

    async def look(self, path: str) -> Entry | None:
        """As ``RemoteStore`` has it; so are all that follow."""
        if path == _ROOT:
            return Entry(path, "directory")
        if not _is_bucket(path):
            return await self._tree(path).look(path)
        found = await self.calls(path, lambda: self.service.bucket(path[1:]))
        return None if found is None else Entry(path, "directory")

    async def list(self, path: str, *, names_only: bool = False) -> list[Entry]:
        """What is in a directory; the buckets, in the root."""
        if path != _ROOT:
            return await self._tree(path).list(path, names_only=names_only)
        buckets = await self.calls(path, self.service.buckets)
        return [Entry(f"/{bucket.name}", "directory") for bucket in buckets]

    def descend(self, path: str, *, names_only: bool = False) -> AsyncIterator[Sequence[Entry]]:
        """Everything below a directory."""
        if path == _ROOT:
            return self._all(names_only=names_only)
        return self._tree(path).descend(path, names_only=names_only)

    async def _all(self, *, names_only: bool) -> AsyncIterator[Sequence[Entry]]:
        buckets = await self.list(_ROOT)
        yield buckets
        for bucket in buckets:
            async for entries in self.descend(bucket.path, names_only=names_only):
                yield entries

    # ---- reading

    async def read(self, path: str, start: int, stop: int | None, etag: str = "") -> bytes:
        """Bytes of a file."""
        return await (await self._tree_of_file(path)).read(path, start, stop, etag)

    async def read_latest(self, path: str, start: int, stop: int) -> tuple[Entry, bytes]:
        """Bytes of whatever version is there, and which one that is."""
        return await (await self._tree_of_file(path)).read_latest(path, start, stop)

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        """The whole of a file."""
        async with closing((await self._tree_of_file(path)).stream(path)) as stream:
            async for piece in stream:
                yield piece

    # ---- writing

    async def write(self, path: str, data: bytes, besides: Attributes, condition: Condition | None) -> Entry:
        """Make or replace a file."""
        return await self._tree_inside(path).write(path, data, besides, condition)

    async def upload(self, path: str, besides: Attributes, condition: Condition | None) -> KeyTreeUpload:
        """Begin to make or replace a file in parts."""
        return await self._tree_inside(path).upload(path, besides, condition)

    async def make_directory(self, path: str, *, is_missing: bool = False) -> None:
        """Make a directory, or a bucket."""
        if path == _ROOT:
            raise os_error(errno.EEXIST, path)
        if not _is_bucket(path):
            await self._tree(path).make_directory(path, is_missing=is_missing)
            return
        if not is_missing and await self.look(path) is not None:
            raise os_error(errno.EEXIST, path)
        await self.calls(path, lambda: self.service.make_bucket(path[1:]))

    async def set_attributes(self, path: str, changed: Attributes) -> None:
        """Change what is kept besides the content."""
        await self._tree_inside(path).set_attributes(path, changed)

    async def make_link(self, path: str, destination: str) -> None:
        """Make a symbolic link."""
        await self._tree_inside(path).make_link(path, destination)

    # ---- removing, copying, moving

    async def remove_file(self, path: str, condition: Condition | None) -> None:
        """Remove a file or a link."""
        await (await self._tree_of_file(path)).remove_file(path, condition)

    async def remove_directory(self, path: str) -> None:
        """Remove an empty directory, or an empty bucket."""
        if path == _ROOT:
            raise os_error(errno.EBUSY, path)
        if not _is_bucket(path):
            await self._tree(path).remove_directory(path)
            return
        await self.calls(path, lambda: self.service.remove_bucket(path[1:]))

    async def remove_tree(self, path: str) -> None:
        """Remove a directory with all that is in it, a bucket too; never all buckets."""
        if path == _ROOT:
            raise os_error(errno.EPERM, path, hint="that would remove every bucket; remove them one by one")
        await self._tree(path).remove_tree(path)
        if _is_bucket(path):
            await self.remove_directory(path)

    async def copy_file(self, source: str, target: str, condition: Condition | None, source_etag: str = "") -> Entry:
        """Copy a file, from one bucket to another too."""
        space = (await self._tree_of_file(source)).space
        return await copying.copy_file(space, source, self._tree_inside(target).space, target, condition, source_etag)

    async def move(self, source: Entry, target: str, condition: Condition | None, source_etag: str = "") -> None:
        """Give a file or a directory another name, in another bucket too."""
        if source.path == _ROOT or _is_bucket(source.path):
            raise not_supported("a bucket keeps its name; copy what is in it", source.path)
        space = self._tree(source.path).space
        await moving.move(space, source, self._tree_inside(target).space, target, condition, source_etag)

    # ---- the rest

    async def sign(self, path: str, expiration: int, method: str) -> str:
        """A URL that anybody can use for so many seconds."""
        return await self._tree_inside(path).sign(path, expiration, method)

    async def close(self) -> None:
        """Let go of connections."""
        await self.service.close()

    def _tree(self, path: str) -> KeyTree:
        name = path.split("/", 2)[1]
        tree = self._trees.get(name)
        if tree is None:
            space = Space(self.service.keys(name), self.calls, Names(f"/{name}"), self._keeps_posix, self._version)
            tree = self._trees[name] = KeyTree(space, self._traits, self.service)
        return tree

    def _tree_inside(self, path: str) -> KeyTree:
        """The tree of something that is to be made. EPERM at the root, where only buckets are."""
        if split(path)[0] == _ROOT:
            raise os_error(errno.EPERM, path, hint="there are only buckets here; put the name of one before it")
        return self._tree(path)

    async def _tree_of_file(self, path: str) -> KeyTree:
        """The tree of a file that is there. ENOENT, EISDIR at the root."""
        if split(path)[0] == _ROOT:
            raise not_found(path) if await self.look(path) is None else os_error(errno.EISDIR, path)
        return self._tree(path)


def _is_bucket(path: str) -> bool:
    return path.count("/") == 1
