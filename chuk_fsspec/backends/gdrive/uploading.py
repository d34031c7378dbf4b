"""A file that is sent in parts."""

from __future__ import annotations

import errno

from chuk_fsspec.backends.gdrive.client import DriveClient
from chuk_fsspec.backends.gdrive.finding import Finder
from chuk_fsspec.backends.gdrive.wire import Session
from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.remote.store import Entry


class DriveUpload:
    """An upload session. The last part is kept until ``finish``, for with it the file is there."""

    def __init__(
        self, client: DriveClient, finder: Finder, path: str, session: Session, condition: Condition | None
    ) -> None:
        """Take a session over.

        Args:
            client: makes the requests.
            finder: is told of the file.
            path: where it will be.
            session: of the service, begun with what is to be known of the file.
            condition: what has to be there until it is replaced.
        """
        self._client, self._finder = client, finder
        self._path, self._session, self._condition = path, session, condition
        self._kept = b""
        self._is_open = True

    async def send(self, number: int, data: bytes) -> None:
        """Send the part before this one."""
        if number:
            await self._client.send_part(self._path, self._session, self._kept, is_last=False)
        self._kept = data

    async def finish(self) -> Entry:
        """Send the last part."""
        await self._require()
        try:
            made = await self._client.send_part(self._path, self._session, self._kept, is_last=True)
        except OSError as error:
            if error.errno == errno.ESTALE:
                await self._require()
            raise
        self._is_open = False
        if made is None or made.is_trashed:
            hint = "the file or its folder was removed meanwhile; write it again"
            raise os_error(errno.ESTALE, self._path, hint=hint)
        return self._finder.kept(self._path, made).entry(self._path)

    async def _require(self) -> None:
        """See that what is there meets the condition. PreconditionFailed."""
        if self._condition is not None:
            found = await self._finder.look(self._path)
            self._condition.require(self._path, found.version if found else None)

    async def abort(self) -> None:
        """Have the service forget it."""
        if self._is_open:
            self._is_open = False
            await self._client.cancel(self._path, self._session)
