"""The coroutine methods: each is the method of the same name without the underscore, in one hop to a worker thread.

The names are those of ``fsspec.asyn.AsyncFileSystem``. Calls that wait at the same time share one transaction and one
commit; a call returns after the commit of what it has changed or seen. They may be awaited in any event loop, in
several at once, and beside the synchronous methods. ``async_impl`` stays False: the class itself is synchronous.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.backends.sqlite.aio_worker import worker_of
from chuk_fsspec.contract.conditions import Etags, given
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine.filesystem import InodeFileSystem
from chuk_fsspec.engine.listing import InfoDict
from chuk_fsspec.engine.shared import SharedState

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.session import Session

_HAS_THREADS = sys.platform != "emscripten"


class CoroutineMethods(InodeFileSystem):
    """An engine filesystem on a session, with methods to be awaited."""

    _session: Session

    def stand_on(self, shared: SharedState, at: str = "") -> None:
        super().stand_on(shared, at)
        self._session = shared.store.session  # type: ignore[attr-defined]
        self._worker = worker_of(self._session)

    def awaited(self, call: Callable[[], Any], *, writes: bool) -> Awaitable[Any]:
        """Make a call that uses this filesystem several times, in one hop and as one part of a shared transaction.

        Args:
            call: what to do, with the synchronous methods of this filesystem and nothing else that has effects: if it
                fails half-way, what it did is undone, and it is made once more by itself.
            writes: whether it may change something.

        Returns:
            What is to be awaited for the outcome of the call.
        """
        return self._make(call, writes)

    def _look(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Awaitable[Any]:
        """Make a call that changes nothing."""
        return self._make(partial(call, *arguments, **options), writes=False)

    def _change(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Awaitable[Any]:
        """Make a call that may change something."""
        return self._make(partial(call, *arguments, **options), writes=True)

    def _make(self, work: Callable[[], Any], writes: bool) -> Awaitable[Any]:
        # Within a transaction of this very thread the worker would wait for it, and it for the worker.
        if _HAS_THREADS and not self._session.is_ours:
            return self._worker.submit(self._session, work, writes)
        return _made_here(work)

    # ---- looking

    async def _info(self, path: str, **kwargs: Any) -> InfoDict:
        info: InfoDict = await self._look(self.info, path, **kwargs)
        return info

    async def _ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        entries: list[Any] = await self._look(self.ls, path, detail, **kwargs)
        return entries

    async def _find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **kwargs: Any
    ) -> Any:
        return await self._look(self.find, path, maxdepth, withdirs, detail, **kwargs)

    async def _walk(
        self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "omit", **kwargs: Any
    ) -> AsyncIterator[Any]:
        steps = self.walk(path, maxdepth, topdown, on_error, **kwargs)
        while (step := await self._look(next, steps, None)) is not None:
            yield step

    async def _glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        return await self._look(self.glob, path, maxdepth, **kwargs)

    async def _expand_path(
        self, path: str | list[str], recursive: bool = False, maxdepth: int | None = None, **kwargs: Any
    ) -> list[str]:
        paths: list[str] = await self._look(self.expand_path, path, recursive, maxdepth, **kwargs)
        return paths

    async def _exists(self, path: str, **kwargs: Any) -> bool:
        answer: bool = await self._look(self.exists, path, **kwargs)
        return answer

    async def _lexists(self, path: str, **kwargs: Any) -> bool:
        answer: bool = await self._look(self.lexists, path, **kwargs)
        return answer

    async def _isfile(self, path: str) -> bool:
        answer: bool = await self._look(self.isfile, path)
        return answer

    async def _isdir(self, path: str) -> bool:
        answer: bool = await self._look(self.isdir, path)
        return answer

    async def _size(self, path: str) -> int | None:
        size: int | None = await self._look(self.size, path)
        return size

    async def _sizes(self, paths: list[str]) -> list[int | None]:
        sizes: list[int | None] = await self._look(self.sizes, paths)
        return sizes

    async def _du(
        self, path: str, total: bool = True, maxdepth: int | None = None, withdirs: bool = False, **kwargs: Any
    ) -> Any:
        return await self._look(self.du, path, total, maxdepth, withdirs, **kwargs)

    async def _created(self, path: str) -> datetime:
        time: datetime = await self._look(self.created, path)
        return time

    async def _modified(self, path: str) -> datetime:
        time: datetime = await self._look(self.modified, path)
        return time

    async def _ukey(self, path: str) -> str:
        key: str = await self._look(self.ukey, path)
        return key

    async def _checksum(self, path: str) -> int:
        number: int = await self._look(self.checksum, path)
        return number

    # ---- reading

    async def _cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        data: bytes = await self._look(self.cat_file, path, start, end, **kwargs)
        return data

    async def _cat(
        self, path: str | list[str], recursive: bool = False, on_error: str = "raise", **kwargs: Any
    ) -> bytes | dict[str, Any]:
        found: bytes | dict[str, Any] = await self._look(self.cat, path, recursive, on_error, **kwargs)
        return found

    async def _cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        on_error: str = "return",
        **kwargs: Any,
    ) -> list[Any]:
        ranges: list[Any] = await self._look(self.cat_ranges, paths, starts, ends, max_gap, on_error, **kwargs)
        return ranges

    # ---- writing

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
        conditions = given(if_match=if_match, if_none_match=if_none_match)
        etag: str | None = await self._change(self.pipe_file, path, value, mode, **conditions, **kwargs)
        return etag

    async def _pipe(
        self,
        path: str | dict[str, Any],
        value: Any = None,
        *,
        if_match: Etags = None,
        if_none_match: Etags = None,
        **kwargs: Any,
    ) -> None:
        conditions = given(if_match=if_match, if_none_match=if_none_match)
        await self._change(self.pipe, path, value, **conditions, **kwargs)

    async def _touch(
        self,
        path: str,
        truncate: bool = True,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        conditions = given(if_match=if_match, if_none_match=if_none_match)
        etag: str | None = await self._change(self.touch, path, truncate, **conditions, **kwargs)
        return etag

    async def _cp_file(
        self,
        path1: str,
        path2: str,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_source_match: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        conditions = given(if_match=if_match, if_none_match=if_none_match, if_source_match=if_source_match)
        etag: str | None = await self._change(self.cp_file, path1, path2, **conditions, **kwargs)
        return etag

    async def _copy(
        self,
        path1: str | list[str],
        path2: str | list[str],
        recursive: bool = False,
        maxdepth: int | None = None,
        on_error: str | None = None,
        **kwargs: Any,
    ) -> None:
        await self._change(self.copy, path1, path2, recursive, maxdepth, on_error, **kwargs)

    async def _mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        await self._change(self.mkdir, path, create_parents, **kwargs)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        await self._change(self.makedirs, path, exist_ok)

    # ---- removing and moving

    async def _rm_file(self, path: str, *, if_match: str | None = None) -> None:
        await self._change(self.rm_file, path, if_match=if_match)

    # fsspec's synchronous ``_rm`` is a step of its ``rm`` and ``rm_file``, which the engine does without.
    async def _rm(  # type: ignore[override]
        self,
        path: str | list[str],
        recursive: bool = False,
        maxdepth: int | None = None,
        *,
        if_match: Etags = None,
    ) -> None:
        await self._change(self.rm, path, recursive, maxdepth, if_match=if_match)

    async def _rmdir(self, path: str) -> None:
        await self._change(self.rmdir, path)

    async def _mv(
        self,
        path1: Any,
        path2: Any,
        recursive: bool = False,
        maxdepth: int | None = None,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_target_match: str | None = None,
        **kwargs: Any,
    ) -> None:
        conditions = given(if_match=if_match, if_none_match=if_none_match, if_target_match=if_target_match)
        await self._change(self.mv, path1, path2, recursive, maxdepth, **conditions, **kwargs)

    async def _mv_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        await self._change(self.mv, path1, path2, **kwargs)

    # ---- files of this machine, which take their time: in a thread of their own, a step of the database at a time

    async def _get_file(
        self, rpath: str, lpath: Any = None, callback: Callback = DEFAULT_CALLBACK, outfile: Any = None, **kwargs: Any
    ) -> None:
        await asyncio.to_thread(self.get_file, rpath, lpath, callback, outfile, **kwargs)

    async def _get(
        self,
        rpath: str | list[str],
        lpath: Any,
        recursive: bool = False,
        callback: Callback = DEFAULT_CALLBACK,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        await asyncio.to_thread(self.get, rpath, lpath, recursive, callback, maxdepth, **kwargs)

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
        conditions = given(if_match=if_match, if_none_match=if_none_match)
        return await asyncio.to_thread(self.put_file, lpath, rpath, callback, mode, **conditions, **kwargs)

    async def _put(
        self,
        lpath: Any,
        rpath: str | list[str],
        recursive: bool = False,
        callback: Callback = DEFAULT_CALLBACK,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        await asyncio.to_thread(self.put, lpath, rpath, recursive, callback, maxdepth, **kwargs)


def _made_here(work: Callable[[], Any]) -> Awaitable[Any]:
    future = asyncio.get_running_loop().create_future()
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - it is raised where the call is awaited
        future.set_exception(error)
    return future
