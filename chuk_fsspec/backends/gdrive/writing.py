"""Files made and replaced.

What replaces a file does so on the condition that it still is what was last seen of it (If-Match): nothing is written
to a file that somebody else has moved or removed meanwhile. It is looked at again then.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

from chuk_fsspec.backends.gdrive.client import DriveClient
from chuk_fsspec.backends.gdrive.finding import Finder, place
from chuk_fsspec.backends.gdrive.reading import check_is_file
from chuk_fsspec.backends.gdrive.resources import Resource, properties_body
from chuk_fsspec.backends.gdrive.uploading import DriveUpload
from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import split

TRIES = 5
"""How often a file is looked at again that others change all the time."""


class Writer:
    """Writes files by path."""

    def __init__(self, client: DriveClient, finder: Finder, properties: Mapping[str, str]) -> None:
        """Begin.

        Args:
            client: makes the requests.
            finder: finds files.
            properties: noted with every file.
        """
        self._client, self._finder, self._properties = client, finder, properties

    async def write(
        self, path: str, data: bytes, properties: Mapping[str, str], condition: Condition | None = None
    ) -> Resource:
        """Make a file, or replace what it holds, in one request."""
        body = self._body(properties)
        async with self._finder.alone_at(path):
            for attempt in range(TRIES):
                known = await self._target(path, condition, attempt)
                if known is None:
                    done = await self._make(path, body, data)
                else:
                    done = await self._client.change(path, known, body, data)
                if done is not None:
                    return self._finder.kept(path, done)
        raise busy(path)

    async def upload(self, path: str, properties: Mapping[str, str], condition: Condition | None = None) -> DriveUpload:
        """Begin to make or replace a file that comes in parts."""
        body = self._body(properties)
        for attempt in range(1, TRIES):
            known = await self._target(path, condition, attempt)
            if known is None:
                above, name = split(path)
                body |= place((await self._finder.folder(above)).id, name)
            session = await self._client.begin_upload(path, body, known, is_guarded=condition is not None)
            if session is not None:
                return DriveUpload(self._client, self._finder, path, session, condition)
        raise busy(path)

    def _body(self, properties: Mapping[str, str]) -> dict[str, Any]:
        noted = {**self._properties, **properties}
        return {"properties": properties_body(noted)} if noted else {}

    async def _target(self, path: str, condition: Condition | None, attempt: int) -> Resource | None:
        """What is where a file is to be written: at first as it is known, then as it is. PreconditionFailed."""
        known = await (self._finder.look(path) if attempt else self._finder.find(path))
        if condition is not None and not condition.holds(known.version if known else None):
            known = await self._finder.look(path)
            condition.require(path, known.version if known else None)
        if known is not None:
            check_is_file(path, known)
        return known

    async def _make(self, path: str, body: Mapping[str, Any], data: bytes) -> Resource | None:
        """A new file; None if its folder turned out to be in the trash."""
        above, name = split(path)
        parent = await self._finder.folder(above)
        made = await self._client.make(path, {**body, **place(parent.id, name)}, data)
        if not made.is_trashed:
            return made
        await self._client.delete(path, made)
        self._finder.known.forget(above)
        return None


def busy(path: str) -> OSError:
    """EBUSY: somebody else changes what is at a path each time before it is changed here."""
    return os_error(errno.EBUSY, path, hint="somebody else changes it all the time; try again")
