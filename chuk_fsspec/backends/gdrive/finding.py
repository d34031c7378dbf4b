"""From paths to files: each name is looked for in its folder, unless its identifier is known."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from weakref import WeakValueDictionary

from chuk_fsspec.backends.gdrive.client import DriveClient
from chuk_fsspec.backends.gdrive.known import KnownFiles
from chuk_fsspec.backends.gdrive.options import DriveOptions
from chuk_fsspec.backends.gdrive.resources import FOLDER, Resource, is_name, one_of_each_title
from chuk_fsspec.contract.errors import not_found, os_error
from chuk_fsspec.contract.paths import join, split

_MY_DRIVE = "root"


class Finder:
    """Finds files by path, and makes folders."""

    def __init__(self, client: DriveClient, options: DriveOptions, known: KnownFiles) -> None:
        """Begin without asking anything.

        Args:
            client: makes the requests.
            options: say which folder is the root.
            known: what is remembered.
        """
        self.known = known
        self._client = client
        self._folders = options.folders
        self._top = options.drive_id or _MY_DRIVE
        self._making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # ---- looking

    async def find(self, path: str) -> Resource | None:
        """What is at a path, as far as that is known without asking; else as it is now. None for nothing."""
        return self.known.at(path) or await self._ask(path)

    async def look(self, path: str) -> Resource | None:
        """What is at a path now. None for nothing."""
        known = self.known.at(path)
        if known is not None:
            found = await self._client.get(path, known.id)
            if found is not None and found.is_at(known.parent, known.title):
                return self.kept(path, found)
            self.known.forget(path)
        return await self._ask(path)

    async def _ask(self, path: str) -> Resource | None:
        """Look for the names of a path, one after the other, below what is known of it."""
        above, names = path, list[str]()
        found = None
        while found is None and above != "/":
            above, name = split(above)
            names.append(name)
            found = self.known.at(above)
        found = found or await self._root_folder()
        for name in reversed(names):
            above = join(above, name)
            found = await self._child(above, found, name)
            if found is None:
                return None
        return found

    async def _child(self, path: str, folder: Resource, name: str) -> Resource | None:
        if folder.kind != "directory" or not is_name(name):
            return None
        same_title = one_of_each_title(await self._client.folder(path, folder.id, name))
        if not same_title:
            self.known.forget(path)
            return None
        return self.kept(path, same_title[0])

    def kept(self, path: str, found: Resource) -> Resource:
        """Remember what is at a path."""
        self.known.put(path, found)
        return found

    async def folder(self, path: str) -> Resource:
        """The folder at a path. ENOENT, ENOTDIR."""
        found = await self.find(path)
        if found is None:
            raise not_found(path)
        if found.kind != "directory":
            raise os_error(errno.ENOTDIR, path)
        return found

    async def children(self, path: str) -> list[tuple[str, Resource]]:
        """What is in a folder, with its paths. ENOENT, ENOTDIR."""
        folder = await self.folder(path)
        found = await self._client.folder(path, folder.id)
        if not found and path != "/":
            # A folder that was removed looks as an empty one does.
            now = await self.look(path)
            if now is None:
                raise not_found(path)
            if now.id != folder.id:
                found = await self._client.folder(path, (await self.folder(path)).id)
        named = [(join(path, one.title), one) for one in one_of_each_title(found)]
        for child, one in named:
            self.known.put(child, one)
        return named

    # ---- making

    @asynccontextmanager
    async def alone_at(self, path: str) -> AsyncIterator[None]:
        """Have nobody else here make anything at a path meanwhile: a title may be given twice, and must not."""
        lock = self._making.get(path)
        if lock is None:
            lock = self._making[path] = asyncio.Lock()
        async with lock:
            yield

    async def make_folder(self, path: str, parent_id: str, name: str) -> Resource:
        """Make a folder.

        Where another program makes one of the same title meanwhile, the later one goes.

        Raises:
            FileExistsError: it was not the first.
        """
        made = await self._client.make(path, {**place(parent_id, name), "mimeType": FOLDER})
        first, *_ = [*one_of_each_title(await self._client.folder(path, parent_id, name)), made]
        if first.id != made.id:
            await self._client.delete(path, made)
            raise os_error(errno.EEXIST, path)
        return self.kept(path, made)

    async def _root_folder(self) -> Resource:
        """The folder that is ``/``, made if it is missing."""
        async with self.alone_at("/"):
            known = self.known.at("/")
            if known is not None:
                return known
            here = self._top
            for name in self._folders[:-1]:
                here = (await self._folder_of(here, name)).id
            return self.kept("/", await self._folder_of(here, self._folders[-1]))

    async def _folder_of(self, parent_id: str, name: str) -> Resource:
        """A folder by its title, made if it is missing."""
        folders = [one for one in await self._client.folder("/", parent_id, name) if one.kind == "directory"]
        if not folders:
            with suppress(FileExistsError):
                return await self.make_folder("/", parent_id, name)
            folders = [one for one in await self._client.folder("/", parent_id, name) if one.kind == "directory"]
        return one_of_each_title(folders)[0]


def place(parent_id: str, name: str) -> dict[str, Any]:
    """What the service is told of where a file is."""
    return {"title": name, "parents": [{"id": parent_id}]}
