"""What has to be there before something can be written: its directory, and what a condition asks for."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from chuk_fsspec.contract.conditions import ANY, Condition
from chuk_fsspec.contract.errors import AlreadyThere, LinkInTheWay, not_supported, os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.remote.reading import Reading
from chuk_fsspec.remote.resolving import ToldAs
from chuk_fsspec.remote.sending import Order
from chuk_fsspec.remote.store import Entry

Result = TypeVar("Result")


class Placing(Reading):
    """The part of ``RemoteFileSystem`` that makes directories, and makes ready for files."""

    async def _mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Make a directory, and its parents unless told not to. EEXIST, ENOENT, ENOTDIR."""
        await self._make_directory(self._strip_protocol(path), make_parents=create_parents)

    async def _make_directory(self, path: str, *, make_parents: bool = True, is_missing: bool = False) -> None:
        """Make a directory at a normal path; ``is_missing`` if it was just seen that nothing is there."""
        if path == "/":
            raise os_error(errno.EEXIST, path)
        if not self.capabilities.directories:
            return
        real = await self._real(path, follow=False)
        with ToldAs(path, real):
            await self._require_parent(real, make=make_parents)
            try:
                await self._store.make_directory(real, is_missing=is_missing)
            except FileNotFoundError:  # it was remembered, and is gone
                self._known.forget_above(real)
                await self._require_parent(real, make=make_parents)
                await self._store.make_directory(real)
        self._known.made(real)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and its parents; one that exists is an error unless ``exist_ok``."""
        normal = self._strip_protocol(path)
        if exist_ok and self.follow_links and self._is_known(normal):
            return
        looks = exist_ok and self.traits.implied_directories  # to make one there is to look for it first
        found = await self._look_or_none(normal) if looks else None
        if found is None:
            try:
                await self._make_directory(normal, is_missing=looks)
                return
            except FileExistsError:
                if not exist_ok:
                    raise
                found = await self._look_or_none(normal)
        if found is not None and found.kind == "directory":
            self._known.directories.put(normal, True)
        elif not await self._isdir(normal):
            raise os_error(errno.EEXIST, normal)

    async def _require_parent(self, path: str, *, make: bool, is_implied: bool = False) -> None:
        """See to it that a real path's directory exists, where directories do.

        Args:
            path: of what is going to be there.
            make: make what is missing.
            is_implied: nothing has to be made, for it is there as soon as the path is.

        Raises:
            OSError: ENOTDIR; ENOENT without ``make``.
        """
        missing: list[str] = []
        above = split(path)[0]
        while self.capabilities.directories and not self._is_known(above):
            with ToldAs(path, above):
                entry = await self._store.look(above)
            if entry is not None and entry.kind == "link" and self._service_follows:
                entry = await self._look(above, follow=True)
                above = entry.path
            if entry is not None and entry.kind != "directory":
                raise os_error(errno.ENOTDIR, path)
            if entry is not None:
                self._known.directories.put(above, True)
                break
            if not make:
                raise await self._nothing_at(path)
            missing.append(above)
            above = split(above)[0]
        if is_implied:
            return
        for directory in reversed(missing):
            await self._make_missing(directory, path)

    async def _make_missing(self, directory: str, path: str) -> None:
        """Make a directory for a path, when nothing was there."""
        try:
            await self._store.make_directory(directory, is_missing=True)
        except FileExistsError:  # somebody was faster
            entry = await self._store.look(directory)
            if entry is None or entry.kind != "directory":
                raise os_error(errno.ENOTDIR, path) from None
        self._known.made(directory)

    async def _make_link(self, path: str, destination: str) -> None:
        """Make a symbolic link at a normal path. EEXIST, ENOENT, ENOTDIR."""
        real = await self._real(path, follow=False)
        with ToldAs(path, real):
            await self._require_parent(real, make=False)
            await self._store.make_link(real, destination)
        self._known.gone(real)

    async def _placed(self, order: Order, make: Callable[[str, Condition | None], Awaitable[Result]]) -> Result:
        """Have something made at the real path of an order, in a directory that is there.

        Where the directory was only remembered, and somebody else has removed it, it is looked at again.
        """
        with ToldAsAsked(order):
            real, condition = await self._prepare(order, looks=not self._service_follows)
            try:
                with ToldAs(order.path, real):
                    return await make(real, condition)
            except LinkInTheWay:
                if not self.follow_links:
                    raise
            except FileNotFoundError:
                if not self._known.forget_above(real):
                    raise
            real, condition = await self._prepare(order)
            with ToldAs(order.path, real):
                return await make(real, condition)

    async def _prepare(self, order: Order, *, looks: bool = True) -> tuple[str, Condition | None]:
        """Make ready for a write: its directory is there, and the service can check what is asked.

        Args:
            order: what is to be written.
            looks: follow a link at the path; without it, the service says that there is one.

        Returns:
            The path without links, and the condition for the store.
        """
        path, condition, can = order.path, order.condition, self.capabilities
        if path == "/":
            raise os_error(errno.EISDIR, path)
        self._require_checkable(path, condition)
        is_new = order.is_new or (condition is not None and condition.is_new)
        wants_file = condition is not None and condition.if_match is not None
        try:
            real = await self._real(path, follow=looks and not is_new)
            makes = self.auto_mkdir and not wants_file
            if not ((makes or wants_file) and self.traits.implied_directories):
                await self._require_parent(real, make=makes)
        except FileNotFoundError:
            if condition is None or not wants_file:
                raise
            raise condition.failure(path, None) from None
        except OSError as error:
            if not isinstance(error, LinkInTheWay):
                error.filename = path
            raise
        if not order.is_new:
            return real, condition
        if can.exclusive_create:
            return real, replace(condition or Condition(), if_none_match=ANY)
        if await self._store.look(real) is not None:
            raise os_error(errno.EEXIST, path)
        return real, None

    def _require_checkable(self, path: str, condition: Condition | None) -> None:
        """ENOTSUP for a condition that the service cannot check in the very step of a change."""
        if condition is None or self.capabilities.conditional_write:
            return
        if condition.if_none_match is not None or not self.traits.matches_etags:
            raise not_supported("a condition that this service cannot check", path)

    def _written(self, entry: Entry) -> str | None:
        """Note that a file is there; returns its etag."""
        self._known.changed(entry.path)
        return entry.etag or None


class ToldAsAsked:
    """A context in which a file in the way of ``mode="create"`` is told as Python does, not as a failed condition."""

    def __init__(self, order: Order) -> None:
        """For what is to be written."""
        self._order = order

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._order.is_new and isinstance(error, AlreadyThere):
            raise os_error(errno.EEXIST, self._order.path) from None
