"""What a remote filesystem answers without changing anything: what is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from fsspec.utils import stringify_path

from chuk_fsspec.contract.arguments import require_depth
from chuk_fsspec.contract.errors import leads_nowhere, not_supported, omit_unless_link
from chuk_fsspec.contract.expansion import has_glob
from chuk_fsspec.contract.globbing import search_of
from chuk_fsspec.contract.info import FileType
from chuk_fsspec.contract.paths import split
from chuk_fsspec.remote.describing import fingerprint, info_of, version_of
from chuk_fsspec.remote.resolving import Resolving
from chuk_fsspec.remote.store import Entry

InfoDict = dict[str, Any]


class Looking(Resolving):
    """The part of ``RemoteFileSystem`` that looks."""

    async def _info(self, path: str, **kwargs: Any) -> InfoDict:
        """What is known of a path (``contract.Info``); a link's own attributes with its target's type and size."""
        normal = self._strip_protocol(path)
        changes = self._known.changes
        entry = await self._look(normal)
        if entry.kind == "directory" and not self.capabilities.symlinks:
            self._known.seen(normal, changes)
        return await self._described(normal, entry)

    async def _described(self, path: str, entry: Entry) -> InfoDict:
        """The info dict of what is at a normal path."""
        target = None
        if entry.kind == "link" and self.follow_links:
            with suppress(OSError):
                target = (await self._behind(entry))[1]
        leads_to_file = target is not None and target.kind == "file"
        etags = self.capabilities.etags
        return info_of(entry, path, target=target if leads_to_file else None, has_etags=etags)

    async def _all_described(self, entries: Iterable[Entry], top: str, real: str) -> dict[str, InfoDict]:
        """The info dicts of what is below a directory, in the order of their paths.

        Args:
            entries: what is there.
            top: the directory as it is shown.
            real: the directory as it is.
        """
        paths = {_rebased(entry.path, real, top): entry for entry in entries}
        if any(entry.kind == "link" for entry in paths.values()):
            infos = await self._together(self._described(path, entry) for path, entry in sorted(paths.items()))
            return {info["name"]: info for info in infos}
        etags = self.capabilities.etags
        return {path: info_of(paths[path], path, has_etags=etags) for path in sorted(paths)}

    async def _ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """A directory's entries in name order, or the one entry that a path is. ENOENT, ENOTDIR."""
        normal = self._strip_protocol(path)
        real = await self._real(normal)
        try:
            entries = await self._entries(real)
        except NotADirectoryError:
            return [await self._info(normal)] if detail else [(await self._info(normal))["name"]]
        except FileNotFoundError:
            raise await self._nothing_at(normal) from None
        if detail:
            return list((await self._all_described(entries, normal, real)).values())
        return sorted(_rebased(entry.path, real, normal) for entry in entries)

    async def _entries(self, path: str) -> list[Entry]:
        """What is in a directory, as it was at most the expiry time ago if listings are remembered."""
        found = self._known.listings.get(path)
        if found is None:
            changes = self._known.changes
            found = await self._store.list(path)
            self._known.seen(path, changes, found)
        return found

    async def _find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **kwargs: Any
    ) -> Any:
        """All files below a path, in order; links are listed and not followed.

        Args:
            path: where to start; a file gives itself, a missing path nothing.
            maxdepth: levels to go down, at least 1; None for all.
            withdirs: list directories too, the start included.
            detail: return a dict from path to info instead of a list of paths.
            kwargs: ignored.

        Raises:
            ValueError: for a ``maxdepth`` below 1.
        """
        require_depth(maxdepth)
        return await self._found_below(self._strip_protocol(path), maxdepth, withdirs=withdirs, detail=detail)

    async def _found_below(
        self, start: str, maxdepth: int | None, *, withdirs: bool, detail: bool, with_start: bool = True
    ) -> Any:
        """What ``find`` gives for a normal path; what is at the path itself is left out without ``with_start``."""
        try:
            real = await self._real(start)
        except (FileNotFoundError, NotADirectoryError):
            return {} if detail else []
        below = self._levels(real, maxdepth) if maxdepth else self._store.descend(real, names_only=not detail)
        found = [entry async for entry in below if withdirs or entry.kind != "directory"]
        if with_start and (withdirs or not found):
            entry = await self._look_or_none(start)
            if entry is not None and (withdirs or entry.kind != "directory"):
                found.append(replace(entry, path=real))
        if not detail:
            return sorted(_rebased(entry.path, real, start) for entry in found)
        return await self._all_described(found, start, real)

    async def _levels(self, start: str, maxdepth: int) -> AsyncIterator[Entry]:
        """So many levels of a directory, links not followed; nothing if there is no such directory."""
        level = [start]
        for _ in range(maxdepth):
            listings = await self._together(self._entries_or_none(directory) for directory in level)
            level = []
            for entry in (entry for entries in listings for entry in entries):
                yield entry
                if entry.kind == "directory":
                    level.append(entry.path)

    async def _entries_or_none(self, path: str) -> list[Entry]:
        try:
            return await self._entries(path)
        except (FileNotFoundError, NotADirectoryError):
            return []

    async def _walk(
        self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "omit", **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Directory, names of its directories and names of all else, from a path down, as ``walk``."""
        require_depth(maxdepth)
        start, detail = self._strip_protocol(path), kwargs.pop("detail", False)
        try:
            infos = await self._ls(start, detail=True)
        except OSError as error:
            if on_error == "raise":
                raise
            (on_error if callable(on_error) else omit_unless_link)(error)
            return
        directories: Any = {_name(info): info for info in infos if info["type"] == "directory"}
        others: Any = {
            "" if info["name"] == start else _name(info): info for info in infos if info["type"] != "directory"
        }
        below = {name: info["name"] for name, info in directories.items()}
        if not detail:
            directories, others = list(directories), list(others)
        if topdown:
            yield start, directories, others
        if maxdepth is None or maxdepth > 1:
            depth = None if maxdepth is None else maxdepth - 1
            for name in list(directories):
                async for step in self._walk(below[name], depth, topdown, on_error, detail=detail):
                    yield step
        if not topdown:
            yield start, directories, others

    async def _glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        """What matches a pattern, by fsspec's rules (``contract.globbing``)."""
        detail, withdirs = kwargs.pop("detail", False), kwargs.pop("withdirs", True)
        pattern: str = self._strip_protocol(path)
        require_depth(maxdepth)
        if has_glob(pattern):
            search = search_of(pattern, only_directories=stringify_path(path).endswith("/"), maxdepth=maxdepth)
            root, with_start = self._strip_protocol(search.root), search.may_give_root
            below = await self._found_below(root, search.depth, withdirs=withdirs, detail=True, with_start=with_start)
            found = search.choose(below)
        else:
            found = {pattern: await self._info(pattern)} if await self._exists(pattern) else {}
        return found if detail else list(found)

    async def _du(
        self, path: str, total: bool = True, maxdepth: int | None = None, withdirs: bool = False, **kwargs: Any
    ) -> Any:
        """Bytes of all files below a path, or of each."""
        found = await self._find(path, maxdepth=maxdepth, withdirs=withdirs, detail=True)
        sizes = {name: info["size"] for name, info in found.items()}
        return sum(sizes.values()) if total else sizes

    async def _exists(self, path: str, **kwargs: Any) -> bool:
        """Whether a path leads to something; a link to nothing does not."""
        return await self._kind(path) is not None

    async def _lexists(self, path: str, **kwargs: Any) -> bool:
        """Whether there is an entry of this path, be it a link to nothing."""
        return await self._kind(path, follow=False) is not None

    async def _isfile(self, path: str) -> bool:
        """Whether a path leads to a regular file."""
        return await self._kind(path) == "file"

    async def _isdir(self, path: str) -> bool:
        """Whether a path leads to a directory."""
        return await self._kind(path) == "directory"

    async def _kind(self, path: str, *, follow: bool = True) -> FileType | None:
        """What a path leads to; None for nothing, and for what cannot be a path at all."""
        try:
            entry = await self._look_or_none(self._strip_protocol(path), follow=follow)
        except OSError as error:
            if leads_nowhere(error):
                return None
            raise
        return None if entry is None else entry.kind

    async def _size(self, path: str) -> int:
        """Bytes of a file; 0 for a directory."""
        size: int = (await self._info(path))["size"]
        return size

    async def _created(self, path: str) -> datetime:
        """When a file was made, in UTC."""
        normal = self._strip_protocol(path)
        entry = await self._look(normal, follow=True)
        return _time(normal, "created", entry.mtime if entry.created is None else entry.created)

    async def _modified(self, path: str) -> datetime:
        """When a file's content last changed, in UTC."""
        normal = self._strip_protocol(path)
        return _time(normal, "mtime", (await self._look(normal, follow=True)).mtime)

    async def _ukey(self, path: str) -> str:
        """A string that stands for this content of this file."""
        normal = self._strip_protocol(path)
        return f"{fingerprint(self.fsid, normal, *version_of(await self._look(normal, follow=True))):032x}"

    async def _checksum(self, path: str) -> int:
        """A number that changes with the content; reading a file leaves it alone."""
        normal = self._strip_protocol(path)
        return fingerprint(normal, *version_of(await self._look(normal, follow=True)))

    async def _sign(self, path: str, expiration: int = 100, method: str = "GET", **kwargs: Any) -> str:
        """A URL that anybody can use for a while.

        Args:
            path: of a file.
            expiration: seconds.
            method: "GET" to read it, "PUT" to write it.
            kwargs: ignored.

        Raises:
            OSError: ENOTSUP where the service has no such thing.
        """
        return await self._store.sign(self._strip_protocol(path), expiration, method)


def _name(info: InfoDict) -> str:
    return split(info["name"])[1]


def _rebased(path: str, real: str, top: str) -> str:
    """A path below a directory, as it is shown below another name of it."""
    return path if real == top else (top.rstrip("/") + path[len(real.rstrip("/")) :]) or "/"


def _time(path: str, name: str, seconds: float | None) -> datetime:
    if seconds is None:
        raise not_supported(f"the service does not tell {name}", path)
    return datetime.fromtimestamp(seconds, tz=timezone.utc)
