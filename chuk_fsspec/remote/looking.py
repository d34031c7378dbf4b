"""What a remote filesystem answers without changing anything: what is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
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

    async def _all_described(
        self, entries: Sequence[Entry], top: str, real: str, *, names_only: bool
    ) -> dict[str, InfoDict]:
        """The info dicts of what is below a directory, by their paths.

        Args:
            entries: what is there.
            top: the directory as it is shown.
            real: the directory as it is.
            names_only: an info dict holds name and type alone, a link's own.
        """
        paths = [entry.path if real == top else _rebased(entry.path, real, top) for entry in entries]
        named = zip(paths, entries, strict=True)
        if names_only:
            return {path: {"name": path, "type": entry.kind} for path, entry in named}
        can = self.capabilities
        if can.symlinks and any(entry.kind == "link" for entry in entries):
            infos = await self._together(self._described(path, entry) for path, entry in named)
            return {info["name"]: info for info in infos}
        return {path: info_of(entry, path, has_etags=can.etags) for path, entry in named}

    async def _ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """A directory's entries in name order, or the one entry that a path is. ENOENT, ENOTDIR."""
        infos = await self._listed(self._strip_protocol(path), names_only=not detail)
        return infos if detail else [info["name"] for info in infos]

    async def _listed(self, path: str, *, names_only: bool) -> list[InfoDict]:
        """What ``ls`` gives for a normal path; ``names_only`` as for ``_all_described``."""
        real = await self._real(path)
        try:
            entries = await self._entries(real, names_only=names_only)
        except NotADirectoryError:
            return [await self._info(path)]
        except FileNotFoundError:
            raise await self._nothing_at(path) from None
        infos = await self._all_described(entries, path, real, names_only=names_only)
        return [infos[name] for name in sorted(infos)]

    async def _entries(self, path: str, *, names_only: bool) -> list[Entry]:
        """What is in a directory, as it was at most the expiry time ago if listings are remembered."""
        found = self._known.listings.get(path)
        if found is None:
            changes = self._known.changes
            is_remembered = self._known.keeps_listings
            found = await self._store.list(path, names_only=names_only and not is_remembered)
            self._known.seen(path, changes, found if is_remembered else None)
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
        start = self._strip_protocol(path)
        found = await self._found_below(start, maxdepth, withdirs=withdirs, names_only=not detail)
        return found if detail else list(found)

    async def _found_below(
        self, start: str, maxdepth: int | None, *, withdirs: bool, names_only: bool, with_start: bool = True
    ) -> dict[str, InfoDict]:
        """What ``find`` gives for a normal path.

        Args:
            start: where to start.
            maxdepth: as for ``find``.
            withdirs: likewise.
            names_only: as for ``_all_described``.
            with_start: what is at the path itself is not left out.
        """
        try:
            real = await self._real(start)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        found: dict[str, InfoDict] = {}
        if maxdepth:
            below = self._levels(real, maxdepth, names_only=names_only)
        else:
            below = self._store.descend(real, names_only=names_only)
        async for entries in below:
            wanted = entries if withdirs else [entry for entry in entries if entry.kind != "directory"]
            found |= await self._all_described(wanted, start, real, names_only=names_only)
        if with_start and (withdirs or not found):
            entry = await self._look_or_none(start)
            if entry is not None and (withdirs or entry.kind != "directory"):
                found |= await self._all_described([entry._replace(path=real)], start, real, names_only=names_only)
        return {path: found[path] for path in sorted(found)}

    async def _levels(self, start: str, maxdepth: int, *, names_only: bool) -> AsyncIterator[Sequence[Entry]]:
        """So many levels of a directory, links not followed; nothing if there is no such directory."""
        level = [start]
        for _ in range(maxdepth):
            listings = await self._together(self._entries_or_none(one, names_only=names_only) for one in level)
            for entries in listings:
                yield entries
            level = [entry.path for entries in listings for entry in entries if entry.kind == "directory"]

    async def _entries_or_none(self, path: str, *, names_only: bool) -> list[Entry]:
        try:
            return await self._entries(path, names_only=names_only)
        except (FileNotFoundError, NotADirectoryError):
            return []

    async def _walk(
        self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "omit", **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Directory, names of its directories and names of all else, from a path down, as ``walk``."""
        require_depth(maxdepth)
        start, detail = self._strip_protocol(path), kwargs.pop("detail", False)
        try:
            infos = await self._listed(start, names_only=not detail)
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
            below = await self._found_below(
                root, search.depth, withdirs=withdirs, names_only=not detail, with_start=with_start
            )
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
