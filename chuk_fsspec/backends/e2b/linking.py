"""What symbolic links hold: as text, for E2B tells only where they lead."""

from __future__ import annotations

from collections.abc import Mapping

from e2b import CommandExitException, EntryInfo

from chuk_fsspec.backends.e2b.asking import Asker
from chuk_fsspec.backends.e2b.entries import is_link
from chuk_fsspec.backends.e2b.place import Place, require_unicode
from chuk_fsspec.backends.e2b.scripts import MAKE_LINK, READ_LINKS


class Links:
    """Reads and makes links. Where one holds an absolute path, that is of the filesystem here, of the sandbox there."""

    def __init__(self, asker: Asker, place: Place) -> None:
        self._asker, self._place = asker, place

    async def make(self, path: str, destination: str) -> None:
        """Make one. EEXIST."""
        require_unicode(destination, path)
        text = self._place.joined(destination) if destination.startswith("/") else destination
        await self._asker.run(path, MAKE_LINK, repeatable=False, SOURCE=text, TARGET=self._place.real(path))

    async def held(self, path: str, info: EntryInfo) -> str:
        """What one holds; nothing if it is none."""
        if not is_link(info):
            return ""
        return (await self._read(path, self._place.real(path), 0, 0)).get("", self._leads_to(info))

    async def held_below(self, path: str, found: Mapping[str, EntryInfo], depth: int) -> dict[str, str]:
        """What those below a directory hold, by the path from there: one request, and none if there are no links."""
        links = {way: info for way, info in found.items() if is_link(info)}
        if not links:
            return {}
        held = await self._read(path, f"{self._place.real(path).rstrip('/')}/", 1, depth)
        return {way: held.get(way, self._leads_to(info)) for way, info in links.items()}

    async def _read(self, path: str, real: str, least: int, most: int) -> dict[str, str]:
        try:
            told = await self._asker.run(path, READ_LINKS, TARGET=real, LEAST=str(least), MOST=str(most))
        except OSError as error:
            if not isinstance(error.__cause__, CommandExitException):
                raise
            told = error.__cause__.stdout  # of directories that may not be read, nothing is known
        texts = told.split("\0")
        return {way: self._shown(text) for way, text in zip(texts[::2], texts[1::2], strict=False)}

    def _leads_to(self, info: EntryInfo) -> str:
        return self._shown(info.symlink_target or "")

    def _shown(self, text: str) -> str:
        return (self._place.shown(text) or text) if text.startswith("/") else text
