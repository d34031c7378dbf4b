"""From a path to what it leads to, where the service keeps symbolic links. Where it keeps none, this asks nothing."""

from __future__ import annotations

import errno

from chuk_fsspec.contract.errors import LinkInTheWay, link_in_the_way, not_found, os_error
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.remote.base import RemoteBase
from chuk_fsspec.remote.store import Entry

LINKS_MAX = 40


class Resolving(RemoteBase):
    """The part of ``RemoteFileSystem`` that follows links, or refuses to (``Posix.nofollow``)."""

    async def _look(self, path: str, *, follow: bool = False) -> Entry:
        """What is at a normal path, or behind a link there. ENOENT, ENOTDIR, ELOOP."""
        if self._service_follows:
            entry = (await self._place(path, follow=follow))[1]
            if entry is None:
                raise not_found(path)
            return entry
        entry = await self._look_or_none(path, follow=follow)
        if entry is None:
            raise await self._nothing_at(path)
        return entry

    async def _look_or_none(self, path: str, *, follow: bool = False) -> Entry | None:
        """As ``_look``; None for nothing, which includes what is below a file. ELOOP."""
        if not self.capabilities.symlinks:
            return await self._store.look(path)
        try:
            return (await self._place(path, follow=follow))[1]
        except (FileNotFoundError, NotADirectoryError):
            return None

    async def _real(self, path: str, *, follow: bool = True) -> str:
        """The path that a normal path leads to, which has no links in it; nothing need be there.

        Raises:
            OSError: ENOTDIR below a file, ELOOP past 40 links. ``LinkInTheWay`` where none is followed.
        """
        if not self.capabilities.symlinks:
            return path
        if self.follow_links and self._needs_no_walk(path, follow=follow):
            return path
        return (await self._place(path, follow=follow))[0]

    async def _found_at(self, path: str) -> tuple[str, Entry | None]:
        """Where a normal path leads but for a link at its end, and what is there; errors as ``_real``."""
        if not self.capabilities.symlinks:
            return path, await self._store.look(path)
        return await self._place(path, follow=False)

    def _needs_no_walk(self, path: str, *, follow: bool) -> bool:
        """Whether a normal path is known to have no link in it that somebody would have to follow."""
        if follow:
            return self._is_known(path)
        return self._service_follows or self._is_known(split(path)[0])

    @property
    def _service_follows(self) -> bool:
        """Whether links on the way to a path are the service's business (``Traits.resolves_links``)."""
        return self.capabilities.symlinks and self.traits.resolves_links and self.follow_links

    async def _behind(self, link: Entry) -> tuple[str, Entry | None]:
        """Where a link leads, and what is there. ENOENT, ENOTDIR, ELOOP."""
        text = link.destination
        path = text if text.startswith("/") else f"{split(link.path)[0]}/{text}"
        with ToldAs(link.path, path):
            return await self._walk_to(path, follow=True, links=LINKS_MAX - 1)

    async def _place(self, path: str, *, follow: bool) -> tuple[str, Entry | None]:
        """Where a normal path leads, and what is there."""
        if self.follow_links:
            entry = await self._store.look(path)
            if entry is not None:
                return await self._behind(entry) if follow and entry.kind == "link" else (path, entry)
            if self._service_follows or self._is_known(split(path)[0]):
                return path, None
        return await self._walk_to(path, follow=follow)

    async def _walk_to(self, path: str, *, follow: bool, links: int = LINKS_MAX) -> tuple[str, Entry | None]:
        """The same, component by component (path_resolution(7)), by at most so many links.

        What is missing may be missing several levels deep.
        """
        pending = _components(path)
        seen: set[tuple[str, ...]] = set()
        here: str = "/"
        entry: Entry | None = Entry("/", "directory")
        while pending:
            name = pending.pop()
            if name == "..":
                here = split(here)[0]
                continue
            here = join(here, name)
            if pending and self._is_known(here):
                continue
            entry = await self._store.look(here)
            if entry is None:
                if ".." in pending:
                    raise not_found(path)
                return _below(here, pending), None
            if entry.kind == "link" and (follow or pending):
                if not self.follow_links:
                    raise link_in_the_way(here)
                links -= 1
                way = (here, *pending)
                if links < 0 or way in seen:
                    raise os_error(errno.ELOOP, path)
                seen.add(way)
                pending += _components(entry.destination)
                here = "/" if entry.destination.startswith("/") else split(here)[0]
                entry = None
            elif entry.kind == "directory":
                self._known.directories.put(here, True)
            elif pending:
                raise os_error(errno.ENOTDIR, path)
        return here, entry if entry is not None else await self._store.look(here)

    async def _nothing_at(self, path: str) -> OSError:
        """The error for a normal path at which nothing is: ENOTDIR below a file, else ENOENT."""
        if not self.capabilities.symlinks:
            return await super()._nothing_at(path)
        try:
            await (self._store.look(path) if self._service_follows else self._walk_to(path, follow=True))
        except LinkInTheWay:
            raise
        except OSError as error:
            return error
        return not_found(path)

    def _is_known(self, directory: str) -> bool:
        """Whether a normal path is known to be a directory, and no link."""
        return directory == "/" or bool(self._known.directories.get(directory))


class ToldAs:
    """A context in which an error names the path that was asked for, and not what it leads to."""

    def __init__(self, path: str, real: str) -> None:
        """For a path, and what it leads to."""
        self._path, self._real = path, real

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, LinkInTheWay) and error.filename == self._real:
            error.filename = self._path


def _components(path: str) -> list[str]:
    """The components of a path, last first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _below(path: str, pending: list[str]) -> str:
    return path + "".join(f"/{name}" for name in reversed(pending))
