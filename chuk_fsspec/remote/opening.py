"""Opening files of a remote filesystem."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from typing import Any

from chuk_fsspec.contract.arguments import require_open_mode
from chuk_fsspec.contract.conditions import ANY, Condition, condition_of
from chuk_fsspec.contract.errors import PreconditionFailed, not_a_file, os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.threads import in_thread
from chuk_fsspec.remote.conditions import require_met
from chuk_fsspec.remote.files.awaited import AsyncReadingFile, AsyncWritingFile
from chuk_fsspec.remote.files.cached import CachedFile
from chuk_fsspec.remote.files.reading import ReadingFile, Window
from chuk_fsspec.remote.files.spooling import AppendingFile, SpoolingFile
from chuk_fsspec.remote.files.writing import WritingFile
from chuk_fsspec.remote.moving import Moving
from chuk_fsspec.remote.resolving import ToldAs
from chuk_fsspec.remote.sending import Order
from chuk_fsspec.remote.store import Entry
from chuk_fsspec.remote.streams import closing
from chuk_fsspec.remote.writing import besides_of

_PIECE = 1 << 20
_APPEND_ATTEMPTS = 10


class Opening(Moving):
    """The part of ``RemoteFileSystem`` that opens files.

    What is written with ``wb`` and ``xb`` is sent in parts meanwhile; with ``ab`` and the modes that have a ``+`` it is
    kept here until the file is closed.
    """

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        condition: Condition | None = None,
        **kwargs: Any,
    ) -> Any:
        require_open_mode(mode)
        cache_type: str | None = kwargs.pop("cache_type", None)
        normal = self._strip_protocol(path)
        file = self._wait(self._opened(normal, mode, block_size, autocommit, condition, kwargs))
        return CachedFile(file, cache_type, cache_options) if mode == "rb" and cache_type else file

    async def _opened(
        self,
        path: str,
        mode: str,
        block_size: int | None,
        autocommit: bool,
        condition: Condition | None,
        options: dict[str, Any],
    ) -> Any:
        if mode == "rb":
            return ReadingFile(self, await self._file_at(path), block_size or self.block_size)
        entry = await self._found_before(path, mode, condition)
        if mode in ("wb", "xb"):
            return WritingFile(self, path, mode, besides_of(options), autocommit=autocommit)
        if mode == "ab":
            return AppendingFile(self, path, mode, entry.size if entry is not None else 0, autocommit=autocommit)
        file = SpoolingFile(self, path, mode, autocommit=autocommit)
        if entry is not None and mode[0] in "ra":
            try:
                await self._fill(file, path)
            except BaseException:
                await file.give_up()
                raise
        return file

    async def open_async(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        """Open a file whose ``read``, ``write`` and ``close`` are to be awaited; it is an ``async with`` context.

        Args:
            path: absolute path or URL.
            mode: "rb", "wb" or "xb".
            kwargs: ``block_size``; ``if_match``, ``if_none_match``, ``content_type`` and ``metadata`` for writing.

        Returns:
            An ``AsyncReadingFile`` or an ``AsyncWritingFile``.

        Raises:
            OSError: as ``open``.
            PreconditionFailed: now or when closing, with nothing published.
            ValueError: for another mode.
        """
        normal = self._strip_protocol(path)
        condition = condition_of(kwargs.pop("if_match", None), kwargs.pop("if_none_match", None))
        if mode not in ("rb", "wb", "xb") or kwargs.get("compression"):
            raise ValueError(f"open_async knows 'rb', 'wb' and 'xb' without compression, not {mode!r}")
        if mode == "rb":
            window = Window(self, await self._file_at(normal), kwargs.get("block_size") or self.block_size)
            return AsyncReadingFile(self, window)
        await self._found_before(normal, mode, condition)
        return AsyncWritingFile(self, Order(normal, besides_of(kwargs), condition, is_new=mode == "xb"))

    async def _require_condition(self, path: str, condition: Condition) -> None:
        """PreconditionFailed unless a condition is met by what is at a normal path now."""
        require_met(condition, path, await self._look_or_none(path, follow=not condition.is_new))

    async def _found_before(self, path: str, mode: str, condition: Condition | None) -> Entry | None:
        """What is under a name that is to be written; where nothing has to be asked, nothing is, and None is returned.

        Raises:
            OSError: as publishing under this name would.
        """
        if path == "/":
            raise os_error(errno.EISDIR, path)
        if mode == "wb" and condition is None and not self.capabilities.directories:
            return None
        is_new = mode[0] == "x" or (condition is not None and condition.is_new)
        entry = await self._look_or_none(path, follow=not is_new)
        require_met(condition, path, entry)
        if mode[0] == "x" and entry is not None:
            raise os_error(errno.EEXIST, path)
        if entry is None:
            missing = await self._nothing_at(path)
            if mode[0] == "r" or isinstance(missing, NotADirectoryError):
                raise missing
            if not self.auto_mkdir:
                await self._require_parent(await self._real(path), make=False)
        elif entry.kind != "file":
            raise not_a_file(path, is_directory=entry.kind == "directory")
        return entry

    async def _fill(self, file: SpoolingFile, path: str) -> None:
        """Begin a private copy with what is there."""
        async with closing(self._stream(path)) as stream:
            async for piece in stream:
                await in_thread(lambda: file.body.write(piece))  # noqa: B023 - it is called before the next one comes
        if file.mode[0] == "r":
            file.body.seek(0)

    async def _send_body(self, file: SpoolingFile) -> str | None:
        """Publish a private copy."""
        order = Order(file.path, condition=file.condition, is_new="x" in file.mode)
        return await self._send(order, _pieces_of(file.body))

    async def _append_body(self, file: AppendingFile) -> str | None:
        """Publish what is there now with what was added behind it.

        Where the service can check that nobody else changed the file meanwhile, no other addition is lost.
        """
        for attempt in range(1, _APPEND_ATTEMPTS + 1):
            entry = await self._look_or_none(file.path, follow=True)
            require_met(file.condition, file.path, entry)
            if entry is not None and entry.kind != "file":
                raise not_a_file(file.path, is_directory=entry.kind == "directory")
            real = await self._real(file.path)
            order = Order(real, condition=self._unchanged(entry))
            try:
                with ToldAs(file.path, real):
                    return await self._send(order, self._with_behind(entry, file.body))
            except OSError as error:
                is_replaced = isinstance(error, PreconditionFailed) or error.errno == errno.ESTALE
                if not is_replaced or file.condition is not None or attempt == _APPEND_ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _unchanged(self, entry: Entry | None) -> Condition | None:
        if not self.capabilities.conditional_write:
            return None
        return Condition(if_none_match=ANY) if entry is None else Condition(if_match=entry.etag)

    async def _with_behind(self, entry: Entry | None, body: Any) -> AsyncIterator[Buffer]:
        if entry is not None and entry.size:
            async with closing(self._store.stream(entry.path)) as stream:
                async for piece in stream:
                    yield piece
        async for added in _pieces_of(body):
            yield added


async def _pieces_of(body: Any) -> AsyncIterator[Buffer]:
    """A temporary file from its beginning."""
    await in_thread(lambda: body.seek(0))
    while piece := await in_thread(lambda: body.read(_PIECE)):
        yield piece
