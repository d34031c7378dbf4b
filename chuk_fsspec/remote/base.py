"""What every part of a remote filesystem stands on: its options, its stores, and what it remembers."""

from __future__ import annotations

import asyncio
import errno
import os
import weakref
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from fsspec.asyn import AsyncFileSystem, get_loop

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import not_found, os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.contract.surface import LeafSurface
from chuk_fsspec.remote.blocking import is_in_loop, run
from chuk_fsspec.remote.known import Known
from chuk_fsspec.remote.store import Entry, RemoteStore, Traits
from chuk_fsspec.remote.stores import Stores
from chuk_fsspec.remote.together import together
from chuk_fsspec.remote.waiting import wait_for

Result = TypeVar("Result")

BLOCK_SIZE = 4 << 20
"""Bytes of an open file that are read ahead at most, unless the filesystem is told otherwise."""

EXPIRY_SECONDS = 5.0
"""How long a directory that was seen is taken to be there, unless the filesystem is told otherwise."""


class RemoteBase(LeafSurface, AsyncFileSystem):
    """The part of ``RemoteFileSystem`` that reaches the service."""

    # The methods that wait are written down in ``RemoteFileSystem``: a reader sees them, and no instance has its own.
    mirror_sync_methods = False

    def __init__(
        self,
        *,
        auto_mkdir: bool = True,
        follow_links: bool = True,
        block_size: int = BLOCK_SIZE,
        use_listings_cache: bool = False,
        listings_expiry_time: float | None = None,
        asynchronous: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Prepare; nothing is asked of the service yet.

        Args:
            auto_mkdir: make missing parent directories when a file is written, copied or moved.
            follow_links: follow symbolic links, or raise ``LinkInTheWay`` (see ``Posix.nofollow``).
            block_size: bytes of an open file that are read ahead at most.
            use_listings_cache: remember what is in a directory, for as long as is said next.
            listings_expiry_time: seconds for which a directory that was seen is taken to be there; 0 to ask each time.
            asynchronous: only coroutines are going to be called, in whatever event loop; there is none of its own.
            loop: the event loop of another thread in which to make requests; None for fsspec's.
            batch_size: files at once in bulk operations; None for as many as the service takes requests.
            kwargs: fsspec's own options.
        """
        super().__init__(asynchronous=asynchronous, loop=loop, batch_size=batch_size, **kwargs)
        seconds = EXPIRY_SECONDS if listings_expiry_time is None else listings_expiry_time
        self.auto_mkdir = auto_mkdir
        self.follow_links = follow_links
        self.block_size = block_size
        # Where no link may be followed, a directory may be one by the time that it is used again.
        self._known: Known[Entry] = Known(seconds if follow_links else 0, listings=use_listings_cache)
        self._begin()

    def _begin(self) -> None:
        self._stores = Stores(weakref.WeakMethod(self._make_store), weakref.WeakMethod(self._make_blocking_store))
        weakref.finalize(self, self._stores.close_all)

    def _make_store(self) -> RemoteStore:
        """A new store, for one event loop. It makes no request, and none of its loop's objects before the first one."""
        raise NotImplementedError

    @property
    def _blocks(self) -> bool:
        """Whether there is a blocking store too."""
        return False

    def _make_blocking_store(self) -> RemoteStore:
        """A store for threads without an event loop, whose coroutines for a whole small file never wait for one.

        Asked for where ``_blocks`` is set, as for ``_make_store``.
        """
        raise NotImplementedError

    # ---- the service

    @property
    def traits(self) -> Traits:
        """How the service is best used."""
        return self._stores.traits

    @property
    def capabilities(self) -> Capabilities:
        """What the service, and so this filesystem, can do."""
        return self._stores.traits.capabilities

    @property
    def _store(self) -> RemoteStore:
        if self._pid != os.getpid():
            self._start_again_after_fork()
        return self._stores.here()

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that makes the requests of methods that wait; None for a filesystem of coroutines alone."""
        if self._pid != os.getpid():
            self._start_again_after_fork()
        found: asyncio.AbstractEventLoop | None = self._loop
        return found

    def _start_again_after_fork(self) -> None:
        """The threads, loops and connections of the parent process are not ours."""
        self._stores.leave_to_the_parent()
        self._known.forget()
        self._pid = os.getpid()
        if not self.asynchronous:
            self._loop = get_loop()
        self._begin()

    def _for_others(self) -> dict[str, Any]:
        """The options with which another instance sees the same files."""
        return dict(self.storage_options)

    def _of_version(self) -> dict[str, Any]:
        """Options with which an instance made of the same arguments reads the version that this one reads."""
        return {}

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Have a coroutine run by the loop of this filesystem."""
        return wait_for(self.loop, work)

    def _wait_briefly(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The same for a coroutine about one small file: here, if the store can do without a loop."""
        if self._blocks and not self.asynchronous and not is_in_loop():
            return run(work)
        return self._wait(work)

    async def _close(self) -> None:
        """Let go of the connections of the running event loop; what is asked later makes new ones."""
        await self._stores.close()

    async def _together(self, work: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
        """Run coroutines, so many at once as the service takes requests; the first error ends the others."""
        return await together(work, self.batch_size or self.traits.parallel_requests)

    # ---- what is where

    async def _nothing_at(self, path: str) -> OSError:
        """The error for a path at which nothing is: ENOTDIR below a file, else ENOENT."""
        if self.capabilities.directories:
            above = split(path)[0]
            while above != "/" and not self._known.directories.get(above):
                entry = await self._store.look(above)
                if entry is not None:
                    if entry.kind != "directory":
                        return os_error(errno.ENOTDIR, path)
                    self._known.directories.put(above, True)
                    break
                above = split(above)[0]
        return not_found(path)

    def _gone(self, path: str) -> None:
        """Note that nothing is left at a path, and that its directory may be gone with the last that it held."""
        self._known.gone(path)
        if self.traits.implied_directories:
            self._known.forget_above(path)

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget what is known of a path and of all below it; without one, everything."""
        self._known.forget(None if path is None else self._strip_protocol(path))
        super().invalidate_cache(path)
