"""Files under a temporary name, and how they come into their place: whole, in one step."""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import Any

import e2b

from chuk_fsspec.backends.e2b.asking import Asker
from chuk_fsspec.backends.e2b.entries import entry_of
from chuk_fsspec.backends.e2b.place import Place
from chuk_fsspec.backends.e2b.scripts import KEEP_ATTRIBUTES, NAME_NEW
from chuk_fsspec.contract.attributes import OWN_GID, OWN_UID
from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import link_in_the_way, os_error
from chuk_fsspec.remote.store import Entry

_NEW_FILE_MODE = 0o644


class Publisher:
    """Renames temporary files."""

    def __init__(self, asker: Asker, place: Place) -> None:
        self._asker, self._place = asker, place

    async def publish(
        self, temporary: str, path: str, before: Entry | None, condition: Condition | None, *, keeps: bool = True
    ) -> Entry:
        """Put a whole file in its place.

        Args:
            temporary: of the sandbox.
            path: where to.
            before: what is there; None for nothing.
            condition: that nothing is there, or None.
            keeps: give it the permissions and the owner of the file that it replaces.

        Raises:
            PreconditionFailed: something is there.
            OSError: EISDIR. ``LinkInTheWay`` for a link.
        """
        real = self._place.real(path)
        if condition is not None and condition.is_new:
            return await self._name_new(temporary, path, real, condition)
        require_replaceable(path, before)
        if before is not None and keeps:
            await self._keep(temporary, path, before)
        try:
            info = await self._asker.files(path, _Renaming(temporary, real, self._asker.how))
        except FileExistsError:  # as Go's rename says of a directory
            raise os_error(errno.EISDIR, path) from None
        return entry_of(info, path, await self._asker.people())

    async def _keep(self, temporary: str, path: str, before: Entry) -> None:
        is_ours = before.uid in (None, OWN_UID) and before.gid in (None, OWN_GID)
        if is_ours and before.mode in (None, _NEW_FILE_MODE):
            return
        owner = "" if is_ours else (await self._asker.people()).owner(before.uid, before.gid)
        mode = _NEW_FILE_MODE if before.mode is None else before.mode
        await self._asker.run(path, KEEP_ATTRIBUTES, TARGET=temporary, OWNER=owner, MODE=f"{mode:o}")

    async def _name_new(self, temporary: str, path: str, real: str, condition: Condition) -> Entry:
        try:
            await self._asker.run(path, NAME_NEW, repeatable=False, SOURCE=temporary, TARGET=real)
        except FileExistsError:
            raise condition.failure(path, "") from None
        info = await self._asker.files(path, lambda files: files.get_info(real, **self._asker.how))
        return entry_of(info, path, await self._asker.people())

    async def discard(self, temporary: str) -> None:
        """Remove what was not published; if the sandbox cannot be reached any more, a listing does it later."""
        with suppress(OSError):
            await self._asker.files("/", lambda files: files.remove(temporary, **self._asker.how))


def require_replaceable(path: str, before: Entry | None) -> None:
    """EISDIR for a directory; ``LinkInTheWay`` for a link, of which what it leads to is to be replaced."""
    if before is not None and before.kind == "directory":
        raise os_error(errno.EISDIR, path)
    if before is not None and before.kind == "link":
        raise link_in_the_way(path)


class _Renaming:
    """A rename of a name that nobody else has, so that one whose reply was lost can be told from one that failed."""

    def __init__(self, source: str, target: str, how: dict[str, Any]) -> None:
        self._source, self._target, self._how = source, target, how
        self._is_repeated = False

    async def __call__(self, files: Any) -> Any:
        is_repeated, self._is_repeated = self._is_repeated, True
        try:
            return await files.rename(self._source, self._target, **self._how)
        except e2b.FileNotFoundException:
            if not is_repeated:
                raise
            return await files.get_info(self._target, **self._how)
