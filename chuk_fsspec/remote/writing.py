"""What a remote filesystem writes: whole files, and the directories above them."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from typing import Any, TypeVar

from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.arguments import require_writing_mode
from chuk_fsspec.contract.conditions import ANY, Etags, arguments_of, condition_of
from chuk_fsspec.contract.errors import not_a_file
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.threads import in_thread
from chuk_fsspec.remote.conditions import conditions_by_path
from chuk_fsspec.remote.placing import Placing, ToldAsAsked
from chuk_fsspec.remote.resolving import ToldAs
from chuk_fsspec.remote.sending import Order, Sending
from chuk_fsspec.remote.store import NOTHING_BESIDES, Attributes, Upload
from chuk_fsspec.remote.streams import closing

Result = TypeVar("Result")


class Writing(Placing):
    """The part of ``RemoteFileSystem`` that writes."""

    async def _pipe_file(
        self,
        path: str,
        value: Buffer,
        mode: str = "overwrite",
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        """Write a whole file in one step; ``mode="create"`` refuses one that exists.

        Args:
            path: where to.
            value: the content.
            mode: "overwrite" or "create".
            if_match: the etag that the file has to have, or ``*`` if there has to be one.
            if_none_match: the etag that it must not have, or ``*`` if nothing may be there.
            kwargs: ``content_type`` and ``metadata``, kept with the file where the service has them.

        Returns:
            The new etag; None where the service has none.

        Raises:
            OSError: EEXIST, EISDIR, ENOTDIR, ENOTSUP for a condition that the service cannot check.
            PreconditionFailed: with nothing done.
        """
        require_writing_mode(mode)
        normal = self._strip_protocol(path)
        data = value if type(value) is bytes else bytes(value)
        condition = condition_of(if_match, if_none_match)
        order = Order(normal, besides_of(kwargs), condition, is_new=mode == "create")
        if len(data) > self.traits.largest_whole:
            return await self._send(order, _piece(data))
        return await self._write_whole(order, data)

    async def _write_whole(self, order: Order, data: bytes) -> str | None:
        """Write a file in one request; returns its etag."""
        entry = await self._placed(
            order, lambda real, condition: self._store.write(real, data, order.besides, condition)
        )
        return self._written(entry)

    async def _begin_upload(self, order: Order) -> Upload:
        return await self._placed(order, lambda real, condition: self._store.upload(real, order.besides, condition))

    async def _finish_upload(self, order: Order, upload: Upload) -> str | None:
        with ToldAsAsked(order):
            return self._written(await upload.finish())

    async def _send(self, order: Order, pieces: AsyncIterator[Buffer]) -> str | None:
        """Write a file of any size; returns its etag."""
        sending = Sending(self, order)
        try:
            async with closing(pieces):
                async for piece in pieces:
                    await sending.write(piece)
            return await sending.finish()
        except BaseException as error:
            await sending.abort_for(error)
            raise

    async def _pipe(
        self,
        path: str | dict[str, Any],
        value: Any = None,
        batch_size: int | None = None,
        *,
        if_match: Etags = None,
        if_none_match: Etags = None,
        **kwargs: Any,
    ) -> None:
        """Write one file, or each of a dict from path to content; several are on their way at once.

        Args:
            path: a path, or a dict.
            value: the content for one path.
            batch_size: ignored; the service says how many requests it takes at once.
            if_match: as for ``pipe_file``; or a dict from path to etag, with None for what is written in any case.
            if_none_match: likewise.
            kwargs: as for ``pipe_file``.

        Raises:
            PreconditionFailed: with nothing done, unless the file was changed after the first one was written.
            ValueError: for a path without an etag.
        """
        contents = path if isinstance(path, dict) else {path: value}
        values = {self._strip_protocol(one): content for one, content in contents.items()}
        conditions = await conditions_by_path(self, values, if_match, if_none_match)
        await self._together(
            self._pipe_file(one, values[one], **arguments_of(condition), **kwargs)
            for one, condition in conditions.items()
        )

    async def _put_file(
        self,
        lpath: Any,
        rpath: str,
        callback: Callback = DEFAULT_CALLBACK,
        mode: str = "overwrite",
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        """Upload a local file, or make a directory for a local one; ``mode="create"`` refuses a file that exists.

        Conditions, other arguments and what is returned are as for ``pipe_file``; for a directory there is nothing to
        return.
        """
        if await in_thread(lambda: os.path.isdir(lpath)):
            await self._makedirs(rpath, exist_ok=True)
            return None
        condition = condition_of(if_match, if_none_match)
        pieces = _read_local(lpath, min(self.traits.part_size, self.traits.largest_whole), callback)
        order = Order(self._strip_protocol(rpath), besides_of(kwargs), condition, is_new=mode == "create")
        return await self._send(order, pieces)

    async def _touch(
        self,
        path: str,
        truncate: bool = True,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        """Make an empty file, or empty one that is there; ``truncate=False`` only stamps it with the time.

        Conditions and what is returned are as for ``pipe_file``.

        Where times cannot be set, a stamped file is copied onto itself and has a new etag.
        """
        normal = self._strip_protocol(path)
        found = None if truncate or if_none_match == ANY else await self._look_or_none(normal, follow=True)
        if found is None:
            return await self._pipe_file(normal, b"", if_match=if_match, if_none_match=if_none_match)
        if found.kind != "file":
            raise not_a_file(normal, is_directory=found.kind == "directory")
        condition = condition_of(if_match, if_none_match)
        self._require_checkable(normal, condition)
        if condition is not None:
            condition.require(normal, found.etag)
        if self.capabilities.attributes:
            await self._set_attributes(normal, Attributes(mtime=time.time()))
            return found.etag or None
        return self._written(await self._store.copy_file(found.path, found.path, condition))

    async def _set_attributes(self, path: str, changed: Attributes, *, follow: bool = True) -> None:
        """Change what is kept with what a normal path leads to. ENOENT."""
        real = await self._real(path, follow=follow)
        try:
            with ToldAs(path, real):
                await self._store.set_attributes(real, changed)
        except FileNotFoundError:
            raise await self._nothing_at(path) from None
        self._known.changed(real)


def besides_of(options: dict[str, Any]) -> Attributes:
    """What is kept with a file, from the options of a call."""
    if not options:
        return NOTHING_BESIDES
    return Attributes(content_type=options.get("content_type"), metadata=options.get("metadata"))


async def _piece(data: bytes) -> AsyncIterator[Buffer]:
    yield data


async def _read_local(path: Any, size: int, callback: Callback) -> AsyncIterator[Buffer]:
    """A local file in pieces of a size in bytes."""
    file = await in_thread(lambda: open(path, "rb"))  # noqa: SIM115 - closed below
    try:
        callback.set_size(os.fstat(file.fileno()).st_size)
        while data := await in_thread(lambda: file.read(size)):
            yield data
            callback.relative_update(len(data))
    finally:
        file.close()
