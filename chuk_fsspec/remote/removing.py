"""What a remote filesystem removes."""

from __future__ import annotations

import errno
from typing import Any

from chuk_fsspec.contract.conditions import ANY, Condition, Etags, arguments_of, condition_of, refuse_etags
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.expansion import has_glob, listed
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.remote.conditions import conditions_by_path
from chuk_fsspec.remote.resolving import ToldAs
from chuk_fsspec.remote.store import Entry
from chuk_fsspec.remote.writing import Writing


class Removing(Writing):
    """The part of ``RemoteFileSystem`` that takes names away."""

    async def _rm_file(self, path: str, *, if_match: str | None = None, **kwargs: Any) -> None:
        """Remove a file or link.

        Args:
            path: what is removed.
            if_match: the etag that it has to have, or ``*`` for any.
            kwargs: ignored.

        Raises:
            OSError: ENOENT, EISDIR for a directory, ENOTSUP for an etag that the service cannot check.
            PreconditionFailed: with nothing done; also if nothing is there.
        """
        normal = self._strip_protocol(path)
        condition = condition_of(if_match)
        self._require_checkable(normal, condition)
        try:
            real = await self._real(normal, follow=False)
            with ToldAs(normal, real):
                if condition is not None and self.capabilities.symlinks:
                    require_of_name(condition, await self._look(normal))
                await self._store.remove_file(real, condition)
        except FileNotFoundError:
            if condition is not None:
                raise condition.failure(normal, None) from None
            raise await self._nothing_at(normal) from None
        self._gone(real)

    async def _rmdir(self, path: str) -> None:
        """Remove an empty directory. ENOENT, ENOTDIR, ENOTEMPTY, EBUSY for the root."""
        normal = self._strip_protocol(path)
        if normal == "/":
            raise os_error(errno.EBUSY, normal, hint="the root directory stays where it is")
        real = await self._real(normal, follow=False)
        try:
            with ToldAs(normal, real):
                await self._store.remove_directory(real)
        except FileNotFoundError:
            raise await self._nothing_at(normal) from None
        self._gone(real)

    # fsspec's synchronous ``_rm`` is a step of its ``rm``, which nothing here makes use of.
    async def _rm(  # type: ignore[override]
        self,
        path: str | list[str],
        recursive: bool = False,
        maxdepth: int | None = None,
        batch_size: int | None = None,
        *,
        if_match: Etags = None,
        **kwargs: Any,
    ) -> None:
        """Remove files, and directories with all they hold if ``recursive``; links are removed, not followed.

        Args:
            path: a path, a glob pattern, or a list of them.
            recursive: allow directories.
            maxdepth: with ``recursive``, remove only files this many levels down.
            batch_size: ignored; the service says how many requests it takes at once.
            if_match: remove files and links only, each on the condition of ``rm_file``; or a dict from path to etag.
            kwargs: ignored.

        Raises:
            OSError: ENOENT, EISDIR for a directory without ``recursive`` or with ``if_match``.
            PreconditionFailed: with nothing done, unless the file was changed after the first one was removed.
        """
        matches = await self._matches(path)
        if if_match is not None:
            conditions = await conditions_by_path(self, matches, if_match)
            await self._together(self._rm_file(one, **arguments_of(condition)) for one, condition in conditions.items())
        elif not recursive:
            await self._together(self._rm_file(one) for one in dict.fromkeys(matches))
        elif maxdepth is not None:
            await self._rm_shallow(matches, maxdepth)
        else:
            await self._together(self._rm_all(one) for one in _outermost(matches))

    async def _rm_shallow(self, matches: list[str], maxdepth: int) -> None:
        """Remove files that are so many levels down, and what is no directory."""
        files: list[str] = []
        for one in matches:
            is_directory = (await self._look(one)).kind == "directory"
            files += await self._find(one, maxdepth=maxdepth) if is_directory else [one]
        await self._together(self._rm_file(one) for one in dict.fromkeys(files))

    async def _rm_all(self, path: str) -> None:
        """Remove whatever is at a path. ENOENT."""
        real = await self._real(path, follow=False)
        with ToldAs(path, real):
            if real != "/" and await self._is_removed_as_file(real):
                return
            try:
                await self._store.remove_tree(real)
            finally:
                self._gone(real)

    async def _is_removed_as_file(self, path: str) -> bool:
        """Remove what is at a path unless that is a directory; whether it is gone. ENOENT."""
        try:
            await self._rm_file(path)
        except IsADirectoryError:
            return False
        return True

    async def _matches(self, path: Any) -> list[str]:
        """What a path, a pattern or a list of them stands for, in the order given; directories are not looked into.

        Raises:
            FileNotFoundError: for a pattern without a match.
        """
        found: list[str] = []
        for one in listed(path):
            normal = self._strip_protocol(one)
            is_pattern = has_glob(normal) and not await self._lexists(normal)
            found += await self._expand_path(normal) if is_pattern else [normal]
        return found


def require_of_name(wanted: Condition, entry: Entry) -> None:
    """Check a condition on what loses its name. EISDIR for the etag of a directory, EINVAL for that of a link."""
    if entry.kind == "directory":
        refuse_etags(entry.path, wanted)
    elif wanted.compares and entry.kind != "file":
        raise os_error(errno.EINVAL, entry.path, hint="a link has no etag to compare; '*' takes anything")
    elif wanted.if_match != ANY:
        wanted.require(entry.path, entry.etag)


def _outermost(paths: list[str]) -> list[str]:
    """Paths without those that lie below others of them."""
    chosen: list[str] = []
    for path in sorted(set(paths), key=lambda path: path.split("/")):
        if not (chosen and is_inside(path, chosen[-1])):
            chosen.append(path)
    return chosen
