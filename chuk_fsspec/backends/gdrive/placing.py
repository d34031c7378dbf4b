"""Files and folders moved, copied and removed: by their identifiers, and only while they are where they were seen."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from contextlib import suppress

from chuk_fsspec.backends.gdrive.client import DriveClient
from chuk_fsspec.backends.gdrive.finding import Finder, place
from chuk_fsspec.backends.gdrive.resources import Resource, properties_body
from chuk_fsspec.backends.gdrive.writing import TRIES, busy
from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import not_found, os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.contract.threads import to_its_end


class Placer:
    """Moves, copies and removes by path."""

    def __init__(self, client: DriveClient, finder: Finder, *, use_trash: bool) -> None:
        """Begin.

        Args:
            client: makes the requests.
            finder: finds files.
            use_trash: whether what is removed goes to the trash.
        """
        self._client, self._finder, self._use_trash = client, finder, use_trash

    async def move(self, source: str, target: str, condition: Condition | None) -> None:
        """Give a file or a folder another name; a file that had it goes afterwards, so that there always is one."""
        async with self._finder.alone_at(target):
            parent = await self._finder.folder(split(target)[0])
            replaced = await self._finder.look(target)
            if condition is not None:
                condition.require(target, replaced.version if replaced else None)
            await to_its_end(self._move(source, target, parent, replaced))

    async def _move(self, source: str, target: str, parent: Resource, replaced: Resource | None) -> None:
        """Both steps of a move, or none: in the middle two files have one title, and the older one hides the other."""
        before: list[Resource] = []

        async def rename(known: Resource) -> Resource | None:
            before[:] = [known]
            return await self._client.change(source, known, {"title": split(target)[1]}, parent=parent.id)

        moved = await self._do(source, rename)
        self._finder.known.forget(source)
        self._finder.known.forget(target)
        if replaced is not None:
            try:
                await self._remove(target, replaced)
            except OSError:
                await self._take_back(target, moved, before[0], replaced)
                raise
        self._finder.kept(target, moved)

    async def _take_back(self, target: str, moved: Resource, before: Resource, replaced: Resource) -> None:
        """Give a moved file its old name, if what it was to replace is still there; else it has taken its place."""
        with suppress(OSError):  # the first error is the one to tell
            left = await self._client.get(target, replaced.id)
            if left is not None and not left.is_trashed:
                await self._client.change(target, moved, {"title": before.title}, parent=before.parent)

    async def copy(self, source: str, target: str, found: Resource) -> Resource:
        """Copy a file inside the service to where nothing is."""
        above, name = split(target)
        async with self._finder.alone_at(target):
            parent = await self._finder.folder(above)
            body = {**place(parent.id, name), "properties": properties_body(found.properties)}
            return self._finder.kept(target, await self._client.copy(source, found.id, body))

    async def stamp(self, path: str, condition: Condition | None) -> Resource:
        """Give a file the present time."""

        async def stamp(known: Resource) -> Resource | None:
            return await self._client.change(path, await self._met(path, known, condition), {}, is_now=True)

        return self._finder.kept(path, await self._do(path, stamp))

    async def remove_file(self, path: str, condition: Condition | None) -> None:
        """Remove a file. EISDIR for a folder."""

        async def remove(known: Resource) -> Resource | None:
            if known.kind == "directory":
                raise os_error(errno.EISDIR, path)
            known = await self._met(path, known, condition)
            return known if await self._remove(path, known) else None

        await self._do(path, remove)
        self._finder.known.forget(path)

    async def _met(self, path: str, known: Resource, condition: Condition | None) -> Resource:
        """What is at a path and meets a condition: as it is known, else as it is. PreconditionFailed."""
        if condition is None or condition.holds(known.version):
            return known
        found = await self._finder.look(path)
        condition.require(path, found.version if found else None)
        return found or known

    async def remove_folder(self, path: str, *, only_empty: bool) -> None:
        """Remove a folder, with what is in it or only if that is nothing. ENOTDIR, ENOTEMPTY."""

        async def remove(known: Resource) -> Resource | None:
            if known.kind != "directory":
                raise os_error(errno.ENOTDIR, path)
            if only_empty and await self._client.folder(path, known.id, most=1):
                raise os_error(errno.ENOTEMPTY, path)
            return known if await self._remove(path, known) else None

        await self._do(path, remove)
        self._finder.known.forget(path)

    async def remove_all(self, path: str, folder: Resource) -> None:
        """Remove what is in a folder, and also what has no name that a path could have."""
        for child in await self._client.folder(path, folder.id):
            await self._remove(path, child)
        self._finder.known.forget(path)

    async def _remove(self, path: str, known: Resource) -> bool:
        """Whether a file is gone; not if it is another one than was known of it."""
        if self._use_trash:
            return await self._client.change(path, known, {"labels": {"trashed": True}}) is not None
        return await self._client.delete(path, known)

    async def _do(self, path: str, act: Callable[[Resource], Awaitable[Resource | None]]) -> Resource:
        """Do something to what is at a path: as it is known, and if that was long ago as it is. ENOENT."""
        known = await self._finder.find(path)
        for _ in range(TRIES):
            if known is None:
                raise not_found(path)
            done = await act(known)
            if done is not None:
                return done
            known = await self._finder.look(path)
        raise busy(path)
